"""The ways to reach one person: adding, correcting, ordering, stopping and starting them again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.channels import CHANNELS
from hub.accounts.access import current_account, organiser_required
from hub.db import read_session, utc_now, write_session
from hub.participants import service
from hub.participants.errors import AlreadyThere, BadAddress, BadDetails, NobodyThere
from hub.participants.forms import EvidenceForm, PauseForm, WayForm, blame
from hub.participants.models import ConsentSource
from hub.participants.profile import Person, PointRow
from hub.participants.profile import person as person_of
from hub.participants.rules import moved
from hub.web.messages import flash_with_undo
from hub.web.numbers import row_id

bp = Blueprint("ways", __name__, url_prefix="/people/<int:participant_id>")

NOTED = ConsentSource.ORGANISER
MOST_WAYS = 1000


@bp.route("/ways/add", methods=["GET", "POST"])
@organiser_required
def add(participant_id: int) -> ResponseReturnValue:
    """Add a way to reach a person, at the end of their order."""
    form = WayForm()
    person = _person(participant_id)
    if form.validate_on_submit():
        rank = 1 + max((point.rank or 0 for point in person.points), default=0) if form.agreed.data else None
        try:
            with write_session() as session:
                service.add_contact_point(
                    session,
                    participant_id,
                    form.channel.data,
                    form.address.data,
                    rank=rank,
                    label=form.label.data or "",
                    now=utc_now(),
                )
        except (BadAddress, AlreadyThere) as problem:
            blame(form.address, problem)
        else:
            return _back(participant_id)
    return render_template("people/way.html", form=form, person=person, point=None), 422 if form.errors else 200


@bp.route("/ways/<int:point_id>", methods=["GET", "POST"])
@organiser_required
def change(participant_id: int, point_id: int) -> ResponseReturnValue:
    """Correct an address, or whose it is."""
    person = _person(participant_id)
    point = _point(person, point_id)
    form = WayForm(data={"channel": point.channel, "address": point.shown, "label": point.label})
    del form.channel, form.agreed
    if form.validate_on_submit():
        try:
            with write_session() as session:
                service.change_contact_point(
                    session, point_id, address=form.address.data, label=form.label.data or "", now=utc_now()
                )
        except (BadAddress, AlreadyThere) as problem:
            blame(form.address, problem)
        else:
            return _back(participant_id)
    return render_template("people/way.html", form=form, person=person, point=point), 422 if form.errors else 200


@bp.post("/ways/order")
@organiser_required
def order(participant_id: int) -> ResponseReturnValue:
    """Move one way up or down, use it from now on (last), or use it no more."""
    point_id, step = request.form.get("point", 0, type=row_id), request.form.get("step", "")
    with write_session() as session:
        person = person_of(session, participant_id)
        point = _point(person, point_id)
        before = [point.id for point in person.points if point.rank]
        after = moved(before, point.id, step)
        _rank(session, participant_id, after)
    if step == "out":
        text = f"{_named(point)} is kept, and not used."
        flash_with_undo(text, url_for(".order_again", participant_id=participant_id), order=",".join(map(str, before)))
    return _back(participant_id, f"way-{point_id}")


@bp.post("/ways/order-again")
@organiser_required
def order_again(participant_id: int) -> ResponseReturnValue:
    """Put back the order that was before."""
    ids = [int(text) for text in request.form.get("order", "").split(",") if text.isascii() and text.isdigit()]
    with write_session() as session:
        there = {point.id for point in person_of(session, participant_id).points}
        _rank(session, participant_id, [point_id for point_id in ids if point_id in there])
    return _back(participant_id)


@bp.post("/ways/<int:point_id>/remove")
@organiser_required
def remove(participant_id: int, point_id: int) -> ResponseReturnValue:
    """Remove a way to reach a person. The list keeps it until then; undo adds it again."""
    with write_session() as session:
        point = _point(person_of(session, participant_id), point_id)
        service.remove_contact_point(session, point_id, utc_now())
    undo = url_for(".put_back", participant_id=participant_id)
    kept = {"channel": point.channel, "address": point.address, "label": point.label, "rank": point.rank or ""}
    flash_with_undo(f"{_named(point)} is removed.", undo, **kept)
    return _back(participant_id)


@bp.post("/ways/put-back")
@organiser_required
def put_back(participant_id: int) -> ResponseReturnValue:
    """Add again what was just removed. An opt-out stays one: the address is remembered."""
    form = request.form
    with write_session() as session:
        service.add_contact_point(
            session,
            participant_id,
            form.get("channel", ""),
            form.get("address", ""),
            rank=form.get("rank", type=small_number),
            label=form.get("label", ""),
            now=utc_now(),
        )
    return _back(participant_id)


@bp.post("/ways/<int:point_id>/bad")
@organiser_required
def bad(participant_id: int, point_id: int) -> ResponseReturnValue:
    """Note that an address or number does not work."""
    with write_session() as session:
        point = _point(person_of(session, participant_id), point_id)
        service.mark_bad(session, [point_id], "An organiser says that it does not work.", utc_now())
    undo = url_for(".works", participant_id=participant_id, point_id=point_id)
    flash_with_undo(f"{_named(point)} is marked as not working.", undo)
    return _back(participant_id, f"way-{point_id}")


@bp.post("/ways/<int:point_id>/works")
@organiser_required
def works(participant_id: int, point_id: int) -> ResponseReturnValue:
    """Note that an address or number works after all."""
    with write_session() as session:
        _point(person_of(session, participant_id), point_id)
        service.mark_usable(session, point_id, utc_now())
    return _back(participant_id, f"way-{point_id}")


@bp.route("/ways/<int:point_id>/stop", methods=["GET", "POST"])
@organiser_required
def stop(participant_id: int, point_id: int) -> ResponseReturnValue:
    """Note that a person asked us to stop using a way, with their words."""
    return _consent(participant_id, point_id, stopping=True)


@bp.route("/ways/<int:point_id>/start", methods=["GET", "POST"])
@organiser_required
def start(participant_id: int, point_id: int) -> ResponseReturnValue:
    """Note that a person wants a way to be used again, with their words: the only way back from an opt-out."""
    return _consent(participant_id, point_id, stopping=False)


@bp.post("/topics/<int:topic_id>")
@organiser_required
def topic(participant_id: int, topic_id: int) -> ResponseReturnValue:
    """Note whether a person wants to hear about a topic."""
    wanted = request.form.get("wanted") == "yes"
    by, now = current_account().id, utc_now()
    with write_session() as session:
        if wanted:
            service.rank_contact_points(session, participant_id, [], topic_id=topic_id, source=NOTED, by=by, now=now)
        else:
            service.decline_topic(session, participant_id, topic_id, source=NOTED, by=by, now=now)
    return _back(participant_id, "topics")


@bp.route("/topics/<int:topic_id>/order", methods=["GET", "POST"])
@organiser_required
def topic_order(participant_id: int, topic_id: int) -> ResponseReturnValue:
    """Give a person an order of their own for one topic. It begins as their order for everything."""
    person = _person(participant_id)
    choice = next((choice for choice in person.topics if choice.topic_id == topic_id), None)
    if choice is None:
        raise NobodyThere("There is no such topic (any more).")
    order = list(choice.contact_point_ids) or [point.id for point in person.points if point.rank]
    if request.method == "GET":
        return render_template("people/topic_order.html", person=person, choice=choice, order=order)
    point = _point(person, request.form.get("point", 0, type=row_id))
    ids = moved(order, point.id, request.form.get("step", ""))
    by, now = current_account().id, utc_now()
    with write_session() as session:
        service.rank_contact_points(session, participant_id, ids, topic_id=topic_id, source=NOTED, by=by, now=now)
    return redirect(url_for(".topic_order", participant_id=participant_id, topic_id=topic_id))


@bp.post("/pause")
@organiser_required
def pause(participant_id: int) -> ResponseReturnValue:
    """Send a person nothing before a day."""
    form = PauseForm()
    if not form.validate_on_submit():
        flash("Choose the day on which messages may start again.", "error")
        return _back(participant_id, "pause")
    try:
        with write_session() as session:
            by = current_account().id
            service.pause(session, participant_id, form.moment(), source=NOTED, by=by, now=utc_now())
    except BadDetails as problem:
        flash(str(problem), "error")
    return _back(participant_id, "pause")


@bp.post("/resume")
@organiser_required
def resume(participant_id: int) -> ResponseReturnValue:
    """End a pause now."""
    with write_session() as session:
        service.resume(session, participant_id, source=NOTED, by=current_account().id, now=utc_now())
    return _back(participant_id, "pause")


def _consent(participant_id: int, point_id: int, *, stopping: bool) -> ResponseReturnValue:
    form = EvidenceForm()
    person = _person(participant_id)
    point = _point(person, point_id)
    if form.validate_on_submit():
        with write_session() as session:
            (service.opt_out if stopping else service.opt_in)(
                session,
                channel=point.channel,
                address=point.address,
                source=form.told_how,
                wording=form.wording.data,
                now=utc_now(),
                participant_id=participant_id,
                by=current_account().id,
            )
        return _back(participant_id, f"way-{point_id}")
    shown = render_template("people/consent.html", form=form, person=person, point=point, stopping=stopping)
    return shown, 422 if form.errors else 200


def _rank(session: Session, participant_id: int, point_ids: list[int]) -> None:
    by = current_account().id
    service.rank_contact_points(session, participant_id, point_ids, source=NOTED, by=by, now=utc_now())


def _person(participant_id: int) -> Person:
    with read_session() as session:
        return person_of(session, participant_id)


def _point(person: Person, point_id: int) -> PointRow:
    for point in person.points:
        if point.id == point_id:
            return point
    raise NobodyThere("This way to reach the person is not here any more.")


def small_number(text: str) -> int:
    """A place in an order. Raises :class:`ValueError` for anything else."""
    if not 0 < int(text) <= MOST_WAYS:
        raise ValueError("Not a place in an order.")
    return int(text)


def _named(point: PointRow) -> str:
    return f"{CHANNELS[point.channel].label} {point.shown}" if point.channel in CHANNELS else point.shown


def _back(participant_id: int, anchor: str = "ways") -> ResponseReturnValue:
    return redirect(url_for("person.show", participant_id=participant_id, _anchor=anchor))
