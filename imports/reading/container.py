"""What kind of file the bytes are, and the table inside: a CSV, a workbook, or a ZIP of them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from imports.reading.delimited import Record, Text
from imports.reading.spreadsheet import Likeness, spreadsheet_records
from imports.reading.types import Message, Options, UnreadableFile

WHAT_TO_UPLOAD = Message(
    "Upload NetflixViewingHistory.csv (on netflix.com: Account, your profile, Viewing activity, "
    "Download all), or ViewingActivity.csv from the personal data that Netflix sends on request."
)
# In this order: where a ZIP has both, the first one tells more.
_WANTED = ("viewingactivity.csv", "netflixviewinghistory.csv")
# What browsers and file managers add to a second download: "NetflixViewingHistory (1).csv".
_COPY = re.compile(r" ?\(\d{1,3}\)(?=\.csv$)")
_CHUNK = 1 << 16
_SHOWN_NAMES = 3
# Netflix's download has some 30 files. An archive of a million empty ones costs memory.
_MAX_MEMBERS = 10_000
_MEMBER = b"PK\x01\x02"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

# What people upload by mistake, by its first bytes.
_SIGNATURES: tuple[tuple[re.Pattern[bytes], Message], ...] = tuple(
    (re.compile(pattern, re.DOTALL), Message(what))
    for pattern, what in (
        (rb"\s*%PDF", "This is a PDF document."),
        (
            rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|....ftyp(?:heic|heix|mif1|avif)",
            "This is a picture.",
        ),
        (rb"....ftyp|RIFF....(?:AVI |WAVE)|\x1aE\xdf\xa3|ID3|OggS", "This is a film or a sound."),
        (
            rb"\xd0\xcf\x11\xe0",
            "This is an old Excel or Word file (.xls, .doc), or one with a password. From Excel, "
            "save it as CSV.",
        ),
        (
            rb"\x1f\x8b|7z\xbc\xaf|Rar!\x1a|BZh\d1AY|\xfd7zXZ",
            "This is a compressed file, of a kind that watchlog does not unpack. Unpack it first.",
        ),
        (rb"SQLite format 3\x00", "This is a database."),
        (rb"\x7fELF|MZ[\x00-\xff]\x00|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe", "This is a program."),
        (rb"\{\\rtf", "This is a text document (RTF)."),
        (rb"bplist00", "This is a saved web archive."),
        (rb"PK\x03\x04", "This is a ZIP file within a ZIP file. Unpack it first."),
    )
)


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file: `text` still to be split, or the `records` of a spreadsheet."""

    text: Text | None = None
    records: Sequence[Record] = ()


def unreadable(what: Message | str, **values: object) -> UnreadableFile:
    """The error for a file that is something else: what it is, and what to upload instead."""
    if isinstance(what, str):
        what = Message(what, values)
    return UnreadableFile(
        Message("%(what)s %(what_to_upload)s", {"what": what, "what_to_upload": WHAT_TO_UPLOAD})
    )


def open_table(data: bytes, options: Options, likeness: Likeness = lambda sample: 0) -> Table:
    """Find the table in an uploaded file. Raises UnreadableFile when it holds none.

    Of a ZIP, ViewingActivity.csv (or else NetflixViewingHistory.csv) is read, wherever it lies
    and whatever was added to its name, and nothing else is opened. Of a workbook, the sheet with
    the highest `likeness`. Unpacking ends at `options.max_unpacked_bytes`.
    """
    if data.startswith(_ZIP):
        with _archive(data) as archive:
            if "xl/workbook.xml" in archive.namelist():
                _check_size(archive, options.max_unpacked_bytes)
                # One record more than allowed, and the header: enough to notice the excess.
                limit = options.max_rows + 2
                records = spreadsheet_records(data, limit=limit, likeness=likeness)
                return Table(records=records)
            member = _wanted_member(archive)
        # Unpacked anew each time it is read: what it unpacks to may be far larger than the file.
        return _plain(Text(lambda: _chunks(_archive(data), member, options.max_unpacked_bytes)))
    return _plain(Text.of(data))


def _plain(text: Text) -> Table:
    for signature, what in _SIGNATURES:
        if signature.match(text.first):
            raise unreadable(what)
    start = text.start()
    head = start.lstrip().lower()
    if not head and not any(map(str.strip, text.blocks())):
        raise unreadable("This file is empty.")
    if head.startswith(("<!doctype html", "<html", "<head", "<body")):
        raise unreadable("This is a web page that was saved, not the file that it offers.")
    if head.startswith("<"):
        raise unreadable("This is an XML file.")
    if head.startswith(("{", "[{", "[\n", "[\r", "[ ")):
        if '"watched_at"' in start:
            raise unreadable("This looks like a history from Trakt, which watchlog cannot read.")
        raise unreadable("This is a JSON file.")
    return Table(text=text)


def _archive(data: bytes) -> zipfile.ZipFile:
    if data.count(_MEMBER) > _MAX_MEMBERS:
        raise unreadable("This ZIP file holds thousands of files.")
    try:
        return zipfile.ZipFile(BytesIO(data))
    # A damaged directory makes the library stumble in many ways; BadZipFile is only one.
    except Exception as error:
        raise _damaged() from error


def _damaged() -> UnreadableFile:
    return unreadable("This ZIP file is damaged, or was not downloaded whole.")


def _wanted_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if _is_real_file(member)]
    for wanted in _WANTED:
        stem = wanted.removesuffix(".csv")
        named = [member for member in members if stem in _base_name(member)]
        found = [member for member in named if _base_name(member) == wanted]
        # People add whose it is: "NetflixViewingHistory_Anna.csv".
        found = found or [member for member in named if _base_name(member).endswith(".csv")]
        if len(found) > 1:
            raise _several(found)
        if found:
            return _without_password(found[0])
    raise unreadable(
        "This ZIP file has no ViewingActivity.csv in it, but: %(names)s.",
        names=", ".join(_listed(members)) or "(nothing)",
    )


def _several(found: Sequence[zipfile.ZipInfo]) -> UnreadableFile:
    paths = ", ".join(member.filename for member in found[:_SHOWN_NAMES])
    if len(set(map(_base_name, found))) > 1:
        return UnreadableFile(
            Message(
                "This ZIP file holds %(count)d viewing histories: %(paths)s. Unpack it and upload "
                "the one you mean.",
                {"count": len(found), "paths": paths},
            )
        )
    return UnreadableFile(
        Message(
            "This ZIP file holds %(count)d files with the name %(name)s: %(paths)s. "
            "Unpack it and upload the one you mean.",
            {
                "count": len(found),
                "name": PurePosixPath(found[0].filename).name,
                "paths": paths,
            },
        )
    )


def _is_real_file(member: zipfile.ZipInfo) -> bool:
    """Not a folder, and none of the shadow files that macOS packs beside each file."""
    parts = member.filename.replace("\\", "/").split("/")
    return bool(parts[-1]) and "__MACOSX" not in parts and not parts[-1].startswith("._")


def _base_name(member: zipfile.ZipInfo) -> str:
    return _COPY.sub("", member.filename.replace("\\", "/").rpartition("/")[2].lower())


def _listed(members: Sequence[zipfile.ZipInfo]) -> list[str]:
    names = [member.filename[:100] for member in members[:_SHOWN_NAMES]]
    return [*names, "..."] if len(members) > _SHOWN_NAMES else names


def _without_password(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    if member.flag_bits & 1:
        raise UnreadableFile(
            Message(
                "%(name)s in this ZIP file is protected by a password. Unpack it and upload "
                "%(name)s itself.",
                {"name": member.filename},
            )
        )
    return member


def _check_size(archive: zipfile.ZipFile, limit: int) -> None:
    """Unpack a workbook once, keeping nothing: the sizes it states itself prove nothing."""
    for member in archive.infolist():
        for chunk in _chunks(archive, member, limit):
            limit -= len(chunk)


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> Iterator[bytes]:
    """Unpack a member bit by bit, up to `limit` bytes. Raises UnreadableFile for more."""
    # Others than these unpack in steps of any size, and neither Netflix nor Excel uses them.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unreadable("This ZIP file is packed in a way that watchlog does not know.")
    unpacked = 0
    try:
        with archive.open(member) as file:
            while chunk := file.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > limit:
                    break
                yield chunk
    # Damaged data makes the library fail in many ways.
    except Exception as error:
        raise _damaged() from error
    if unpacked > limit:
        raise unreadable(
            "%(name)s in this ZIP file unpacks to more than %(limit)d MB: it is not from Netflix.",
            name=member.filename[:100],
            limit=limit // 1_000_000,
        )
