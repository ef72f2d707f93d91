"""Writing announcements, up to the moment they are launched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.channels import CHANNELS
from hub.announcements.deriving import Wording, derive
from hub.announcements.models import (
    Announcement,
    AnnouncementState,
    AudienceGroup,
    AudiencePerson,
    Variant,
)
from hub.announcements.rendering import DEFAULT_LANGUAGE
from hub.announcements.rules import (
    LONGEST_TITLE,
    AboutToLeave,
    AlreadyLaunched,
    ChangedMeanwhile,
    find_source,
    find_variant,
    tidy_title,
    tidy_wording,
)
from hub.errors import NotFound
from hub.participants.models import Format, Group, Participant, Topic


@dataclass(frozen=True, slots=True)
class Audience:
    """Who an announcement is for. Ids of people outweigh ids of groups, and leaving out outweighs adding."""

    everyone: bool = False
    groups: frozenset[int] = field(default_factory=frozenset)
    groups_left_out: frozenset[int] = field(default_factory=frozenset)
    people: frozenset[int] = field(default_factory=frozenset)
    people_left_out: frozenset[int] = field(default_factory=frozenset)


def create_draft(session: Session, title: str, topic_id: int, by: int | None, now: datetime) -> Announcement:
    """A new announcement without words or audience, with an id."""
    announcement = Announcement(
        title=tidy_title(title), topic_id=_topic(session, topic_id), created_by=by, created_at=now, revision=1
    )
    session.add(announcement)
    session.flush()
    return announcement


def write(
    session: Session,
    *,
    title: str,
    body: str,
    topic_id: int,
    urgent: bool,
    everyone: bool,
    group_ids: Iterable[int],
    by: int | None,
    now: datetime,
) -> int:
    """A draft with one email, the texts that follow from it, and an audience; returns its id."""
    announcement = create_draft(session, title, topic_id, by, now)
    announcement.urgent = urgent
    write_variant(session, announcement.id, "email", subject=announcement.title, body=body)
    set_audience(session, announcement.id, Audience(everyone=everyone, groups=frozenset(group_ids)))
    return announcement.id


def update_details(
    session: Session,
    announcement_id: int,
    *,
    title: str,
    topic_id: int,
    urgent: bool,
    useful_until: datetime | None,
    silence_minutes: int | None = None,
) -> Announcement:
    """Change what is said about a draft. ``useful_until`` None: it stays of use.

    ``silence_minutes``: who has not answered something urgent for so long is tried the next way.
    Raises :class:`AlreadyLaunched` once it has been launched; so does every function here that changes something.
    """
    announcement = draft(session, announcement_id)
    details = {
        "title": tidy_title(title),
        "topic_id": _topic(session, topic_id),
        "urgent": urgent,
        "useful_until": useful_until,
        "silence_minutes": silence_minutes if urgent else None,
    }
    if details != {name: getattr(announcement, name) for name in details}:
        for name, value in details.items():
            setattr(announcement, name, value)
        for language, format_ in {(v.language, v.format) for v in announcement.variants}:
            _follow(announcement, language, format_)  # the subject of a derived email is the title
        _changed(session, announcement)
    return announcement


def set_audience(session: Session, announcement_id: int, audience: Audience) -> Announcement:
    """Say who a draft is for, in place of what was said before. Raises NotFound for a group or person unknown."""
    announcement = draft(session, announcement_id)
    if audience == audience_of(announcement):
        return announcement
    _must_exist(session, Group.id, audience.groups | audience.groups_left_out, "group")
    _must_exist(session, Participant.id, audience.people | audience.people_left_out, "person")
    announcement.everyone = audience.everyone
    announcement.groups.clear()
    announcement.people.clear()
    session.flush()
    groups = dict.fromkeys(audience.groups, True) | dict.fromkeys(audience.groups_left_out, False)
    people = dict.fromkeys(audience.people, True) | dict.fromkeys(audience.people_left_out, False)
    announcement.groups.extend(AudienceGroup(group_id=key, included=kept) for key, kept in sorted(groups.items()))
    announcement.people.extend(
        AudiencePerson(participant_id=key, included=kept) for key, kept in sorted(people.items())
    )
    _changed(session, announcement)
    return announcement


def audience_of(announcement: Announcement) -> Audience:
    """Who an announcement is for, as it was said."""
    return Audience(
        everyone=announcement.everyone,
        groups=frozenset(row.group_id for row in announcement.groups if row.included),
        groups_left_out=frozenset(row.group_id for row in announcement.groups if not row.included),
        people=frozenset(row.participant_id for row in announcement.people if row.included),
        people_left_out=frozenset(row.participant_id for row in announcement.people if not row.included),
    )


def write_variant(
    session: Session,
    announcement_id: int,
    channel: str,
    language: str = DEFAULT_LANGUAGE,
    format: Format = Format.STANDARD,
    subject: str = "",
    body: str = "",
) -> None:
    """Write one channel's text by hand: see :func:`write_variants`."""
    write_variants(session, announcement_id, {channel: Wording(subject, body)}, language, format)


def write_variants(
    session: Session,
    announcement_id: int,
    texts: Mapping[str, Wording],
    language: str = DEFAULT_LANGUAGE,
    format: Format = Format.STANDARD,
) -> Announcement:
    """Save the texts of some channels, in one language and format, and have those that follow written again.

    A text that differs from the saved one counts as written by hand from now on; one that is the same goes on
    following its source. A saved text that is emptied says that its channel is not to be used.
    """
    announcement = draft(session, announcement_id)
    # Every text is compared with what was saved before any is written: writing one changes those that follow it.
    changes = {
        channel: wording
        for channel, wording in ((name, tidy_wording(name, text, announcement.title)) for name, text in texts.items())
        if wording != _saved(announcement, channel, language, format)
    }
    for channel, wording in changes.items():
        variant = find_variant(announcement.variants, channel, language, format)
        if variant is None:
            variant = Variant(channel=channel, language=language, format=format)
            announcement.variants.append(variant)
        variant.subject, variant.body, variant.derived = wording.subject, wording.body, False
        session.flush()  # ids say what was written first
    if changes:
        _follow(announcement, language, format)
        _changed(session, announcement)
    return announcement


def derive_again(
    session: Session,
    announcement_id: int,
    channel: str,
    language: str = DEFAULT_LANGUAGE,
    format: Format = Format.STANDARD,
) -> bool:
    """Give up what was written by hand for a channel, and follow the first text written for another one.

    False, and nothing changed, where there is no other text to follow.
    """
    announcement = draft(session, announcement_id)
    if find_source(announcement.variants, language, format, other_than=channel) is None:
        return False
    variant = find_variant(announcement.variants, channel, language, format)
    if variant is not None:
        variant.derived = True
    _follow(announcement, language, format)
    _changed(session, announcement)
    return True


def remove_variants(
    session: Session,
    announcement_id: int,
    language: str,
    format: Format,
) -> None:
    """Take out the texts of one language and format, on every channel."""
    announcement = draft(session, announcement_id)
    kept = [v for v in announcement.variants if (v.language, v.format) != (language, format)]
    if len(kept) != len(announcement.variants):
        announcement.variants[:] = kept
        _changed(session, announcement)


def copy(session: Session, announcement_id: int, by: int | None, now: datetime) -> Announcement:
    """A new draft with the same title, topic, audience and texts as an announcement in any state."""
    original = session.get(Announcement, announcement_id)
    if original is None:
        raise _not_found()
    made = create_draft(session, f"Copy of {original.title}"[:LONGEST_TITLE], original.topic_id, by, now)
    made.urgent, made.silence_minutes = original.urgent, original.silence_minutes
    made.budget = original.budget
    made.variants.extend(
        Variant(
            channel=v.channel, language=v.language, format=v.format, subject=v.subject, body=v.body, derived=v.derived
        )
        for v in original.variants
    )
    return set_audience(session, made.id, audience_of(original))


def delete_draft(session: Session, announcement_id: int) -> str:
    """Delete an announcement that was never launched, for good; returns its title."""
    announcement = draft(session, announcement_id)
    session.delete(announcement)
    session.flush()
    return announcement.title


def draft(session: Session, announcement_id: int, revision: int | None = None) -> Announcement:
    """The announcement, held by this transaction, if its words may still change.

    Raises NotFound, :class:`AlreadyLaunched`, :class:`AboutToLeave`, and :class:`ChangedMeanwhile` where ``revision``
    is given and is not the present one.
    """
    announcement = session.scalar(
        select(Announcement)
        .where(Announcement.id == announcement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if announcement is None:
        raise _not_found()
    if announcement.state == AnnouncementState.SCHEDULED:
        raise AboutToLeave(announcement.title)
    if announcement.state != AnnouncementState.DRAFT:
        raise AlreadyLaunched(announcement.title)
    if revision is not None and revision != announcement.revision:
        raise ChangedMeanwhile(announcement.title)
    return announcement


def _saved(announcement: Announcement, channel: str, language: str, format: Format) -> Wording:
    variant = find_variant(announcement.variants, channel, language, format)
    return Wording(variant.subject, variant.body) if variant else Wording("", "")


def _follow(announcement: Announcement, language: str, format: Format) -> None:
    """Write the derived texts of one language and format again, and those that are missing for the first time."""
    source = find_source(announcement.variants, language, format)
    if source is None:
        # Nothing is said in this language and format any more, so there is nothing to follow or to leave out.
        announcement.variants[:] = [v for v in announcement.variants if (v.language, v.format) != (language, format)]
        return
    for channel in CHANNELS:
        variant = find_variant(announcement.variants, channel, language, format)
        if variant is None:
            variant = Variant(channel=channel, language=language, format=format, derived=True)
            announcement.variants.append(variant)
        if variant.derived:
            written = Wording(source.subject, source.body)
            made = derive(source.channel, written, channel, title=announcement.title, language=language)
            variant.subject, variant.body = made.subject, made.body


def _changed(session: Session, announcement: Announcement) -> None:
    announcement.revision += 1
    announcement.starts_at = None  # somebody is at work on a draft that could not leave at its time
    session.flush()


def _topic(session: Session, topic_id: int) -> int:
    if session.get(Topic, topic_id) is None:
        raise NotFound("There is no such topic (any more). Choose another.")
    return topic_id


def _must_exist(session: Session, column: InstrumentedAttribute[int], ids: Iterable[int], noun: str) -> None:
    wanted = set(ids)
    if wanted - set(session.scalars(select(column).where(column.in_(wanted)))):
        raise NotFound(f"A {noun} that you chose is not here any more. Load the page again and choose anew.")


def _not_found() -> NotFound:
    return NotFound("There is no such announcement (any more).")
