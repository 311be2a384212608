from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.dates import Dates, decide, parse_date
from imports.reading.types import DateOrder, QuestionKind


def dates_of(*column: str, chosen: DateOrder = DateOrder.AUTO, spreadsheet: bool = False) -> Dates:
    parsed = {text: parse_date(text) for text in column}
    return decide(column, parsed, chosen, spreadsheet=spreadsheet)


def utc(year, month, day, hour, minute, second=0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "order", "first"),
    [
        (["8/24/20", "8/2/20"], DateOrder.MDY, date(2020, 8, 24)),
        (["7/20/2023"], DateOrder.MDY, date(2023, 7, 20)),
        (["4/1/22", "18/06/20"], DateOrder.DMY, date(2022, 1, 4)),
        (["20/10/2020"], DateOrder.DMY, date(2020, 10, 20)),
        (["11-08-23", "13-07-23"], DateOrder.DMY, date(2023, 8, 11)),
        (["16.8.2022"], DateOrder.DMY, date(2022, 8, 16)),
        (["28.01.2024"], DateOrder.DMY, date(2024, 1, 28)),
        (["2020/05/27"], DateOrder.YMD, date(2020, 5, 27)),
        (["2020. 08. 14."], DateOrder.YMD, date(2020, 8, 14)),
        (["21. 12. 27."], DateOrder.YMD, date(2021, 12, 27)),
        (["24. 3. 2."], DateOrder.YMD, date(2024, 3, 2)),
        (["24. 12. 11.", "24. 3. 2."], DateOrder.YMD, date(2024, 12, 11)),
        (["24-03-31", "24-03-02"], DateOrder.YMD, date(2024, 3, 31)),
        (["31-03-24", "02-03-24"], DateOrder.DMY, date(2024, 3, 31)),
        (["2023-03-22"], DateOrder.YMD, date(2023, 3, 22)),
        (["2021년 12월 27일"], DateOrder.YMD, date(2021, 12, 27)),
        (["2020年5月27日"], DateOrder.YMD, date(2020, 5, 27)),
        (["27.12.2021."], DateOrder.DMY, date(2021, 12, 27)),
        (["27.12.21 г."], DateOrder.DMY, date(2021, 12, 27)),
        (["\u200f18\u200f/6\u200f/2020"], DateOrder.DMY, date(2020, 6, 18)),
        (["٢٨/٦/٢٠٢٠"], DateOrder.DMY, date(2020, 6, 28)),
        (["18/6/2563"], DateOrder.DMY, date(2020, 6, 18)),
        (["18/6/63"], DateOrder.DMY, date(2020, 6, 18)),
        ([" 8/24/20 ;"], DateOrder.MDY, date(2020, 8, 24)),
    ],
)
def test_every_way_of_writing_dates_is_read(column, order, first):
    dates = dates_of(*column)
    assert (dates.order, dates.values[column[0]], dates.question) == (order, first, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2022-07-14 17:00:52", utc(2022, 7, 14, 17, 0, 52)),
        ("2022-07-14T17:00:52Z", utc(2022, 7, 14, 17, 0, 52)),
        ("2022-07-14 17:00:52.123456", utc(2022, 7, 14, 17, 0, 52)),
        ("2022-07-14 23:00:52-07:00", utc(2022, 7, 15, 6, 0, 52)),
        ("2022-07-14 01:00:52 +0200", utc(2022, 7, 13, 23, 0, 52)),
        ("7/14/2022 17:05", utc(2022, 7, 14, 17, 5)),
        ("7/14/22 5:05 PM", utc(2022, 7, 14, 17, 5)),
        ("7/14/2022, 12:05:09 a.m.", utc(2022, 7, 14, 0, 5, 9)),
        ("7/14/2022 12:05\u202fPM", utc(2022, 7, 14, 12, 5)),
        ("14.07.22 17:05", utc(2022, 7, 14, 17, 5)),
        ("14.07.2022 17.05", utc(2022, 7, 14, 17, 5)),
    ],
)
def test_times_are_read_in_utc(text, moment):
    assert dates_of(text).values == {text: moment}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Date",
        "24",
        "8/24",
        "8/24/202",
        "9-1-1",
        "1.2.3",
        "123/4/20",
        "2020-13-01",
        "2020-02-30",
        "2020-02-20 25:00:00",
        "2020/02/20 13:05 PM",
        "8-24/20",
        "8/24/20/1",
        "8/24/20 and more",
        "0000-01-01",
        "1/1/20" + " " * 200,
        "9999-12-31 23:59:59-10:00",
        "1020-05-05",
        "5/5/0020",
    ],
)
def test_what_is_no_date_has_no_value(text):
    assert dates_of(text).values == {}


def test_one_value_above_twelve_decides_for_all_rows():
    column = ["3/4/20", "5/6/20", "18/06/20", "7/8/20"]
    dates = dates_of(*column)
    assert dates.values["3/4/20"] == date(2020, 4, 3)
    assert "day/month/year" in str(dates.reason)
    assert "'18/06/20' can be nothing else" in str(dates.reason)


def test_rows_that_do_not_fit_the_order_have_no_value():
    dates = dates_of("18/06/20", "19/06/20", "20/06/20", "6/13/20")
    assert dates.order is DateOrder.DMY
    assert "6/13/20" not in dates.values
    assert "fits all rows but 1" in str(dates.reason)


def test_two_exports_glued_together_are_asked_about():
    dates = dates_of("18/06/20", "19/06/20", "6/13/20", "6/14/20", "6/15/20")
    assert dates.order is DateOrder.MDY
    assert dates.question is not None
    assert "put together" in str(dates.reason)


def test_dates_that_do_not_exist_say_nothing_about_the_order():
    dates = dates_of("8/24/20", "45/45/20", "30/30/20")
    assert dates.order is DateOrder.MDY
    assert set(dates.values) == {"8/24/20"}
    assert "'8/24/20' can be nothing else" in str(dates.reason)


def test_a_file_whose_dates_all_do_not_exist_says_so():
    dates = dates_of("45/45/20", "30/30/20")
    assert dates.values == {}
    assert dates.question is None
    assert "No date of this file exists" in str(dates.reason)


def test_a_file_without_dates_says_so():
    assert "No row of this file has a date" in str(dates_of("", "x").reason)


def test_a_short_ambiguous_file_is_asked_about_with_both_meanings():
    dates = dates_of("3/5/24", "3/4/24")
    assert dates.question is not None
    assert dates.question.kind is QuestionKind.DATE_ORDER
    assert [(choice.value, str(choice.label)) for choice in dates.question.choices] == [
        ("mdy", "month/day/year: watched from 2024-03-04 to 2024-03-05"),
        ("dmy", "day/month/year: watched from 2024-04-03 to 2024-05-03"),
    ]


def test_the_likelier_meaning_of_an_ambiguous_file_keeps_the_days_close():
    assert dates_of("5/3/24", "4/3/24").order is DateOrder.DMY
    assert dates_of("3/5/24", "3/4/24").order is DateOrder.MDY


def test_there_is_nothing_to_ask_where_both_orders_mean_the_same():
    dates = dates_of("3/3/24", "1/1/24")
    assert dates.question is None
    assert dates.values == {"3/3/24": date(2024, 3, 3), "1/1/24": date(2024, 1, 1)}


def test_rows_sorted_by_date_decide_where_no_value_does():
    dates = dates_of("2/11/24", "1/12/24", "12/1/23", "11/2/23", "10/3/23")
    assert (dates.order, dates.question) == (DateOrder.MDY, None)
    assert "sorted by date" in str(dates.reason)


def test_rows_that_are_sorted_either_way_decide_nothing():
    assert dates_of("2/11/24", "1/12/24", "1/11/24").question is not None


def test_dates_with_dots_have_the_day_first():
    dates = dates_of("3.4.2024", "3.5.2024")
    assert (dates.order, dates.question) == (DateOrder.DMY, None)


def test_the_persons_choice_wins_over_the_evidence():
    dates = dates_of("18/06/20", "3/4/20", chosen=DateOrder.MDY)
    assert dates.values == {"3/4/20": date(2020, 3, 4)}
    assert "as you chose" in str(dates.reason)


def test_a_choice_does_not_turn_dates_that_begin_with_the_year():
    assert dates_of("2020-05-27", chosen=DateOrder.DMY).order is DateOrder.YMD


def test_the_choice_of_year_first_reads_short_years():
    dates = dates_of("21/12/27", chosen=DateOrder.YMD)
    assert dates.values == {"21/12/27": date(2021, 12, 27)}


def test_years_of_both_widths_are_read_in_one_order():
    dates = dates_of("2/17/25", "2/3/2025", "1/31/25")
    assert dates.values["2/3/2025"] == date(2025, 2, 3)
    assert dates.order is DateOrder.MDY


def days_back(count: int) -> list[date]:
    return [date(2022, 3, 30) - timedelta(days=5 * step) for step in range(count)]


def test_short_years_that_stand_first_are_known_by_how_days_spread():
    column = [f"{day:%y}/{day:%m}/{day:%d}" for day in days_back(60)]
    dates = dates_of(*column)
    assert dates.order is DateOrder.YMD
    assert [dates.values[text] for text in column] == days_back(60)


def test_short_years_are_read_before_days_without_a_zero():
    column = [f"{day:%y}. {day.month}. {day.day}." for day in days_back(60)]
    dates = dates_of(*column)
    assert dates.order is DateOrder.YMD
    assert [dates.values[text] for text in column] == days_back(60)


def test_short_years_with_dots_and_blanks_can_stand_last():
    column = [f"{day.day}. {day.month}. {day:%y}." for day in days_back(60)]
    dates = dates_of(*column)
    assert [dates.values[text] for text in column] == days_back(60)


FORMATS = {
    "%m/%d/%y": DateOrder.MDY,
    "%m/%d/%Y": DateOrder.MDY,
    "%d/%m/%y": DateOrder.DMY,
    "%d/%m/%Y": DateOrder.DMY,
    "%d.%m.%Y": DateOrder.DMY,
    "%d-%m-%y": DateOrder.DMY,
    "%y. %m. %d.": DateOrder.YMD,
    "%Y/%m/%d": DateOrder.YMD,
    "%Y. %m. %d.": DateOrder.YMD,
    "%Y-%m-%d": DateOrder.YMD,
}
DAYS = st.lists(
    st.dates(min_value=date(2010, 1, 1), max_value=date(2039, 12, 31)), min_size=1, max_size=60
).filter(lambda days: any(day.day > 12 for day in days))


@settings(deadline=None)
@given(days=DAYS, written=st.sampled_from(sorted(FORMATS)), seed=st.integers(0, 100))
def test_dates_are_read_as_written_whatever_the_order_of_the_rows(days, written, seed):
    random.Random(seed).shuffle(days)
    column = [day.strftime(written) for day in days]
    dates = dates_of(*column)
    assert dates.order is FORMATS[written]
    assert [dates.values[text] for text in column] == days
    assert dates.question is None


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_makes_reading_a_date_fail(text):
    dates_of(text)


@settings(deadline=None)
@given(st.lists(st.from_regex(r"\A\d{1,4}([./-])\d{1,2}\1\d{1,4}\.?\Z"), max_size=12))
def test_no_column_makes_the_decision_fail(column):
    dates = dates_of(*column)
    assert set(dates.values) <= set(column)


def test_dates_of_a_spreadsheet_need_no_order():
    dates = dates_of("2020-08-24", spreadsheet=True)
    assert dates.values == {"2020-08-24": date(2020, 8, 24)}
    assert "spreadsheet says itself" in str(dates.reason)


@pytest.mark.parametrize("chosen", [DateOrder.MDY, DateOrder.DMY])
@pytest.mark.parametrize(
    "column",
    [
        ("2025-03-02", "2025-01-13"),
        ("2025-03-03", "2025-01-01"),
        # Newest first as they are, and in no order when swapped.
        ("2025-03-02", "2025-02-05", "2025-02-03", "2025-01-11", "2025-01-04"),
    ],
)
def test_a_choice_that_cannot_turn_the_dates_of_a_spreadsheet_is_told_so(column, chosen):
    dates = dates_of(*column, chosen=chosen, spreadsheet=True)
    assert dates.values == {text: date.fromisoformat(text) for text in column}
    assert dates.question is None
    order = "month/day/year" if chosen is DateOrder.MDY else "day/month/year"
    assert f"That you chose {order} changes nothing." in str(dates.reason)


@pytest.mark.parametrize("chosen", [DateOrder.MDY, DateOrder.DMY])
def test_a_choice_swaps_the_dates_of_a_spreadsheet_where_all_can_be(chosen):
    dates = dates_of("2025-03-02", "2025-04-01 20:15:00", chosen=chosen, spreadsheet=True)
    assert dates.order is chosen
    assert dates.values["2025-03-02"] == date(2025, 2, 3)
    assert dates.values["2025-04-01 20:15:00"] == datetime(2025, 1, 4, 20, 15, tzinfo=UTC)
    assert "are swapped, because you chose" in str(dates.reason)


def test_a_spreadsheet_without_dates_says_so_whatever_is_chosen():
    dates = dates_of("", chosen=DateOrder.DMY, spreadsheet=True)
    assert str(dates.reason) == "No row of this file has a date."


def test_year_first_leaves_the_dates_of_a_spreadsheet_alone():
    dates = dates_of("2025-03-02", chosen=DateOrder.YMD, spreadsheet=True)
    assert dates.values == {"2025-03-02": date(2025, 3, 2)}


def test_dates_that_a_spreadsheet_swapped_are_put_right():
    # Opened where the day comes first: 2/17/25 stayed text, 2/3/25 became the second of March.
    dates = dates_of("2/17/25", "2025-03-02", "1/31/25", "2025-12-01", spreadsheet=True)
    assert dates.values["2025-03-02"] == date(2025, 2, 3)
    assert dates.values["2025-12-01"] == date(2025, 1, 12)
    assert "put right" in str(dates.reason)


@pytest.mark.parametrize(
    "column",
    [
        ["2/17/25", "2025-03-02", "2025-03-28"],
        ["2/17/25", "2025-03-02", "2/3/25"],
    ],
    ids=["a date has a day above 12", "a text would have become a date"],
)
def test_other_dates_of_a_spreadsheet_stay_as_they_are(column):
    assert dates_of(*column, spreadsheet=True).values["2025-03-02"] == date(2025, 3, 2)
