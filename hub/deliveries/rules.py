"""Delivery states and the legal moves between them: one table, used by every writer."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where one attempt to reach one person is."""

    PLANNED = "planned"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    ON_LIST = "on_list"
    POSTED = "posted"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Reach(StrEnum):
    """The places of the account: every person of an audience is in exactly one."""

    REACHED = "reached"
    ON_ITS_WAY = "on_its_way"
    WAITING_FOR_CALL = "waiting_for_call"
    POSTED = "posted"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"


S = DeliveryState

MOVES: dict[DeliveryState, frozenset[DeliveryState]] = {
    # A receipt may overtake our own record of the send, so everything that can follow “sent” can follow “planned”.
    S.PLANNED: frozenset(
        {S.UNCERTAIN, S.SENT, S.ON_LIST, S.POSTED, S.DELIVERED, S.CONFIRMED, S.FAILED}
        | {S.UNREACHABLE, S.DECLINED, S.EXPIRED, S.CANCELLED}
    ),
    S.UNCERTAIN: frozenset({S.SENT, S.DELIVERED, S.CONFIRMED, S.FAILED, S.UNREACHABLE, S.CANCELLED}),
    S.SENT: frozenset({S.DELIVERED, S.CONFIRMED, S.FAILED, S.UNREACHABLE}),
    S.ON_LIST: frozenset({S.CONFIRMED, S.FAILED, S.DECLINED, S.EXPIRED, S.CANCELLED}),
    S.POSTED: frozenset({S.CONFIRMED}),
    # Carriers and mailbox providers do take a delivery back: a bounce can follow “delivered”.
    S.DELIVERED: frozenset({S.CONFIRMED, S.FAILED}),
    S.CONFIRMED: frozenset(),
    S.FAILED: frozenset({S.UNREACHABLE, S.DECLINED, S.EXPIRED, S.CANCELLED, S.CONFIRMED}),
    S.UNREACHABLE: frozenset({S.CONFIRMED}),
    S.DECLINED: frozenset({S.CONFIRMED}),
    S.EXPIRED: frozenset({S.CONFIRMED}),
    S.CANCELLED: frozenset({S.CONFIRMED}),
}
"""From each state, where a delivery may go. Anything else is ignored, which is what makes receipts monotonic."""

REACH: dict[DeliveryState, Reach] = {
    S.PLANNED: Reach.ON_ITS_WAY,
    S.UNCERTAIN: Reach.ON_ITS_WAY,
    S.SENT: Reach.ON_ITS_WAY,
    S.FAILED: Reach.ON_ITS_WAY,  # until the ladder has taken its next step
    S.ON_LIST: Reach.WAITING_FOR_CALL,
    S.POSTED: Reach.POSTED,
    S.DELIVERED: Reach.REACHED,
    S.CONFIRMED: Reach.REACHED,
    S.DECLINED: Reach.DECLINED,
    S.UNREACHABLE: Reach.NOT_REACHED,
    S.EXPIRED: Reach.NOT_REACHED,
    S.CANCELLED: Reach.NOT_REACHED,
}
"""Where a live delivery's person stands in the account. Planned calls count as waiting: see hub.deliveries.queries."""


def origins(state: DeliveryState) -> list[str]:
    """The states from which a delivery may move to ``state``."""
    return [origin.value for origin, ends in MOVES.items() if state in ends]


class Why(StrEnum):
    """Why a delivery ended, or why a person is skipped; each has plain words in hub.deliveries.wording."""

    NONE = ""
    NO_CONTACT_POINT = "no_contact_point"
    ALL_BAD = "all_bad"
    NOT_AGREED = "not_agreed"
    OPTED_OUT = "opted_out"
    TOPIC_DECLINED = "topic_declined"
    PAUSED = "paused"
    NO_RUNG_LEFT = "no_rung_left"
    CONTACT_POINT_IS_BAD = "contact_point_is_bad"
    CONTENT = "content"
    NOT_DELIVERED = "not_delivered"
    NOT_NOW = "not_now"
    UNEXPLAINED = "unexplained"
    PROVIDER_BUSY = "provider_busy"
    NOT_SENT = "not_sent"
    MAYBE_SENT = "maybe_sent"
    NO_REPORT = "no_report"
    NO_ANSWER = "no_answer"
    NOT_USEFUL_ANY_MORE = "not_useful_any_more"
    ANNOUNCEMENT_CANCELLED = "announcement_cancelled"
    NO_BOUNCE = "no_bounce"
    TOLD_BY_PHONE = "told_by_phone"
    ANSWERED = "answered"
