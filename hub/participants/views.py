"""The list of people, and what is known about each. The page about one person is hub.reports.person_views."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from config.channels import CHANNELS
from hub.accounts.access import organiser_required
from hub.db import read_session, utc_now, write_session
from hub.participants import service
from hub.participants.errors import AlreadyThere, BadDetails
from hub.participants.forms import DetailsForm, blame
from hub.participants.profile import person as person_of
from hub.participants.queries import PeopleFilter, PeopleSort, groups, people, people_counts
from hub.web.messages import flash_with_undo
from hub.web.numbers import row_id
from hub.web.paging import page_number

bp = Blueprint("people", __name__, url_prefix="/people")

LONGEST_SEARCH = 200
PER_PAGE = 50

Choice = TypeVar("Choice", PeopleFilter, PeopleSort)


@bp.get("")
@organiser_required
def index() -> ResponseReturnValue:
    """Everyone, or those who fit a search and filters."""
    search = request.args.get("search", "")[:LONGEST_SEARCH]
    only = _one_of(PeopleFilter, "show")
    channel = request.args.get("channel") if request.args.get("channel") in CHANNELS else None
    group_id = request.args.get("group", type=row_id)
    now = utc_now()
    with read_session() as session:
        found = people(
            session,
            now=now,
            search=search,
            group_id=group_id,
            channel=channel,
            only=only,
            page=page_number(),
            per_page=PER_PAGE,
            sort=_one_of(PeopleSort, "sort") or PeopleSort.NAME,
        )
        all_groups = groups(session)
        counts = people_counts(session, now)
    return render_template(
        "people/index.html",
        found=found,
        counts=counts,
        groups=all_groups,
        search=search,
        only=only,
        channel=channel,
        group_id=group_id,
    )


@bp.route("/add", methods=["GET", "POST"])
@organiser_required
def add() -> ResponseReturnValue:
    """Add one person; the ways to reach them come next, on their page."""
    form = DetailsForm()
    with read_session() as session:
        form.offer([(group.id, group.name) for group in groups(session)])
    if form.validate_on_submit():
        try:
            with write_session() as session:
                participant_id = service.create_participant(session, form.details(), utc_now()).id
                service.set_groups(session, participant_id, form.groups.data or [])
        except (BadDetails, AlreadyThere) as problem:
            blame(form.external_id if isinstance(problem, AlreadyThere) else form.first_name, problem)
        else:
            return redirect(url_for("ways.add", participant_id=participant_id))
    return render_template("people/edit.html", form=form, person=None), 422 if form.errors else 200


@bp.route("/<int:participant_id>/edit", methods=["GET", "POST"])
@organiser_required
def edit(participant_id: int) -> ResponseReturnValue:
    """Change what is known about a person."""
    form = DetailsForm()
    with read_session() as session:
        person = person_of(session, participant_id)
        form.offer([(group.id, group.name) for group in groups(session)], person.details.language)
    if request.method == "GET":
        form.fill(person)
    elif form.validate_on_submit():
        try:
            with write_session() as session:
                service.update_participant(session, participant_id, form.details(person.details.time_zone), utc_now())
                service.set_groups(session, participant_id, form.groups.data or [])
        except (BadDetails, AlreadyThere) as problem:
            blame(form.external_id if isinstance(problem, AlreadyThere) else form.first_name, problem)
        else:
            return redirect(url_for("person.show", participant_id=participant_id))
    return render_template("people/edit.html", form=form, person=person), 422 if form.errors else 200


@bp.post("/<int:participant_id>/archive")
@organiser_required
def archive(participant_id: int) -> ResponseReturnValue:
    """Note that a person has left the group. Nothing is deleted, so it can be undone."""
    with write_session() as session:
        service.archive_participant(session, participant_id, utc_now())
        name = person_of(session, participant_id).full_name
    flash_with_undo(
        f"{name} has left the group, and gets no more messages.", url_for(".restore", participant_id=participant_id)
    )
    return redirect(url_for("person.show", participant_id=participant_id))


@bp.post("/<int:participant_id>/restore")
@organiser_required
def restore(participant_id: int) -> ResponseReturnValue:
    """Note that a person who had left is here again."""
    with write_session() as session:
        service.restore_participant(session, participant_id, utc_now())
        name = person_of(session, participant_id).full_name
    flash_with_undo(f"{name} is in the group again.", url_for(".archive", participant_id=participant_id))
    return redirect(url_for("person.show", participant_id=participant_id))


def _one_of(kind: type[Choice], name: str) -> Choice | None:
    given = request.args.get(name, "")
    return kind(given) if given in set(kind) else None
