"""Writing announcements, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from hub import models
from hub.announcements import service
from hub.announcements.deriving import Wording
from hub.announcements.models import Announcement, AnnouncementState, AudienceGroup, Variant
from hub.announcements.rules import AlreadyLaunched, ChangedMeanwhile, TooLong, find_variant
from hub.announcements.service import Audience
from hub.db import write_session
from hub.errors import HubError, NotFound
from hub.participants.groups import create_group, ensure_topics
from hub.participants.models import Format
from hub.participants.service import ParticipantDetails, create_participant

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

assert models.metadata


@pytest.fixture
def session(database: Engine) -> Iterator[Session]:
    with write_session() as opened:
        ensure_topics(opened)
        yield opened


@pytest.fixture
def draft(session: Session) -> Announcement:
    return service.create_draft(session, "Hall closed", 1, None, NOW)


def text_of(announcement: Announcement, channel: str, language: str = "en", kind: Format = Format.STANDARD) -> Variant:
    found = find_variant(announcement.variants, channel, language, kind)
    assert found is not None
    return found


def test_the_first_text_written_is_followed_by_all_others(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", subject="Hall", body="The hall is closed.")
    assert {v.channel: v.derived for v in draft.variants} == {
        "email": False,
        "text": True,
        "phone": True,
        "social": True,
    }
    assert "The hall is closed." in text_of(draft, "text").body
    service.write_variant(session, draft.id, "email", subject="Hall", body="The hall is open.")
    assert "The hall is open." in text_of(draft, "text").body


def test_a_text_changed_by_hand_stays_as_it_is(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="The hall is closed.")
    service.write_variant(session, draft.id, "text", body="Hall closed!")
    service.write_variant(session, draft.id, "email", body="The hall is open.")
    assert text_of(draft, "text").body == "Hall closed!"
    assert "The hall is open." in text_of(draft, "phone").body
    assert service.derive_again(session, draft.id, "text")
    assert "The hall is open." in text_of(draft, "text").body


def test_a_form_that_sends_every_text_back_changes_only_what_was_changed(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="The hall is closed.")
    sent_back = {v.channel: Wording(v.subject, v.body.replace("\n", "\r\n")) for v in draft.variants}
    service.write_variants(session, draft.id, sent_back | {"email": Wording("", "The hall is open.")})
    assert text_of(draft, "text").derived
    assert "The hall is open." in text_of(draft, "text").body


def test_an_emptied_text_keeps_its_channel_out_of_use(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="The hall is closed.")
    service.write_variant(session, draft.id, "social", body="")
    service.write_variant(session, draft.id, "email", body="The hall is open.")
    assert text_of(draft, "social").body == ""


def test_taking_out_the_only_written_text_takes_out_those_that_follow_it(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="The hall is closed.")
    service.write_variant(session, draft.id, "email", body="")
    assert draft.variants == []
    assert not service.derive_again(session, draft.id, "text")


def test_each_language_and_format_has_texts_of_its_own(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="The hall is closed.")
    service.write_variant(session, draft.id, "email", "cy", body="Mae’r neuadd ar gau.")
    service.write_variant(session, draft.id, "email", "en", Format.EASY_READ, body="The hall is shut.")
    assert "neuadd" in text_of(draft, "text", "cy").body
    assert "shut" in text_of(draft, "text", kind=Format.EASY_READ).body
    service.remove_variants(session, draft.id, "cy", Format.STANDARD)
    assert {(v.language, v.format) for v in draft.variants} == {("en", Format.STANDARD), ("en", Format.EASY_READ)}


def test_a_new_title_becomes_the_subject_of_an_email_that_follows(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "text", body="The hall is closed.")
    service.update_details(session, draft.id, title="Hall open", topic_id=1, urgent=False, useful_until=None)
    assert text_of(draft, "email").subject == "Hall open"


def test_every_change_and_nothing_else_makes_a_new_revision(session: Session, draft: Announcement) -> None:
    group = create_group(session, "Carers")
    seen = [draft.revision]

    def after(change: object) -> None:
        seen.append(draft.revision)

    after(service.write_variant(session, draft.id, "email", body="Closed."))
    after(service.set_audience(session, draft.id, Audience(groups=frozenset({group.id}))))
    until = NOW + timedelta(days=1)
    after(service.update_details(session, draft.id, title="Hall", topic_id=1, urgent=True, useful_until=until))
    assert seen == sorted(set(seen))
    service.write_variant(session, draft.id, "email", subject="Hall closed", body="Closed.")
    service.set_audience(session, draft.id, Audience(groups=frozenset({group.id})))
    service.update_details(session, draft.id, title="Hall", topic_id=1, urgent=True, useful_until=until)
    assert draft.revision == seen[-1]


def test_an_audience_is_kept_as_it_was_said(session: Session, draft: Announcement) -> None:
    carers, tenants = create_group(session, "Carers"), create_group(session, "Tenants")
    ann = create_participant(session, ParticipantDetails(first_name="Ann"), NOW)
    bob = create_participant(session, ParticipantDetails(first_name="Bob"), NOW)
    audience = Audience(
        groups=frozenset({carers.id}),
        groups_left_out=frozenset({tenants.id}),
        people=frozenset({ann.id}),
        people_left_out=frozenset({bob.id}),
    )
    service.set_audience(session, draft.id, Audience(everyone=True, groups=frozenset({tenants.id})))
    service.set_audience(session, draft.id, audience)
    session.flush()
    session.expire_all()
    assert service.audience_of(draft) == audience


@pytest.mark.parametrize("audience", [Audience(groups=frozenset({99})), Audience(people_left_out=frozenset({2**40}))])
def test_nobody_unknown_can_be_in_an_audience(session: Session, draft: Announcement, audience: Audience) -> None:
    with pytest.raises(NotFound, match="not here any more"):
        service.set_audience(session, draft.id, audience)


def test_what_was_launched_can_not_be_changed(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="Closed.")
    draft.state = AnnouncementState.UNDER_WAY
    session.flush()
    changes = [
        lambda: service.write_variant(session, draft.id, "email", body="Open."),
        lambda: service.derive_again(session, draft.id, "text"),
        lambda: service.remove_variants(session, draft.id, "en", Format.STANDARD),
        lambda: service.set_audience(session, draft.id, Audience(everyone=True)),
        lambda: service.update_details(session, draft.id, title="X", topic_id=1, urgent=False, useful_until=None),
        lambda: service.delete_draft(session, draft.id),
    ]
    for change in changes:
        with pytest.raises(AlreadyLaunched, match="Copy it to send it again"):
            change()
    assert text_of(draft, "email").body == "Closed."


def test_a_copy_is_a_draft_with_the_same_words_and_audience(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", body="Closed.")
    service.set_audience(session, draft.id, Audience(everyone=True))
    draft.state = AnnouncementState.CLOSED
    copied = service.copy(session, draft.id, None, NOW)
    assert (copied.title, copied.state, copied.everyone) == ("Copy of Hall closed", AnnouncementState.DRAFT, True)
    assert [(v.channel, v.body, v.derived) for v in copied.variants] == [
        (v.channel, v.body, v.derived) for v in draft.variants
    ]
    service.write_variant(session, copied.id, "email", body="Open.")
    assert "Open." in text_of(copied, "text").body
    assert text_of(draft, "email").body == "Closed."


def test_deleting_a_draft_leaves_nothing_behind(session: Session, draft: Announcement) -> None:
    group = create_group(session, "Carers")
    service.write_variant(session, draft.id, "email", body="Closed.")
    service.set_audience(session, draft.id, Audience(groups=frozenset({group.id})))
    assert service.delete_draft(session, draft.id) == "Hall closed"
    for table in (Announcement, Variant, AudienceGroup):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_two_who_write_at_once_do_not_overwrite_each_other(session: Session, draft: Announcement) -> None:
    seen = draft.revision
    service.write_variant(session, draft.id, "email", body="Mine.")
    with pytest.raises(ChangedMeanwhile, match="Somebody else changed"):
        service.draft(session, draft.id, seen)


def test_what_can_not_be_kept_is_refused_and_what_can_is_tidied(session: Session, draft: Announcement) -> None:
    service.write_variant(session, draft.id, "email", subject="A\x00 \n b", body="One\x00\r\ntwo  ")
    email = text_of(draft, "email")
    assert (email.subject, email.body) == ("A b", "One\ntwo")
    with pytest.raises(TooLong, match="subject has 201"):
        service.write_variant(session, draft.id, "email", subject="x" * 201, body="b")
    with pytest.raises(TooLong, match="text has 50,001"):
        service.write_variant(session, draft.id, "phone", body="x" * 50_001)
    with pytest.raises(NotFound, match="pigeon"):
        service.write_variant(session, draft.id, "pigeon", body="coo")
    with pytest.raises(HubError, match="title"):
        service.create_draft(session, " \x00 ", 1, None, NOW)
    with pytest.raises(NotFound, match="topic"):
        service.create_draft(session, "Hall", 99, None, NOW)


def test_the_command_line_writes_an_email_and_an_audience_at_once(session: Session) -> None:
    made = service.write(
        session, title="Hall", body="Closed.", topic_id=1, urgent=True, everyone=True, group_ids=[], by=None, now=NOW
    )
    announcement = service.draft(session, made)
    assert text_of(announcement, "email").subject == "Hall"
    assert announcement.urgent
    assert announcement.everyone
