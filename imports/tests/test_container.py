from __future__ import annotations

import struct
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.container import open_table
from imports.reading.types import Options, UnreadableFile

ACTIVITY = b"Profile Name,Start Time,Duration,Title\nAnna,2022-07-14 17:00:52,00:20:00,Dark\n"
HISTORY = b"Title,Date\nDark,8/24/20\n"


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def workbook(*rows, **sheets) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for name, more in sheets.items():
        sheet = book.create_sheet(name)
        for row in more:
            sheet.append(row)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def text_of(data: bytes) -> str:
    text = open_table(data, Options()).text
    assert text is not None
    return "".join(text.lines())


def refusal(data: bytes, **options) -> str:
    with pytest.raises(UnreadableFile) as refused:
        open_table(data, Options(**options))
    return str(refused.value.message)


def test_a_text_file_is_a_table():
    assert text_of(HISTORY) == HISTORY.decode()


@pytest.mark.parametrize(
    "name",
    [
        "ViewingActivity.csv",
        "CONTENT_INTERACTION/ViewingActivity.csv",
        "netflix-report/deep/er/viewingactivity.CSV",
        "netflix-report\\CONTENT_INTERACTION\\ViewingActivity.csv",
        "../../etc/ViewingActivity.csv",
        "/ViewingActivity.csv",
        "ViewingActivity (1).csv",
        "ViewingActivity(12).csv",
    ],
)
def test_the_activity_file_is_found_anywhere_in_a_zip(name):
    data = zipped({"Cover sheet.pdf": b"%PDF", "Ratings.csv": b"x,y", name: ACTIVITY})
    assert text_of(data) == ACTIVITY.decode()


def test_nothing_else_in_a_zip_is_opened():
    data = bytearray(zipped({"Bomb.csv": b"x" * 1000, "a/ViewingActivity.csv": ACTIVITY}))
    at = data.find(b"Bomb.csv") + len(b"Bomb.csv")
    data[at : at + 8] = b"\xff" * 8
    assert text_of(bytes(data)) == ACTIVITY.decode()


def test_shadow_files_of_macos_are_not_taken_for_the_file():
    data = zipped(
        {
            "__MACOSX/a/._ViewingActivity.csv": b"\0\1",
            "._ViewingActivity.csv": b"\0",
            "a/ViewingActivity.csv": ACTIVITY,
        }
    )
    assert text_of(data) == ACTIVITY.decode()


def test_a_zipped_history_is_read_where_there_is_no_activity():
    data = zipped({"NetflixViewingHistory.csv": HISTORY})
    assert text_of(data) == HISTORY.decode()


@pytest.mark.parametrize(
    "name",
    ["NetflixViewingHistory_Anna.csv", "Anna/Copy of netflixviewinghistory (2).csv",
     "ViewingActivity - Anna.csv"],
)  # fmt: skip
def test_a_zipped_file_may_have_more_in_its_name(name):
    assert text_of(zipped({"Ratings.csv": b"x,y", f"{name}.pdf": b"", name: HISTORY})) == (
        HISTORY.decode()
    )


def test_a_zip_with_the_histories_of_several_people_names_them():
    names = ["NetflixViewingHistory_Anna.csv", "NetflixViewingHistory_Ben.csv"]
    message = refusal(zipped(dict.fromkeys(names, HISTORY)))
    assert "2 viewing histories: " + ", ".join(names) in message
    whole = {**dict.fromkeys(names, b""), "NetflixViewingHistory.csv": HISTORY}
    assert text_of(zipped(whole)) == HISTORY.decode()


def test_a_zip_with_two_activity_files_names_them():
    message = refusal(zipped({"a/ViewingActivity.csv": ACTIVITY, "b/ViewingActivity.csv": b""}))
    assert "a/ViewingActivity.csv, b/ViewingActivity.csv" in message


def test_a_zip_without_the_file_says_what_it_has():
    message = refusal(zipped({f"photo{number}.jpg": b"" for number in range(9)}))
    assert "no ViewingActivity.csv" in message
    assert "photo0.jpg, photo1.jpg, photo2.jpg, ..." in message


def test_an_empty_zip_says_so():
    assert "(nothing)" in refusal(zipped({}))


def test_a_zip_within_a_zip_is_not_unpacked():
    message = refusal(zipped({"ViewingActivity.csv": zipped({"ViewingActivity.csv": ACTIVITY})}))
    assert "ZIP file within a ZIP file" in message


def test_a_bomb_is_refused_while_it_unpacks():
    data = zipped({"ViewingActivity.csv": b"0" * 5_000_000})
    assert "unpacks to more than 1 MB" in refusal(data, max_unpacked_bytes=1_000_000)


def test_a_bomb_that_lies_about_its_size_is_refused_or_cut():
    data = zipped({"ViewingActivity.csv": b"0" * 5_000_000})
    lying = data.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 1000))
    assert refusal(lying, max_unpacked_bytes=1_000_000)


def test_a_workbook_that_unpacks_too_far_is_refused():
    data = zipped(
        {"xl/workbook.xml": b"<x/>", "xl/a.xml": b" " * 900_000, "xl/b.xml": b" " * 900_000}
    )
    assert "unpacks to more than" in refusal(data, max_unpacked_bytes=1_000_000)


def test_a_zip_of_thousands_of_files_is_refused_before_it_is_listed():
    assert "thousands of files" in refusal(b"PK\x03\x04" + b"PK\x01\x02" * 20_000)


def test_a_password_is_named():
    data = bytearray(zipped({"a/ViewingActivity.csv": ACTIVITY}))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    assert "a/ViewingActivity.csv in this ZIP file is protected by a password" in refusal(
        bytes(data)
    )


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(compression):
    data = zipped({"ViewingActivity.csv": ACTIVITY}, compression)
    assert "packed in a way" in refusal(data)


def test_a_cut_off_zip_is_called_damaged():
    data = zipped({"ViewingActivity.csv": ACTIVITY})
    assert "damaged" in refusal(data[:-30])


def test_a_zip_with_a_wrong_checksum_is_called_damaged():
    data = zipped({"ViewingActivity.csv": ACTIVITY})
    broken = data.replace(struct.pack("<L", zlib.crc32(ACTIVITY)), b"\1\2\3\4")
    assert "damaged" in refusal(broken)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n\x1a\n....", "picture"),
        (b"\xff\xd8\xff\xe0....", "picture"),
        (b"\x00\x00\x00\x24ftypheic....", "picture"),
        (b"\x00\x00\x00\x20ftypisom....", "film"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "Excel"),
        (b"\x1f\x8b\x08....", "Unpack it first"),
        (b"7z\xbc\xaf\x27\x1c....", "Unpack it first"),
        (b"SQLite format 3\x00....", "database"),
        (b"<!DOCTYPE html><html><head>", "web page"),
        (b"\n<html lang='de'>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'[{"id": 1, "watched_at": "2020"}]', "Trakt"),
        (b'{"a": 1}', "JSON"),
    ],
)
def test_other_files_are_named_with_what_to_upload_instead(data, what):
    message = refusal(data)
    assert what in message
    assert "NetflixViewingHistory.csv" in message
    assert "ViewingActivity.csv" in message


def test_a_title_in_square_brackets_is_no_json():
    assert text_of(b"[REC]\xc2\xb2,8/24/20\n") == "[REC]²,8/24/20\n"


def test_a_title_that_begins_like_a_zip_is_text():
    assert text_of(b"PK,8/24/20\n") == "PK,8/24/20\n"


def test_a_workbook_is_a_table_of_text_as_a_csv_file_would_have_it():
    data = workbook(
        ["Title", "Date", "Duration"],
        [1899, date(2020, 8, 24), time(0, 20, 5)],
        [],
        ["9.0", "8/24/20", timedelta(hours=25, seconds=2)],
        [300.0, datetime(2020, 8, 24, 17, 0, 52, 400), 0.5],
        [None, True, ""],
    )
    assert open_table(data, Options()).records == [
        (1, ["Title", "Date", "Duration"]),
        (2, ["1899", "2020-08-24", "00:20:05"]),
        (4, ["9.0", "8/24/20", "25:00:02"]),
        (5, ["300", "2020-08-24 17:00:52", "0.5"]),
        (6, ["", "True"]),
    ]


def test_the_first_sheet_with_anything_in_it_is_read():
    data = workbook(more=[["Title", "Date"]], last=[["other"]])
    assert open_table(data, Options()).records == [(1, ["Title", "Date"])]


def test_far_off_cells_of_a_workbook_cost_nothing():
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"] = "Title"
    sheet["XFD1000000"] = "far"
    buffer = BytesIO()
    book.save(buffer)
    assert open_table(buffer.getvalue(), Options()).records == [(1, ["Title"])]


def test_a_workbook_is_read_no_further_than_its_rows_may_go():
    data = workbook(*[["a", "1/2/20"]] * 50)
    assert len(open_table(data, Options(max_rows=10)).records) == 12


@pytest.mark.parametrize(
    "broken",
    [
        {"xl/workbook.xml": b"<x/>"},
        {"xl/workbook.xml": b"not xml", "[Content_Types].xml": b"<x"},
        {
            "xl/workbook.xml": b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><x>&b;</x>",
            "[Content_Types].xml": b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>",
        },
    ],
)
def test_a_damaged_or_hostile_workbook_is_refused(broken):
    assert "spreadsheet is damaged" in refusal(zipped(broken))


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_unreadable_file(data):
    for start in (b"", b"PK\x03\x04", b"PK\x05\x06"):
        try:
            open_table(start + data, Options())
        except UnreadableFile as refused:
            assert str(refused.message)


@settings(deadline=None)
@given(st.integers(min_value=0), st.integers(0, 255), st.booleans())
def test_no_damage_to_a_zip_raises_anything_but_unreadable_file(at, value, as_workbook):
    good = (
        workbook(["Title", "Date"], ["Dark", "8/24/20"])
        if as_workbook
        else zipped({"ViewingActivity.csv": ACTIVITY})
    )
    data = bytearray(good)
    data[at % len(data)] = value
    try:
        open_table(bytes(data), Options())
    except UnreadableFile as refused:
        assert str(refused.message)
