"""What an announcement may be: limits, tidying, and which text follows which. Pure decisions."""

from __future__ import annotations

from collections.abc import Iterable

from config.channels import CHANNELS
from hub.announcements.deriving import Wording
from hub.announcements.models import Variant
from hub.errors import Conflict, HubError, NotFound
from hub.participants.models import Format

LONGEST_TITLE = 120
LONGEST_SUBJECT = 200
LONGEST_BODY = 50_000

LONGEST_TO_SEND = {"text": 1600, "social": 500}
"""Characters that a channel takes: Twilio's Body, Mastodon's default. A longer draft can be kept, but not sent."""


class AlreadyLaunched(Conflict):
    """409: what has been sent stays as it was sent."""

    def __init__(self, title: str) -> None:
        super().__init__(f"“{title}” has been sent already, so it can’t be changed. Copy it to send it again.")


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
    body = tidy(wording.body).strip()
    if len(subject) > LONGEST_SUBJECT:
        raise TooLong(f"The subject has {len(subject)} characters. Shorten it to {LONGEST_SUBJECT} or fewer.")
    if len(body) > LONGEST_BODY:
        label = CHANNELS[channel].label.lower()
        raise TooLong(f"The {label} text has {len(body):,} characters. Shorten it to {LONGEST_BODY:,} or fewer.")
    if channel == "email" and body and not subject:
        subject = title
    return Wording(subject, body)


def tidy(text: str) -> str:
    """Typed text without what can't be kept: PostgreSQL takes no NUL, and browsers send line ends as CRLF."""
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


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
