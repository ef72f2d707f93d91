"""Pages for making an announcement: what it is about, who it is for, copies, and deleting a draft.

Its texts are written in hub.announcements.writing_views; checking, sending and following are in hub.deliveries.views.
"""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hub.accounts.access import current_account, organiser_required
from hub.announcements import queries, service
from hub.announcements.forms import DetailsForm
from hub.announcements.models import Announcement
from hub.announcements.service import Audience
from hub.announcements.wording import template_words
from hub.db import read_session, utc_now, write_session
from hub.participants import queries as people_queries
from hub.participants.groups import ensure_topics

bp = Blueprint("announcements", __name__)
bp.context_processor(template_words)

ANNOUNCEMENT = "/announcements/<int(max=2147483647):announcement_id>"
LARGEST_ID = 2**63 - 1
MOST_CHOICES = 2_000
LONGEST_SEARCH = 200
MOST_FOUND = 20


@bp.get("/announcements/new")
@organiser_required
def new() -> ResponseReturnValue:
    """Begin an announcement."""
    with write_session() as session:  # a hub without topics gets its first ones
        form = DetailsForm(topics=_topics(session))
    return render_template("announcements/about.html", form=form, announcement=None)


@bp.post("/announcements/new")
@organiser_required
def create() -> ResponseReturnValue:
    """Keep the new announcement as a draft."""
    with write_session() as session:
        form = DetailsForm(topics=_topics(session))
        if not form.validate():
            return render_template("announcements/about.html", form=form, announcement=None), 422
        made = service.create_draft(session, form.title.data, form.topic.data, current_account().id, utc_now())
        _save_details(session, made.id, form)
        return redirect(url_for(".audience", announcement_id=made.id))


@bp.get(f"{ANNOUNCEMENT}/about")
@organiser_required
def about(announcement_id: int) -> ResponseReturnValue:
    """What a draft is about."""
    with read_session() as session:
        announcement = service.draft(session, announcement_id)
        form = DetailsForm.of(announcement, _topics(session))
        return render_template("announcements/about.html", form=form, announcement=announcement)


@bp.post(f"{ANNOUNCEMENT}/about")
@organiser_required
def save_about(announcement_id: int) -> ResponseReturnValue:
    """Keep what a draft is about."""
    with write_session() as session:
        announcement = service.draft(session, announcement_id)
        form = DetailsForm(topics=_topics(session))
        if not form.validate():
            return render_template("announcements/about.html", form=form, announcement=announcement), 422
        _save_details(session, announcement_id, form)
    return redirect(url_for(".audience", announcement_id=announcement_id))


def _topics(session: Session) -> list[tuple[int, str]]:
    return [(topic.id, topic.name) for topic in ensure_topics(session)]


def _save_details(session: Session, announcement_id: int, form: DetailsForm) -> None:
    service.update_details(
        session,
        announcement_id,
        title=form.title.data,
        topic_id=form.topic.data,
        urgent=form.urgent.data,
        useful_until=form.useful_until,
        silence_minutes=form.silence_minutes,
    )


@bp.get(f"{ANNOUNCEMENT}/audience")
@organiser_required
def audience(announcement_id: int) -> ResponseReturnValue:
    """Who a draft is for."""
    with read_session() as session:
        return _audience_page(session, service.draft(session, announcement_id))


@bp.post(f"{ANNOUNCEMENT}/audience")
@organiser_required
def save_audience(announcement_id: int) -> ResponseReturnValue:
    """Keep who a draft is for, whichever button was pressed; some buttons also find, add or take out a person."""
    with write_session() as session:
        announcement = service.draft(session, announcement_id)
        chosen = _chosen(service.audience_of(announcement))
        service.set_audience(session, announcement_id, chosen)
        if "save" not in request.form:
            words = request.form.get("find", "")[:LONGEST_SEARCH] if "search" in request.form else ""
            return _audience_page(session, announcement, words)
        if chosen == Audience():
            return _audience_page(session, announcement, error="Choose everyone, or some groups or people."), 422
    return redirect(url_for("writing.write", announcement_id=announcement_id))


def _chosen(before: Audience) -> Audience:
    """The audience that the form says. People are not in the form: a button adds or takes out one at a time."""
    left_out = _ids("without")
    people, people_left_out = set(before.people), set(before.people_left_out)
    for person in _ids("forget") | _ids("include") | _ids("leave_out"):
        people.discard(person)
        people_left_out.discard(person)
    people |= _ids("include")
    people_left_out |= _ids("leave_out")
    return Audience(
        everyone=request.form.get("who") == "everyone",
        groups=_ids("groups") - left_out,
        groups_left_out=left_out,
        people=frozenset(people),
        people_left_out=frozenset(people_left_out),
    )


def _ids(name: str) -> frozenset[int]:
    given = request.form.getlist(name)[:MOST_CHOICES]
    return frozenset(int(text) for text in given if text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID)


def _audience_page(session: Session, announcement: Announcement, words: str = "", error: str = "") -> str:
    chosen = service.audience_of(announcement)
    return render_template(
        "announcements/audience.html",
        announcement=announcement,
        chosen=chosen,
        groups=people_queries.groups(session),
        everyone=queries.everyone(session),
        people=queries.people_with(session, chosen.people),
        people_left_out=queries.people_with(session, chosen.people_left_out),
        words=words,
        found=people_queries.people(session, now=utc_now(), search=words, per_page=MOST_FOUND) if words else None,
        error=error,
    )


@bp.post(f"{ANNOUNCEMENT}/copy")
@organiser_required
def copy(announcement_id: int) -> ResponseReturnValue:
    """Make a draft like this announcement."""
    with write_session() as session:
        made = service.copy(session, announcement_id, current_account().id, utc_now())
        flash("This is a copy. Change what is different, then check it and send it.")
        return redirect(url_for(".about", announcement_id=made.id))


@bp.get(f"{ANNOUNCEMENT}/delete")
@organiser_required
def confirm_delete(announcement_id: int) -> ResponseReturnValue:
    """Ask before a draft is deleted: its words can't be brought back."""
    with read_session() as session:
        announcement = service.draft(session, announcement_id)
        return render_template("announcements/delete.html", announcement=announcement)


@bp.post(f"{ANNOUNCEMENT}/delete")
@organiser_required
def delete(announcement_id: int) -> ResponseReturnValue:
    """Delete a draft."""
    with write_session() as session:
        title = service.delete_draft(session, announcement_id)
    flash(f"The draft “{title}” is deleted.")
    return redirect(url_for("deliveries.index"))
