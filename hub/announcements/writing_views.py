"""Pages for an announcement's texts: writing them, counting a text message's parts, and looking at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from channels.text.segments import plain
from config.channels import CHANNELS
from hub.accounts.access import organiser_required
from hub.announcements import queries, service
from hub.announcements.forms import WritingForm
from hub.announcements.models import Announcement
from hub.announcements.rendering import DEFAULT_LANGUAGE, FIELDS, Rendered, preview
from hub.announcements.rules import ChangedMeanwhile, count_text, find_source, find_variant
from hub.announcements.views import ANNOUNCEMENT, LARGEST_ID, LONGEST_SEARCH, MOST_FOUND
from hub.announcements.wording import template_words
from hub.db import read_session, utc_now, write_session
from hub.errors import NotFound
from hub.participants.models import Format, Participant
from hub.participants.queries import people
from hub.web.protection import CONTENT_SECURITY_POLICY

bp = Blueprint("writing", __name__)
bp.context_processor(template_words)

EMAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox"
"""An email brings its own styles. It is shown in a frame that can run nothing and leads nowhere."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The language and format of the texts on a page."""

    language: str
    format: Format

    @property
    def standard(self) -> bool:
        """The texts that everybody gets who needs no others."""
        return (self.language, self.format) == (DEFAULT_LANGUAGE, Format.STANDARD)

    @property
    def query(self) -> dict[str, Any]:
        """What says it in an address."""
        return {} if self.standard else {"language": self.language, "format": self.format.value}


def _kind(session: Session, announcement_id: int) -> Kind:
    """The kind that the address says. Raises NotFound for a language that nobody has and a format that is none."""
    language = request.args.get("language", DEFAULT_LANGUAGE)
    known = {DEFAULT_LANGUAGE, *(need.name for need in queries.languages_needed(session))}
    known |= queries.languages_written(session, announcement_id)
    try:
        kind = Kind(language, Format(request.args.get("format", Format.STANDARD)))
    except ValueError:
        raise NotFound("There is no such format. Choose one from the list.") from None
    if language not in known:
        raise NotFound("Nobody here has this language. Choose one from the list.")
    return kind


@bp.get(f"{ANNOUNCEMENT}/write")
@organiser_required
def write(announcement_id: int) -> ResponseReturnValue:
    """The texts of a draft, in one language and format."""
    with read_session() as session:
        announcement = service.draft(session, announcement_id)
        kind = _kind(session, announcement_id)
        return _writing_page(session, announcement, kind, _filled(announcement, kind))


@bp.post(f"{ANNOUNCEMENT}/write")
@organiser_required
def save(announcement_id: int) -> ResponseReturnValue:
    """Keep the texts as they are, finished or not; then do what the button said."""
    form = WritingForm()
    try:
        with write_session() as session:
            service.draft(session, announcement_id, form.seen_revision)
            kind = _kind(session, announcement_id)
            if form.validate():
                service.write_variants(session, announcement_id, form.texts, kind.language, kind.format)
                done = _pressed(session, announcement_id, kind)
                return _after_saving(session, announcement_id, kind, done)
            announcement = service.draft(session, announcement_id)
            return _writing_page(session, announcement, kind, form), 422
    except ChangedMeanwhile as changed:
        with read_session() as session:
            announcement = service.draft(session, announcement_id)
            form.revision.data = str(announcement.revision)
            page = _writing_page(session, announcement, _kind(session, announcement_id), form, conflict=str(changed))
            return page, changed.status


def _pressed(session: Session, announcement_id: int, kind: Kind) -> str:
    """Do what one of the page's smaller buttons asks for; returns what to tell about it."""
    if "plain_text" in request.form:
        service.write_variant(
            session, announcement_id, "text", kind.language, kind.format, body=plain(request.form.get("text", ""))
        )
        return "Curly quotes and other costly characters of the text message are plain ones now."
    channel = request.form.get("again", "")
    if channel in CHANNELS and service.derive_again(session, announcement_id, channel, kind.language, kind.format):
        return f"{CHANNELS[channel].label}: written for you again. It follows the first text from now on."
    if "remove" in request.form and not kind.standard:
        service.remove_variants(session, announcement_id, kind.language, kind.format)
        return "These texts are taken out."
    return ""


def _after_saving(session: Session, announcement_id: int, kind: Kind, done: str) -> ResponseReturnValue:
    announcement = service.draft(session, announcement_id)
    form = _filled(announcement, kind)
    if "remove" in request.form:
        flash(done)
        return redirect(url_for(".write", announcement_id=announcement_id))
    if form.show_faults():
        return _writing_page(session, announcement, kind, form, saved=True), 422
    if "preview" in request.form:
        return redirect(url_for(".look", announcement_id=announcement_id))
    if "check" in request.form:
        return redirect(url_for("deliveries.check", announcement_id=announcement_id))
    flash(done or "Saved.")
    return redirect(url_for(".write", announcement_id=announcement_id, **kind.query))


def _filled(announcement: Announcement, kind: Kind) -> WritingForm:
    found = {name: find_variant(announcement.variants, name, kind.language, kind.format) for name in CHANNELS}
    data = {name: variant.body for name, variant in found.items() if variant}
    email = found.get("email")
    return WritingForm(
        formdata=None, data={**data, "subject": email.subject if email else "", "revision": announcement.revision}
    )


def _writing_page(
    session: Session,
    announcement: Announcement,
    kind: Kind,
    form: WritingForm,
    *,
    saved: bool = False,
    conflict: str = "",
) -> str:
    variants = announcement.variants
    return render_template(
        "announcements/write.html",
        announcement=announcement,
        kind=kind,
        form=form,
        entries=list(CHANNELS.values()),
        variants={name: find_variant(variants, name, kind.language, kind.format) for name in CHANNELS},
        source=find_source(variants, kind.language, kind.format),
        kinds=sorted({(v.language, v.format) for v in variants if v.body}),
        languages=queries.languages_needed(session),
        formats=queries.formats_needed(session),
        count=count_text(form["text"].data or ""),
        fields=list(FIELDS.values()),
        saved=saved,
        conflict=conflict,
    )


@bp.post(f"{ANNOUNCEMENT}/count")
@organiser_required
def count(announcement_id: int) -> ResponseReturnValue:  # noqa: ARG001 - the address is the announcement's
    """How many parts a text has, as it is being written; keeps nothing."""
    return render_template("announcements/count.html", count=count_text(request.form.get("text", "")))


@bp.get(f"{ANNOUNCEMENT}/preview")
@organiser_required
def look(announcement_id: int) -> ResponseReturnValue:
    """What one person would get, on each channel."""
    return _preview_page(announcement_id, words="")


@bp.post(f"{ANNOUNCEMENT}/preview")
@organiser_required
def find(announcement_id: int) -> ResponseReturnValue:
    """Find another person to look with. Posted, so that no name is in an address."""
    return _preview_page(announcement_id, words=request.form.get("find", "")[:LONGEST_SEARCH])


def _preview_page(announcement_id: int, words: str) -> ResponseReturnValue:
    with read_session() as session:
        announcement = queries.announcement_with(session, announcement_id)
        asked_for = _person_id()
        person_id = queries.first_person(session, announcement) if asked_for is None else asked_for
        person = None if person_id is None else session.get(Participant, person_id)
        if person is None and asked_for is not None:
            raise NotFound("There is no such person (any more).")
        shown = {name: _shown(session, announcement, person.id, name) for name in CHANNELS} if person else {}
        page = render_template(
            "announcements/preview.html",
            announcement=announcement,
            person=person,
            ways=queries.channels_of(session, person.id) if person else [],
            shown={name: rendered for name, rendered in shown.items() if rendered},
            count=count_text(text.text if (text := shown.get("text")) else ""),
            words=words,
            found=people(session, now=utc_now(), search=words, per_page=MOST_FOUND) if words else None,
        )
    response = make_response(page)
    response.headers["Content-Security-Policy"] = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
    return response


def _shown(session: Session, announcement: Announcement, person_id: int, channel: str) -> Rendered | None:
    if not any(v.channel == channel and v.body.strip() for v in announcement.variants):
        return None
    return preview(session, announcement.id, person_id, channel)


def _person_id() -> int | None:
    text = request.args.get("person", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID):
        raise NotFound("There is no such person (any more).")
    return int(text)


@bp.get(f"{ANNOUNCEMENT}/preview/email")
@organiser_required
def email(announcement_id: int) -> ResponseReturnValue:
    """One person's email, as a mailbox would show it; for a frame of the preview."""
    with read_session() as session:
        rendered = preview(session, announcement_id, _person_id() or 0, "email")
    response = Response(rendered.html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = EMAIL_POLICY
    return response


@bp.get(f"{ANNOUNCEMENT}/texts")
@organiser_required
def texts(announcement_id: int) -> ResponseReturnValue:
    """Every text of an announcement, as it was or will be sent."""
    with read_session() as session:
        announcement = queries.announcement_with(session, announcement_id)
        order = list(CHANNELS)
        variants = sorted(
            (v for v in announcement.variants if v.body.strip()),
            key=lambda v: (v.language != DEFAULT_LANGUAGE, v.language, v.format, order.index(v.channel)),
        )
        return render_template("announcements/texts.html", announcement=announcement, variants=variants)
