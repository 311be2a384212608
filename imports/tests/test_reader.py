from __future__ import annotations

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading import (
    MOST_PROFILES,
    Alternative,
    DateOrder,
    Format,
    Kind,
    Known,
    Options,
    QuestionKind,
    Reading,
    Row,
    UnreadableFile,
    read,
)
from imports.reading import reader as reader_module
from imports.reading.titles import Interpretation
from imports.reading.types import Message, TitleReading
from imports.tests.test_container import workbook, zipped

EVERYTHING = Options(profile="all", min_seconds=0)
MOVIE = TitleReading(Kind.MOVIE, Message("Movie."))


class Titles:
    """Stands in for the reading of titles: everything is a movie, and what was asked is kept."""

    def __init__(self):
        self.asked: list[str] = []
        self.newest_day = None

    def interpret(self, titles, *, format, newest_day, known, fallback_language):
        self.asked = list(titles)
        self.newest_day = newest_day
        return Interpretation(dict.fromkeys(titles, MOVIE), fallback_language)


@pytest.fixture(autouse=True)
def titles(monkeypatch):
    stand_in = Titles()
    monkeypatch.setattr(reader_module, "interpret", stand_in.interpret)
    return stand_in


def told(data: bytes | str, options: Options = EVERYTHING) -> list[tuple[int, str, str]]:
    """Line, title and day of each row."""
    data = data.encode() if isinstance(data, str) else data
    return [(row.line, row.title, str(row.watched_on)) for row in read(data, options).rows]


def refusal(data: bytes | str, options: Options = EVERYTHING) -> str:
    with pytest.raises(UnreadableFile) as refused:
        read(data.encode() if isinstance(data, str) else data, options)
    return str(refused.value.message)


DARK = (2, "Dark: Season 1: Secrets", "2020-08-24")
LOVE = (3, "Love, Death & Robots: Volume 1: THE WITNESS", "2020-08-02")
TWO_ROWS = [DARK, LOVE]
PLAIN = """Title,Date
"Dark: Season 1: Secrets","8/24/20"
"Love, Death & Robots: Volume 1: THE WITNESS","8/2/20"
"""


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.rstrip("\n"),
        PLAIN.replace("Title,Date", "title,date"),
        PLAIN.replace("Title,Date", '"Title" , "Date"'),
        PLAIN.replace("Title,Date", "タイトル, 日付"),
        PLAIN.replace("Title,Date", "Name,When"),
        PLAIN.replace('","', '";"').replace("Title,Date", "Title;Date"),
        PLAIN.replace('","', '"\t"').replace("Title,Date", "Title\tDate"),
        PLAIN.replace('","', '", "'),
        PLAIN.replace('"', ""),
        PLAIN.replace('8/2/20"', '8/2/20";'),
        PLAIN.replace('20"\n', '20";,\n').replace("Title,Date", "Title,Date;,"),
        PLAIN.replace('20"\n', '20",,\n').replace("Title,Date", "Title,Date,,"),
        "Title;;Date;;\nDark: Season 1: Secrets;;8/24/20;;\n"
        "Love; Death & Robots: Volume 1: THE WITNESS;8/2/20;;\n",
        'Title,Date\n"Dark: Season 1: Secrets,8/24/20"\n'
        '"""Love, Death & Robots: Volume 1: THE WITNESS"",8/2/20"\n',
        '"Title,Date"\n"Dark: Season 1: Secrets,8/24/20";\n'
        '"""Love, Death & Robots: Volume 1: THE WITNESS"",8/2/20";\n',
        '"title,date,type ,genre,";\n"Dark: Season 1: Secrets,8/24/20,tv,drama,";\n'
        '"""Love, Death & Robots: Volume 1: THE WITNESS"",8/2/20,tv,sf,";\n',
        "Title,Date\nDark: Season 1: Secrets;8/24/20\n"
        '"Love, Death & Robots: Volume 1: THE WITNESS",8/2/20\n',
        "Date,Title\n8/24/20,Dark: Season 1: Secrets\n"
        "8/2/20,Love, Death & Robots: Volume 1: THE WITNESS\n",
        "title,date,type ,genre,\nDark: Season 1: Secrets,8/24/20,tv,drama,\n"
        "Love, Death & Robots: Volume 1: THE WITNESS,8/2/20,tv,sf\n",
        "Title,Kind,Date\nDark: Season 1: Secrets,tv,8/24/20\n"
        "Love, Death & Robots: Volume 1: THE WITNESS,tv,8/2/20\n",
        "Title\0,Date\nDark: Season 1: Secrets\0,8/24/20\n"
        "Love, Death & Robots: Volume 1: THE WITNESS,8/2/20\n",
        workbook(
            ["Title", "Date"],
            ["Dark: Season 1: Secrets", date(2020, 8, 24)],
            ["Love, Death & Robots: Volume 1: THE WITNESS", date(2020, 8, 2)],
        ),
        zipped({"NetflixViewingHistory.csv": PLAIN.encode()}),
    ],
)
def test_every_container_gives_the_same_rows(data):
    assert told(data) == TWO_ROWS


@pytest.mark.parametrize(
    "data",
    [
        'Dark,"8/24/20"\n"Love",8/2/20\n',
        "Dark;8/24/20\nLove;8/2/20\n",
        "8/24/20\tDark\n8/2/20\tLove\n",
        '"8/24/20","Dark"\n"8/2/20","Love"\n',
        "1,Dark,8/24/20,tv\n2,Love,8/2/20,tv\n3,Elite: Season 3: Ander,8/1/20,tv\n",
    ],
)
def test_without_a_header_all_records_are_rows(data):
    assert told(data)[:2] == [(1, "Dark", "2020-08-24"), (2, "Love", "2020-08-02")]


def test_lines_before_the_header_are_no_rows():
    data = "sep=,\nMy viewing history\n\nTitle,Date\nDark,8/24/20\n"
    assert told(data) == [(5, "Dark", "2020-08-24")]


def test_blank_rows_are_no_rows_and_rows_without_a_title_are():
    data = 'Title,Date\n,\n\n" ","8/24/20"\n  ,\t\n"","8/2/20"\n'
    assert told(data) == [(4, " ", "2020-08-24"), (6, "", "2020-08-02")]


def test_blank_titles_in_rows_that_are_quoted_as_a_whole_are_read():
    data = 'Title,Date\n" ,8/24/20";\n",8/2/20"\n" : Episode 3,8/1/20"\n'
    assert told(data) == [
        (2, " ", "2020-08-24"),
        (3, "", "2020-08-02"),
        (4, " : Episode 3", "2020-08-01"),
    ]


def test_line_breaks_and_tabs_in_cells_stay_and_lines_are_counted():
    data = 'Title,Date\n"Riverdale:\r\n\tForty-Seven","8/24/20"\r\n"Dark","8/2/20"\n'
    assert told(data) == [
        (2, "Riverdale:\r\n\tForty-Seven", "2020-08-24"),
        (4, "Dark", "2020-08-02"),
    ]


def test_a_history_in_windows_1252_keeps_its_accents():
    data = "Title,Date\nJosé: Saison 1: Élan,24/08/2020\n".encode("cp1252")
    assert told(data) == [(2, "José: Saison 1: Élan", "2020-08-24")]


def test_a_header_in_the_middle_is_a_skipped_row():
    rows = read(b"Title,Date\nDark,8/24/20\nTitle,Date\nLove,8/2/20\n", EVERYTHING).rows
    assert [(row.line, row.kind) for row in rows] == [
        (2, Kind.MOVIE),
        (3, Kind.SKIPPED),
        (4, Kind.MOVIE),
    ]
    assert "header line once more" in str(rows[1].reason)


def test_a_row_that_cannot_be_split_is_an_error_and_the_others_are_read():
    rows = read(b"Title,Date\nDark,8/24/20\nonly a title\na,b,c\nLove,8/2/20\n", EVERYTHING).rows
    assert [(row.line, row.title, row.kind) for row in rows] == [
        (2, "Dark", Kind.MOVIE),
        (3, "only a title", Kind.ERROR),
        (4, "a", Kind.ERROR),
        (5, "Love", Kind.MOVIE),
    ]
    assert str(rows[1].reason).startswith("This line cannot be split into its columns: 1 cells")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "has no date"),
        ("soon", "'soon' is no date"),
        ("13/13/20", "'13/13/20' is no date when read as month/day/year"),
        ("24/8/20", "'24/8/20' is no date when read as month/day/year"),
    ],
)
def test_a_row_without_a_possible_date_is_an_error_and_the_others_are_read(written, reason):
    data = f"Title,Date\nA,8/24/20\nB,8/23/20\nC,8/22/20\nDark,{written}\nLove,8/2/20\n"
    rows = read(data.encode(), EVERYTHING).rows
    assert [row.kind for row in rows[3:]] == [Kind.ERROR, Kind.MOVIE]
    assert reason in str(rows[3].reason)
    assert rows[3].watched_on is None


def test_a_file_with_a_header_and_nothing_else_has_no_rows():
    reading = read(b"Title,Date\n", EVERYTHING)
    assert (reading.format, reading.rows) == (Format.NETFLIX_HISTORY, ())


def test_titles_that_have_run_together_are_errors_and_no_evidence(titles):
    rows = read(f"Title,Date\n{'x: ' * 500},8/24/20\n".encode(), EVERYTHING).rows
    assert [row.kind for row in rows] == [Kind.ERROR]
    assert titles.asked == []


def test_too_many_rows_are_refused():
    message = refusal("Title,Date\n" + "Dark,8/24/20\n" * 11, Options(max_rows=10))
    assert "more than 10 rows" in message
    assert len(told("Title,Date\n" + "Dark,8/24/20\n" * 10, Options(max_rows=10))) == 10


def test_too_many_rows_of_a_workbook_are_refused():
    data = workbook(["Title", "Date"], *[["Dark", "8/24/20"]] * 11)
    assert "more than 10 rows" in refusal(data, Options(max_rows=10))


HEADERS = {
    "Profile Name,Title Name,Rating Type,Star Value,Thumbs Value,Event Utc Ts": "Ratings.csv",
    "Profile Name,Title Name,Country,Utc Title Add Date": "MyList.csv",
    "Profile Name,Country Iso Code,Device,Is Kids,Query Typed,Displayed Name": "SearchHistory.csv",
    "Profile Name,Show,Has Watched,Is Interested,Event Date": "IndicatedPreferences.csv",
    "Profile Name,Title Description,Device,Country,Playtraces": "PlaybackRelatedEvents.csv",
    "Profile Name,Source,Navigation Level,Webpage Url,Click Utc Ts": "Clickstream.csv",
    "Profile Name,Esn,Device Type,Profile First Playback Date": "Devices.csv",
    "Esn,Country,Localized Device Description,Ip,Ts": "IpAddressesStreaming.csv",
    "Country,Esn,Ip,Device Description,Ts,Region Code": "IpAddressesLogin.csv",
    "Profile Name,Message Name,Channel,Sent Utc Ts": "MessagesSentByNetflix.csv",
    "Transaction Date,Description,Payment Type,Currency": "BillingHistory.csv",
    "Profile Name,Account Email Address,Maturity Level,Primary Lang": "Profiles.csv",
    "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date": "Letterboxd",
    "Const,Your Rating,Date Rated,Title,Title Type,Year": "IMDb",
    "SIMKL_ID,Title,Type,Year,Watchlist,LastEpWatched,WatchedDate": "Simkl",
    '"media_id","source","media_type","title","image","season_number"': "Yamtrack",
    '"Date Watched","Type","Title","Episode Title","Path"': "Prime Video",
    "Title,Playback Start Datetime (UTC),Seconds Viewed": "Prime Video",
    "Profile ID;Program Title;Season Title;Date": "Disney+",
    "user_id,episode_id,source,created_at,tv_show_name,episode_number": "TV Time",
}


@pytest.mark.parametrize("header", HEADERS)
def test_files_of_other_kinds_are_named(header):
    delimiter = ";" if ";" in header else ","
    message = refusal(f"{header}\n2020-01-02{delimiter}x{delimiter}y\n")
    assert HEADERS[header] in message
    assert "NetflixViewingHistory.csv" in message


@pytest.mark.parametrize(
    "data",
    [
        "Booked on,Text,Amount\n24.08.2020,Rent,700\n25.08.2020,Food,20\n",
        "hello\nworld\n",
        "a,b\nc,d\n",
        "1/2/20\n1/3/20\n",
        "x" * 100_000,
    ],
)
def test_a_table_of_something_else_is_refused_with_how_it_begins(data):
    message = refusal(data)
    assert f"begins with '{data.splitlines()[0].replace(',', ', ')[:80]}'" in message


def test_binary_data_is_called_no_text():
    assert "not a text file" in refusal(bytes(range(1, 32)) * 40)


@pytest.mark.parametrize("profile", ["Profile Name,", ""])
def test_an_activity_file_without_titles_is_named(profile):
    data = f"{profile}Start Time,Duration,Country\n2022-07-14 17:00:52,00:20:00,DE,x\n"
    assert "without the titles" in refusal(data)


def test_an_unknown_file_of_netflixs_download_is_recognised_as_one():
    data = "Profile Name,Title Desc,Utc Timestamp\nAnna,Dark: Trivia,2022-07-14 17:00:52\n"
    assert "another file of the personal data that Netflix sends" in refusal(data)


COLUMNS = (
    "Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,"
    "Bookmark,Latest Bookmark,Country"
)


def play(title="Dark", *, when="2022-07-14 17:00:52", length="00:20:00", kind="", profile="Anna"):
    return f"{profile},{when},{length},,{title},{kind},Phone,00:15:00,Not latest view,DE\n"


def activity(*plays: str, header: str = COLUMNS + "\n") -> bytes:
    return (header + "".join(plays)).encode()


def test_a_play_has_its_time_length_and_profile():
    row = read(activity(play("Dark: Season 1: Secrets (Episode 1)")), EVERYTHING).rows[0]
    assert (
        row._asdict() | {"reason": None}
        == Row(
            line=2,
            title="Dark: Season 1: Secrets (Episode 1)",
            title_key="dark: season 1: secrets",
            kind=Kind.MOVIE,
            reason=None,  # type: ignore[arg-type]
            watched_on=date(2022, 7, 14),
            watched_at=datetime(2022, 7, 14, 17, 0, 52, tzinfo=UTC),
            duration_seconds=1200,
            profile="Anna",
        )._asdict()
    )


@pytest.mark.parametrize(
    "data",
    [
        activity(play(), play("Love")),
        activity(play(), play("Love"), header=""),
        activity(play(), play("Love"), header="Profielnaam,Start,Duur,a,Titel,b,c,d,e,f\n"),
        activity(play(), play("Love"), header=COLUMNS.replace("Start Time", "StartTime") + "\n"),
        activity(play(), play("Love"), header=COLUMNS + ";\n").replace(b"DE\n", b"DE;\n"),
        activity(play(), play("Love"), header=COLUMNS + ";,\n").replace(b"DE\n", b"DE;,\n"),
        activity(f'"{play().strip()}";\n', f'"{play("Love").strip()}";\n'),
        activity(play(), play("Love")).replace(b",", b"\t"),
        activity(play(), play("Love")).replace(b"2022-07-14 17:00:52", b"7/14/2022 17:00"),
        activity(play(), play("Love")).replace(b"2022-07-14 17:00:52", b"14.07.22 17:00"),
        activity(play(), play("Love")).replace(b"00:20:00", b"0:20:00"),
        workbook(
            COLUMNS.split(","),
            ["Anna", datetime(2022, 7, 14, 17, 0, 52), timedelta(minutes=20), "", "Dark"],
            ["Anna", datetime(2022, 7, 14, 17, 0, 52), timedelta(minutes=20), "", "Love"],
        ),
        zipped(
            {
                "netflix-report/CONTENT_INTERACTION/ViewingActivity.csv": activity(
                    play(), play("Love")
                )
            }
        ),
    ],
)
def test_every_container_gives_the_same_plays(data):
    reading = read(data, EVERYTHING)
    assert reading.format is Format.NETFLIX_ACTIVITY
    assert [(row.title, str(row.watched_on), row.duration_seconds) for row in reading.rows] == [
        ("Dark", "2022-07-14", 1200),
        ("Love", "2022-07-14", 1200),
    ]
    assert reading.profiles == {"Anna": 2}


def test_removed_columns_are_not_missed():
    header = "Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type\n"
    data = header + "2022-07-14 17:00:52,00:20:00,,Dark,,Phone\n"
    row = read(data.encode(), EVERYTHING).rows[0]
    assert (row.title, row.duration_seconds, row.profile) == ("Dark", 1200, None)


def test_a_title_with_an_unquoted_comma_is_put_together():
    rows = read(activity(play("Money, Explained"), play("Never,"), play("Love")), EVERYTHING).rows
    assert [row.title for row in rows] == ["Money, Explained", "Never,", "Love"]


def test_an_activity_row_with_a_comma_nobody_can_place_is_an_error():
    data = activity(play(profile="Ben").replace("Phone", "Phone, old"), play("Love"))
    reading = read(data, EVERYTHING)
    assert [row.kind for row in reading.rows] == [Kind.ERROR, Kind.MOVIE]
    assert reading.profiles == {"Anna": 1}


def test_times_with_an_offset_count_by_their_utc_day():
    row = read(activity(play(when="2022-07-14 23:00:52-07:00")), EVERYTHING).rows[0]
    assert (str(row.watched_on), row.watched_at) == (
        "2022-07-15",
        datetime(2022, 7, 15, 6, 0, 52, tzinfo=UTC),
    )


def test_trailers_are_skipped_and_say_nothing_about_the_titles(titles):
    rows = read(
        activity(play("Dark (Trailer)", kind="TEASER_TRAILER"), play("Dark")), EVERYTHING
    ).rows
    assert [row.kind for row in rows] == [Kind.SKIPPED, Kind.MOVIE]
    assert "teaser trailer" in str(rows[0].reason)
    assert titles.asked == ["Dark"]


def test_each_title_that_was_watched_is_read_once_however_short(titles):
    read(
        activity(
            play("Dark"),
            play("Dark", when="2022-07-14 18:00:00"),
            play("Dark", when="2022-07-13 18:00:00"),
            play("Love", when="never"),
            play("Short", length="00:00:01"),
            play("Hook", kind="HOOK", when="2022-07-20 18:00:00"),
        ),
        Options(),
    )
    assert titles.asked == ["Dark", "Love", "Short"]
    assert titles.newest_day == date(2022, 7, 20)


def test_plays_of_one_title_on_one_day_are_summed_before_they_are_called_too_short():
    rows = read(
        activity(
            play("Dark", length="00:01:00"),
            play("Love", length="00:01:59"),
            play("dark (Episode 3)", length="00:01:00"),
            play("Love", length="00:01:59", when="2022-07-15 17:00:52"),
            play("Unknown", length=""),
        ),
        Options(min_seconds=120),
    ).rows
    assert [(row.title, row.kind) for row in rows] == [
        ("Dark", Kind.MOVIE),
        ("Love", Kind.SKIPPED),
        ("dark (Episode 3)", Kind.MOVIE),
        ("Love", Kind.SKIPPED),
        ("Unknown", Kind.MOVIE),
    ]
    assert str(rows[1].reason) == (
        "Skipped as too short: played for 119 seconds that day, the minimum is 120."
    )


def test_without_a_minimum_no_play_is_too_short():
    rows = read(activity(play("Dark", length="00:00:01")), EVERYTHING).rows
    assert [row.kind for row in rows] == [Kind.MOVIE]


def test_trailers_and_other_profiles_add_nothing_to_the_time_played():
    rows = read(
        activity(
            play("Dark", length="00:01:00"),
            play("Dark", length="00:10:00", kind="HOOK"),
            play("Dark", length="00:10:00", profile="Ben"),
        ),
        Options(profile="Anna"),
    ).rows
    assert [row.kind for row in rows] == [Kind.SKIPPED] * 3
    assert "too short" in str(rows[0].reason)
    assert "watched by the profile Ben" in str(rows[2].reason)


def test_rows_that_something_else_decides_are_in_no_doubt(monkeypatch):
    doubtful = MOVIE._replace(
        reading_uncertain=True, alternative=Alternative(Kind.EPISODE, "Dark", 1, "Lies")
    )
    monkeypatch.setattr(f"{__name__}.MOVIE", doubtful)
    rows = read(
        activity(
            play(),
            play(profile="Ben"),
            play(kind="HOOK"),
            play(when="never"),
            play(length="00:00:05", when="2022-07-15 17:00:52"),
        ),
        Options(profile="Anna"),
    ).rows
    assert [row.kind.value for row in rows] == ["movie", "skipped", "skipped", "error", "skipped"]
    assert [row.reading_uncertain for row in rows] == [True] + [False] * 4
    assert [row.alternative is not None for row in rows] == [True] + [False] * 4


def test_rows_of_one_viewing_name_the_first_of_them():
    rows = read(
        activity(
            play("Dark", kind="HOOK"),
            play("Dark"),
            play("Dark (Episode 3)", profile="Ben"),
            play("Dark", when="2022-07-15 17:00:52"),
            play(" DARK "),
        ),
        EVERYTHING,
    ).rows
    assert [row.same_viewing_as for row in rows] == [None, None, 3, None, 3]


def test_a_file_with_more_profiles_than_any_account_is_refused():
    """Each would be a choice on a page."""
    many = [play(profile=f"{number}") for number in range(MOST_PROFILES + 1)]
    with pytest.raises(UnreadableFile, match="not from Netflix"):
        read(activity(*many), Options())
    assert len(read(activity(*many[1:]), Options()).profiles) == MOST_PROFILES


def test_a_profile_is_no_longer_than_any_name():
    assert read(activity(play(profile="x" * 100_000)), Options()).profiles == {"x" * 200: 1}


def test_several_profiles_are_asked_about_and_the_largest_is_read():
    reading = read(activity(play(profile="Ben"), play(), play("Love")), Options())
    assert reading.profiles == {"Anna": 2, "Ben": 1}
    (question,) = reading.questions
    assert question.kind is QuestionKind.PROFILE
    assert [(choice.value, str(choice.label)) for choice in question.choices] == [
        ("Anna", "Anna (rows: 2)"),
        ("Ben", "Ben (rows: 1)"),
        ("all", "All profiles (rows: 3)"),
    ]
    assert [row.kind for row in reading.rows] == [Kind.SKIPPED, Kind.MOVIE, Kind.MOVIE]


def test_one_profile_is_not_asked_about():
    reading = read(activity(play()), Options())
    assert reading.questions == ()
    assert reading.rows[0].kind is Kind.MOVIE


@pytest.mark.parametrize("wanted", ["Ben", "ben", " BEN "])
def test_the_chosen_profile_is_read_and_the_others_are_skipped(wanted):
    reading = read(activity(play(profile="Ben"), play(), play(profile="")), Options(profile=wanted))
    assert [row.kind for row in reading.rows] == [Kind.MOVIE, Kind.SKIPPED, Kind.SKIPPED]
    assert reading.questions == ()


def test_all_profiles_can_be_chosen():
    reading = read(activity(play(profile="Ben"), play()), EVERYTHING)
    assert [row.kind for row in reading.rows] == [Kind.MOVIE, Kind.MOVIE]


def test_an_unknown_profile_is_answered_with_those_there_are():
    message = refusal(activity(play(profile="Ben"), play()), Options(profile="Cleo"))
    assert "no profile called Cleo. It has: Ben, Anna." in message


def test_a_history_file_has_no_profiles_to_choose_from():
    reading = read(PLAIN.encode(), Options(profile="Anna"))
    assert [row.kind for row in reading.rows] == [Kind.MOVIE, Kind.MOVIE]


def test_an_ambiguous_file_asks_for_the_order_of_its_dates():
    reading = read(b"Title,Date\nDark,3/5/24\nLove,3/4/24\n", Options())
    assert [question.kind for question in reading.questions] == [QuestionKind.DATE_ORDER]
    assert reading.date_order is DateOrder.MDY
    answered = read(b"Title,Date\nDark,3/5/24\n", Options(date_order=DateOrder.DMY))
    assert answered.questions == ()
    assert answered.rows[0].watched_on == date(2024, 5, 3)


def test_dates_that_a_workbook_swapped_are_put_right():
    data = workbook(["Title", "Date"], ["Dark", "2/17/25"], ["Love", date(2025, 3, 2)])
    assert [str(row.watched_on) for row in read(data, EVERYTHING).rows] == [
        "2025-02-17",
        "2025-02-03",
    ]


TITLES = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=30
)
DAYS = st.dates(min_value=date(2010, 1, 1), max_value=date(2039, 12, 31))


def written(rows, *, delimiter=",", quoting=csv.QUOTE_ALL, lines="\n") -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=lines)
    writer.writerow(["Title", "Date"])
    writer.writerows(rows)
    return buffer.getvalue().encode()


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(TITLES, DAYS), max_size=30),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    lines=st.sampled_from(["\n", "\r\n"]),
    style=st.sampled_from(["%m/%d/%y", "%d.%m.%Y", "%Y-%m-%d"]),
)
def test_no_row_of_a_well_written_file_is_lost_or_changed(rows, delimiter, quoting, lines, style):
    rows = [("First: of all", date(2020, 12, 31)), *rows]
    cells = [(title, day.strftime(style)) for title, day in rows]
    reading = read(written(cells, delimiter=delimiter, quoting=quoting, lines=lines), EVERYTHING)
    assert [(row.title, row.watched_on) for row in reading.rows] == rows


@settings(deadline=None)
@given(rows=st.lists(st.tuples(TITLES, DAYS), min_size=1, max_size=30), seed=st.integers(0, 99))
def test_the_days_read_do_not_depend_on_the_order_of_the_rows(rows, seed):
    cells = [
        (f"{number} {title}", day.strftime("%d/%m/%y")) for number, (title, day) in enumerate(rows)
    ]
    cells.append(("Last", "31/12/20"))
    before = {row.title: row.watched_on for row in read(written(cells), EVERYTHING).rows}
    random.Random(seed).shuffle(cells)
    after = {row.title: row.watched_on for row in read(written(cells), EVERYTHING).rows}
    assert after == before


def records_of(text: str) -> int:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return sum(1 for row in rows if any(cell.strip() for cell in row))


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["Dark", "8/24/20", '"', ",", ";", "\n", "\r\n", " ", '""', "x: y", "1/2"]),
        max_size=60,
    )
)
def test_damaged_files_give_a_row_for_each_line_at_least_and_never_fail(pieces):
    text = "Title,Date\nDark,8/24/20\n" + "".join(pieces)
    reading = read(text.encode(), EVERYTHING)
    lines = [row.line for row in reading.rows]
    assert lines == sorted(set(lines))
    assert len(lines) >= (records_of(text) - 1 if '"' not in text else 1)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail(data):
    for start in (b"", b"Title,Date\n", b"Title,Date\nDark,8/24/20\n", COLUMNS.encode() + b"\n"):
        try:
            reading = read(start + data, Options())
        except UnreadableFile as refused:
            assert str(refused.message)
        else:
            assert isinstance(reading, Reading)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["Anna", "2022-07-14 17:00:52", "00:20:00", "Dark", "HOOK", "", "a,b", '"']
            ),
            max_size=12,
        ),
        max_size=12,
    )
)
def test_no_table_of_plays_makes_reading_fail(table):
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(table)
    data = f"{COLUMNS}\r\n{buffer.getvalue()}".encode()
    filled = sum(1 for row in table if any(map(str.strip, row)))
    assert len(read(data, EVERYTHING).rows) == filled


NOTES = [["My films"], ["Saved on", date(2024, 5, 1)], ["Saved by", "Anna"]]
ROWS = [["Title", "Date"], ["Dark", date(2020, 8, 24)], ["Roma", date(2020, 8, 23)]]


@pytest.mark.parametrize(
    "sheets",
    [
        [NOTES, ROWS],
        [[], NOTES, ROWS, NOTES],
        [[["Profile Name", "Title Name", "Rating Type"], ["Anna", "Dark", 5]], ROWS],
        [NOTES, [["Titel", "Datum"], *ROWS[1:]]],
        [[["Saved on"]], [["Dark: A", "8/24/20"]] * 3, ROWS],
    ],
)
def test_of_a_workbook_the_sheet_with_the_history_is_read(sheets):
    first, *others = sheets
    data = workbook(*first, **{f"Sheet {n}": rows for n, rows in enumerate(others, 2)})
    assert told(data) == [(2, "Dark", "2020-08-24"), (3, "Roma", "2020-08-23")]


def test_a_workbook_without_a_history_is_named_by_its_first_sheet_with_anything_in_it():
    ratings = [["Profile Name", "Title Name", "Rating Type"], ["Anna", "Dark", 5]]
    assert "This is Ratings.csv" in refusal(workbook(second=ratings, third=[["Notes"]]))


def test_what_is_known_reaches_the_reading_of_titles(monkeypatch):
    seen = []

    def interpret(titles, **evidence):
        seen.append(evidence)
        return Interpretation(dict.fromkeys(titles, MOVIE), "de")

    monkeypatch.setattr(reader_module, "interpret", interpret)
    known = Known(movies=frozenset({"dark"}))
    reading = read(PLAIN.encode(), Options(fallback_language="de"), known)
    assert reading.language == "de"
    assert seen == [
        {
            "format": Format.NETFLIX_HISTORY,
            "newest_day": date(2020, 8, 24),
            "known": known,
            "fallback_language": "de",
        }
    ]
