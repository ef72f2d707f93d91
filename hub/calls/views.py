"""Call lists on screen: who is to be rung, what came of it, and the list to print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hub.accounts.access import current_account, has_role, organiser_required, volunteer_required
from hub.accounts.models import RoleName
from hub.calls import pdf, queries, service
from hub.calls.forms import DetailsForm, read_results
from hub.calls.models import CallOutcome
from hub.calls.queries import Show
from hub.calls.rules import EFFECTS, OUTCOMES
from hub.calls.service import Result
from hub.db import read_session, utc_now, write_session
from hub.errors import Conflict
from hub.participants.addresses import shown
from hub.participants.wording import language_name
from hub.web.messages import flash_with_undo
from hub.web.paging import page_number
from hub.web.wording import counted

bp = Blueprint("calls", __name__, url_prefix="/call-lists")

LIST = "/<int(max=2147483647):call_list_id>"
LONGEST_SEARCH = 200


@bp.app_template_filter()
def spoken_language(code: str) -> str:
    """A language in English: “Welsh” for cy."""
    return language_name(code)


@bp.get("")
@volunteer_required
def index() -> ResponseReturnValue:
    """Every call list, with how many people are left to ring."""
    with read_session() as session:
        found = queries.call_lists(session, page=page_number())
        concerns = queries.concerns(session) if _is_organiser() else []
    return render_template("calls/index.html", found=found, concerns=concerns, is_organiser=_is_organiser())


def _is_organiser() -> bool:
    return has_role(current_account(), RoleName.ORGANISER)


@bp.get(LIST)
@volunteer_required
def show(call_list_id: int) -> ResponseReturnValue:
    """The people on one list in the order of the sheet, and where to tick what came of each call."""
    form = DetailsForm()
    with read_session() as session:
        context = _context(session, call_list_id)
    listed = context["call_list"]
    form.caller.data, form.return_by.data = listed.caller, listed.return_by
    return render_template("calls/show.html", form=form, **context)


def _context(session: Session, call_list_id: int) -> dict[str, Any]:
    chosen = request.args.get("show", "")
    showing = Show(chosen) if chosen in set(Show) else Show.TO_CALL
    search = request.args.get("search", "").replace("\0", "")[:LONGEST_SEARCH]
    return {
        "call_list": queries.call_list(session, call_list_id),
        "found": queries.rows(session, call_list_id, show=showing, search=search, page=page_number()),
        "script": pdf.script(queries.script(session, call_list_id)),
        "concerns": queries.concerns(session, call_list_id) if _is_organiser() else [],
        "is_organiser": _is_organiser(),
        "showing": showing,
        "search": search,
        "outcomes": OUTCOMES,
        "endings": EFFECTS,
        "shown": shown,
        "enough_tries": queries.ENOUGH_TRIES,
    }


@bp.post(f"{LIST}/results")
@volunteer_required
def record(call_list_id: int) -> ResponseReturnValue:
    """Keep every result that was ticked on the page."""
    results = read_results(request.form)
    with write_session() as session:
        recorded, left_alone = service.record_results(
            session, call_list_id, results, by=current_account().id, now=utc_now()
        )
    if not results:
        flash("Nothing was ticked, so nothing was saved.", "info")
    if recorded:
        undo = url_for(".undo", call_list_id=call_list_id, **_shown())
        flash_with_undo(_saved(results, left_alone, len(recorded)), undo, records=",".join(map(str, recorded)))
    if left_alone:
        flash(
            f"{counted(len(left_alone), 'result')} not saved: somebody else was quicker, or no call is wanted any more."
            " Look at the list again.",
            "error",
        )
    return redirect(url_for(".show", call_list_id=call_list_id, **_shown()))


def _saved(results: Sequence[Result], left_alone: Sequence[int], number: int) -> str:
    kept = Counter(result.outcome for result in results if result.delivery_id not in set(left_alone))
    words = ", ".join(f"{kept[outcome]} {words.label.lower()}" for outcome, words in OUTCOMES.items() if kept[outcome])
    concern = " Please also tell the organiser today." if kept[CallOutcome.WORRIED] else ""
    return f"{counted(number, 'result')} saved: {words}.{concern}"


@bp.post(f"{LIST}/undo")
@volunteer_required
def undo(call_list_id: int) -> ResponseReturnValue:
    """Take results back that were saved by mistake."""
    given = request.form.get("records", "").split(",")[:200]
    record_ids = [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 19]
    undone = 0
    for record_id in record_ids:
        try:
            with write_session() as session:
                undone += service.undo(session, call_list_id, record_id, by=current_account().id, now=utc_now())
        except Conflict as error:
            flash(str(error), "error")
    if undone:
        flash(f"{counted(undone, 'result')} taken back.")
    return redirect(url_for(".show", call_list_id=call_list_id, **_shown()))


@bp.get(f"{LIST}/print.pdf")
@volunteer_required
def print_list(call_list_id: int) -> ResponseReturnValue:
    """The list on paper. Each print is noted."""
    now = utc_now()
    with read_session() as session:
        sheet = queries.sheet(session, call_list_id)
    document = pdf.render(sheet, now)
    with write_session() as session:
        service.note_print(session, call_list_id, len(sheet.rows), by=current_account().id, now=now)
    response = Response(document, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"call-list-{sheet.call_list.code}.pdf")
    return response


@bp.post(f"{LIST}/details")
@organiser_required
def details(call_list_id: int) -> ResponseReturnValue:
    """Say who rings the people on a list, and by when it comes back."""
    form = DetailsForm()
    if not form.validate():
        with read_session() as session:
            return render_template("calls/show.html", form=form, **_context(session, call_list_id)), 422
    with write_session() as session:
        service.set_details(session, call_list_id, caller=form.caller.data or "", return_by=form.return_by.data)
    flash("Saved.")
    return redirect(url_for(".show", call_list_id=call_list_id))


@bp.post(f"{LIST}/give-up")
@organiser_required
def give_up(call_list_id: int) -> ResponseReturnValue:
    """Stop ringing those who were tried often enough; the next way to reach them is tried."""
    with write_session() as session:
        people = service.give_up(session, call_list_id, utc_now())
    flash(
        f"{counted(people, 'person', 'people')} taken off the list. We try the next way to reach them, if there is one."
    )
    return redirect(url_for(".show", call_list_id=call_list_id))


@bp.post("/concerns/<int:record_id>")
@organiser_required
def deal_with(record_id: int) -> ResponseReturnValue:
    """Say that a concern has been looked after."""
    with write_session() as session:
        service.deal_with(session, record_id, utc_now())
    flash("Noted: this concern has been looked after.")
    return redirect(url_for(".index"))


def _shown() -> dict[str, Any]:
    """What the page that the form was on was showing."""
    return {
        name: value for name in ("show", "search", "page") if (value := request.args.get(name, "")[:LONGEST_SEARCH])
    }
