"""What single cells say."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.channels import AddressKind
from hub.participants.importing import cells
from hub.participants.importing.addresses import channels_of, read_accounts, read_mailboxes, read_phones
from hub.participants.models import Format


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("17/09/2026", date(2026, 9, 17)),
        ("3.2.24", date(2024, 2, 3)),
        ("12-Mar-21", date(2021, 3, 12)),
        ("3rd March 2024", date(2024, 3, 3)),
        ("Sept 5, 2023", date(2023, 9, 5)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-02-29 10:15:00", date(2024, 2, 29)),
        ("1/2/99", date(1999, 2, 1)),
        ("last spring", None),
        ("31/02/2024", None),
        ("03/17/2026", None),
        ("2024-02-30", None),
        ("March 2024", None),
        ("1/1/0001", None),
        ("", None),
    ],
)
def test_a_day_is_read_in_the_order_of_the_country_or_not_at_all(text: str, day: date | None) -> None:
    assert cells.read_day(text) == day


def test_a_country_that_writes_the_month_first_is_read_so() -> None:
    assert cells.read_day("03/17/2026", month_first=True) == date(2026, 3, 17)


def test_a_moment_without_an_offset_is_in_the_groups_time_zone() -> None:
    assert cells.read_moment("2026-07-01 10:00:00", "Europe/London") == datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    assert cells.read_moment("1/12/2026", "Europe/London") == datetime(2026, 12, 1, tzinfo=UTC)
    assert cells.read_moment("soon", "Europe/London") is None
    assert cells.read_moment("0001-01-01T00:00:00+14:00", "Europe/London") is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("21:00-08:00", (time(21), time(8))),
        ("9pm to 8am", (time(21), time(8))),
        ("from 10pm until 7.30am", (time(22), time(7, 30))),
        ("noon – midnight", (time(12), time(0))),
        ("22-7", None),
        ("25:00-26:00", None),
        ("evenings", None),
    ],
)
def test_quiet_hours_are_two_times(text: str, hours: tuple[time, time] | None) -> None:
    assert cells.read_hours(text) == hours


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("English", "en"),
        ("EN", "en"),
        ("en_GB", "en-GB"),
        ("English (United Kingdom)", "en"),
        ("Cymraeg", "cy"),
        ("Bengali", "bn"),
        ("Kurdish (Sorani)", "ckb"),
        ("Polski", "pl"),
        ("اردو", "ur"),
        ("Klingonese", None),
        ("", None),
    ],
)
def test_languages_are_known_by_name_and_code(text: str, language: str | None) -> None:
    assert cells.read_language(text) == language


def test_formats_are_read_one_by_one_and_the_rest_is_named() -> None:
    assert cells.read_formats("Large print, easy read") == (frozenset({Format.LARGE_PRINT, Format.EASY_READ}), ())
    assert cells.read_formats("BSL and Braille; yellow paper") == (
        frozenset({Format.BSL, Format.BRAILLE}),
        ("yellow paper",),
    )
    assert cells.read_formats("Standard") == (frozenset(), ())


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("Club; Board", ("Club", "Board")),
        ("Club, Board", ("Club", "Board")),
        ("Mums, dads; Board", ("Mums, dads", "Board")),
        ('"Mums, dads"; Board', ("Mums, dads", "Board")),
        ('"Club","Board"', ("Club", "Board")),
        ("* myContacts ::: Club", ("Club",)),
        ("Club; club;Club", ("Club", "club")),
        (" ; ", ()),
    ],
)
def test_groups_are_split_where_people_split_them(text: str, groups: tuple[str, ...]) -> None:
    assert cells.read_groups(text) == groups


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("07700 900453 (mum)", [("+447700900453", "mum")]),
        ("Mum 07700900453", [("+447700900453", "Mum")]),
        ("07700900453 daughter Ann", [("+447700900453", "daughter Ann")]),
        ("mob: 07700900123", [("+447700900123", "")]),
        ("07700 900 123 / 07700 900 456", [("+447700900123", ""), ("+447700900456", "")]),
        ("07700 900123 ::: 01632 960001", [("+447700900123", ""), ("+441632960001", "")]),
        (
            "07700 900123\n07700 900124 or 01632/960001",
            [("+447700900123", ""), ("+447700900124", ""), ("+441632960001", "")],
        ),
        ("7700900123", [("+447700900123", "")]),
        ("447700900123", [("+447700900123", "")]),
        ("+44 (0)7700 900123", [("+447700900123", "")]),
    ],
)
def test_phone_numbers_are_found_however_they_are_written(text: str, found: list[tuple[str, str]]) -> None:
    assert [(one.value, one.label) for one in read_phones(text)] == found
    assert not any(one.problem for one in read_phones(text))


@pytest.mark.parametrize("text", ["999", "12345", "07700 90012", "7.7E+09", "07700900123 ext 4", "nope", "1|2"])
def test_a_number_that_cannot_be_read_is_kept_with_the_reason(text: str) -> None:
    (one,) = read_phones(text)
    assert one.problem.endswith(".")
    assert one.as_written == text


def test_mailboxes_are_found_and_kept_in_lower_case() -> None:
    assert [one.value for one in read_mailboxes("Ann <Ann@Example.org>")] == ["ann@example.org"]
    assert [one.value for one in read_mailboxes("a@example.org; b@example.org")] == ["a@example.org", "b@example.org"]
    assert [one.value for one in read_mailboxes("mailto:a@example.org b@example.org")] == [
        "a@example.org",
        "b@example.org",
    ]
    assert read_mailboxes("not an email")[0].problem


@pytest.mark.parametrize(
    ("text", "channels"),
    [("07700 900123", ("text", "phone")), ("01632 960001", ("phone",)), ("12345", ("text",))],
)
def test_a_landline_is_for_calls_only(text: str, channels: tuple[str, ...]) -> None:
    assert channels_of(read_phones(text)[0], for_texts=True) == channels


@pytest.mark.parametrize(
    ("text", "answer"), [("Yes", True), ("1", True), ("FALSE", False), ("", False), ("maybe", None)]
)
def test_yes_and_no_are_told_from_neither(text: str, answer: bool | None) -> None:
    assert cells.read_yes(text) is answer


def test_what_a_caller_needs_to_know_is_taken_from_notes() -> None:
    assert cells.about_calling("prefers Ms; text relay 18001\ndo not leave message") == (
        "text relay 18001; do not leave message"
    )
    assert cells.about_calling("uses a wheelchair") == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text("0123456789/-. :+()abcxext@<>,;|", max_size=40))
def test_no_cell_breaks_a_reader(text: str) -> None:
    cells.read_day(text)
    cells.read_moment(text, "Europe/London")
    cells.read_hours(text)
    cells.read_language(text)
    cells.read_formats(text)
    cells.read_groups(text)
    cells.about_calling(text)
    for found in (*read_phones(text), *read_mailboxes(text), *read_accounts(text)):
        assert found.kind in AddressKind
        assert len(found.value) <= 320
