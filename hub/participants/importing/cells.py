"""What single cells say: days, times, languages, formats, groups, yes and no. Nothing is guessed."""

from __future__ import annotations

import csv
import re
from calendar import month_name
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale

from hub.participants.models import Format
from hub.participants.rules import plain_letters

MONTHS = tuple(name.casefold() for name in month_name[1:])
EARLIEST_YEAR, LATEST_YEAR = 1900, 2100

_ISO_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T].*)?")
_NUMBER_DAY = re.compile(r"(\d{1,2})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{4}|\d{2})(?:[ ,T]+\d{1,2}:.*)?")
_NAMED_DAY = re.compile(r"(?:[a-z]+,? )?(\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]([a-z]{3,9})\.?,?[ -](\d{4}|\d{2})")
_NAMED_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(?::\d{2})?\s*(am|pm)?", re.IGNORECASE)
_HOURS = re.compile(r"(?:from\s+)?(.+?)\s*(?:-|–|—|to|until|till)\s*(.+)", re.IGNORECASE)

_YES = frozenset(
    {"yes", "y", "true", "t", "1", "x", "✓", "✔", "on", "checked", "ticked", "opted out", "agreed", "opted in"}
)
_NO = frozenset({"", "no", "n", "false", "f", "0", "off", "unchecked", "-", "none"})

_MORE_LANGUAGES = {
    "bengali": "bn", "british english": "en-GB", "uk english": "en-GB", "eng": "en", "mandarin": "zh",
    "cantonese": "yue", "farsi": "fa", "dari": "fa-AF", "flemish": "nl", "gaelic": "gd", "scottish gaelic": "gd",
    "irish gaelic": "ga",
    "kurdish sorani": "ckb", "sorani": "ckb", "kurmanji": "ku", "panjabi": "pa", "sylheti": "syl", "tagalog": "tl",
    "valencian": "ca", "castilian": "es", "twi": "ak", "pushto": "ps", "moldovan": "ro", "myanmar": "my",
    "cymraeg": "cy", "gaeilge": "ga", "gaidhlig": "gd", "polski": "pl", "soomaali": "so", "francais": "fr",
    "deutsch": "de", "espanol": "es", "italiano": "it", "portugues": "pt", "romana": "ro", "turkce": "tr",
    "nederlands": "nl", "العربية": "ar", "বাংলা": "bn", "اردو": "ur", "فارسی": "fa", "русский": "ru",
    "українська": "uk", "中文": "zh", "tieng viet": "vi", "shqip": "sq", "magyar": "hu", "lietuviu": "lt",
    "latviesu": "lv", "slovencina": "sk", "cestina": "cs", "български": "bg", "ελληνικα": "el", "kiswahili": "sw",
}  # fmt: skip
_SIGN_LANGUAGES = frozenset({"bsl", "british sign language", "sign language", "bfi"})

_FORMATS: dict[Format, frozenset[str]] = {
    Format.STANDARD: frozenset({"standard", "none", "no", "normal", "n a", "na", "ordinary", "regular"}),
    Format.EASY_READ: frozenset({"easy read", "easyread", "easy to read", "er", "easy english", "pictures", "symbols"}),
    Format.LARGE_PRINT: frozenset(
        {"large print", "big print", "largeprint", "lp", "large text", "large font", "big text"}
    ),
    Format.BRAILLE: frozenset({"braille"}),
    Format.AUDIO: frozenset({"audio", "audio cd", "spoken", "recording", "audio file", "mp3", "cd", "voice recording"}),
    Format.BSL: frozenset(
        {"bsl", "british sign language", "sign language", "bsl video", "signed video", "bsl interpreter"}
    ),
}
_BY_FORMAT_NAME = {name: kind for kind, names in _FORMATS.items() for name in names}

_NOT_GROUPS = frozenset({"* mycontacts", "* starred", "* friends", "* family", "* coworkers", "mycontacts", "starred"})

_ABOUT_CALLING = re.compile(
    r"18001|\brelay\b|\b(?:leave|left|leaving)\b.{0,12}\b(?:message|voicemail)|\bspeak (?:slow|clear|up|loud)"
    r"|hearing aid|hard of hearing|\bring (?:twice|for long)|answerphone|let it ring|\bwithhold|caller id|\bask for\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def read_day(text: str, *, month_first: bool = False) -> date | None:
    """A day as people write it, in the order day, month, year (or month first where a country does so).

    None for anything else: what could be two different days, or a month alone, is not made into a day.
    """
    text = " ".join(text.split()).casefold()
    if found := _ISO_DAY.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMBER_DAY.fullmatch(text):
        first, second = int(found[1]), int(found[2])
        return _day(_year(found[3]), *((first, second) if month_first else (second, first)))
    if found := _NAMED_DAY.fullmatch(text):
        return _day(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _NAMED_MONTH_FIRST.fullmatch(text):
        return _day(int(found[3]), _month(found[1]), int(found[2]))
    return None


def read_moment(text: str, zone: str, *, month_first: bool = False) -> datetime | None:
    """A day, or a day and a time in ISO form, as a moment; the beginning of the day where no time is given.

    Times without an offset are in ``zone``.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        day = read_day(text, month_first=month_first)
        if day is None:
            return None
        moment = datetime.combine(day, time(0))
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def read_hours(text: str) -> tuple[time, time] | None:
    """“21:00 to 08:00”, “9pm-8am”: a beginning and an end."""
    found = _HOURS.fullmatch(text.strip())
    begin, end = (_time(found[1]), _time(found[2])) if found else (None, None)
    return (begin, end) if begin is not None and end is not None and begin != end else None


@lru_cache(maxsize=1024)
def read_language(text: str) -> str | None:
    """A language's name or code as BCP 47: “Welsh”, “EN”, “en_GB”, “English (United Kingdom)”."""
    plain = " ".join(re.sub(r"[\W_]+", " ", plain_letters(text)).split())
    if plain in _SIGN_LANGUAGES:
        return "bfi"
    if found := re.fullmatch(r"([a-z]{2,3})(?: ([a-z]{2}|\d{3}))?", plain):
        language, region = found[1], found[2]
        if language in _language_codes():
            return f"{language}-{region.upper()}" if region else language
    names = _language_names()
    outside = " ".join(re.sub(r"[\W_]+", " ", plain_letters(re.sub(r"\(.*?\)", "", text))).split())
    return names.get(plain) or names.get(outside)


@lru_cache(maxsize=1024)
def read_formats(text: str) -> tuple[frozenset[Format], tuple[str, ...]]:
    """The formats that a cell names, and the parts that are none."""
    formats: set[Format] = set()
    unknown: list[str] = []
    for part in re.split(r"[,;/|&+\n]|\band\b|:::", text):
        plain = " ".join(re.sub(r"[\W_]+", " ", plain_letters(part)).split())
        plain = re.sub(r"^(?:needs?|in|on) | (?:please|needed|required|version|format|copy)$", "", plain)
        if plain and (found := _BY_FORMAT_NAME.get(plain)):
            formats.add(found)
        elif plain:
            unknown.append(part.strip())
    return frozenset(formats - {Format.STANDARD}), tuple(unknown)


@lru_cache(maxsize=8192)
def read_groups(text: str) -> tuple[str, ...]:
    """Group names: split at semicolons, lines and “:::”, else at commas; quotation marks keep a name together.

    Google's own groups, such as “* myContacts”, are left out.
    """
    if '"' in text:
        separator = ";" if re.search(r'"\s*;|;\s*"', text) else ","
        parts = next(csv.reader([text.replace("\n", " ")], delimiter=separator, skipinitialspace=True), [])
    elif re.search(r"[;|\n]|:::", text):
        parts = re.split(r"[;|\n]|:::", text)
    else:
        parts = text.split(",")
    names = (" ".join(part.split())[:120] for part in parts)
    return tuple(dict.fromkeys(name for name in names if name and name.casefold() not in _NOT_GROUPS))


def read_yes(text: str) -> bool | None:
    """Yes or no; an empty cell is no, and None is neither."""
    plain = text.strip().casefold()
    return True if plain in _YES else False if plain in _NO else None


def about_calling(notes: str) -> str:
    """Those parts of a note that tell a caller how to talk with the person."""
    parts = (part.strip() for part in re.split(r"[;\n]", notes))
    return "; ".join(part for part in parts if _ABOUT_CALLING.search(part))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        made = date(year, month, day)
    except ValueError:
        return None
    return made if EARLIEST_YEAR <= year <= LATEST_YEAR else None


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _month(text: str) -> int:
    """The month that a name or its beginning stands for; 0 for none."""
    found = [number for number, name in enumerate(MONTHS, start=1) if name.startswith(text) or text == f"{name[:3]}t"]
    return found[0] if found and len(text) >= 3 else 0


def _time(text: str) -> time | None:
    plain = text.strip().casefold()
    if plain in {"midnight", "noon", "midday"}:
        return time(0) if plain == "midnight" else time(12)
    found = _CLOCK.fullmatch(plain)
    if found is None or not (found[2] or found[3] or len(found[1]) == 2):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[3].lower() == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


@cache
def _language_codes() -> frozenset[str]:
    return frozenset(str(code) for code in Locale("en").languages if re.fullmatch("[a-z]{2,3}", str(code)))


@cache
def _language_names() -> dict[str, str]:
    languages = Locale("en").languages
    names = {plain_letters(str(languages[code])): code for code in _language_codes()}
    return names | {plain_letters(name): code for name, code in _MORE_LANGUAGES.items()}
