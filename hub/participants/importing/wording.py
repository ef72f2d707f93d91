"""How people say in their own words how they want to be reached: “ring me please”, “text then phone”, “NOT phone”."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from hub.participants.rules import plain_letters

EMAIL, TEXT, PHONE, SOCIAL = "email", "text", "phone", "social"
CONTACTABLE = (EMAIL, TEXT, PHONE)
"""What “any way” stands for, in the order in which the hub tries them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody's words say. What the words leave open is in ``unclear``, and nothing is made of it."""

    order: tuple[str, ...] = ()
    """Channels that they want, the first one first."""
    refused: frozenset[str] = frozenset()
    """Channels that they don't want."""
    nothing: bool = False
    """They want no contact at all."""
    elsewhere: tuple[str, ...] = ()
    """Ways that they want and the hub has not, as they are called on screen."""
    unclear: tuple[str, ...] = ()
    """Parts that were not understood, as they were written."""

    @property
    def is_empty(self) -> bool:
        """Nothing was said."""
        return not (self.order or self.refused or self.nothing or self.elsewhere or self.unclear)


_CHANNELS = {
    EMAIL: r"e-?mails?|e mails?|emailing|emailed|gmail|hotmail",
    TEXT: r"text(?:s|ed|ing)?(?: messages?| msgs?)?|txts?|sms(?: messages?)?",
    PHONE: r"(?:tele)?phone(?:s|d)?(?: calls?)?|phoning|calls?|called|calling|rings?|ringing|tel|landline"
    r"|voice(?: calls?)?|a bell|a buzz",
    SOCIAL: r"mastodon|fediverse",
}
_ELSEWHERE = {
    "WhatsApp": r"whats ?app",
    "Facebook": r"facebook(?: messenger)?|fb|messenger",
    "Instagram": r"instagram|insta",
    "X (Twitter)": r"twitter",
    "Telegram": r"telegram",
    "Signal": r"signal",
    "letter": r"letters?|post(?:al)?(?: mail)?|mail by post|snail mail|royal mail|on paper",
    "in person": r"in person|face to face|visits?|home visits?|at (?:the )?meetings?|door ?knock",
    "fax": r"fax",
    "Zoom": r"zoom|teams|video calls?",
}
_NOTHING = (
    r"do not contact(?: me)?|no contact|none|nothing|never contact(?: me)?|not at all|nobody|no thanks?|leave me alone"
)
_ANY = r"any(?:thing| ?way| method| of these| of the above)?|all(?: of (?:them|these|the above))?|whatever|everything"
_ANY += r"|no preference|do not mind|not fussed|not bothered|no strong preference"
_NOT = r"not|no|never|nor|except|but not|rather not|avoid|hates?|dislikes?|without|refuses?|stop|cannot|can not|unable"

_POLITE = r"please|pls|plz|thanks?|thank you|me|ok|okay|fine|yes"
_FILLER = (
    rf"{_POLITE}|by|via|is|are|am|was|good|great|best|better|prefer(?:s|red|ably)?|i|my|the|an?|first|only|just"
    r"|usually|mostly|mainly|always|to|give|gives|giving|send|sends|use|using|contact(?:ed)?|for|on|with|would|like"
    r"|likes|be|in|it|them|they|us|you|we|can|could|want|wants|messages?|way|still|if possible|possible|works?|well"
    r"|do|does|through|1st|2nd|3rd|\d|most|happy|preference|mornings?|afternoons?|evenings?|weekends?|weekdays?"
    r"|daytime|any ?time|so|people|primarily"
)

_MEANINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("nothing", re.compile(rf"(?:{_NOTHING})(?!\w)")),
    ("any", re.compile(rf"(?:{_ANY})(?!\w)")),
    *((f"elsewhere:{name}", re.compile(rf"(?:{words})(?!\w)")) for name, words in _ELSEWHERE.items()),
    *((f"channel:{name}", re.compile(rf"(?:{words})(?!\w)")) for name, words in _CHANNELS.items()),
    ("some", re.compile(r"(?:both|either)(?!\w)")),
    ("but", re.compile(r"but(?! not)(?!\w)")),
    ("not", re.compile(rf"(?:{_NOT})(?!\w)")),
    ("or", re.compile(r"(?:or)(?!\w)")),
    (
        "then",
        re.compile(r"(?:then|and|also|plus|otherwise|failing that|if not|second|secondly|next|finally|or else)(?!\w)"),
    ),
    ("break", re.compile(r"[,;/&+>|\n().:!?–—=-]+")),
    ("filler", re.compile(rf"(?:{_FILLER})(?!\w)")),
)
_ONLY_POLITE = re.compile(rf"(?:(?:{_POLITE}|[\s.!?]|then|and)+)?")
_SPACE = re.compile(r"\s+")
_NEGATIONS = (
    (re.compile(r"\b(?:don[’']?t|do n[’']t|dont)\b"), "do not"),
    (re.compile(r"\b(?:can[’']?t|cant)\b"), "cannot"),
    (re.compile(r"\b(?:isn[’']?t|aren[’']?t|won[’']?t|doesn[’']?t)\b"), "not"),
)
LONGEST = 500


@lru_cache(maxsize=4096)
def understand(text: str) -> Wish:
    """Read somebody's words. Whatever has a word in it that is not known is ``unclear`` as a whole part."""
    text = text.strip()
    if not text:
        return Wish()
    if len(text) > LONGEST:
        return Wish(unclear=(f"{text[:LONGEST]}…",))
    reader = _Reader()
    for part in re.split(r"[,;/&+>|\n()]+|\bthen\b|\bthough\b|(?<!\w)-(?!\w)", _plain(text)):
        reader.read(part)
    wish = reader.wish()
    nothing_heard = wish.is_empty and any(letter.isalnum() for letter in text)
    return Wish(unclear=(text,)) if nothing_heard else wish


def _plain(text: str) -> str:
    plain = plain_letters(text)
    for pattern, word in _NEGATIONS:
        plain = pattern.sub(word, plain)
    return plain


class _Reader:
    """Goes through the parts of one text and collects what they say."""

    def __init__(self) -> None:
        self._order: dict[str, None] = {}
        self._refused: set[str] = set()
        self._elsewhere: dict[str, None] = {}
        self._unclear: list[str] = []
        self._nothing = False
        self._any = False

    def read(self, part: str) -> None:
        """Take in one part. One with a word that is not known counts for nothing."""
        part = _SPACE.sub(" ", part).strip()
        meanings = _meanings(part)
        if meanings is None:
            self._unclear.append(part)
            return
        if not any(":" in meaning or meaning in {"any", "nothing", "some"} for meaning in meanings):
            if not _ONLY_POLITE.fullmatch(part):
                self._unclear.append(part)
            return
        negated = False
        for place, meaning in enumerate(meanings):
            if meaning == "not" or (meaning == "but" and meanings[:place][-1:] == ["any"]):
                negated = True
            elif meaning in {"then", "break"} and "not" not in meanings[place + 1 : place + 2]:
                # “not phone and text”: nobody can tell whether the texts are wanted.
                if negated and meaning == "then" and any(":" in later for later in meanings[place:]):
                    self._unclear.append(part)
                    return
                negated = False
            else:
                self._take(meaning, negated=negated)

    def _take(self, meaning: str, *, negated: bool) -> None:
        kind, _, name = meaning.partition(":")
        if kind == "channel":
            (self._refused.add(name) if negated else self._order.setdefault(name))
        elif kind == "elsewhere" and not negated:
            self._elsewhere.setdefault(name)
        elif kind == "any":
            self._any = True
        elif kind == "nothing":
            self._nothing = True

    def wish(self) -> Wish:
        """What all parts together say. Somebody who wants and refuses the same channel is not clear."""
        both = self._refused & self._order.keys()
        if both:
            self._unclear.append(" and ".join(sorted(both)) + ", both wanted and not wanted")
        order = [channel for channel in self._order if channel not in both]
        if self._any:
            order += [channel for channel in CONTACTABLE if channel not in order]
        said_something = order or self._refused or self._elsewhere
        return Wish(
            order=tuple(channel for channel in order if channel not in self._refused),
            refused=frozenset(self._refused - both),
            nothing=self._nothing and not said_something,
            elsewhere=tuple(self._elsewhere),
            unclear=tuple(self._unclear),
        )


def _meanings(part: str) -> list[str] | None:
    """What the words of a part mean, or None where one of them is not known."""
    meanings: list[str] = []
    place = 0
    while place < len(part):
        if part[place].isspace():
            place += 1
            continue
        found = next(
            ((meaning, match) for meaning, pattern in _MEANINGS if (match := pattern.match(part, place))), None
        )
        if found is None:
            return None
        meaning, match = found
        place = match.end()
        if meaning != "filler":
            meanings.append(meaning)
    return meanings
