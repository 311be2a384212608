"""200 files that nobody should hand in: each has a clear message or a clean import, no error.

The cheap ones go from the upload through their import to every page that shows them. Those made
to cost memory go through a real worker, which stays under 300 MB.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import struct
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import empty_cache
from imports import importing
from imports.models import RUNNING, Import, State
from imports.tests.making import ACTIVITY, BREAKING_BAD, activity, history

MB = 1_000_000
# On a busy machine everything takes its time; when all is well, nothing waits for so long.
PATIENCE = 240
HEADER = b"Title,Date\n"
GOOD = history(*((f"Dark: Season 1: Part {n}", f"6/{n + 1}/21") for n in range(20)))
PLAYS = activity(
    ("Ana", "2024-03-02 20:00:00", "00:40:00", "Dark: Season 1: Secrets (Episode 1)"),
    ("Ana", "2024-03-01 20:00:00", "01:50:00", "Inception"),
)
NETFLIX = "NetflixViewingHistory.csv"


def titled(title: str) -> bytes:
    """A good file with one more title, on three days."""
    return GOOD + history(*((title, f"7/{day}/21") for day in (1, 2, 3)))[len(HEADER) :]


def dated(*dates: str) -> bytes:
    return GOOD + history(*(("Inception", one) for one in dates))[len(HEADER) :]


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def bomb(name: str, piece: bytes, times: int, before: bytes = b"") -> bytes:
    buffer = BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        member.write(before)
        for _ in range(times):
            member.write(piece)
    return buffer.getvalue()


def changed(data: bytes, at: int, new: bytes) -> bytes:
    at %= len(data)
    return data[:at] + new + data[at + len(new) :]


def encrypted(data: bytes) -> bytes:
    """A ZIP file that says its members have a password."""
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data = changed(data, data.find(mark) + flags, b"\x01")
    return data


def book(*rows: Iterable[object]) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.worksheets[0].append(list(row))
    buffer = BytesIO()
    made.save(buffer)
    return buffer.getvalue()


BOOK = book(["Title", "Date"], ["Dark: Season 1: Secrets", "8/24/20"], ["Inception", "8/25/20"])


def rebound(**parts: bytes) -> bytes:
    """A workbook with some of its XML files replaced; those set to nothing are left out."""
    with zipfile.ZipFile(BytesIO(BOOK)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    sheet = {"sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml"}
    for name, data in parts.items():
        files[sheet.get(name, f"xl/{name}.xml")] = data
    return zipped(*((name, data) for name, data in files.items() if data))


def sheet(rows: bytes, before: bytes = b"") -> bytes:
    space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    xml = b'<?xml version="1.0"?>%b<worksheet %b><sheetData>%b</sheetData></worksheet>'
    return rebound(sheet=xml % (before, space, rows))


def cells(*values: str, number: int = 1) -> bytes:
    inline = "".join(f'<c t="inlineStr"><is><t>{value}</t></is></c>' for value in values)
    return f'<row r="{number}">{inline}</row>'.encode()


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>%b]>" % b"".join(
    b"<!ENTITY a%d '%b'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
)
OWN = b"".join(
    json.dumps(line).encode() + b"\n"
    for line in (
        {"type": "media", "names": ["Dark"], "media_type": "tv_series", "title": "Dark"},
        {"type": "viewing", "raw_title": "Dark: Secrets", "watched_on": "2021-06-20"},
    )
)

NO_TEXT = {
    "noise": noise(5000),
    "noise_of_another_kind": noise(5000, seed=2),
    "noise_under_a_header": HEADER + noise(20_000),
    "noise_after_good_rows": GOOD + noise(3000),
    "one_byte": b"\xff",
    "a_megabyte_of_zeros": b"\0" * MB,
    "a_megabyte_of_ones": b"\xff" * MB,
    "gzip_of_a_good_file": gzip.compress(GOOD, mtime=0),
    "bzip2_of_a_good_file": bz2.compress(GOOD),
    "xz_of_a_good_file": lzma.compress(GOOD),
    "seven_zip": b"7z\xbc\xaf\x27\x1c" + noise(500),
    "rar": b"Rar!\x1a\x07\x01\x00" + noise(500),
    "tar": b"NetflixViewingHistory.csv" + b"\0" * 487 + GOOD,
    "pdf": b"%PDF-1.7\n" + noise(500),
    "pdf_after_blanks": b"\n\n  %PDF-1.4\n",
    "png": b"\x89PNG\r\n\x1a\n" + noise(500),
    "jpeg": b"\xff\xd8\xff\xe0" + noise(500),
    "gif": b"GIF89a" + noise(500),
    "webp": b"RIFF\x00\x01\x00\x00WEBP" + noise(500),
    "iphone_photo": b"\x00\x00\x00\x24ftypheic" + noise(500),
    "film": b"\x00\x00\x00\x20ftypisom" + noise(500),
    "matroska": b"\x1aE\xdf\xa3" + noise(500),
    "sound": b"ID3\x04\x00" + noise(500),
    "old_excel_or_encrypted": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(1500),
    "database": b"SQLite format 3\x00" + noise(500),
    "program": b"\x7fELF\x02\x01\x01" + noise(500),
    "windows_program": b"MZ\x90\x00\x03" + noise(500),
    "java_class": b"\xca\xfe\xba\xbe" + noise(500),
    "rich_text": rb"{\rtf1\ansi Dark: Season 1: Secrets}",
    "web_archive": b"bplist00" + noise(500),
    "font": b"OTTO" + noise(500),
    "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
}

ZIPS = {
    "zip_of_nothing": zipped(),
    "zip_of_photos": zipped(*((f"photo{n}.jpg", noise(50)) for n in range(9))),
    "zip_in_zip": zipped(("ViewingActivity.csv", zipped(("ViewingActivity.csv", PLAYS)))),
    "zip_with_a_zip_beside": zipped(("a.zip", zipped(("x", b"x"))), ("ViewingActivity.csv", PLAYS)),
    "zip_path_up": zipped(("../../../etc/ViewingActivity.csv", PLAYS)),
    "zip_path_absolute": zipped(("/etc/ViewingActivity.csv", PLAYS)),
    "zip_path_of_windows": zipped(("C:\\Windows\\ViewingActivity.csv", PLAYS)),
    "zip_path_with_nul": zipped(("ViewingActivity.csv\0.exe", PLAYS)),
    "zip_name_of_60_kb": zipped(("x" * 60_000, b""), ("ViewingActivity.csv", PLAYS)),
    "zip_name_of_script": zipped(("<script>alert(1)</script>.csv", PLAYS)),
    "zip_name_right_to_left": zipped(("\u202evsc.ytivitcAgniweiV", PLAYS)),
    "zip_name_with_per_cent": zipped(("%(x)s %d %s.csv", PLAYS)),
    "zip_of_folders": zipped(("ViewingActivity.csv/", b""), ("a/", b"")),
    "zip_of_mac_shadows": zipped(("__MACOSX/._ViewingActivity.csv", noise(100))),
    "zip_with_two_of_them": zipped(
        ("a/ViewingActivity.csv", PLAYS), ("b/ViewingActivity.csv", b"")
    ),
    "zip_with_the_same_name_twice_in_other_case": zipped(
        ("ViewingActivity.csv", PLAYS), ("VIEWINGACTIVITY.CSV", PLAYS)
    ),
    "zip_with_an_empty_one": zipped(("ViewingActivity.csv", b"")),
    "zip_with_noise": zipped(("ViewingActivity.csv", noise(3000))),
    "zip_with_a_picture": zipped(("ViewingActivity.csv", b"\x89PNG\r\n\x1a\n")),
    "zip_with_a_password": encrypted(zipped(("ViewingActivity.csv", PLAYS))),
    "zip_packed_with_bzip2": zipped(("ViewingActivity.csv", PLAYS), method=zipfile.ZIP_BZIP2),
    "zip_packed_with_lzma": zipped(("ViewingActivity.csv", PLAYS), method=zipfile.ZIP_LZMA),
    "zip_stored": zipped(("ViewingActivity.csv", PLAYS), method=zipfile.ZIP_STORED),
    "zip_with_a_wrong_checksum": changed(zipped(("ViewingActivity.csv", PLAYS)), 14, b"\1\2\3\4"),
    "zip_cut_at_a_third": zipped(("ViewingActivity.csv", PLAYS))[:100],
    "zip_cut_before_its_end": zipped(("ViewingActivity.csv", PLAYS))[:-10],
    "zip_without_a_beginning": zipped(("ViewingActivity.csv", PLAYS))[30:],
    "zip_after_text": GOOD + zipped(("ViewingActivity.csv", PLAYS)),
    "zip_before_text": zipped(("ViewingActivity.csv", PLAYS)) + GOOD,
    "zip_of_only_a_mark": b"PK\x03\x04",
    "zip_of_an_end_alone": b"PK\x05\x06" + b"\xff" * 18,
    "zip_of_100000_files": b"PK\x03\x04" + b"PK\x01\x02" * 100_000,
    "zip_with_a_directory_far_away": changed(
        zipped(("ViewingActivity.csv", PLAYS)), -6, struct.pack("<L", 2**31)
    ),
    "zip_that_lies_about_its_size": zipped(("ViewingActivity.csv", PLAYS * 50)).replace(
        struct.pack("<L", len(PLAYS) * 50), struct.pack("<L", 10)
    ),
}

BOOKS = {
    "book": BOOK,
    "book_cut_off": BOOK[: len(BOOK) // 2],
    "book_with_noise": changed(BOOK, len(BOOK) // 2, noise(200)),
    "book_without_sheets": rebound(sheet=b""),
    "book_without_strings": rebound(strings=b""),
    "book_that_is_no_book": zipped(("xl/workbook.xml", b"not xml")),
    "book_of_one_tag": rebound(workbook=b"<x/>"),
    "book_of_open_tags": rebound(sheet=b"<a>" * 10_000),
    "book_of_deep_tags": rebound(sheet=b"<a>" * 10_000 + b"</a>" * 10_000),
    "book_of_a_billion_laughs": rebound(sheet=LAUGHS + b"<x>&a11;</x>"),
    "book_with_laughing_strings": rebound(strings=LAUGHS + b"<x>&a11;</x>"),
    "book_that_reads_a_file": rebound(
        sheet=b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    ),
    "book_that_asks_the_network": rebound(
        sheet=b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x>&a;</x>'
    ),
    "book_with_a_far_cell": sheet(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    "book_with_a_row_beyond_excel": sheet(b'<row r="999999999999"><c><v>1</v></c></row>'),
    "book_with_rows_backwards": sheet(cells("a", "8/24/20", number=9) + cells("b", "8/25/20")),
    "book_with_a_row_of_letters": sheet(b'<row r="x"><c r="?"><v>1</v></c></row>'),
    "book_with_a_cell_of_letters": sheet(b'<row r="1"><c r="A1" t="n"><v>abc</v></c></row>'),
    "book_with_strings_that_are_missing": sheet(b'<row r="1"><c t="s"><v>99999</v></c></row>'),
    "book_with_a_negative_string": sheet(b'<row r="1"><c t="s"><v>-5</v></c></row>'),
    "book_with_errors": book(["Title", "Date"], ["#REF!", "#DIV/0!"], ["Dark", "#N/A"]),
    "book_with_formulas": book(
        ["Title", "Date"], ["=cmd|' /C calc'!A0", "=TODAY()"], ['=HYPERLINK("http://x")', "1/2/20"]
    ),
    "book_with_impossible_days": book(
        ["Title", "Date"], ["Dark", 1e300], ["Dark", -5], ["Dark", 0]
    ),
    "book_of_one_cell": book(["Title"]),
    "book_of_numbers": book(*([n, n * 2.5, True] for n in range(50))),
    "book_of_100_columns": book(["Title", "Date", *"x" * 100], ["Dark", "1/2/20", *"y" * 100]),
    "book_with_lone_surrogates": sheet(
        cells("Title", "Date") + cells("_xD800_", "1/2/20", number=2)
    ),
    "book_with_a_script": sheet(
        cells("Title", "Date") + cells("&lt;script>alert(1)&lt;/script>", "1/2/20", number=2)
    ),
}

ENCODINGS = {
    "utf8_broken": GOOD.replace(b"Part 3", b"\xc3\x28\xa0\xa1"),
    "utf8_overlong": GOOD.replace(b"Part 3", b"\xc0\xaf\xe0\x80\xaf"),
    "utf8_of_surrogates": GOOD.replace(b"Part 3", b"\xed\xa0\x80\xed\xb0\x80"),
    "utf8_beyond_unicode": GOOD.replace(b"Part 3", b"\xf4\x90\x80\x80"),
    "utf8_cut_off": GOOD.replace(b"Part 3", b"\xe3\x82"),
    "utf8_ending_midway": GOOD + "ザ".encode()[:2],
    "utf16": GOOD.decode().encode("utf-16"),
    "utf16_of_odd_length": GOOD.decode().encode("utf-16") + b"\n",
    "utf16_without_mark_of_odd_length": GOOD.decode().encode("utf-16-be")[:-1],
    "utf16_shifted_by_a_byte": b"\n" + GOOD.decode().encode("utf-16-le"),
    "utf16_of_lone_surrogates": b"\xff\xfe"
    + HEADER.decode().encode("utf-16-le")
    + b"\x00\xd8" * 50,
    "utf16_mark_alone": b"\xff\xfe",
    "utf16_mark_of_the_other_end": b"\xfe\xff" + GOOD.decode().encode("utf-16-le"),
    "utf32": GOOD.decode().encode("utf-32"),
    "utf32_without_mark": GOOD.decode().encode("utf-32-le"),
    "utf32_of_odd_length": GOOD.decode().encode("utf-32-be")[:-3],
    "utf7": GOOD.decode().encode("utf-7"),
    "ebcdic": GOOD.decode().encode("cp500"),
    "shift_jis": HEADER + "ダーク: シーズン1: 秘密,6/20/21\n".encode("shift_jis") * 5,
    "gb18030": HEADER + "暗黑: 第 1 季: 秘密,6/20/21\n".encode("gb18030") * 5,
    "two_encodings": titled("Élite: Temporada 1: Añoranza") + "Élite,6/1/21\n".encode("cp1252"),
    "many_marks": b"\xef\xbb\xbf" * 20 + GOOD,
    "marks_in_every_line": GOOD.replace(b"\n", b"\n\xef\xbb\xbf"),
    "nul_in_titles": GOOD.replace(b"Part", b"P\0a\0rt"),
    "nul_in_dates": GOOD.replace(b"6/", b"6\0/"),
    "nul_between_lines": GOOD.replace(b"\n", b"\n\0\0\n"),
    "control_characters": titled("".join(map(chr, range(1, 32)))),
    "terminal_escapes": titled("\x1b[31mDark\x1b]0;owned\x07"),
    "odd_line_ends": GOOD.replace(b"\n", "\u2028".encode()),
    "vertical_tabs": GOOD.replace(b"\n", b"\x0b"),
}

SHAPES = {
    "blanks": b" \n\t\n \r\n",
    "a_header": HEADER,
    "a_header_without_line_end": HEADER.strip(),
    "a_header_of_plays": ACTIVITY.encode(),
    "a_header_a_thousand_times": HEADER * 1000,
    "a_line_of_a_megabyte": HEADER + b"x" * MB,
    "a_line_of_a_megabyte_among_good_ones": GOOD + b"x" * MB + b"\n" + GOOD[len(HEADER) :],
    "a_title_of_a_megabyte": titled("x" * MB),
    "a_header_of_100000_columns": b"Title,Date" + b",x" * 100_000 + b"\nDark,6/20/21\n",
    "a_row_of_100000_columns": GOOD + b"Dark" + b",x" * 100_000 + b"\n",
    "rows_of_1000_columns": HEADER + (b"Dark" + b",x" * 1000 + b"\n") * 200,
    "commas": b"," * 50_000,
    "lines_of_commas": b",,,\n" * 5000,
    "quotes": b'"' * 50_001,
    "lines_of_a_quote": HEADER + b'"\n' * 5000,
    "quotes_in_quotes": titled('"' * 5000),
    "quotes_that_open_each_line": GOOD.replace(b"\n", b'\n"'),
    "quotes_that_never_close": GOOD.replace(b'Part 5"', b"Part 5"),
    "quotes_that_close_too_early": GOOD.replace(b"Part", b'P"art'),
    "quotes_around_lines": HEADER + b"".join(b'"Dark, %d,""6/1/21"""\n' % n for n in range(20)),
    "a_record_of_many_lines": HEADER + b'"Dark\n' + b"x\n" * 5000 + b'",6/20/21\n',
    "records_in_one_another": HEADER + b'"","\n' * 3000,
    "carriage_returns": GOOD.replace(b"\n", b"\r"),
    "line_ends_of_all_kinds": GOOD.replace(b"\n", b"\r\n\n\r"),
    "backslashes": GOOD.replace(b'"', b'\\"'),
    "pipes": GOOD.replace(b",", b"|"),
    "semicolons_and_commas": GOOD.replace(b",", b";", 10),
    "columns_swapped_midway": GOOD + b"Date,Title\n" + b'"6/1/21","Dark: Season 1: X"\n' * 5,
    "one_column": b"Title\nDark\nInception\n",
    "dates_alone": b"Date\n6/20/21\n6/21/21\n",
    "three_times_the_columns": b"Title,Date," * 3 + b"\n" + b"Dark,6/20/21," * 3 + b"\n",
    "a_column_too_many": GOOD.replace(b"\n", b",x\n"),
    "a_separator_line": b"sep=;\n" + GOOD.replace(b",", b";"),
    "comments": b"# my history\n" * 30 + GOOD,
    "blank_lines": GOOD.replace(b"\n", b"\n" * 500),
    "plays_without_columns": ACTIVITY.encode() + b"\nAna\n" * 50,
    "plays_of_500_profiles": activity(
        *((f"Profile {n}", "2024-03-02 20:00:00", "00:40:00", "Dark") for n in range(500))
    ),
    "plays_of_nobody": activity(*(("", "2024-03-02 20:00:00", "00:40:00", "Dark") for _ in "12")),
    "plays_of_a_script": activity(
        *(
            (name, "2024-03-02 20:00:00", "00:40:00", "Dark")
            for name in ("<script>alert(1)</script>", "%(x)s", "all", "\u202eana", "x" * 5000)
        )
    ),
    "plays_of_odd_lengths": activity(
        *(
            ("Ana", "2024-03-02 20:00:00", length, f"Film {length}")
            for length in ("99:99:99", "-1:00:00", "9999:59:59", "abc", "", "1e9", "٠٠:٤٠:٠٠")
        )
    ),
}

DATES = {
    "year_9999": dated("6/20/9999", "9999-12-31", "12/31/9999"),
    "year_0": dated("6/20/0000", "0000-01-01", "0/0/0"),
    "year_1": dated("1/1/0001", "0001-01-01"),
    "days_that_never_were": dated("2/30/21", "6/31/21", "13/13/21", "2/29/21"),
    "dates_of_words": dated("yesterday", "June 20, 2021", "20 juin 2021", "MMXXI"),
    "dates_of_other_digits": dated("٦/٢٠/٢١", "６/２０/２１", "²/²/²¹"),
    "dates_of_many_digits": dated("9" * 5000, "1/2/" + "3" * 1000, "1" * 59 + "/2/20"),
    "dates_that_are_numbers": dated("44367", "1624147200", "1.6e9", "NaN", "Infinity", "-1"),
    "dates_with_odd_clocks": dated("2021-06-20T24:00:00", "2021-06-20 23:59:60", "6/20/21 99:99"),
    "dates_with_odd_zones": dated(
        "2021-06-20T10:00:00+99:99", "1900-01-01T00:00:00+14:00", "2199-12-31T23:59:59-12:00"
    ),
    "dates_at_the_edges_in_plays": activity(
        *(
            ("Ana", moment, "00:40:00", "Inception")
            for moment in (
                "0001-01-01 00:00:00",
                "1900-01-01 00:00:00",
                "2199-12-31 23:59:59",
                "2199-12-31T23:59:59-23:59",
                "9999-12-31 23:59:59",
                "2024-02-30 00:00:00",
            )
        )
    ),
    "dates_of_another_era": dated("20/6/2564", "6/20/2564", "2564-06-20"),
    "dates_of_all_orders": dated("6/20/21", "20/6/21", "21/6/20", "20.6.21", "2021. 6. 20."),
    "dates_that_are_formulas": dated("=TODAY()", "+1/2/20", "@SUM(A1)"),
    "dates_that_are_markup": dated("<script>alert(1)</script>", "%(date)s", "{{ date }}"),
    "no_date_at_all": history(*(("Inception", "never") for _ in range(50))),
    "no_date_that_tells_the_order": history(("Inception", "3/4/24"), ("Dark: Secrets", "2/4/24")),
    "thousands_of_days_that_never_were": history(
        *((f"Film {n}", f"99/99/{n % 100:02}") for n in range(3000))
    ),
}

TITLES = {
    f"title_{name}": titled(title)
    for name, title in {
        "of_a_script": "<script>alert(1)</script>",
        "of_a_broken_picture": "'\"><img src=x onerror=alert(1)>",
        "of_template_code": "{{ 7*7 }}{% debug %}{# x #}",
        "of_python_formats": "%(x)s %s %d %% {0.__class__} {x}",
        "of_sql": "'; DROP TABLE media_viewing; --",
        "of_like_wildcards": "%_\\%\\_",
        "of_a_formula": "=cmd|' /C calc'!A0",
        "of_a_path": "../../etc/passwd\\..\\..",
        "of_an_address": "https://evil.example/?a=b&c=d#e",
        "right_to_left": "\u202eDark\u202c \u200f\u2067Secrets\u2069",
        "of_emoji": "👩‍👩‍👧‍👦: Season 1: 🏴‍☠️ (Episode 1)",
        "of_zero_width": "\u200b\u200c\u200d\u2060\ufeff",
        "of_blanks": " \u00a0\u3000 ",
        "of_colons": ": : : : :" * 50,
        "of_a_thousand_parts": ": ".join(["Dark"] * 1000),
        "of_many_marks": "Dark" + "\u0301" * 5000,
        "that_unfolds": "\ufdfa" * 200,
        "that_folds": "İIıi ẞß ﬁ ſ" * 20,
        "of_999_characters": "x" * 999,
        "of_1001_characters": "x" * 1001,
        "of_100000_characters": "Dark: " + "x" * 100_000,
        "of_huge_numbers": "Dark: Season 99999999999999999999: X (Episode 99999999999999999)",
        "of_other_digits": "Dark: Season ١: X (Episode ²)",
        "with_line_breaks": "Dark:\nSeason 1:\r\nSecrets",
        "of_brackets": "(((([[[[{{{{" * 100,
        "of_backtracking": "a" * 500 + "!" + " (Episode" * 200,
        "of_private_use": "\ue000\uf8ff\U000f0000\U0010ffff",
        "of_no_characters": "\ufffe\uffff\ufdd0",
    }.items()
}

OTHERS = {
    "json_object": b'{"title": "Dark", "watched": "2021-06-20"}',
    "json_list": b'[{"title": "Dark"}, {"title": "Inception"}]',
    "json_of_deep_lists": b"[" * 100_000,
    "json_lines_of_deep_objects": b'{"type":"media","a":' * 5000,
    "trakt": b'[{"id": 1, "watched_at": "2021-06-20T10:00:00Z"}]',
    "web_page": b"<!DOCTYPE html><html><body>Sign in to Netflix</body></html>",
    "web_page_after_blanks": b"\n\n <HTML><script>alert(1)</script>",
    "xml": b"<?xml version='1.0'?><history/>",
    "xml_of_a_billion_laughs": LAUGHS + b"<x>&a11;</x>",
    "svg": b"<svg onload='alert(1)'/>",
    "calendar": b"BEGIN:VCALENDAR\nDTSTART:20210620\nEND:VCALENDAR\n",
    "mail": b"From: a@example.org\nSubject: =?utf-8?q?Dark?=\nDate: 20 Jun 2021\n\nDark\n",
    "script": b"#!/bin/sh\nrm -rf /\n",
    "log": b"127.0.0.1 - - [20/Jun/2021:10:00:00 +0000] GET / 200\n" * 50,
    "netflix_ratings": b"Profile Name,Title Name,Rating Type,Event Utc Ts\nAna,Dark,thumb,2021-06-20\n",
    "netflix_searches": b"Profile Name,Query Typed,Utc Timestamp\nAna,dark,2021-06-20 10:00:00\n",
    "netflix_my_list": b"Profile Name,Title Name,Country,Utc Title Add Date\nAna,Dark,DE,2021-06-20\n",
    "netflix_billing": b"Transaction Date,Description,Gross Sale Amt\n2021-06-20,SUBSCRIPTION,12.99\n",
    "netflix_devices": b"Profile Name,Source,Device Type\nAna,x,TV\n",
    "own_export": OWN,
    "own_export_cut_off": OWN[:-20],
    "own_export_with_noise": OWN + noise(2000),
    "own_export_of_wrong_types": b'{"type":"media","names":5,"media_type":[],"title":null}\n' * 5
    + OWN,
    "own_export_of_odd_numbers": b'{"type":"viewing","season_number":1e999,"watched_on":NaN}\n'
    + OWN,
    "own_export_of_deep_lists": OWN + b'{"type":"viewing","raw_title":' + b"[" * 50_000 + b"\n",
    "own_export_of_unknown_types": b'{"type":"media"}\n{"type":"secret"}\n{"type":7}\n{}\n[]\n',
    "own_export_with_nul": OWN.replace(b"Dark", b"Da\\u0000rk"),
    "own_export_of_half_characters": OWN.replace(b"Dark", b"Da\\ud800rk"),
    "own_export_of_a_long_line": OWN + b'{"type":"viewing","x":"' + b"x" * 1_100_000 + b'"}\n',
}

SMALL: dict[str, bytes] = NO_TEXT | ZIPS | BOOKS | ENCODINGS | SHAPES | DATES | TITLES | OTHERS


def many(row: bytes, count: int) -> bytes:
    """So many rows made of one pattern, with numbers for its "%d"."""
    places = row.count(b"%d")
    return b"".join(row % ((n,) * places) for n in range(count))


PLAY = b"Ana,2020-01-01 00:00:00,00:40:00,,%b,,TV,00:40:00,00:40:00,DE\n"

# Made to cost memory or time, and not kept: some are as large as a file may be.
COSTLY: dict[str, Callable[[], bytes]] = {
    "more_rows_than_allowed": lambda: HEADER + b"Film,1/2/20\n" * 300_000,
    "rows_of_junk_dates": lambda: HEADER + many(b'"Dark: Season 1: %d","99/99/%d"\n', 200_000),
    "plays_half_without_dates": lambda: (
        ACTIVITY.encode()
        + b"\n"
        + many(b"Ana,2020-01-01 00:00:00,00:40:00,,Dark: Season 1: Part %d,,TV,,,DE\n", 100_000)
        + many(b"Ana,2020-01-99 %d,00:40:00,,Lost: Season 1: Part %d,,TV,,,DE\n", 99_000)
    ),
    "titles_of_100000_seasons": lambda: (
        HEADER + many(b"Dark: Season %d: Part %d,1/2/20\n", 100_000)
    ),
    "rows_of_300_columns": lambda: GOOD + (b"Film" + b"," * 280 + b"\n") * 199_000,
    "long_titles_of_emoji": lambda: (
        GOOD + many("😀%d".encode() + b"x" * 250 + b",1/2/20\n", 199_000)
    ),
    "a_line_of_all_the_file": lambda: GOOD + b"x" * 60 * MB,
    "commas_alone": lambda: GOOD + b"," * 60 * MB,
    "line_ends_alone": lambda: GOOD + b"\n" * 60 * MB,
    "quotes_around_line_ends": lambda: GOOD + b'","\n' * 12 * MB,
    "noise_under_the_header": lambda: HEADER + noise(60 * MB),
    "zip_of_a_gigabyte": lambda: bomb("ViewingActivity.csv", b"x" * MB, 1000),
    "zip_of_one_long_line": lambda: bomb(
        "ViewingActivity.csv", b"x" * MB, 100, ACTIVITY.encode() + b"\n"
    ),
    "zip_of_long_rows": lambda: bomb(
        "ViewingActivity.csv", PLAY % (b"x" * 900) * 1000, 190, ACTIVITY.encode() + b"\n"
    ),
    "book_of_a_gigabyte": lambda: bomb("xl/workbook.xml", b" " * MB, 1000),
    "book_of_many_rows": lambda: sheet(cells("Film", "1/2/20") * 60_000),
    "own_export_of_many_lines": lambda: OWN + b"{}\n" * 5 * MB,
    "own_export_of_broken_lines": lambda: OWN + ("😀".encode() + b"\x80" * 290 + b"\n") * 199_000,
    "own_export_of_long_titles_of_emoji": lambda: (
        OWN + b'{"type":"viewing","raw_title":"%b"}\n' % ("😀".encode() + b"x" * 250) * 199_000
    ),
    "unmarked_titles_of_140_characters": lambda: (
        HEADER + many(b"%d" + b"x" * 65 + b": %d" + b"y" * 65 + b",1/2/20\n", 199_000)
    ),
}
# These are looked at first, as all are, and then read once more to be stored.
READ_TWICE = ["own_export_of_broken_lines", "own_export_of_long_titles_of_emoji"]


def test_there_are_200_of_them() -> None:
    assert len(SMALL) >= 200


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def check_pages(client, of_import) -> None:
    """Whatever shows an import, or what came of it, is there; no page runs anything of it."""
    pages = [of_import.get_absolute_url(), reverse("imports:problems", args=[of_import.pk])]
    for address in [*pages, reverse("imports:list"), "/", reverse("history")]:
        response = client.get(address)
        assert response.status_code == 200, address
        shown = response.getvalue()
        if response.headers["Content-Type"].startswith("text/html"):
            assert b"<script>alert" not in shown
            assert b"<img src=x" not in shown


def check_import(of_import) -> None:
    """It ended, or waits for an answer: all rows accounted for, or a reason that helps."""
    if of_import.state == State.FAILED:
        assert of_import.error
        assert "could not finish" not in of_import.error
    else:
        assert of_import.state in (State.DONE, State.NEEDS_ANSWER)
    if of_import.state == State.DONE:
        assert of_import.rows == (
            of_import.rows_new
            + of_import.rows_known
            + of_import.rows_repeated
            + of_import.rows_skipped
            + of_import.rows_failed
        )


def hand_in(client, data: bytes, name: str = NETFLIX) -> None:
    """Hand a file in, answer what it asks, and look at every page."""
    response = client.post(reverse("imports:new"), {"file": SimpleUploadedFile(name, data)})
    assert response.status_code == 302
    made = Import.objects.get()
    check_import(made)
    check_pages(client, made)
    if made.state == State.NEEDS_ANSWER and made.question:
        answers = {one["kind"]: one["choices"][-1]["value"] for one in made.question["questions"]}
        client.post(reverse("imports:answer", args=[made.pk]), answers)
        made.refresh_from_db()
        assert made.state in (State.DONE, State.FAILED)
        check_import(made)
        check_pages(client, made)


@pytest.mark.django_db
@pytest.mark.parametrize("name", SMALL)
def test_a_hostile_file_has_a_clear_message_or_a_clean_import(client, ana, name):
    hand_in(client, SMALL[name])


GOOD_FILES = [GOOD, PLAYS, BREAKING_BAD, BOOK, OWN, zipped(("ViewingActivity.csv", PLAYS))]
PIECES = [b"", b"\0", b'"', b'""', b"\n", b"\r", b",", b";", b"\xff", b"\xed\xa0\x80", b"9" * 30]


@st.composite
def damaged(draw) -> bytes:
    """A good file with some pieces cut out, doubled, moved or replaced."""
    data = draw(st.sampled_from(GOOD_FILES))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 40))
        at = draw(st.integers(0, len(data)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=8) | st.just(data[start:end]))
        data = draw(
            st.sampled_from(
                [data[:start] + piece + data[end:], data[:at] + piece + data[at:], data[:start]]
            )
        )
    return data or b"\n"


@pytest.mark.django_db
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(damaged())
def test_a_damaged_file_has_a_clear_message_or_a_clean_import(client, ana, data):
    Import.objects.all().delete()
    empty_cache()
    hand_in(client, data)


@pytest.mark.django_db(transaction=True)
def test_the_worker_stays_under_300_mb(workers, client, ana, wait_until):
    process = workers.start()
    peaks = {}
    for name, make in COSTLY.items():
        made = importing.submit(ana, f"{name}.csv", make(), preview_first=True)
        importing.start(made)
        waiting = Import.objects.filter(pk=made.pk, state__in=[*RUNNING, State.QUEUED])
        wait_until(lambda waiting=waiting: not waiting.exists(), PATIENCE)
        made.refresh_from_db()
        check_import(made)
        check_pages(client, made)
        # Until here each was looked at only.
        assert not made.claims.exists()
        if name in READ_TWICE:
            importing.confirm(made)
            unread = Import.objects.filter(pk=made.pk, state__in=[State.QUEUED, State.READING])
            wait_until(lambda unread=unread: not unread.exists(), PATIENCE)
            made.refresh_from_db()
            assert made.state != State.FAILED
        importing.cancel(made)
        peaks[name] = peak_mb(process.pid)
    assert max(peaks.values()) < 300, peaks


def peak_mb(pid: int) -> int:
    """The most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
