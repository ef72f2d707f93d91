"""Pages for sending later, and for undoing or hurrying what has not left yet."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from config.settings import settings
from hub.accounts.access import current_account, organiser_required
from hub.announcements.models import AnnouncementState
from hub.announcements.queries import announcement_with
from hub.announcements.wording import template_words
from hub.db import read_session, utc_now, write_session
from hub.deliveries import scheduling
from hub.deliveries.forms import ScheduleForm
from hub.deliveries.scheduling import BadTime, HasLeft
from hub.deliveries.views import ANNOUNCEMENT, must_be_seen
from hub.participants.forms import blame

bp = Blueprint("scheduling", __name__)
bp.context_processor(template_words)


@bp.get(f"{ANNOUNCEMENT}/schedule")
@organiser_required
def choose(announcement_id: int) -> ResponseReturnValue:
    """Ask when a checked announcement is to leave."""
    return _choosing_page(announcement_id, None)


@bp.post(f"{ANNOUNCEMENT}/schedule")
@organiser_required
def schedule(announcement_id: int) -> ResponseReturnValue:
    """Have it sent at the chosen time."""
    form = ScheduleForm()
    if form.validate():
        try:
            with write_session() as session:
                must_be_seen(session, announcement_id, form.revision.data or "")
                scheduling.schedule(session, announcement_id, form.starts_at, current_account().id, utc_now())
            return redirect(url_for("deliveries.follow", announcement_id=announcement_id))
        except BadTime as problem:
            blame(form.time, problem)
    return _choosing_page(announcement_id, form)


def _choosing_page(announcement_id: int, form: ScheduleForm | None) -> ResponseReturnValue:
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        if announcement.state is not AnnouncementState.DRAFT:
            return redirect(url_for("deliveries.follow", announcement_id=announcement_id))
        if announcement.checked_revision != announcement.revision:
            return redirect(url_for("deliveries.check", announcement_id=announcement_id))
        page = render_template(
            "announcements/schedule.html",
            announcement=announcement,
            form=form or ScheduleForm(formdata=None, data={"revision": announcement.revision}),
            now=utc_now(),
            zone=settings().time_zone,
        )
    return page, 422 if form else 200


@bp.post(f"{ANNOUNCEMENT}/take-back")
@organiser_required
def take_back(announcement_id: int) -> ResponseReturnValue:
    """Do not send it after all."""
    try:
        with write_session() as session:
            title = scheduling.take_back(session, announcement_id).title
    except HasLeft as problem:
        flash(str(problem), "error")
        return redirect(url_for("deliveries.follow", announcement_id=announcement_id))
    flash(f"“{title}” was not sent. It is a draft again.")
    return redirect(url_for("deliveries.check", announcement_id=announcement_id))


@bp.post(f"{ANNOUNCEMENT}/send-now")
@organiser_required
def send_now(announcement_id: int) -> ResponseReturnValue:
    """Send it without waiting for its time."""
    try:
        with write_session() as session:
            sent = scheduling.send_now(session, announcement_id, utc_now())
            title = announcement_with(session, announcement_id).title
    except HasLeft as problem:
        flash(str(problem), "error")
    else:
        if sent:
            flash(f"“{title}” is on its way.")
        else:
            flash(f"“{title}” could not be sent.", "error")
    return redirect(url_for("deliveries.follow", announcement_id=announcement_id))
