"""Readers of the columns that say what must not be sent: refusals, subscriptions, addresses that fail, who has left."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from config.channels import CHANNELS
from hub.participants.importing import cells
from hub.participants.importing.columns import Column
from hub.participants.importing.records import Consent, Record, Stop
from hub.participants.importing.remarks import Context, keep_in_notes, needs_a_look, said
from hub.participants.models import ContactPointState

ALL_CHANNELS = tuple(CHANNELS)
_ENDED = frozenset(
    {"unsubscribed", "opted out", "optedout", "opt out", "stopped", "blocked", "blocklisted", "suppressed"}
)
_ENDED |= {"complained", "spam complaint", "do not contact", "unsubscribe", "globally unsubscribed", "spam", "disabled"}
_BOUNCED = frozenset({"cleaned", "bounced", "hard bounced", "invalid", "undeliverable", "failed"})
_ONGOING = frozenset(
    {"subscribed", "active", "enabled", "confirmed", "member", "current", "opted in", "ok", "yes", "live"}
)
_EVERYTHING = frozenset({"stopped", "blocked", "blocklisted", "suppressed", "do not contact", "opted out", "optedout"})


def stop_all(record: Record, wording: str, at: datetime | None = None) -> None:
    record.stops.extend(Stop(channel, wording, at) for channel in ALL_CHANNELS)


def refuses(*channels: str) -> Callable[[Record, str, Column, Context], None]:
    def read(record: Record, text: str, column: Column, context: Context) -> None:
        answer = cells.read_yes(text)
        at = cells.read_moment(text, context.zone) if answer is None else None
        if answer or at:
            record.stops.extend(Stop(channel, said(column, text), at) for channel in channels)
        elif answer is None:
            needs_a_look(
                record, column, text, "is neither yes nor no, so nothing is sent there until somebody has looked"
            )
            record.not_agreed.update(channels)

    return read


def agrees_to(channel: str) -> Callable[[Record, str, Column, Context], None]:
    def read(record: Record, text: str, column: Column, _context: Context) -> None:
        answer = cells.read_yes(text)
        if answer:
            record.consents.append(Consent(said(column, text), channel))
        else:
            record.not_agreed.add(channel)
        if answer is None:
            needs_a_look(
                record, column, text, "is neither yes nor no, so nothing is sent there until somebody has looked"
            )

    return read


def email_is_bad(record: Record, text: str, column: Column, _context: Context) -> None:
    if cells.read_yes(text) or cells.read_yes(text) is None:
        _email_failed(record, said(column, text))


def _email_failed(record: Record, reason: str) -> None:
    for key, point in list(record.points.items()):
        if point.channel == "email" and point.state is ContactPointState.USABLE:
            record.points[key] = replace(point, state=ContactPointState.BAD, reason=reason[:200])


def status(record: Record, text: str, column: Column, _context: Context) -> None:
    plain = " ".join(re.sub(r"[\W_]+", " ", text).casefold().split())
    wording = said(column, text)
    if plain in _BOUNCED:
        _email_failed(record, wording)
    elif plain in _EVERYTHING:
        record.ended = True
        stop_all(record, wording)
    elif plain in _ENDED:
        record.ended = True
        record.stops.append(Stop("email", wording))
    elif plain not in _ONGOING:
        keep_in_notes(record, column, text)


def unsubscribed_on(record: Record, text: str, column: Column, context: Context) -> None:
    at = cells.read_moment(text, context.zone, month_first=context.month_first)
    record.ended = True
    record.stops.append(Stop("email", said(column, text), at))


def bounced_on(record: Record, text: str, column: Column, _context: Context) -> None:
    _email_failed(record, said(column, text))


def left(record: Record, text: str, column: Column, _context: Context) -> None:
    answer = cells.read_yes(text)
    record.left = answer is not False
    if answer is None:
        needs_a_look(record, column, text, "is neither yes nor no; they are taken as having left")
