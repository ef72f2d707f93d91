"""What stands in the way of sending an announcement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from config.channels import CHANNELS
from hub.announcements.models import Announcement, Variant
from hub.announcements.rendering import PERSONAL_FIELDS, unknown_fields, used_fields

LONGEST_TEXT = 1600
"""Characters; Twilio refuses more with error 21617."""
LONGEST_POST = 500
"""Characters; a Mastodon server's usual limit."""


def problems_of(
    announcement: Announcement,
    now: datetime,
    *,
    someone: bool,
    longest_text: int = 0,
    empty: Sequence[tuple[str, int]] = (),
) -> list[str]:
    """What must be put right before an announcement is sent, in plain words.

    ``someone``: somebody would be sent it. ``longest_text``: characters of the longest text message, with its values.
    ``empty``: fields, each with how many people have nothing to put in.
    """
    problems = [_unknown(variant, name) for variant in announcement.variants for name in _unknown_in(variant)]
    written = {variant.channel for variant in announcement.variants if variant.body.strip()}
    if not written:
        problems.append("Nothing is written yet. Write the email, the text message or the call script.")
    elif not someone:
        problems.append("Nobody would be sent this. Choose who it is for, or look at why everybody is skipped.")
    if any(v.channel == "email" and v.body.strip() and not v.subject.strip() for v in announcement.variants):
        problems.append("The email has no subject. Write one, so that people know what it is about.")
    if longest_text > LONGEST_TEXT:
        problems.append(f"The text message is too long: {longest_text} characters, and {LONGEST_TEXT} is the most.")
    for variant in announcement.variants:
        if variant.channel == "social" and len(variant.body) > LONGEST_POST:
            problems.append(f"The public post is too long: {len(variant.body)} characters, {LONGEST_POST} is the most.")
        if variant.channel == "social" and set(used_fields(variant.body)) & set(PERSONAL_FIELDS):
            problems.append("The public post uses a person’s name. Everybody sees the same post, so take it out.")
    for name, people in empty:
        who = "1 person has" if people == 1 else f"{people:,} people have"
        problems.append(f"{who} nothing to put in for (({name})). Use (({_instead(name)})), or fill in their details.")
    if announcement.useful_until is not None and announcement.useful_until <= now:
        problems.append("The time until which this is useful has passed. Choose a later one.")
    return problems


def _instead(name: str) -> str:
    return "group name" if name == "name" else "name"


def _unknown_in(variant: Variant) -> list[str]:
    return unknown_fields(f"{variant.subject}\n{variant.body}")


def _unknown(variant: Variant, name: str) -> str:
    where = CHANNELS[variant.channel].label.lower() if variant.channel in CHANNELS else variant.channel
    return f"(({name})) in the {where} is not a field that we know. Check the spelling, or take it out."
