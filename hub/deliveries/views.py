"""Pages for checking, sending and following announcements, and for the people behind every number."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from config.settings import settings
from hub.accounts.access import current_account, organiser_required
from hub.announcements.models import Announcement, AnnouncementState
from hub.announcements.queries import announcement_with
from hub.announcements.wording import template_words
from hub.db import read_session, utc_now, write_session
from hub.deliveries import checking, queries, scheduling, service
from hub.deliveries.budgets import cost_of
from hub.deliveries.exporting import PER_PAGE, csv_lines
from hub.deliveries.listing import announcements, counts_by_state
from hub.deliveries.queries import DeliveryRow
from hub.deliveries.rules import DeliveryState, Reach, Why
from hub.deliveries.uncertain import count_waiting_for_a_person
from hub.paging import Page
from hub.web.paging import page_number

bp = Blueprint("deliveries", __name__)
bp.context_processor(template_words)

ANNOUNCEMENT = "/announcements/<int(max=2147483647):announcement_id>"
LONGEST_SEARCH = 200
PEOPLE_ON_CHECK = 25
NOBODY = "nobody"
"""Stands for “no channel” in an address."""

Kind = TypeVar("Kind", bound=StrEnum)


@bp.get("/announcements")
@organiser_required
def index() -> ResponseReturnValue:
    """Every announcement, newest first."""
    state, search = _choice(AnnouncementState, "state"), _search()
    with read_session() as session:
        found = announcements(session, state=state, search=search, page=page_number())
        counts = counts_by_state(session)
    return render_template("announcements/index.html", found=found, counts=counts, state=state, search=search)


# --- Check and send -------------------------------------------------------------------------------------------


@bp.get(f"{ANNOUNCEMENT}/check")
@organiser_required
def check(announcement_id: int) -> ResponseReturnValue:
    """The dry run: what sending would do to everyone, and the button that does it."""
    now = utc_now()
    channel, why, search = _channel(), _choice(Why, "why"), _search()
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        if announcement.state != AnnouncementState.DRAFT:
            return redirect(url_for(".follow", announcement_id=announcement_id))
        seen = announcement.checked_revision == announcement.revision
    # Only the first look at a revision has something to remember; the others must not hold up anybody who writes.
    with read_session() if seen else write_session() as session:
        announcement = announcement_with(session, announcement_id)
        return render_template(
            "announcements/check.html",
            announcement=announcement,
            found=service.check(session, announcement_id, now),
            undo_seconds=settings().undo_seconds,
            people=checking.choices(
                session,
                announcement_id,
                now,
                channel=channel,
                why=why,
                search=search,
                page=page_number(),
                per_page=PEOPLE_ON_CHECK,
            ),
            channel=channel,
            why=why,
            search=search,
        )


@bp.post(f"{ANNOUNCEMENT}/send")
@organiser_required
def send(announcement_id: int) -> ResponseReturnValue:
    """Send a checked announcement, if it still is what was checked. For some moments it can be undone."""
    with write_session() as session:
        must_be_seen(session, announcement_id, request.form.get("revision", ""))
        announcement = scheduling.send(session, announcement_id, by=current_account().id, now=utc_now())
        if announcement.state is AnnouncementState.UNDER_WAY:
            flash(f"“{announcement.title}” is on its way.")
    return redirect(url_for(".follow", announcement_id=announcement_id))


def must_be_seen(session: Session, announcement_id: int, revision: str) -> None:
    """Raise NotChecked where a draft is not the revision that the page showed on which it is sent."""
    announcement = announcement_with(session, announcement_id)
    if announcement.state is AnnouncementState.DRAFT and revision != str(announcement.revision):
        raise service.NotChecked(
            f"“{announcement.title}” has changed since this page was opened. Look at the check again, then send it."
        )


# --- Follow ---------------------------------------------------------------------------------------------------


@bp.get(ANNOUNCEMENT)
@organiser_required
def follow(announcement_id: int) -> ResponseReturnValue:
    """How far an announcement has got; a draft opens where it is written."""
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        if announcement.state == AnnouncementState.DRAFT:
            return redirect(_page_of_draft(announcement))
        return render_template("announcements/follow.html", **_progress(session, announcement, utc_now()))


def _page_of_draft(announcement: Announcement) -> str:
    """Where a draft is written; one that could not leave at its time opens where it says why."""
    page = "deliveries.check" if scheduling.is_kept_back(announcement) else "writing.write"
    return url_for(page, announcement_id=announcement.id)


@bp.get(f"{ANNOUNCEMENT}/progress")
@organiser_required
def progress(announcement_id: int) -> ResponseReturnValue:
    """The part of the page above that changes while messages are on their way."""
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        if announcement.state == AnnouncementState.DRAFT:  # taken back, or it could not leave
            return "", {"HX-Redirect": _page_of_draft(announcement)}
        part = "waiting" if announcement.state == AnnouncementState.SCHEDULED else "progress"
        return render_template(f"announcements/{part}.html", **_progress(session, announcement, utc_now()))


def _progress(session: Session, announcement: Announcement, now: datetime) -> dict[str, Any]:
    reasons = queries.reasons(session, announcement.id)
    used = {reason.channel for reason in reasons}
    return {
        "announcement": announcement,
        "account": queries.reach(session, announcement.id),
        "channels_used": queries.reach_by_channel(session, announcement.id),
        "not_reached": _by_reason(reasons, Reach.NOT_REACHED),
        "declined": _by_reason(reasons, Reach.DECLINED),
        "uncertain": queries.uncertain(session, announcement.id),
        "to_decide": count_waiting_for_a_person(session, announcement.id),
        "set_aside": cost_of(announcement.text_parts),
        "stops": [stop for stop in queries.stopped_channels(session) if stop.channel in used],
        "call_lists": "calls.index" in current_app.view_functions,
        "now": now,
    }


def _by_reason(reasons: list[queries.ReasonCount], place: Reach) -> list[tuple[Why, int]]:
    people: dict[Why, int] = {}
    for reason in reasons:
        if reason.place is place:
            people[reason.why] = people.get(reason.why, 0) + reason.people
    return sorted(people.items(), key=lambda pair: -pair[1])


@bp.post(f"{ANNOUNCEMENT}/pause")
@organiser_required
def pause(announcement_id: int) -> ResponseReturnValue:
    """Hold what has not left yet."""
    with write_session() as session:
        service.pause(session, announcement_id)
    flash("Paused. Nothing more is sent until you press Go on.")
    return redirect(url_for(".follow", announcement_id=announcement_id))


@bp.post(f"{ANNOUNCEMENT}/resume")
@organiser_required
def resume(announcement_id: int) -> ResponseReturnValue:
    """Go on where it was paused."""
    with write_session() as session:
        service.resume(session, announcement_id)
    flash("It is on its way again.")
    return redirect(url_for(".follow", announcement_id=announcement_id))


@bp.get(f"{ANNOUNCEMENT}/cancel")
@organiser_required
def confirm_cancel(announcement_id: int) -> ResponseReturnValue:
    """Ask before sending is stopped for good."""
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        account = queries.reach(session, announcement_id)
        return render_template("announcements/cancel.html", announcement=announcement, account=account)


@bp.post(f"{ANNOUNCEMENT}/cancel")
@organiser_required
def cancel(announcement_id: int) -> ResponseReturnValue:
    """Stop sending for good."""
    with write_session() as session:
        service.cancel(session, announcement_id, utc_now())
    flash("Cancelled. Nothing more is sent.")
    return redirect(url_for(".follow", announcement_id=announcement_id))


# --- The people behind the numbers ----------------------------------------------------------------------------


@bp.get(f"{ANNOUNCEMENT}/people")
@organiser_required
def people(announcement_id: int) -> ResponseReturnValue:
    """Who is behind a number of the account."""
    chosen = _filters()
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        found = queries.people_in(session, announcement_id, **chosen, search=_search(), page=page_number())
        return render_template(
            "announcements/people.html", announcement=announcement, found=found, search=_search(), **chosen
        )


@bp.get(f"{ANNOUNCEMENT}/people.csv")
@organiser_required
def people_csv(announcement_id: int) -> ResponseReturnValue:
    """The same people as a file."""
    chosen, search = _filters(), _search()
    with read_session() as session:
        announcement_with(session, announcement_id)

    def page_of(number: int) -> Page[DeliveryRow]:
        with read_session() as session:
            return queries.people_in(session, announcement_id, **chosen, search=search, page=number, per_page=PER_PAGE)

    name = f"announcement-{announcement_id}-people.csv"
    return Response(
        csv_lines(page_of),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filters() -> dict[str, Any]:
    return {
        "place": _choice(Reach, "place"),
        "channel": _channel(),
        "state": _choice(DeliveryState, "state"),
        "why": _choice(Why, "why"),
    }


def _choice(kind: type[Kind], name: str) -> Kind | None:
    """What the address chooses of a kind. Anything that is not one of them chooses nothing."""
    text = request.args.get(name, "")
    return kind(text) if text in {member.value for member in kind} and text else None


def _channel() -> str | None:
    text = request.args.get("channel", "")
    return "" if text == NOBODY else text if text in CHANNELS else None


def _search() -> str:
    return request.args.get("search", "").replace("\x00", "")[:LONGEST_SEARCH]
