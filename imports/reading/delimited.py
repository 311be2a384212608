"""Text files of cells: bytes to text, and text to records, whatever a re-save made of them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

Record = tuple[int, list[str]]
"""The line where a record starts (1 is the first of the file), and its cells."""

# The letters beyond ASCII of the languages for which Excel saves CSV in each of Windows' code
# pages (their alphabets), those of western Europe first.
_ALPHABETS = (
    ("cp1252", "áéíñóúü¿¡ªº"),
    ("cp1252", "áâãàçéêíóôõúüªº"),
    ("cp1252", "àâæçéèêëîïôœùûüÿ"),
    ("cp1252", "äöüß"),
    ("cp1252", "àèéìíîòóù"),
    ("cp1252", "áéëïíóöüè"),
    ("cp1252", "æøåäöéóòô"),
    ("cp1250", "áčďéěíňóřšťúůýž"),
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),
    ("cp1250", "ąćęłńóśźż"),
    ("cp1250", "áéíóöőúüű"),
    ("cp1250", "čćđšž"),
    ("cp1250", "ăâîşţ"),
    ("cp1253", "άέήίϊόύϋώαβγδεζηθικλμνξοπρσςτυφχψω"),
    ("cp1251", "абвгґдеёєжзиіїйклмнопрстуфхцчшщъыьэюя"),
    ("cp1254", "çğıİöşüâîû"),
)
_WESTERN = "".join(letters for page, letters in _ALPHABETS if page == "cp1252")
# Hardly a word has these as capitals: what looks so is in another alphabet.
_NO_CAPITALS = "ЪЫЬ"
_ONE_SCRIPT = ("cp1251", "cp1253")
_WHOLE_WORD = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]+(?![A-Za-z\x80-\xff])")
# What several western languages explain together counts less than what one language does.
_MIXED = 0.9
# Signs that titles in any language have.
_ANY_LANGUAGE = "\u00a0’‘“”„«»–—…·°™®©½"
_EVIDENCE = 1 << 18
DELIMITERS = (",", ";", "\t")
_BLOCK = 1 << 16
_HEAD = 4096
# A longer line is no row: what is kept of it is enough to recognise it by.
_LONGEST_LINE = 1 << 20
_SHOWN = 1000
# What starting again after a torn line costs, in lines.
_RESTART = 10
# No title has so many line breaks.
_MAX_SPAN = 100


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a file are set apart."""

    delimiter: str = ","
    skip_blanks: bool = False
    """True where blanks stand between a delimiter and an opening quote."""


class Text:
    """The text of a file, decoded anew from its bytes each time it is read, never as a whole.

    UTF-8 or UTF-16 with or without mark, else a code page: of Windows' ones that in which the
    letters make most sense. A file glued together from several is decoded line by line where it
    is not UTF-8 throughout. NULs are left out.
    """

    def __init__(self, chunks: Callable[[], Iterator[bytes]]) -> None:
        """`chunks` gives the bytes from the beginning, in pieces; what it raises is passed on."""
        self._chunks = chunks
        self.first = next(chunks(), b"")
        """The first piece of the bytes."""
        if self.first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._encoding: str | None = "utf-16"
        else:
            self._encoding = _utf16_by_zeros(self.first)
        self._is_utf8 = self._encoding is None and _is_utf8(chunks())
        if self._encoding is None and not self._is_utf8:
            self._page = _code_page(_other_lines(chunks()))

    @classmethod
    def of(cls, data: bytes) -> Text:
        return cls(lambda: (data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)))

    def blocks(self) -> Iterator[str]:
        """Some whole lines at a time, their ends kept. Of a line over a megabyte, not all."""
        is_start = True
        chunks = self._chunks()
        if self._encoding is not None:
            chunks = _as_utf8(chunks, self._encoding)
        for block in _whole_lines(chunks):
            if self._is_utf8 or self._encoding is not None:
                text = block.decode("utf-8", "replace")
            else:
                text = "".join(
                    _decode_line(line, self._page) for line in block.splitlines(keepends=True)
                )
            text = text.replace("\0", "")
            if is_start:
                text = text.lstrip("\ufeff")
                is_start = not text
            yield text

    def start(self) -> str:
        """The first 4096 characters."""
        found = ""
        for block in self.blocks():
            found += block[:_HEAD]
            if len(found) >= _HEAD:
                break
        return found[:_HEAD]

    def lines(self) -> Iterator[str]:
        """The lines as bytes end them (LF, CR or both), their ends kept."""
        # Iterating over `str.splitlines` would end lines at more signs than these.
        return chain.from_iterable(io.StringIO(block, newline="") for block in self.blocks())


def records(
    lines: Iterable[str], dialect: Dialect, is_row: Callable[[Sequence[str]], bool]
) -> Iterator[Record]:
    """Yield every record of some lines, blank ones too.

    `is_row` says whether cells look like a row on their own: by it a quote that never closes,
    which would swallow the rows after it, is told from a line break inside a cell.
    """
    coming = iter(lines)
    again: deque[str] = deque()
    taken: list[str] = []
    first = 1
    spent = 0
    while True:
        reader = csv.reader(
            _taking(again, coming, taken),
            delimiter=dialect.delimiter,
            skipinitialspace=dialect.skip_blanks,
        )
        try:
            for cells in reader:
                if len(taken) > 1 and _is_torn(taken, dialect, is_row):
                    break
                yield first, cells
                first += len(taken)
                taken.clear()
            else:
                return
        except csv.Error:
            pass
        spent += _RESTART + len(taken)
        yield first, _alone(taken[0], dialect, is_row)
        first += 1
        again.extendleft(reversed(taken[1:]))
        taken.clear()
        # Lines after a torn one are read again. Where that happens all the time, the quotes of
        # the file mean nothing: each line is a record then, and the cost stays linear.
        if spent > 4 * first + 10_000:
            for line in chain(again, coming):
                yield first, _alone(line, dialect, is_row)
                first += 1
            return


def _taking(again: deque[str], coming: Iterator[str], taken: list[str]) -> Iterator[str]:
    """The lines to be read again, then those to come; `taken` are those of one record.

    Raises csv.Error when a record has too many.
    """
    while again:
        line = again.popleft()
        taken.append(line)
        if len(taken) > _MAX_SPAN:
            raise csv.Error
        yield line
    for line in coming:
        taken.append(line)
        if len(taken) > _MAX_SPAN:
            raise csv.Error
        yield line


def split(line: str, delimiter: str) -> list[str]:
    """The cells of one line, quotes honoured; none when it cannot be split."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_torn(
    physical: Sequence[str], dialect: Dialect, is_row: Callable[[Sequence[str]], bool]
) -> bool:
    """Whether a record of several lines swallowed rows: one of its lines is a row by itself."""
    *before, last = physical
    # A quote here opens a cell, unless another or a delimiter follows: then it ends this one.
    opens = last.startswith('"') and not last.startswith(('""', f'"{dialect.delimiter}'))
    if opens and is_row(_alone(last, dialect, is_row)):
        return True
    return any(is_row(_alone(line, dialect, is_row)) for line in before)


def _alone(line: str, dialect: Dialect, is_row: Callable[[Sequence[str]], bool]) -> list[str]:
    """The cells of a line that is a record by itself, a quote that does not close ignored."""
    line = line.rstrip("\r\n")
    cells = split(line, dialect.delimiter)
    if not is_row(cells):
        literal = [cell.strip().strip('"') for cell in line.split(dialect.delimiter)]
        if is_row(literal):
            return literal
    return cells or ([line[:_SHOWN]] if line else [])


def _utf16_by_zeros(data: bytes) -> str | None:
    """UTF-16 without a mark: in Latin titles, dates and delimiters every other byte is zero."""
    head = data[:_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 < len(head) or min(even, odd) * 20 > len(head):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _is_utf8(chunks: Iterable[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut after ends of lines, but for what a line over a megabyte has too much."""
    rest = b""
    for chunk in chunks:
        # A CR at the end may be half of a CRLF.
        end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r", 0, -1)) + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
            if len(rest) > _LONGEST_LINE:
                rest = rest[:_SHOWN]
    if rest:
        yield rest


def _decode_line(line: bytes, page: str) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode(page, "replace")


def _other_lines(chunks: Iterable[bytes]) -> bytes:
    """The lines that are no UTF-8, as far as they are wanted as evidence."""
    found: list[bytes] = []
    left = _EVIDENCE
    for block in _whole_lines(chunks):
        for line in block.splitlines(keepends=True):
            if not line.isascii() and not _is_utf8([line]):
                found.append(line[:left])
                left -= len(found[-1])
        if not left:
            break
    return b"".join(found)


def _code_page(text: bytes) -> str:
    """The code page in which most letters belong to one alphabet; Windows-1252 in doubt.

    No word mixes Greek or Cyrillic letters with Latin ones.
    """
    letters = bytes(byte for byte in text if byte >= 0x80)
    whole = b"".join(_WHOLE_WORD.findall(text))
    found = {
        page: Counter((whole if page in _ONE_SCRIPT else letters).decode(page, "replace"))
        for page, _ in _ALPHABETS
    }
    number = len(letters) - sum(found["cp1252"][sign] for sign in _ANY_LANGUAGE)

    def explained(page: str, alphabet: str) -> float:
        signs = {*alphabet, *alphabet.upper()}.difference(_NO_CAPITALS)
        return sum(found[page][sign] for sign in signs) / max(number, 1)

    best, most = "cp1252", _MIXED * explained("cp1252", _WESTERN)
    for page, alphabet in _ALPHABETS:
        share = explained(page, alphabet)
        if share > most:
            best, most = page, share
    return best
