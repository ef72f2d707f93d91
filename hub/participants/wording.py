"""How what we know about people is worded on screen."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from hub.participants.models import ConsentKind, ConsentSource, ContactPointKind, ContactPointState, Format
from hub.participants.queries import PeopleFilter

FORMATS: dict[Format, str] = {
    Format.STANDARD: "Standard print",
    Format.EASY_READ: "Easy read",
    Format.LARGE_PRINT: "Large print",
    Format.BRAILLE: "Braille",
    Format.AUDIO: "Audio",
    Format.BSL: "British Sign Language (BSL)",
}

FILTERS: dict[PeopleFilter, str] = {
    PeopleFilter.NO_WAY: "No way to reach",
    PeopleFilter.NOTHING_CHOSEN: "Has not chosen a way",
    PeopleFilter.BAD: "An address or number fails",
    PeopleFilter.OPTED_OUT: "Asked us to stop a way",
    PeopleFilter.PAUSED: "Paused",
    PeopleFilter.FORMAT: "Needs another format",
    PeopleFilter.LEFT: "Has left the group",
}

POINT_STATES: dict[ContactPointState, tuple[str, str]] = {
    ContactPointState.USABLE: ("Works", "good"),
    ContactPointState.BAD: ("Does not work", "bad"),
    ContactPointState.OPTED_OUT: ("Asked us to stop", "warn"),
}
"""State -> what it is called, and the kind of its tag."""

POINT_KINDS: dict[ContactPointKind, str] = {
    ContactPointKind.MOBILE: "mobile",
    ContactPointKind.LANDLINE: "landline",
    ContactPointKind.PHONE: "",
    ContactPointKind.MAILBOX: "",
    ContactPointKind.ACCOUNT: "",
}

CONSENT_KINDS: dict[ConsentKind, str] = {
    ConsentKind.AGREED: "Agreed",
    ConsentKind.WITHDREW: "Asked us to stop",
    ConsentKind.CHOSE: "Chose",
}

SOURCES: dict[ConsentSource, str] = {
    ConsentSource.IMPORT: "from an imported file",
    ConsentSource.ORGANISER: "noted by an organiser",
    ConsentSource.WEB: "on the web",
    ConsentSource.TEXT: "by text",
    ConsentSource.EMAIL: "by email",
    ConsentSource.CALL: "on the phone",
    ConsentSource.PAPER: "on paper",
    ConsentSource.PROVIDER: "told by the email or text provider",
}

TOLD_HOW: dict[ConsentSource, str] = {
    ConsentSource.CALL: "On the phone",
    ConsentSource.ORGANISER: "In person",
    ConsentSource.PAPER: "On paper or a form",
    ConsentSource.EMAIL: "By email",
    ConsentSource.TEXT: "By text",
}
"""The ways by which an organiser can have heard it."""

LANGUAGES = (
    *("en", "cy", "ga", "gd", "ar", "bn", "zh", "cs", "fa", "fr", "de", "el", "gu", "he", "hi", "hu", "it", "ja", "ku"),
    *("lt", "lv", "ml", "mr", "ne", "ps", "pa", "pl", "pt", "ro", "ru", "so", "es", "sw", "tl", "ta", "te", "th", "ti"),
    *("tr", "uk", "ur", "vi", "yo"),
)
"""Offered in lists: those that people in the United Kingdom most often speak. Any other code can be imported."""


def language_name(code: str) -> str:
    """A language in English: “Welsh” for cy. A code that nobody knows stays as it is."""
    try:
        return Locale.parse(code, sep="-").get_display_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code


def language_choices(current: str = "") -> list[tuple[str, str]]:
    """Languages to choose from, English first and then by name; with ``current``, whatever it is."""
    others = sorted({*LANGUAGES[1:], *([current] if current else [])} - {"en"}, key=language_name)
    return [(code, language_name(code)) for code in ("en", *others)]
