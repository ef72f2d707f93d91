"""Reads every cell of a row into a :class:`Record`: one small reader for each kind of column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

from config.settings import settings
from hub.participants.importing import cells, exported, refusals
from hub.participants.importing.addresses import Found, channels_of, read_accounts, read_mailboxes, read_phones
from hub.participants.importing.columns import Column
from hub.participants.importing.fields import Field
from hub.participants.importing.reading import Row
from hub.participants.importing.records import Consent, Point, Record, Stop
from hub.participants.importing.remarks import LONGEST_EVIDENCE, Context, keep_in_notes, needs_a_look, said
from hub.participants.importing.wording import Wish, understand
from hub.participants.models import ContactPointKind, ContactPointState, Format
from hub.participants.service import LANGUAGE_TAG, LONGEST

MONTH_FIRST_COUNTRIES = frozenset({"US"})
_TWO_PEOPLE = re.compile(r"\s(?:&|\+|and)\s", re.IGNORECASE)
_TITLE = re.compile(r"(mr|mrs|ms|miss|mx|dr|rev|prof|sir|dame|lady|lord)\b\.?\s+", re.IGNORECASE)
_ADDRESSES = frozenset({Field.EMAIL, Field.MOBILE, Field.LANDLINE, Field.PHONE, Field.SOCIAL})
_ABOUT_OTHERS = frozenset({Field.CONSENT_ON, Field.STATES, Field.TOPICS})


def context_for(columns: Sequence[Column], now: datetime) -> Context:
    """The context for a file with these columns."""
    ours = any(column.field is Field.HUB_NUMBER for column in columns)
    return Context(now, ours, settings().time_zone, settings().country in MONTH_FIRST_COUNTRIES)


def understand_row(row: Row, columns: Sequence[Column], context: Context) -> Record:
    """What a row says, with columns :func:`in_reading_order`.

    Whatever is not understood is in the record's ``look``, and its text in the notes.
    """
    record = Record(row=row.number)
    for column in columns:
        text = row.cells[column.place]
        if context.ours:
            text = exported.without_guard(text)
        reader = _READERS.get(column.field)
        if text and reader is not None:
            reader(record, text, column, context)
    _say_nothing_is_known(record)
    record.proposed_how_to_talk = cells.about_calling("\n".join(record.note_lines))[: LONGEST["how_to_talk"]]
    return record


def in_reading_order(columns: Sequence[Column]) -> list[Column]:
    """Columns as :func:`understand_row` wants them: addresses before what is said of them, else as in the file."""

    def place(column: Column) -> tuple[int, int]:
        return (0 if column.field in _ADDRESSES else 2 if column.field in _ABOUT_OTHERS else 1, column.place)

    return sorted(columns, key=place)


def _text(name: str) -> Callable[[Record, str, Column, Context], None]:
    def read(record: Record, text: str, column: Column, context: Context) -> None:
        text = text if context.ours else " ".join(text.split())
        if len(text) > LONGEST[name]:
            needs_a_look(record, column, text, f"is longer than {LONGEST[name]} characters, and was cut")
            text = text[: LONGEST[name]].rstrip()
        record.texts[name] = text

    return read


def _full_name(record: Record, text: str, column: Column, context: Context) -> None:
    text = " ".join(text.split())
    if _TWO_PEOPLE.search(text):
        record.look.append(f"{column.heading}: “{text[:80]}” looks like more than one person. Give each a row.")
    elif title := _TITLE.match(text):
        keep_in_notes(record, column, text)
        text = text[title.end() :]
    if "," in text:
        last, _, first = (part.strip() for part in text.partition(","))
    else:
        first, _, last = text.rpartition(" ") if " " in text else (text, "", "")
    for name, value in (("first_name", first), ("last_name", last)):
        if value:
            _text(name)(record, value, column, context)


def _mailboxes(record: Record, text: str, column: Column, _context: Context) -> None:
    _add_points(record, read_mailboxes(text), column, for_texts=False)


def _phones(record: Record, text: str, column: Column, _context: Context) -> None:
    found = read_phones(text)
    _add_points(record, found, column, for_texts=column.field is Field.MOBILE)
    for one in found:
        if column.field is Field.MOBILE and one.type is ContactPointKind.LANDLINE:
            record.notes.append(f"{column.heading}: {one.as_written} is a landline, so it is for calls only.")


def _accounts(record: Record, text: str, column: Column, _context: Context) -> None:
    _add_points(record, read_accounts(text), column, for_texts=False)


def _add_points(record: Record, found: Sequence[Found], column: Column, *, for_texts: bool) -> None:
    for one in found:
        if one.problem:
            short = one.value if len(one.value) <= 80 else f"{one.value[:80]}…"
            record.look.append(f"{column.heading}: “{short}” can’t be used. {one.problem}")
            if one.as_written != one.value:
                keep_in_notes(record, column, one.as_written)
        elif one.label:
            record.notes.append(f"{column.heading}: noted as “{one.label}”.")
        state = ContactPointState.BAD if one.problem else ContactPointState.USABLE
        for channel in channels_of(one, for_texts=for_texts):
            point = Point(channel, one.value, one.type, one.label, state, one.problem[:200], not one.problem)
            record.points.setdefault(point.key, point)


def _preferred(record: Record, text: str, column: Column, _context: Context) -> None:
    record.wish = _wish(record, text, column)


def _other_ways(record: Record, text: str, column: Column, _context: Context) -> None:
    record.other_ways = _wish(record, text, column)


def _wish(record: Record, text: str, column: Column) -> Wish:
    wish = understand(text)
    record.words = "; ".join(part for part in (record.words, said(column, text)) if part)
    if wish.unclear:
        parts = ", ".join(f"“{part}”" for part in wish.unclear)
        record.look.append(f"{column.heading}: it is not clear what {parts} means for how to contact them.")
    if wish.elsewhere:
        ways = " and ".join(wish.elsewhere)
        record.look.append(f"{column.heading}: they would like {ways}, which this hub can’t do.")
    for channel in sorted(wish.refused):
        record.stops.append(Stop(channel, said(column, text)))
    if wish.nothing:
        refusals.stop_all(record, said(column, text))
    return wish


def _quiet(record: Record, text: str, column: Column, _context: Context) -> None:
    record.quiet = cells.read_hours(text)
    if record.quiet is None:
        needs_a_look(record, column, text, "is not a time to a time, such as 21:00 to 08:00")


def _paused(record: Record, text: str, column: Column, context: Context) -> None:
    until = cells.read_moment(text, context.zone, month_first=context.month_first)
    if until is None:
        needs_a_look(record, column, text, "is not a date")
    elif until > context.now:
        record.paused_until = until


def _language(record: Record, text: str, column: Column, context: Context) -> None:
    language = text if context.ours and LANGUAGE_TAG.fullmatch(text) else cells.read_language(text)
    if language is None:
        needs_a_look(record, column, text, "is not a language that we know")
    elif language == "bfi" and not context.ours:
        record.formats |= {Format.BSL}
    else:
        record.texts["language"] = language


def _time_zone(record: Record, text: str, column: Column, _context: Context) -> None:
    if text in available_timezones():
        record.texts["time_zone"] = text
    else:
        needs_a_look(record, column, text, "is not a time zone, such as Europe/London")


def _formats(record: Record, text: str, column: Column, _context: Context) -> None:
    formats, unknown = cells.read_formats(text)
    record.formats |= formats
    for part in unknown:
        needs_a_look(record, column, part, "is not a format that we know")


def _groups(record: Record, text: str, _column: Column, _context: Context) -> None:
    record.groups.update(dict.fromkeys(cells.read_groups(text)))


def _notes(record: Record, text: str, _column: Column, context: Context) -> None:
    if context.ours:
        record.note_lines[text] = None
        return
    record.note_lines.update(dict.fromkeys(line.rstrip() for line in text.splitlines() if line.strip()))


def _keep_in_notes(record: Record, text: str, column: Column, _context: Context) -> None:
    keep_in_notes(record, column, " ".join(text.split()))


def _how_to_talk(record: Record, text: str, column: Column, context: Context) -> None:
    if "how_to_talk" in record.texts:
        text = f"{record.texts['how_to_talk']}; {text}"
    _text("how_to_talk")(record, text, column, context)


def _joined(record: Record, text: str, column: Column, context: Context) -> None:
    day = cells.read_day(text, month_first=context.month_first)
    if day is None:
        needs_a_look(record, column, text, "is not a date")
        return
    record.joined_on = day
    if day > context.now.astimezone(ZoneInfo(context.zone)).date():
        record.look.append(f"{column.heading}: {text} lies in the future.")


def _consent(record: Record, text: str, column: Column, context: Context) -> None:
    if context.ours:
        record.consents.append(Consent(text))
        return
    if cells.read_yes(text) is False:
        record.look.append(f"{column.heading}: “{text}” says that they have not agreed, so nothing is sent to them.")
        record.not_agreed.update(refusals.ALL_CHANNELS)
        return
    record.consents.append(Consent(text[:LONGEST_EVIDENCE] if len(text) > 3 else said(column, text)))


def _consent_on(record: Record, text: str, column: Column, context: Context) -> None:
    at = cells.read_moment(text, context.zone, month_first=context.month_first)
    if at is None:
        needs_a_look(record, column, text, "is not a date")
    elif record.consents and record.consents[-1].at is None:
        record.consents[-1] = Consent(record.consents[-1].wording, record.consents[-1].channel, at)
    else:
        record.consents.append(Consent(said(column, text), "", at))


def _number(record: Record, text: str, column: Column, _context: Context) -> None:
    if len(text) > LONGEST["external_id"]:
        needs_a_look(record, column, text, f"is longer than {LONGEST['external_id']} characters")
    else:
        record.external_id = text


def _hub_number(record: Record, text: str, column: Column, _context: Context) -> None:
    if text.isascii() and text.isdigit() and len(text) < 16:
        record.hub_number = int(text)
    else:
        needs_a_look(record, column, text, "is not a number")


def _order(record: Record, text: str, column: Column, _context: Context) -> None:
    for problem in exported.read_order(record, text):
        needs_a_look(record, column, problem, "is not a way to reach somebody")


def _topics(record: Record, text: str, column: Column, _context: Context) -> None:
    for problem in exported.read_topics(record, text):
        needs_a_look(record, column, problem, "is not a choice for a topic")


def _states(record: Record, text: str, column: Column, _context: Context) -> None:
    for problem in exported.read_states(record, text):
        needs_a_look(record, column, problem, "is not the state of a way to reach somebody")


def _say_nothing_is_known(record: Record) -> None:
    if record.name:
        return
    if record.addresses:
        record.texts["known_as"] = next(iter(record.points.values())).address[: LONGEST["known_as"]]
        record.look.append("There is no name in this row, so the address stands in for it.")


_READERS: dict[Field, Callable[[Record, str, Column, Context], None]] = {
    Field.FIRST_NAME: _text("first_name"),
    Field.LAST_NAME: _text("last_name"),
    Field.FULL_NAME: _full_name,
    Field.KNOWN_AS: _text("known_as"),
    Field.EMAIL: _mailboxes,
    Field.MOBILE: _phones,
    Field.LANDLINE: _phones,
    Field.PHONE: _phones,
    Field.SOCIAL: _accounts,
    Field.PREFERRED: _preferred,
    Field.OTHER_WAYS: _other_ways,
    Field.BEST_TIME: _text("best_time_to_call"),
    Field.QUIET_HOURS: _quiet,
    Field.PAUSED_UNTIL: _paused,
    Field.LANGUAGE: _language,
    Field.TIME_ZONE: _time_zone,
    Field.FORMATS: _formats,
    Field.GROUPS: _groups,
    Field.HOW_TO_TALK: _how_to_talk,
    Field.NOTES: _notes,
    Field.JOINED: _joined,
    Field.CONSENT: _consent,
    Field.CONSENT_ON: _consent_on,
    Field.NUMBER: _number,
    Field.HUB_NUMBER: _hub_number,
    Field.ORDER: _order,
    Field.STATES: _states,
    Field.TOPICS: _topics,
    Field.NO_EMAIL: refusals.refuses("email"),
    Field.NO_TEXTS: refusals.refuses("text"),
    Field.NO_CALLS: refusals.refuses("phone"),
    Field.NO_CONTACT: refusals.refuses(*refusals.ALL_CHANNELS),
    Field.EMAIL_OK: refusals.agrees_to("email"),
    Field.TEXTS_OK: refusals.agrees_to("text"),
    Field.EMAIL_IS_BAD: refusals.email_is_bad,
    Field.STATUS: refusals.status,
    Field.UNSUBSCRIBED_ON: refusals.unsubscribed_on,
    Field.BOUNCED_ON: refusals.bounced_on,
    Field.REASON: _keep_in_notes,
    Field.LEFT: refusals.left,
    Field.KEEP_IN_NOTES: _keep_in_notes,
}
"""How each kind of column is read. An empty cell is read by none, and columns that are left out have no reader."""
