"""Settings: what this installation is connected to, who may sign in, and the topics people choose from."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from config.channels import CHANNELS
from config.settings import EmailProvider, Settings, settings
from hub.accounts import service as accounts
from hub.accounts.access import admin_required, current_account, has_role, organiser_required
from hub.accounts.models import RoleName
from hub.accounts.service import AccountExists, BadAccount
from hub.db import read_session, utc_now, write_session
from hub.deliveries.queries import stopped_channels
from hub.deliveries.stopping import resume_channel
from hub.errors import NotFound
from hub.participants import service as people
from hub.participants.errors import AlreadyThere, BadDetails
from hub.participants.forms import blame
from hub.participants.groups import ensure_topics
from hub.participants.queries import topics
from hub.web.messages import flash_done, flash_with_undo

bp = Blueprint("settings", __name__, url_prefix="/settings")


class TopicForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A topic that people choose for or against."""

    name = StringField(
        "Topic",
        validators=[InputRequired("Enter a name."), Length(max=60, message="This can have up to 60 characters.")],
    )
    description = StringField(
        "What it is about", validators=[Length(max=200, message="This can have up to 200 characters.")]
    )


class AccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Somebody who will sign in."""

    email = EmailField(
        "Email address",
        validators=[InputRequired("Enter an email address."), Length(max=254, message="This address is too long.")],
    )
    name = StringField("Name", validators=[Length(max=120, message="This can have up to 120 characters.")])
    role = SelectField(
        "What they do",
        choices=[
            SelectChoice(RoleName.ORGANISER.value, "Organiser: people and announcements"),
            SelectChoice(RoleName.VOLUNTEER.value, "Volunteer: call lists only"),
            SelectChoice(RoleName.ADMIN.value, "Administrator: everything"),
        ],
    )


@dataclass(frozen=True, slots=True)
class Connection:
    """A channel, who carries it, and which settings it lacks. ``stopped`` says why it does not send."""

    channel: str
    label: str
    provider: str
    missing: tuple[str, ...]
    stopped: str


@bp.get("")
@organiser_required
def index() -> ResponseReturnValue:
    """Everything on one page."""
    return _page(TopicForm(), AccountForm())


@bp.post("/topics")
@organiser_required
def add_topic() -> ResponseReturnValue:
    """Add a topic."""
    form = TopicForm()
    if form.validate_on_submit():
        try:
            with write_session() as session:
                people.create_topic(session, form.name.data, form.description.data or "")
        except (AlreadyThere, BadDetails) as problem:
            blame(form.name, problem)
        else:
            flash_done(f"“{form.name.data.strip()}” can be chosen for announcements now.")
            return redirect(url_for(".index", _anchor="topics"))
    return _page(form, AccountForm(formdata=None)), 422


@bp.post("/channels/<channel>/resume")
@organiser_required
def resume(channel: str) -> ResponseReturnValue:
    """Try a stopped channel again."""
    if channel not in CHANNELS:
        raise NotFound("There is no such channel.")
    with write_session() as session:
        resume_channel(session, channel)
    flash_done(f"{CHANNELS[channel].label} is being tried again.")
    return redirect(url_for(".index", _anchor="channels"))


@bp.post("/accounts")
@admin_required
def add_account() -> ResponseReturnValue:
    """Make an account; its password is shown once."""
    form = AccountForm()
    if form.validate_on_submit():
        try:
            with write_session() as session:
                role = RoleName(form.role.data)
                account, password = accounts.create_account(
                    session, form.email.data, role, name=form.name.data or "", now=utc_now()
                )
                email = account.email
        except (AccountExists, BadAccount) as problem:
            blame(form.email, problem)
        else:
            return render_template("settings/password.html", email=email, password=password)
    return _page(TopicForm(formdata=None), form), 422


@bp.post("/accounts/<int:account_id>/password")
@admin_required
def new_password(account_id: int) -> ResponseReturnValue:
    """Give an account a new password, shown once. It is signed out everywhere."""
    with write_session() as session:
        account = accounts.account_with(session, account_id)
        password, email = accounts.set_password(session, account.email), account.email
    return render_template("settings/password.html", email=email, password=password)


@bp.post("/accounts/<int:account_id>/active")
@admin_required
def set_active(account_id: int) -> ResponseReturnValue:
    """Let somebody sign in again, or not any more."""
    active = request.form.get("active") == "yes"
    if account_id == current_account().id:
        flash("You can’t switch your own account off.", "error")
        return redirect(url_for(".index", _anchor="accounts"))
    with write_session() as session:
        email = accounts.set_active(session, account_id, active).email
    text = f"{email} can sign in again." if active else f"{email} can’t sign in any more."
    flash_with_undo(text, url_for(".set_active", account_id=account_id), active="no" if active else "yes")
    return redirect(url_for(".index", _anchor="accounts"))


def connections(session: Session, settings: Settings) -> list[Connection]:
    """Each channel and what it still needs. Says which settings are missing, never what one holds."""
    stopped = {stop.channel: stop.reason for stop in stopped_channels(session)}
    return [
        Connection(name, entry.label, provider, _missing(provider, settings), stopped.get(name, ""))
        for name, entry in CHANNELS.items()
        for provider in (_provider(name, settings),)
    ]


def _provider(channel: str, settings: Settings) -> str:
    if channel == "email":
        return settings.email_provider.value
    return next(iter(CHANNELS[channel].adapters))


NEEDED: dict[str, tuple[str, ...]] = {
    EmailProvider.SENDGRID.value: ("sendgrid_api_key", "email_from"),
    EmailProvider.SMTP.value: ("smtp_url", "email_from"),
    "twilio": ("twilio_account_sid", "twilio_auth_token"),
    "mastodon": ("mastodon_access_token",),
    "call_list": (),
}
"""Provider -> the settings that it can't do without."""


def _missing(provider: str, settings: Settings) -> tuple[str, ...]:
    def given(name: str) -> bool:
        value = getattr(settings, name)
        return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)

    missing = tuple(name.upper() for name in NEEDED.get(provider, ()) if not given(name))
    if provider == "twilio" and not (settings.twilio_from or settings.twilio_messaging_service_sid):
        missing += ("TWILIO_FROM",)
    return missing


def _page(topic_form: TopicForm, account_form: AccountForm) -> str:
    is_admin = has_role(current_account())
    with write_session() as session:
        ensure_topics(session)  # a new hub begins with a few
    with read_session() as session:
        return render_template(
            "settings/index.html",
            connections=connections(session, settings()),
            topics=topics(session),
            accounts=accounts.list_accounts(session) if is_admin else [],
            is_admin=is_admin,
            topic_form=topic_form,
            account_form=account_form,
            installation=settings(),
        )
