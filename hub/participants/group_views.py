"""Groups: named sets of people, from which audiences are made."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.access import organiser_required
from hub.db import read_session, utc_now, write_session
from hub.participants import service
from hub.participants.errors import AlreadyThere, BadDetails, NobodyThere
from hub.participants.forms import GroupForm, blame
from hub.participants.profile import person as person_of
from hub.participants.queries import GroupRow, groups, people
from hub.web.messages import flash_with_undo
from hub.web.numbers import row_id
from hub.web.paging import page_number

bp = Blueprint("groups", __name__, url_prefix="/people/groups")

LONGEST_SEARCH = 200
FOUND_AT_MOST = 20


@bp.route("", methods=["GET", "POST"])
@organiser_required
def index() -> ResponseReturnValue:
    """All groups, and a form for another one."""
    form = GroupForm()
    if form.validate_on_submit():
        try:
            with write_session() as session:
                group_id = service.create_group(session, form.name.data).id
        except (AlreadyThere, BadDetails) as problem:
            blame(form.name, problem)
        else:
            return redirect(url_for(".show", group_id=group_id))
    with read_session() as session:
        rows = groups(session)
    return render_template("people/groups.html", form=form, groups=rows), 422 if form.errors else 200


@bp.route("/<int:group_id>", methods=["GET", "POST"])
@organiser_required
def show(group_id: int) -> ResponseReturnValue:
    """Who is in a group, whom to add, and its name."""
    search = request.args.get("search", "")[:LONGEST_SEARCH]
    with read_session() as session:
        group = _group(groups(session), group_id)
        now = utc_now()
        members = people(session, now=now, group_id=group_id, page=page_number())
        found = people(session, now=now, search=search, per_page=FOUND_AT_MOST) if search else None
    form = GroupForm(data={"name": group.name})
    if form.validate_on_submit():
        try:
            with write_session() as session:
                service.rename_group(session, group_id, form.name.data)
        except (AlreadyThere, BadDetails) as problem:
            blame(form.name, problem)
        else:
            return redirect(url_for(".show", group_id=group_id))
    shown = render_template("people/group.html", group=group, members=members, found=found, search=search, form=form)
    return shown, 422 if form.errors else 200


@bp.post("/<int:group_id>/add")
@organiser_required
def add(group_id: int) -> ResponseReturnValue:
    """Put one person into a group."""
    participant_id = request.form.get("person", 0, type=row_id)
    with write_session() as session:
        name = person_of(session, participant_id).full_name
        added = service.add_to_group(session, group_id, [participant_id])
    if added:
        flash_with_undo(f"{name} is in the group.", url_for(".remove", group_id=group_id), person=participant_id)
    return redirect(url_for(".show", group_id=group_id))


@bp.post("/<int:group_id>/remove")
@organiser_required
def remove(group_id: int) -> ResponseReturnValue:
    """Take one person out of a group."""
    participant_id = request.form.get("person", 0, type=row_id)
    with write_session() as session:
        name = person_of(session, participant_id).full_name
        removed = service.remove_from_group(session, group_id, [participant_id])
    if removed:
        flash_with_undo(f"{name} is out of the group.", url_for(".add", group_id=group_id), person=participant_id)
    return redirect(url_for(".show", group_id=group_id, page=request.args.get("page")))


def _group(rows: list[GroupRow], group_id: int) -> GroupRow:
    for row in rows:
        if row.id == group_id:
            return row
    raise NobodyThere("This group is not here any more.")
