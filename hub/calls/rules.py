"""What the outcomes of a call are called, in which order, and what each of them does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from hub.calls.models import CallOutcome
from hub.deliveries.rules import DeliveryState, Why

CODE_LETTERS = "CDFGHJKMNPQRTVWXY34679"
"""No vowels, so that no code is a word, and nothing that looks or sounds like another letter or digit."""
CODE_LENGTH = 4


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """How an outcome is named. ``letter`` is its code on paper; ``explanation`` says when to choose it."""

    letter: str
    label: str
    explanation: str


OUTCOMES: dict[CallOutcome, OutcomeWords] = {
    CallOutcome.TOLD: OutcomeWords("T", "Told", "You spoke with them, and they know."),
    CallOutcome.CALL_BACK: OutcomeWords("B", "Call back", "They asked you to ring again. Write when."),
    CallOutcome.LEFT_MESSAGE: OutcomeWords("L", "Left message", "You left the short voicemail. Try again later."),
    CallOutcome.NO_ANSWER: OutcomeWords("N", "No answer", "Nobody answered. Try again at another time of day."),
    CallOutcome.WRONG_NUMBER: OutcomeWords("W", "Wrong number", "Somebody else has this number."),
    CallOutcome.NUMBER_DEAD: OutcomeWords("D", "Number dead", "The number does not work."),
    CallOutcome.STOP_PHONING: OutcomeWords("S", "Stop phoning", "They asked us not to ring any more."),
    CallOutcome.WORRIED: OutcomeWords("C", "Concern", "Something worried you. Tell the organiser today."),
}
"""In the order of the sheet, which never changes: people learn where to tick."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Where an outcome takes the delivery."""

    state: DeliveryState
    why: Why


EFFECTS: dict[CallOutcome, Effect] = {
    CallOutcome.TOLD: Effect(DeliveryState.CONFIRMED, Why.TOLD_BY_PHONE),
    CallOutcome.WRONG_NUMBER: Effect(DeliveryState.FAILED, Why.CONTACT_POINT_IS_BAD),
    CallOutcome.NUMBER_DEAD: Effect(DeliveryState.FAILED, Why.CONTACT_POINT_IS_BAD),
    CallOutcome.STOP_PHONING: Effect(DeliveryState.DECLINED, Why.OPTED_OUT),
}
"""Every other outcome leaves the person on the list, to be rung again."""

BAD_NUMBER = {
    CallOutcome.WRONG_NUMBER: "A caller was told that it is somebody else’s number",
    CallOutcome.NUMBER_DEAD: "A caller found that the number does not work",
}
"""Why the number is marked as bad, as organisers read it."""


def new_code(length: int = CODE_LENGTH) -> str:
    """A code for a list, short enough to say on the phone and to text."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(length))
