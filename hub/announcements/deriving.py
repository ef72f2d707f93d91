"""A first wording for every other channel, made from the one that somebody wrote."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from channels.text.segments import plain
from config.settings import settings
from hub.announcements.rendering import FIELD, render_markdown

TEXT_CHARACTERS = 306
"""Two parts of a plain text message (GSM 03.38: 153 characters each)."""
POST_CHARACTERS = 500
"""The longest post that every Mastodon server takes (docs.joinmastodon.org/user/posting)."""
NAME_ALLOWANCE = 12
"""Characters kept free for a name."""
LINK_CHARACTERS = len("/u/") + 48
"""How much longer a person's own link is than our address (hub.tokens)."""

PUBLIC_FIELDS = frozenset({"group name"})
"""The fields that say nothing about a person, and so may stand in a public post."""

LINK = re.compile(r"https?://[^\s()<>]+[^\s()<>.,;:!?'\"”’]")
GREETING = re.compile(
    r"^(dear|hello|hi|hiya|hey|good (morning|afternoon|evening)|helo|annwyl|shwmae|bore da|prynhawn da|noswaith dda)\b"
    r"[^\n,.!:?]{0,60}([,.!:]+[ \t]*|\n+|$)",
    re.IGNORECASE,
)
SIGN_OFF = re.compile(
    r"^((with |all |many |our )*(best|kind|warm|warmest|kindest)? ?(wishes|regards|thanks)|thank you|thanks|yours"
    r"( sincerely| faithfully)?|cofion( cynnes)?|dymuniadau gorau|diolch)\b[^\n.?]{0,30}[,.!]?$",
    re.IGNORECASE,
)
OWN_LINK = re.compile(r"\(\([^()]*link\s*\)\)", re.IGNORECASE)
LIST_ITEM = re.compile(r"(-|\d+\.) ")
SENTENCE_END = re.compile(r"(?<=[.!?])[ \t]+|\n+")


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said on a channel. ``subject`` is for email alone."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words around a message, in one language."""

    text_greeting: str
    text_ending: str
    more: str
    email_greeting: str
    call_opening: str
    call_question: str
    call_ending: str

    def around(self) -> tuple[str, ...]:
        """The phrases that stand before or after a message."""
        return (self.text_greeting, self.text_ending, self.call_question, self.call_ending)


PHRASES = {
    "en": Phrases(
        text_greeting="Hello ((name)), this is ((group name)).",
        text_ending="Reply STOP to stop texts.",
        more="More:",
        email_greeting="Hello ((name)),",
        call_opening="Hello, may I speak to ((name)), please?\n\n"
        "I am ringing from ((group name)). I have a message for you.",
        call_question="Would you like me to say any of that again? Is there anything you want to ask or tell us?",
        call_ending="Thank you for your time. Goodbye.",
    ),
    "cy": Phrases(
        text_greeting="Helo ((name)), ((group name)) sydd yma.",
        text_ending="Atebwch STOP i orffen.",
        more="Mwy:",
        email_greeting="Helo ((name)),",
        call_opening="Helo, ga i siarad â ((name)), os gwelwch yn dda?\n\n"
        "Rwy’n ffonio ar ran ((group name)). Mae gen i neges i chi.",
        call_question="Hoffech chi glywed hynny eto? Oes gennych chi gwestiwn i ni?",
        call_ending="Diolch am eich amser. Hwyl fawr.",
    ),
}
"""Other languages get the message alone: a greeting in the wrong language is worse than none."""
NO_PHRASES = Phrases("", "", "", "", "", "", "")


def derive(source_channel: str, source: Wording, channel: str, *, title: str, language: str = "en") -> Wording:
    """What to say on ``channel``, made from what was written for ``source_channel``.

    Links are kept. A text message fits two parts where the links allow it; a public post has at most
    :data:`POST_CHARACTERS` characters and no field that is a person's own.
    """
    message = plain_message(source_channel, source.body)
    if not message:
        return Wording("", "")
    phrases = PHRASES.get(language, NO_PHRASES)
    return _WRITERS.get(channel, _as_it_is)(message, title, phrases)


def plain_message(channel: str, body: str) -> str:
    """The message without Markdown, greeting and sign-off."""
    message = render_markdown(body)[1] if channel == "email" else body.replace("\r\n", "\n")
    for phrases in PHRASES.values():
        # What this module put around a message is no part of it, should another text be made from that one.
        for frame in (*phrases.call_opening.split("\n\n"), *phrases.around()):
            message = message.replace(frame, "") if frame else message
    message = re.sub(r"\n{3,}", "\n\n", message).strip()
    without_greeting = GREETING.sub("", message, count=1).strip() or message
    if without_greeting != message:
        message = without_greeting[0].upper() + without_greeting[1:]
    paragraphs = message.split("\n\n")
    # Only what closes the message is a sign-off: “Thank you” in the middle of it is not.
    for index, paragraph in enumerate(paragraphs):
        if index and index >= len(paragraphs) - 2 and SIGN_OFF.match(paragraph.split("\n", 1)[0].strip()):
            paragraphs = paragraphs[:index]
            break
    return "\n\n".join(paragraphs).strip()


def shown_length(text: str) -> int:
    """How many characters a text has with its fields filled in, allowing for an ordinary name."""
    return len(FIELD.sub(lambda match: "x" * _field_length(match[1].lower()), text))


def _field_length(name: str) -> int:
    if name in PUBLIC_FIELDS:
        return len(settings().group_name)
    return len(settings().public_url) + LINK_CHARACTERS if name.endswith("link") else NAME_ALLOWANCE


def without_personal_fields(text: str) -> str:
    """A text for everybody’s eyes: names are taken out, and sentences with a person’s own link are left out."""
    return "\n".join(_without_names(line) for line in without_own_links(text).split("\n")).strip()


def without_own_links(text: str) -> str:
    """A text without the sentences that hold a person's own link, which nobody can read out."""
    lines = (
        " ".join(part for part in SENTENCE_END.split(line) if not OWN_LINK.search(part)) for line in text.split("\n")
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _without_names(sentence: str) -> str:
    def drop(match: re.Match[str]) -> str:
        return match[0] if match["name"].strip().lower() in PUBLIC_FIELDS else ""

    without = re.sub(r"(,\s*)?\(\((?P<name>[^()]{1,40})\)\)(?(1)|,?)", drop, sentence)
    return re.sub(r" +([,.!?;:])", r"\1", re.sub(r"  +", " ", without)).strip()


def _as_text(message: str, _title: str, phrases: Phrases) -> Wording:
    frame = [phrases.text_greeting, phrases.text_ending]
    room = TEXT_CHARACTERS - sum(shown_length(part) + 1 for part in frame)
    body = _shortened(plain(message), room, phrases.more)
    return Wording("", " ".join(part for part in (frame[0], body, frame[1]) if part))


def _as_post(message: str, _title: str, phrases: Phrases) -> Wording:
    public = without_personal_fields(message)
    if shown_length(public) <= POST_CHARACTERS:
        return Wording("", public)
    short = _shortened(public, POST_CHARACTERS, phrases.more)
    return Wording("", short if shown_length(short) <= POST_CHARACTERS else _cut(public, POST_CHARACTERS - 3))


def _as_call(message: str, _title: str, phrases: Phrases) -> Wording:
    parts = (phrases.call_opening, without_own_links(message), phrases.call_question, phrases.call_ending)
    return Wording("", "\n\n".join(part for part in parts if part))


def _as_email(message: str, title: str, phrases: Phrases) -> Wording:
    return Wording(title, "\n\n".join(part for part in (phrases.email_greeting, message) if part))


def _as_it_is(message: str, _title: str, _phrases: Phrases) -> Wording:
    return Wording("", message)


_WRITERS: dict[str, Callable[[str, str, Phrases], Wording]] = {
    "email": _as_email,
    "text": _as_text,
    "phone": _as_call,
    "social": _as_post,
}


def _shortened(message: str, room: int, more: str) -> str:
    """The first sentences that fit beside the message's links; at least the beginning of the first one."""
    links = list(dict.fromkeys(LINK.findall(message)))
    sentences = [part.strip() for part in SENTENCE_END.split(message) if part.strip()]
    kept: list[str] = []
    for sentence in sentences:
        if shown_length(_with_links([*kept, sentence], links, more)) > room:
            break
        kept.append(sentence)
    if not kept:
        spare = room - shown_length(_with_links([], links, more)) - len("... ")
        kept = [_cut(sentences[0], max(spare, 40))]
    return _with_links(kept, links, more)


def _with_links(kept: list[str], links: list[str], more: str) -> str:
    text = ""
    for before, sentence in zip(["", *kept], kept, strict=False):
        # Items of a list, and what comes after the list, begin on a line of their own.
        starts_line = LIST_ITEM.match(sentence) or LIST_ITEM.match(before)
        text += ("\n" if starts_line else " ") + sentence
    missing = [link for link in links if link not in text]
    return " ".join(part for part in (text.strip(), more if missing else "", *missing) if part)


def _cut(sentence: str, length: int) -> str:
    words: list[str] = []
    # A field is one word here: half of one would be sent as it stands.
    for word in re.findall(r"\(\([^()]*\)\)\S*|\S+", sentence):
        if LINK.match(word) or shown_length(" ".join([*words, word])) > length:
            break
        words.append(word)
    return " ".join(words) + "..." if words else ""
