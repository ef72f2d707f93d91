"""Announcements in plain words: states, and what each channel's text is for."""

from __future__ import annotations

import unicodedata

from hub.announcements.models import AnnouncementState
from hub.participants.addresses import shown
from hub.participants.wording import FORMATS, language_name

STATES: dict[AnnouncementState, str] = {
    AnnouncementState.DRAFT: "Draft",
    AnnouncementState.SCHEDULED: "To be sent",
    AnnouncementState.UNDER_WAY: "Being sent",
    AnnouncementState.PAUSED: "Paused",
    AnnouncementState.CANCELLED: "Cancelled",
    AnnouncementState.CLOSED: "Finished",
}
STATE_TAGS: dict[AnnouncementState, str] = {
    AnnouncementState.DRAFT: "",
    AnnouncementState.SCHEDULED: "plum",
    AnnouncementState.UNDER_WAY: "info",
    AnnouncementState.PAUSED: "warn",
    AnnouncementState.CANCELLED: "bad",
    AnnouncementState.CLOSED: "good",
}
"""The kind of tag that a state is shown with (templates/components/page.html)."""

TEXT_TITLES: dict[str, str] = {
    "email": "Email",
    "text": "Text message",
    "phone": "What to say on the phone",
    "social": "Public post",
}
TEXT_HINTS: dict[str, str] = {
    "email": "Leave an empty line between paragraphs. **Two stars** make words bold, a line that begins with - is an "
    "item of a list, and [words](https://address) make a link.",
    "text": "Short and plain. Say who you are: people may not know your number.",
    "phone": "The caller reads this out, and sees each person’s name.",
    "social": "Everybody can see it, so it holds nobody’s name. Up to 500 characters.",
}


def character_name(character: str) -> str:
    """A character as it can be told from others: “’ (right single quotation mark)”."""
    name = unicodedata.name(character, "").lower()
    shown = character if character.isprintable() and not character.isspace() else ""
    return f"{shown} ({name})".strip() if name else shown or f"U+{ord(character):04X}"


def template_words() -> dict[str, object]:
    """What the templates of announcements word things with."""
    return {
        "announcement_states": STATES,
        "announcement_tags": STATE_TAGS,
        "text_titles": TEXT_TITLES,
        "format_words": FORMATS,
        "language_name": language_name,
        "character_name": character_name,
        "shown_address": shown,
    }
