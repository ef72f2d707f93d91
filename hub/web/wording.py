"""How numbers and moments are worded on screen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from flask import Flask

from config.settings import settings


def register_wording(app: Flask) -> None:
    """Give templates the filters below."""
    app.jinja_env.filters.update(
        count=count,
        counted=counted,
        moment=moment,
        day=day,
        clock=clock,
        ago=ago,
        percent=percent,
        lower_first=lower_first,
        short_day=short_day,
    )


def count(number: int) -> str:
    """A number as people write it: 12,345."""
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: “1 person”, “2 people”. ``many`` is ``one`` with an s unless it is given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """A share in whole per cent that says 100 only when it is all, and 0 only when it is none."""
    if not whole or not part:
        return "0%"
    share = round(part * 100 / whole)
    return f"{min(max(share, 1), 99 if part < whole else 100)}%"


def lower_first(text: str) -> str:
    """A phrase as it stands inside a sentence: only its first letter changes, so that names in it keep theirs."""
    return text[:1].lower() + text[1:]


def moment(value: datetime | None) -> str:
    """A moment in the group's time zone: “22 November 2026, 10:35am”. Empty for None."""
    return f"{day(value)}, {clock(value)}" if value else ""


def day(value: date | datetime | None) -> str:
    """A day: “22 November 2026”. Empty for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(_zone())
    return f"{value.day} {value:%B %Y}"


def short_day(value: date | datetime | None) -> str:
    """A day for tables: “22 Nov 2026”. Empty for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(_zone())
    return f"{value.day} {value:%b %Y}"


def clock(value: datetime | None) -> str:
    """The time of day in the group's time zone: “10:35am”."""
    if value is None:
        return ""
    local = value.astimezone(_zone())
    return f"{local.hour % 12 or 12}:{local:%M}{'am' if local.hour < 12 else 'pm'}"


def ago(value: datetime | None) -> str:
    """How long ago a moment was, roughly: “5 minutes ago”. A week and more: the day."""
    if value is None:
        return ""
    seconds = (datetime.now(UTC) - value).total_seconds()
    if seconds < 60:
        return "just now"
    for size, unit, limit in ((60, "minute", 3600), (3600, "hour", 86400), (86400, "day", 7 * 86400)):
        if seconds < limit:
            return f"{counted(int(seconds // size), unit)} ago"
    return day(value)


@cache
def _zone() -> ZoneInfo:
    return ZoneInfo(settings().time_zone)
