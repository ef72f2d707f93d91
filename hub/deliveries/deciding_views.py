"""Pages for what only an organiser can decide: what texts may cost, and what becomes of uncertain messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hub.accounts.access import organiser_required
from hub.announcements.models import Announcement, AnnouncementState
from hub.announcements.queries import announcement_with
from hub.announcements.wording import template_words
from hub.db import read_session, utc_now, write_session
from hub.deliveries import budgets, uncertain
from hub.deliveries.budgets import BadAmount
from hub.deliveries.forms import BudgetForm
from hub.deliveries.views import ANNOUNCEMENT
from hub.errors import Conflict
from hub.participants.forms import blame
from hub.web.wording import counted

bp = Blueprint("decisions", __name__)
bp.context_processor(template_words)

PEOPLE_SHOWN = 100

Decide = Callable[[Session, int, Sequence[int] | None, datetime], int]


# --- What texts may cost --------------------------------------------------------------------------------------


@bp.get(f"{ANNOUNCEMENT}/budget")
@organiser_required
def budget(announcement_id: int) -> ResponseReturnValue:
    """Ask what the texts may cost."""
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        given = "" if announcement.budget is None else f"{announcement.budget:.2f}"
        return _budget_page(announcement, BudgetForm(data={"budget": given}))


@bp.post(f"{ANNOUNCEMENT}/budget")
@organiser_required
def save_budget(announcement_id: int) -> ResponseReturnValue:
    """Keep what the texts may cost; what had stopped for want of money goes on."""
    form = BudgetForm()
    if form.validate():
        try:
            with write_session() as session:
                goes_on = budgets.set_budget(session, announcement_id, form.amount)
                is_draft = announcement_with(session, announcement_id).state is AnnouncementState.DRAFT
        except BadAmount as problem:
            blame(form.budget, problem)
        else:
            flash("The limit is saved. It is on its way again." if goes_on else "The limit is saved.")
            page = "deliveries.check" if is_draft else "deliveries.follow"
            return redirect(url_for(page, announcement_id=announcement_id))
    with read_session() as session:
        return _budget_page(announcement_with(session, announcement_id), form), 422


def _budget_page(announcement: Announcement, form: BudgetForm) -> str:
    return render_template(
        "announcements/budget.html",
        announcement=announcement,
        form=form,
        set_aside=budgets.cost_of(announcement.text_parts),
        sent=announcement.state not in budgets.NOT_SENT_YET,
    )


# --- What is uncertain ----------------------------------------------------------------------------------------


@bp.get(f"{ANNOUNCEMENT}/uncertain")
@organiser_required
def show_uncertain(announcement_id: int) -> ResponseReturnValue:
    """The people of whom nobody could find out whether their message was sent, and the two choices."""
    with read_session() as session:
        return render_template(
            "announcements/uncertain.html",
            announcement=announcement_with(session, announcement_id),
            people=uncertain.waiting_for_a_person(session, announcement_id, limit=PEOPLE_SHOWN),
            total=uncertain.count_waiting_for_a_person(session, announcement_id),
        )


@bp.post(f"{ANNOUNCEMENT}/uncertain/again")
@organiser_required
def send_again(announcement_id: int) -> ResponseReturnValue:
    """Send once more, to one person or to all; they may get it twice."""
    with read_session() as session:
        announcement = announcement_with(session, announcement_id)
        if announcement.state is AnnouncementState.CANCELLED:
            raise Conflict(f"“{announcement.title}” was cancelled, so nothing of it is sent any more.")
    people = _decide(announcement_id, uncertain.send_again)
    flash(f"Being sent again to {counted(people, 'person', 'people')}." if people else _SETTLED)
    return _after_deciding(announcement_id)


@bp.post(f"{ANNOUNCEMENT}/uncertain/leave")
@organiser_required
def leave(announcement_id: int) -> ResponseReturnValue:
    """Send nothing more, to one person or to all; they may not have got it."""
    people = _decide(announcement_id, uncertain.leave)
    flash(f"{counted(people, 'person counts', 'people count')} as not reached." if people else _SETTLED)
    return _after_deciding(announcement_id)


_SETTLED = "Nothing to decide any more: it has been settled in the meantime."


def _decide(announcement_id: int, decide: Decide) -> int:
    text = request.form.get("delivery", "")
    chosen = [int(text)] if text.isascii() and text.isdigit() and len(text) < 19 else None
    if text and chosen is None:
        return 0
    with write_session() as session:
        announcement_with(session, announcement_id)
        return decide(session, announcement_id, chosen, utc_now())


def _after_deciding(announcement_id: int) -> ResponseReturnValue:
    with read_session() as session:
        more = uncertain.count_waiting_for_a_person(session, announcement_id)
    page = ".show_uncertain" if more else "deliveries.follow"
    return redirect(url_for(page, announcement_id=announcement_id))
