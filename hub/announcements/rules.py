"""What an announcement may be: limits, tidying, and which text follows which. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from difflib import get_close_matches

from channels.filling import fill_text
from channels.text.segments import PLAIN, Encoding, segments
from config.channels import CHANNELS
from config.settings import settings
from hub.announcements.deriving import PUBLIC_FIELDS, Wording
from hub.announcements.models import Variant
from hub.announcements.rendering import FIELDS, PERSONAL_FIELDS, unknown_fields, used_fields
from hub.errors import Conflict, HubError, NotFound
from hub.participants.models import Format
from hub.participants.rules import clean

LONGEST_TITLE = 120
LONGEST_SUBJECT = 200
LONGEST_BODY = 50_000

LONGEST_TO_SEND = {"text": 1600, "social": 500}
"""Characters that a channel takes: Twilio's Body, Mastodon's default. A longer draft can be kept, but not sent."""


class AlreadyLaunched(Conflict):
    """409: what has been sent stays as it was sent."""

    def __init__(self, title: str) -> None:
        super().__init__(f"“{title}” has been sent already, so it can’t be changed. Copy it to send it again.")


class AboutToLeave(Conflict):
    """409: what is to be sent stays as it was checked, until it is taken back."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"“{title}” is to be sent, so it can’t be changed. Open it under Announcements and take it back first."
        )


class ChangedMeanwhile(Conflict):
    """409: somebody else saved the announcement after this form was opened."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"Somebody else changed “{title}” while you had it open. Nothing was overwritten, and what you wrote is "
            "still on this page. Look at the saved announcement in another tab, then save again to keep yours."
        )


class TooLong(HubError):
    """400: a text is longer than can be kept."""


def tidy_title(title: str) -> str:
    """A title on one line. Raises HubError where there is none, :class:`TooLong` over :data:`LONGEST_TITLE`."""
    title = " ".join(tidy(title).split())
    if not title:
        raise HubError("Give the announcement a title.")
    if len(title) > LONGEST_TITLE:
        raise TooLong(f"The title has {len(title)} characters. Shorten it to {LONGEST_TITLE} or fewer.")
    return title


def tidy_wording(channel: str, wording: Wording, title: str) -> Wording:
    """A text as it is kept; an email without a subject gets the title.

    Raises NotFound for an unknown channel, and :class:`TooLong` over the limits above.
    """
    if channel not in CHANNELS:
        raise NotFound(f"There is no channel called “{channel}”.")
    subject = " ".join(tidy(wording.subject).split()) if channel == "email" else ""
    body = tidy(wording.body)
    if len(subject) > LONGEST_SUBJECT:
        raise TooLong(f"The subject has {len(subject)} characters. Shorten it to {LONGEST_SUBJECT} or fewer.")
    if len(body) > LONGEST_BODY:
        label = CHANNELS[channel].label.lower()
        raise TooLong(f"The {label} text has {len(body):,} characters. Shorten it to {LONGEST_BODY:,} or fewer.")
    if channel == "email" and body and not subject:
        subject = title
    return Wording(subject, body)


def tidy(text: str) -> str:
    """Typed text as it is kept: cleaned, and with plain line ends (browsers send CRLF)."""
    return clean(text.replace("\r\n", "\n").replace("\r", "\n"))


def find_variant(variants: Iterable[Variant], channel: str, language: str, format: Format) -> Variant | None:
    """The text for exactly this channel, language and format."""
    key = (channel, language, format)
    return next((v for v in variants if (v.channel, v.language, v.format) == key), None)


def find_source(
    variants: Iterable[Variant],
    language: str,
    format: Format,
    *,
    other_than: str = "",
) -> Variant | None:
    """The text that derived ones of this language and format follow: the first that somebody wrote by hand."""
    written = (
        v
        for v in variants
        if (v.language, v.format) == (language, format) and v.channel != other_than and v.body and not v.derived
    )
    return min(written, key=lambda v: v.id, default=None)


SAMPLE_NAMES = {"name": "Margaret", "first name": "Margaret", "last name": "Richardson"}
"""Ordinary names of more than ordinary length, to count with before anybody in particular is meant."""


@dataclass(frozen=True, slots=True)
class TextCount:
    """What a text message would be sent as. ``forced_by``: the characters that make its parts shorter."""

    parts: int
    remaining: int
    plain: bool
    forced_by: tuple[str, ...]
    replaceable: bool
    """Some of ``forced_by`` have a plain character that says the same."""
    cost: Decimal
    """For one person."""
    has_names: bool


def count_text(body: str) -> TextCount:
    """Count the parts of a text message, with fields filled by ordinary values."""
    used = used_fields(body)
    values = SAMPLE_NAMES | {"group name": settings().group_name}
    values |= {name: f"{settings().public_url}/u/{'x' * 48}" for name in used if name.endswith("link")}
    found = segments(fill_text(tidy(body), values))
    return TextCount(
        parts=found.parts,
        remaining=found.remaining,
        plain=found.encoding is Encoding.GSM_7,
        forced_by=found.forced_by,
        replaceable=any(character in PLAIN for character in found.forced_by),
        cost=(found.parts * Decimal(str(settings().text_part_price))).quantize(Decimal("0.01"), ROUND_HALF_UP),
        has_names=bool(set(used) & set(PERSONAL_FIELDS)),
    )


def faults(channel: str, text: str) -> list[str]:
    """What must be put right in a text (or a subject) before it can be sent, in plain words."""
    found = [_unknown(name) for name in unknown_fields(text)]
    if text.count("((") != text.count("))"):
        found.append("A field begins with (( and ends with )). One of these is missing.")
    if len(text) > LONGEST_TO_SEND.get(channel, LONGEST_BODY):
        found.append(f"This has {len(text):,} characters. {LONGEST_TO_SEND[channel]:,} is the most that can be sent.")
    if channel == "social":
        own = [name for name in used_fields(text) if name in FIELDS and name not in PUBLIC_FIELDS]
        found += [f"Everybody sees the same post, so (({name})) can’t be in it. Take it out." for name in own]
    return found


def _unknown(name: str) -> str:
    near = get_close_matches(name, FIELDS, n=1)
    return f"(({name})) is not one of the fields. " + (
        f"Did you mean (({near[0]}))?" if near else "Choose one from the list of fields, or take it out."
    )
