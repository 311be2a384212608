"""Names of series: cleaning them for a search, and comparing them.

Pure text in, text out; shared with whoever compares a name from elsewhere with TMDB's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from .types import MAX_NUMBER

MediaType = Literal["tv", "movie"]

# Longer queries find nothing on TMDB and would only make long addresses.
MAX_QUERY = 200

LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2}|-[0-9]{3})?")
INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
BRACKETS_AT_END = re.compile(r"\s*[(（\[【]\s*([^()（）\[\]【】]{1,40}?)\s*[)）\]】]$")
YEAR = re.compile(r"(?:19|20)\d\d")
YEARS = re.compile(rf"({YEAR.pattern})(?:\s*[-–—]\s*(?:{YEAR.pattern})?)?")
# Brands that a distributor puts before a name which TMDB's editors leave out, or the reverse.
BRAND = re.compile(
    r"(?:marvel(?: studios)?|dc(?: comics)?|disney|pixar|netflix|hbo|bbc|amc|nbc|lego"
    r"|dreamworks|nickelodeon)(?:['’‘`´ʼ]s|s['’‘`´ʼ]|['’‘`´ʼ])\s+(?=\w)",
    re.IGNORECASE,
)
# Said of an edition and not part of the name, at the end and after a separator or in brackets.
EDITION_WORDS = (
    r"(?:the )?(?:complete |limited |mini |mini-|tv |original )?(?:series|miniseries|tv show)"
    r"|(?:english |german |french |spanish )?(?:dub|dubbed|sub|subbed|subtitled)"
    r"|original (?:version|language)|uncut|uncensored|remastered"
)
EDITION = re.compile(EDITION_WORDS, re.IGNORECASE)
EDITION_AT_END = re.compile(rf"\s*[:–—-]\s+(?:{EDITION_WORDS})$", re.IGNORECASE)

# What stands in brackets after a name to tell national versions apart, as ISO 3166-1 codes.
COUNTRIES = {
    "us": "US", "usa": "US", "american": "US", "america": "US", "united states": "US",
    "ee uu": "US", "eua": "US", "estados unidos": "US", "états-unis": "US",
    "uk": "GB", "gb": "GB", "british": "GB", "england": "GB", "united kingdom": "GB",
    "au": "AU", "aus": "AU", "australia": "AU", "australian": "AU",
    "nz": "NZ", "new zealand": "NZ",
    "ca": "CA", "canada": "CA", "canadian": "CA", "quebec": "CA",
    "ie": "IE", "ireland": "IE",
    "in": "IN", "india": "IN", "indian": "IN",
    "za": "ZA", "south africa": "ZA",
    "de": "DE", "germany": "DE", "german": "DE", "deutschland": "DE",
    "at": "AT", "austria": "AT", "ch": "CH", "switzerland": "CH",
    "fr": "FR", "france": "FR", "french": "FR", "be": "BE", "belgium": "BE",
    "nl": "NL", "netherlands": "NL", "dutch": "NL",
    "es": "ES", "spain": "ES", "españa": "ES", "pt": "PT", "portugal": "PT",
    "it": "IT", "italy": "IT", "italia": "IT", "italian": "IT",
    "mx": "MX", "mexico": "MX", "méxico": "MX", "co": "CO", "colombia": "CO",
    "ar": "AR", "argentina": "AR", "cl": "CL", "chile": "CL",
    "br": "BR", "brazil": "BR", "brasil": "BR",
    "se": "SE", "sweden": "SE", "no": "NO", "norway": "NO", "dk": "DK", "denmark": "DK",
    "fi": "FI", "finland": "FI", "is": "IS", "iceland": "IS",
    "pl": "PL", "poland": "PL", "cz": "CZ", "tr": "TR", "turkey": "TR",
    "ru": "RU", "russia": "RU", "ua": "UA", "ukraine": "UA", "il": "IL", "israel": "IL",
    "jp": "JP", "japan": "JP", "japanese": "JP", "kr": "KR", "korea": "KR", "korean": "KR",
    "south korea": "KR", "cn": "CN", "china": "CN", "chinese": "CN", "tw": "TW", "taiwan": "TW",
    "hk": "HK", "hong kong": "HK", "th": "TH", "thailand": "TH", "ph": "PH", "philippines": "PH",
    "id": "ID", "indonesia": "ID", "my": "MY", "malaysia": "MY", "sg": "SG", "singapore": "SG",
}  # fmt: skip

APOSTROPHES = re.compile(r"['’‘‛`´ʼ＇′]")
# S.W.A.T., M*A*S*H: single characters held together by dots or asterisks are one word.
SPELLED_OUT = re.compile(r"(?<!\w)\w(?:[.*]\w(?!\w))+[.*]?")
AND_WORDS = {"&", "and", "und", "et", "och", "og", "y"}
ARTICLES = {
    "the", "a", "an", "der", "die", "das", "le", "la", "les", "el", "los", "las", "il", "lo", "gli",
}  # fmt: skip
# Not the single letters: "V" and "X" are names more often than numbers.
ROMAN = {
    "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11",
    "xii": "12", "xiii": "13", "xiv": "14", "xv": "15", "xvi": "16", "xvii": "17", "xviii": "18",
    "xix": "19", "xx": "20",
}  # fmt: skip
# Letters that do not come apart into a plain one and a mark.
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
WHOLE_LETTERS = re.compile(f"[{''.join(LETTERS)}]")
BMP = range(0x10000)
# Marks, and whatever lies beyond the plane that regular expressions are quick in.
MARKS = re.compile(
    f"[{''.join(c for c in map(chr, BMP) if unicodedata.combining(c))}\U00010000-\U0010ffff]+"
)
TMDB_HOSTS = {"themoviedb.org", "www.themoviedb.org"}
TMDB_PATH = re.compile(r"/(?:[a-z]{2}(?:-[A-Z]{2})?/)?(tv|movie)/([0-9]{1,10})(?:[-/].*)?")


@dataclass(frozen=True)
class ParsedName:
    """A name without what was added to it, and what that says.

    `countries` are ISO 3166-1 codes.
    """

    base: str
    year: int | None = None
    countries: frozenset[str] = frozenset()


def is_language(text: str) -> bool:
    """Whether the text is a language as TMDB takes it: "de", "en-US", "zh-Hant-TW"."""
    return LANGUAGE.fullmatch(text) is not None


def tidy(name: str) -> str:
    """The name as it is sent to TMDB: composed, without invisible characters and extra blanks."""
    return _visible(name)[:MAX_QUERY].rstrip()


def _visible(text: str) -> str:
    return " ".join(INVISIBLE.sub(" ", unicodedata.normalize("NFC", text)).split())


def parse_name(name: str) -> ParsedName:
    """Split "Shameless (U.S.)", "Kingdom (2019)", "Marvel's Daredevil" into name and additions.

    Only what stands in brackets counts as a year or a country: "1899" and "Made in India" are
    names. A name that is nothing but additions is left as it is.
    """
    tidied = base = tidy(name)
    year: int | None = None
    countries: set[str] = set()
    while (match := BRACKETS_AT_END.search(base)) and (said := _said_in_brackets(match[1])):
        base = base[: match.start()]
        year = year or said.year
        countries |= said.countries
    base = EDITION_AT_END.sub("", base)
    if brand := BRAND.match(base):
        base = base[brand.end() :]
    base = base.strip(" :–—-")
    if not _words(base):
        return ParsedName(tidied)
    return ParsedName(base, year, frozenset(countries))


def clean_name(name: str) -> str:
    """The name without year, country, brand and edition: what to search by."""
    return parse_name(name).base


def exact_key(name: str) -> str:
    """Equal for two spellings that differ only in case, accents, quotes and punctuation."""
    return _key(tidy(name))


def search_key(text: str) -> str:
    """`exact_key` of the whole of a text, however long: what a search looks into."""
    return _key(_visible(text))


def _key(visible: str) -> str:
    return " ".join(_words(visible)) or visible.casefold()


def comparison_key(name: str) -> str:
    """Equal for two spellings of one name: `exact_key`, and besides without year, country and
    brand, with `&` as "and", roman numerals as numbers, and without a leading article.

    It is a key for comparing, never for a cache: two different series can share it.
    """
    tokens = _words(clean_name(name))
    last = len(tokens) - 1
    tokens = [
        "and" if token in AND_WORDS and 0 < place < last else ROMAN.get(token, token)
        for place, token in enumerate(tokens)
    ]
    if len(tokens) > 1 and tokens[0] in ARTICLES:
        del tokens[0]
    return " ".join(tokens) or tidy(name).casefold()


def parse_tmdb_reference(text: str) -> tuple[MediaType, int] | None:
    """What somebody typed or pasted: an id, or the address of a page on themoviedb.org.

    A bare number is a series. None when it is neither.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        return _reference("tv", int(text))
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        host = address.hostname
    except ValueError:
        return None
    match = TMDB_PATH.fullmatch(address.path)
    if address.scheme not in ("http", "https") or host not in TMDB_HOSTS or not match:
        return None
    return _reference("tv" if match[1] == "tv" else "movie", int(match[2]))


def _reference(media_type: MediaType, number: int) -> tuple[MediaType, int] | None:
    return (media_type, number) if 0 < number <= MAX_NUMBER else None


def _said_in_brackets(text: str) -> ParsedName | None:
    """The year and countries named, or None when anything else stands there."""
    year: int | None = None
    countries: set[str] = set()
    for part in re.split(r"\s*[,/;]\s*", text):
        if country := _country(part):
            countries.add(country)
        elif years := YEARS.fullmatch(part):
            year = int(years[1])
        elif not EDITION.fullmatch(part):
            return None
    return ParsedName("", year, frozenset(countries))


def _country(text: str) -> str | None:
    code = text.replace(".", "")
    # Two small letters are a word more often than a country: "(no)", "(in)".
    return COUNTRIES.get(code.casefold()) if len(code) > 2 or code.isupper() else None


class _InWords(dict[int, int | str]):
    """What belongs to a word stays and the rest is blank, for `str.translate`."""

    def __missing__(self, point: int) -> int | str:
        # Marks belong to their words: in many scripts they are the vowels.
        becomes = point if unicodedata.category(chr(point))[0] in "LNM" else " "
        if point in BMP:
            self[point] = becomes
        return becomes


IN_WORDS = _InWords()


def _words(name: str) -> list[str]:
    text = APOSTROPHES.sub("", _without_accents(name))
    text = SPELLED_OUT.sub(lambda match: re.sub(r"[.*]", "", match[0]), text)
    text = text.replace("&", " and ").replace("%", " percent ").replace("+", " plus ")
    return text.translate(IN_WORDS).split()


def _without_accents(name: str) -> str:
    """Casefolded, compatible forms unified, marks removed from Latin, Greek and Cyrillic letters.

    In other scripts a mark makes another letter or syllable and stays.
    """
    text = name.casefold()
    if text.isascii():
        return text
    text = MARKS.sub(_without_marks, unicodedata.normalize("NFKD", text))
    text = unicodedata.normalize("NFC", text)
    return WHOLE_LETTERS.sub(lambda letter: LETTERS[letter[0]], text)


def _without_marks(run: re.Match[str]) -> str:
    base = run.string[run.start() - 1 : run.start()]
    kept: list[str] = []
    for character in run[0]:
        if not unicodedata.combining(character):
            base = character
        elif base < "\u0530":
            continue
        kept.append(character)
    return "".join(kept)
