"""Keys by which titles and names are recognised again, and what of a text can be stored at all.

Pure: no Django, no I/O.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile(r"\s+")
_SAME_SIGNS = str.maketrans(
    dict.fromkeys("’‘ʼʻ`´′", "'") | dict.fromkeys("“”„«»″", '"') | dict.fromkeys("‐‑‒–—―−", "-")
)


def storable(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text: NUL and lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "ignore").decode()


def digest(text: str) -> str:
    """A short, fixed-length stand-in for a text of any length: 32 hex digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def fingerprint(title_hash: str, day: date | None) -> str:
    """Identity of a viewing within one user's library (rule 6).

    `title_hash` is the digest of the title key, `day` the date as the file writes it; None for
    a viewing marked by hand without a day.
    """
    return digest(f"{title_hash}{day.isoformat() if day else ''}")


def typed_key(name: str) -> str:
    """The key of a series' name that a person typed: the one that a file gives the same name.

    The steps are those of the reader, which knows nothing of this app
    (`imports/reading/keys.py`); a test compares the two.
    """
    text = unicodedata.normalize("NFC", name)
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    plain = unicodedata.normalize("NFKC", _BLANKS.sub(" ", text).strip(" "))
    folded = unicodedata.normalize("NFKC", plain.translate(_SAME_SIGNS).casefold())
    return _BLANKS.sub(" ", folded).strip(" ")
