from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.delimited import Dialect, Text, records, split

TEXT = "Title,Date\nJosé: Épisode 1,8/24/20\nザ・コード: シーズン1,8/25/20\n"
LATIN = "Title,Date\nJosé: Épisode 1,8/24/20\n"


def decode(data, size=1 << 16):
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return "".join(Text(lambda: iter(pieces)).lines())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (TEXT.encode(), TEXT),
        (TEXT.encode("utf-8-sig"), TEXT),
        (b"\xef\xbb\xbf" + TEXT.encode("utf-8-sig"), TEXT),
        (TEXT.encode("utf-16"), TEXT),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), TEXT),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT),
        (TEXT.encode("utf-16-le"), TEXT),
        (TEXT.encode("utf-16-be"), TEXT),
        (LATIN.encode("cp1252"), LATIN),
        (LATIN.encode() + LATIN.encode("cp1252"), LATIN + LATIN),
        (b"Title\0,Date\0\nA\0,8/24/20\n", "Title,Date\nA,8/24/20\n"),
        (b"", ""),
    ],
    ids=[
        "utf-8",
        "utf-8 with mark",
        "two marks",
        "utf-16",
        "utf-16 little endian with mark",
        "utf-16 big endian with mark",
        "utf-16 little endian without mark",
        "utf-16 big endian without mark",
        "windows-1252",
        "two encodings glued together",
        "NUL bytes",
        "empty",
    ],
)
def test_text_is_decoded_whatever_its_encoding(data, text):
    assert decode(data) == text


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("cp1250", "Příliš žluťoučký kůň: 1. řada: Úpěl ďábelské ódy"),
        ("cp1250", "Zażółć gęślą jaźń: Część 2: Ślepnąc od świateł"),
        ("cp1250", "Árvíztűrő tükörfúrógép: 2. évad: Őszi éjjel"),
        ("cp1250", "Šestnaest ćevapa: 2. sezona: Žuč i đak"),
        ("cp1251", "Съешь ещё булок: Сезон 2: Выпей чаю"),
        ("cp1251", "Їжак і ґанок: Частина 2: Щедрість"),
        ("cp1253", "Ξεσκεπάζω: Σεζόν 2: Την ψυχοφθόρα βδελυγμία"),
        ("cp1254", "Pijamalı hasta: 2. Sezon: Yağız şoföre çabucak güvendi"),
        ("cp1252", "Voix ambiguë: Saison 2: Un cœur qui préfère les jattes de kiwis à Noël"),
        ("cp1252", "El pingüino: Temporada 2: ¿Quién sacó al ñandú? ¡Él!"),
        ("cp1252", "À noite: Temporada 2: vovô Kowalsky vê o ímã cair e não põe chás"),
        ("cp1252", "Falsches Üben: Staffel 2: von Xylophonmusik quält jeden größeren Zwerg"),
        ("cp1252", "Høj bly gom: Sæson 2: frækt sexquiz på wc"),
        ("cp1252", "Törkylempijä: Kausi 2: vongahdus ääneen"),
    ],
)
@pytest.mark.parametrize("others", ["", "Dark: Season 1: Secrets\n", "Pokémon: Höhlen\n"])
def test_the_code_page_is_the_one_in_which_the_letters_make_sense(page, title, others):
    data = others.encode() + f"{title}\n".encode(page)
    assert decode(data) == f"{others}{title}\n"


def test_one_accent_alone_is_read_as_western():
    assert decode("Pokémon: Season 1: Dvojník\n".encode("cp1252")) == "Pokémon: Season 1: Dvojník\n"
    assert decode("Björn: Maß & Señor: œuvre\n".encode("cp1252")) == "Björn: Maß & Señor: œuvre\n"


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_decoding_never_fails_and_leaves_no_nul(data):
    assert "\0" not in decode(data)


@settings(deadline=None)
@given(st.text(alphabet="aé😀,\n\r\ufeff", max_size=60), st.integers(1, 9), st.booleans())
def test_text_is_the_same_in_whatever_pieces_its_bytes_come(text, size, glued):
    data = b"a,\n" + text.encode() + b"\n\xe9" * glued
    assert decode(data, size) == decode(data)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    whole = io.StringIO(decode(data), newline="")
    assert list(Text(lambda: iter(pieces)).lines()) == list(whole)


def test_of_a_line_of_many_megabytes_the_start_is_kept():
    text = Text.of(b"a,1\n" + b"x" * 5_000_000 + b"\nb,2\n")
    first, long, last = text.lines()
    assert (first, last) == ("a,1\n", "b,2\n")
    assert long.startswith("x" * 1000)
    assert len(long) < 2_000_000


def two_cells_with_a_digit(cells):
    return len(cells) == 2 and cells[1].strip().isdigit()


def split_up(text, dialect=None):
    return list(
        records(io.StringIO(text, newline=""), dialect or Dialect(), two_cells_with_a_digit)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,1\nb,2\n", [(1, ["a", "1"]), (2, ["b", "2"])]),
        ("a,1\r\nb,2\r\n", [(1, ["a", "1"]), (2, ["b", "2"])]),
        ("a,1\rb,2", [(1, ["a", "1"]), (2, ["b", "2"])]),
        ("a,1\n\n\nb,2", [(1, ["a", "1"]), (2, []), (3, []), (4, ["b", "2"])]),
        ('"a, b",1\nb,2\n', [(1, ["a, b", "1"]), (2, ["b", "2"])]),
        ('"a ""b""",1\n', [(1, ['a "b"', "1"])]),
        ('a "b" c,1\n', [(1, ['a "b" c', "1"])]),
        ('"a\r\nb",1\nc,2\n', [(1, ["a\r\nb", "1"]), (3, ["c", "2"])]),
        ('"a\n\n\nb",1\nc,2\n', [(1, ["a\n\n\nb", "1"]), (5, ["c", "2"])]),
        ("a\tb,1\n", [(1, ["a\tb", "1"])]),
        ("a\u2028b\x0bc\x85d,1\ne,2\n", [(1, ["a\u2028b\x0bc\x85d", "1"]), (2, ["e", "2"])]),
    ],
)
def test_records_start_at_their_line(text, expected):
    assert split_up(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '"a,1\n"b","2"\n"c","3"\n',
        '"a","1\n"b","2"\n"c","3"\n',
        '"a,1\nb,2\nc,3\n',
        'a,1\n"b,2\nc,3\n',
        'a,1\n"b","2\nc,3\n',
        'a,1\n"b,2\n"c","3"\n',
    ],
)
def test_a_quote_that_never_closes_swallows_no_rows(text):
    rows = [(line, [cell.strip() for cell in cells]) for line, cells in split_up(text)]
    assert rows == [(1, ["a", "1"]), (2, ["b", "2"]), (3, ["c", "3"])]


def test_a_broken_row_with_an_open_quote_keeps_the_rows_after_it():
    rows = split_up('"a\nb,2\n"c","3"\n')
    assert [line for line, _ in rows] == [1, 2, 3]
    assert [cells for _, cells in rows[1:]] == [["b", "2"], ["c", "3"]]


def test_a_line_of_a_million_characters_is_one_record():
    rows = split_up("a,1\n" + "x" * 1_000_000 + "\nb,2\n")
    assert [line for line, _ in rows] == [1, 2, 3]
    assert rows[0][1] == ["a", "1"]
    assert rows[2][1] == ["b", "2"]


@pytest.mark.parametrize("line", ['a","1\n', '"a,1\n', 'a,"1\n', 'a"\r', '"a","b","1\n'])
def test_files_of_broken_quotes_lose_no_line(line):
    # Made to be read again after every line: without a bound this would take hours.
    assert sum(1 for _ in split_up(line * 60_000)) >= 30_000


def test_blanks_before_an_opening_quote_are_skipped_where_the_file_has_them():
    assert split_up('"a, b", "1"\n', Dialect(skip_blanks=True)) == [(1, ["a, b", "1"])]


@settings(deadline=None)
@given(st.lists(st.lists(st.text(alphabet='ab,;"\n\r\t 1', max_size=6), max_size=3), max_size=8))
def test_well_written_csv_is_read_as_it_was_meant(rows):
    def quoted(cell):
        return '"' + cell.replace('"', '""') + '"'

    text = "".join(",".join(map(quoted, row)) + "\n" for row in rows)
    read = [
        cells for _, cells in records(io.StringIO(text, newline=""), Dialect(), lambda cells: False)
    ]
    assert read == rows


@settings(deadline=None)
@given(st.text(alphabet='ab1,"\n\r', max_size=200))
def test_no_line_is_skipped_or_told_twice(text):
    lines = [line for line, _ in split_up(text)]
    assert lines == sorted(set(lines))
    assert not text or lines[0] == 1


def test_a_line_that_cannot_be_split_gives_no_cells():
    assert split("a,b", ",") == ["a", "b"]
    assert split("a\nb", ",") == []
