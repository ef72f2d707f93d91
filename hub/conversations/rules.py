"""How an incoming message is understood: pure decisions, from its words alone."""

from __future__ import annotations

import re

from hub.conversations.models import ReplyKind

STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
"""The words that Twilio acts on by itself, alone in a message, in any case."""

_NEAR_STOP = frozenset({"STOP ALL", "OPT OUT", "OPT-OUT"})
_PUNCTUATION = " \t\r\n.,;:!?…'\"‘’“”()[]*"
_KINDS = {
    **dict.fromkeys(STOP_WORDS | _NEAR_STOP, ReplyKind.STOP),
    **dict.fromkeys(START_WORDS, ReplyKind.START),
    **dict.fromkeys(HELP_WORDS, ReplyKind.HELP),
}
_TOLD_BY_PROVIDER = {"STOP": ReplyKind.STOP, "START": ReplyKind.START, "HELP": ReplyKind.HELP}
_REPLY_QUOTE = re.compile(r"^(?:>.*|-{2,}\s*Original Message\s*-{2,}.*|On .{5,200} wrote:|From: .*)$", re.I | re.M)
_AUTOMATIC_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply"})


def kind_of(body: str, opt_out_type: str = "") -> ReplyKind:
    """What a message asks for. Only a message that is nothing but the word counts, never a word inside a sentence.

    ``opt_out_type`` is what Twilio understood (Advanced Opt-Out); it comes first, as Twilio has acted on it already.
    """
    told = _TOLD_BY_PROVIDER.get(opt_out_type.strip().upper())
    if told is not None:
        return told
    words = " ".join(body.strip(_PUNCTUATION).upper().split())
    return _KINDS.get(words, ReplyKind.MESSAGE)


def provider_answered(body: str, kind: ReplyKind, opt_out_type: str = "") -> bool:
    """Whether Twilio has sent the person an answer of its own, so that ours would be the second.

    It answers STOP and START words by itself, and everything that it names an ``opt_out_type`` for.
    """
    if opt_out_type.strip():
        return True
    return kind in {ReplyKind.STOP, ReplyKind.START} and body.strip().upper() in STOP_WORDS | START_WORDS


def is_ambiguous(body: str, opt_out_type: str = "") -> bool:
    """Whether the word is one that people also answer questions with, so that it means START only after a STOP."""
    return not opt_out_type.strip() and body.strip(_PUNCTUATION).upper() == "YES"


def own_words(text: str) -> str:
    """What somebody wrote in an email, without the message that they answered."""
    quote = _REPLY_QUOTE.search(text)
    return (text[: quote.start()] if quote else text).strip()


def is_automatic(headers: dict[str, str], envelope_from: str | None) -> bool:
    """Whether nobody wrote this email: an out-of-office note, a list or a bounce (RFC 3834, section 5).

    ``headers`` has lower-case names. ``envelope_from`` is empty for a bounce, and None where it is not known.
    """
    submitted = headers.get("auto-submitted", "no").split(";")[0].strip().lower()
    return (
        submitted != "no"
        or headers.get("precedence", "").strip().lower() in _AUTOMATIC_PRECEDENCE
        or any(name in headers for name in ("x-autoreply", "x-autorespond", "x-auto-response"))
        or envelope_from == ""
        or headers.get("return-path", "?").strip() == "<>"
    )
