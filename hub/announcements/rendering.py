"""From an announcement's variants to what one person gets: fields, Markdown, and the choice of variant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

import css_inline
import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.base import Content
from channels.filling import fill_html, fill_text
from config.channels import CHANNELS
from config.secret_key import secret_key
from config.settings import settings
from hub.announcements.models import Announcement, Variant
from hub.errors import NotFound
from hub.participants.models import ContactPoint, ContactPointState, Format, NeededFormat, Participant
from hub.tokens import Purpose, sign

FIELD = re.compile(r"\(\(\s*([^()]{1,40}?)\s*\)\)")
DEFAULT_LANGUAGE = "en"


class Recipient(NamedTuple):
    """Whom and which contact point a message is for; ids of 0 stand for nobody in particular."""

    participant_id: int
    contact_point_id: int
    topic_id: int
    first_name: str
    last_name: str
    known_as: str


@dataclass(frozen=True, slots=True)
class Field:
    """A merge field: what it is called in ``((…))``, what it is for, and a person's own value."""

    name: str
    explanation: str
    value: Callable[[Recipient], str]


def name_of(recipient: Recipient) -> str:
    """The name to greet a person with."""
    return recipient.known_as or recipient.first_name or recipient.last_name


def unsubscribe_link(recipient: Recipient) -> str:
    """Where this person stops what this message was about. Outlives the message: it holds no delivery."""
    token = sign(
        secret_key(), Purpose.UNSUBSCRIBE, recipient.participant_id, recipient.contact_point_id, recipient.topic_id
    )
    return f"{settings().public_url}/u/{token}"


def preferences_link(recipient: Recipient) -> str:
    """Where this person says how they want to be reached."""
    return f"{settings().public_url}/p/{sign(secret_key(), Purpose.PREFERENCES, recipient.participant_id)}"


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("name", "The name the person uses", name_of),
        Field("first name", "Their first name", lambda recipient: recipient.first_name),
        Field("last name", "Their last name", lambda recipient: recipient.last_name),
        Field("group name", "Your group’s name", lambda _: settings().group_name),
        Field("preferences link", "Where they choose how to be reached", preferences_link),
        Field("unsubscribe link", "Where they stop these messages", unsubscribe_link),
    )
}
"""The merge fields, by name."""

PERSONAL_FIELDS = ("name", "first name", "last name")
"""The fields that come from the person's own record, and can be empty."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one person would get on one channel."""

    channel: str
    subject: str
    text: str
    html: str
    variant_language: str
    variant_format: Format


def used_fields(*texts: str) -> tuple[str, ...]:
    """The names of the fields that texts use, each once, in order, known or not."""
    return tuple(dict.fromkeys(_tidy(match) for text in texts for match in FIELD.findall(text)))


def unknown_fields(text: str) -> list[str]:
    """The names in ``((…))`` that are not fields of ours."""
    return [name for name in used_fields(text) if name not in FIELDS]


def _tidy(name: str) -> str:
    return " ".join(name.lower().split())


def choose_variant(variants: Iterable[Variant], language: str, formats: frozenset[Format]) -> Variant | None:
    """The variant that suits a person best: their language first, then a format that they need.

    None where the channel has no text at all.
    """

    def fit(variant: Variant) -> tuple[bool, bool, bool, bool]:
        return (
            variant.language == language,
            variant.format in formats,
            variant.language == DEFAULT_LANGUAGE,
            variant.format == Format.STANDARD,
        )

    return max(variants, key=fit, default=None)


# --- Markdown -------------------------------------------------------------------------------------------------


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False}).enable("table")


def render_markdown(markdown: str) -> tuple[str, str]:
    """A safe HTML fragment, and the same as plain text that reads well on its own (links in brackets)."""
    tokens = _markdown().parse(markdown)
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    return nh3.clean(html, url_schemes={"http", "https", "mailto", "tel"}), _plain_text(tokens)


def _plain_text(tokens: Sequence[Token]) -> str:
    lines: list[str] = []
    prefixes: list[str] = []
    counters: list[int] = []
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                counters.append(0)
            case "ordered_list_open":
                counters.append(1)
            case "bullet_list_close" | "ordered_list_close":
                counters.pop()
            case "list_item_open":
                prefixes.append(f"{counters[-1]}. " if counters[-1] else "- ")
                counters[-1] += bool(counters[-1])
            case "inline":
                indent = "  " * max(len(counters) - 1, 0)
                lines.append(indent + (prefixes.pop() if prefixes else "") + _inline_text(token.children or []))
            case "fence" | "code_block":
                lines.append(token.content.rstrip("\n"))
            case "paragraph_close" | "heading_close" if not counters:
                lines.append("")
            case _:
                pass
        if token.type.endswith("list_close") and not counters:
            lines.append("")
    return "\n".join(lines).strip()


def _inline_text(children: Sequence[Token]) -> str:
    parts: list[str] = []
    links: list[str] = []
    for child in children:
        match child.type:
            case "text" | "code_inline":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(child.content)
            case "link_open":
                links.append(str(child.attrGet("href") or ""))
            case "link_close":
                address = links.pop()
                if address and not "".join(parts).endswith(address):
                    parts.append(f" ({address})")
            case _:
                pass
    return "".join(parts)


# --- Content for channels -------------------------------------------------------------------------------------

EMAIL_SHELL = Path(__file__).parent / "email.html"
EMAIL_FOOTER = (
    "You get this because you are in touch with ((group name)).\n"
    "Change how we contact you: ((preferences link))\n"
    "Stop these emails: ((unsubscribe link))"
)


def content_of(variant: Variant, *, large_print: bool = False) -> Content:
    """What a channel sends for a variant; fields are still ``((…))``, in their tidy spelling."""
    body = _tidy_fields(variant.body)
    if variant.channel != "email":
        return Content(text=body, language=variant.language, fields=used_fields(body))
    subject = _tidy_fields(variant.subject)
    fragment, plain = render_markdown(body)
    return Content(
        subject=subject,
        text=f"{plain}\n\n-- \n{EMAIL_FOOTER}",
        html=_email_page(subject, fragment, variant.language, large_print=large_print),
        language=variant.language,
        fields=used_fields(subject, body, EMAIL_FOOTER),
    )


def _tidy_fields(text: str) -> str:
    return FIELD.sub(lambda match: f"(({_tidy(match[1])}))", text)


@cache
def _email_shell() -> str:
    return EMAIL_SHELL.read_text(encoding="utf-8")


def _email_page(title: str, fragment: str, language: str, *, large_print: bool) -> str:
    page = (
        _email_shell()
        .replace("{language}", escape(language))
        .replace("{title}", escape(title))
        .replace("{size}", "large" if large_print else "standard")
        .replace("{body}", fragment)
    )
    return css_inline.inline(page, keep_style_tags=True)


def values_for(content: Content, recipient: Recipient) -> dict[str, str]:
    """A person's own values for the fields that a content uses."""
    return {name: FIELDS[name].value(recipient) for name in content.fields if name in FIELDS}


def preview(session: Session, announcement_id: int, participant_id: int, channel: str) -> Rendered:
    """What this person would get on this channel, exactly as it would be sent.

    Raises :class:`hub.errors.NotFound` where the person is unknown or the announcement has no text for the channel.
    """
    announcement = session.get(Announcement, announcement_id)
    person = session.get(Participant, participant_id)
    if announcement is None or person is None:
        raise NotFound("There is no such announcement or person (any more).")
    formats = frozenset(
        session.scalars(select(NeededFormat.format).where(NeededFormat.participant_id == participant_id))
    )
    variant = choose_variant([v for v in announcement.variants if v.channel == channel], person.language, formats)
    if variant is None:
        raise NotFound(f"There is no text for {CHANNELS[channel].label.lower()} yet.")
    contact_point_id = session.scalar(
        select(ContactPoint.id)
        .where(ContactPoint.participant_id == participant_id, ContactPoint.channel == channel)
        .order_by(ContactPoint.state != ContactPointState.USABLE, ContactPoint.rank)
        .limit(1)
    )
    content = content_of(variant, large_print=Format.LARGE_PRINT in formats)
    recipient = Recipient(
        person.id, contact_point_id or 0, announcement.topic_id, person.first_name, person.last_name, person.known_as
    )
    values = values_for(content, recipient)
    return Rendered(
        channel=channel,
        subject=fill_text(content.subject, values),
        text=fill_text(content.text, values),
        html=fill_html(content.html, values) if content.html else "",
        variant_language=variant.language,
        variant_format=variant.format,
    )
