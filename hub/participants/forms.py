"""What organisers type about people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    Field,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from config.channels import CHANNELS
from config.settings import settings
from hub.participants.models import ConsentSource, Format
from hub.participants.profile import Person
from hub.participants.service import LONGEST, ParticipantDetails
from hub.participants.wording import FORMATS, TOLD_HOW, language_choices
from hub.web.numbers import row_id

WORST_ADDRESS = 320


def _up_to(name: str) -> Length:
    return Length(max=LONGEST[name], message=f"This can have up to {LONGEST[name]:,} characters.")


class DetailsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Everything about a person but the ways to reach them."""

    first_name = StringField("First name", validators=[_up_to("first_name")])
    last_name = StringField("Last name", validators=[_up_to("last_name")])
    known_as = StringField(
        "Name they use",
        description="If it is not the first name. We greet them with it.",
        validators=[_up_to("known_as")],
    )
    language = SelectField("Language", validate_choice=False)
    formats = SelectMultipleField(
        "Formats they need",
        choices=[SelectChoice(one.value, text) for one, text in FORMATS.items() if one is not Format.STANDARD],
    )
    groups = SelectMultipleField("Groups", coerce=row_id, validate_choice=False)
    quiet_from = TimeField("No messages from", validators=[Optional()])
    quiet_until = TimeField("until", validators=[Optional()])
    best_time_to_call = StringField(
        "Best time to call",
        description="In their words, such as “Tuesday mornings”.",
        validators=[_up_to("best_time_to_call")],
    )
    how_to_talk = TextAreaField(
        "How to talk with them",
        description="What a caller needs to know, such as “text relay 18001” or “speak slowly”. Never a diagnosis.",
        validators=[_up_to("how_to_talk")],
    )
    notes = TextAreaField("Notes", description="Only organisers see these.", validators=[_up_to("notes")])
    joined_on = DateField("Joined on", validators=[Optional()])
    external_id = StringField("Number in another system", validators=[_up_to("external_id")])

    def offer(self, groups: Sequence[tuple[int, str]], language: str = "en") -> None:
        """Fill the lists that are chosen from."""
        self.groups.choices = [SelectChoice(group_id, name) for group_id, name in groups]
        self.language.choices = [SelectChoice(code, name) for code, name in language_choices(language)]

    def fill(self, person: Person) -> None:
        """Show what is known now."""
        details = person.details
        for name in ("first_name", "last_name", "known_as", "language", "best_time_to_call", "how_to_talk", "notes"):
            self[name].data = getattr(details, name)
        self.quiet_from.data, self.quiet_until.data = details.quiet_from, details.quiet_until
        self.joined_on.data, self.external_id.data = details.joined_on, details.external_id
        self.formats.data = [one.value for one in details.formats]
        self.groups.data = [group_id for group_id, _ in person.groups]

    def details(self, time_zone: str = "") -> ParticipantDetails:
        """What was typed. ``time_zone`` is the person's own, which the form leaves alone."""
        return ParticipantDetails(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            known_as=self.known_as.data or "",
            external_id=self.external_id.data or "",
            language=self.language.data or "en",
            time_zone=time_zone,
            quiet_from=self.quiet_from.data,
            quiet_until=self.quiet_until.data,
            best_time_to_call=self.best_time_to_call.data or "",
            how_to_talk=self.how_to_talk.data or "",
            notes=self.notes.data or "",
            joined_on=self.joined_on.data,
            formats=frozenset(Format(one) for one in self.formats.data or []),
        )


class WayForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A way to reach somebody."""

    channel = SelectField("How", choices=[SelectChoice(entry.name, entry.label) for entry in CHANNELS.values()])
    address = StringField(
        "Number, address or account",
        validators=[
            InputRequired("Enter a phone number, an email address or an account."),
            Length(max=WORST_ADDRESS, message=f"This can have up to {WORST_ADDRESS} characters."),
        ],
    )
    label = StringField(
        "Whose is it?",
        description="Only if it is not their own, such as “daughter Ann”.",
        validators=[Length(max=120, message="This can have up to 120 characters.")],
    )
    agreed = BooleanField("They agree that we use it", default=True)


class EvidenceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """How an organiser knows what a person wants."""

    source = SelectField(
        "How did they tell you?", choices=[SelectChoice(one.value, text) for one, text in TOLD_HOW.items()]
    )
    wording = TextAreaField(
        "What did they say?",
        description="In their own words, as near as you can. It is kept as evidence.",
        validators=[
            InputRequired("Write down what they said."),
            Length(max=2000, message="This can have up to 2,000 characters."),
        ],
    )

    @property
    def told_how(self) -> ConsentSource:
        """The way by which the organiser heard it."""
        return ConsentSource(self.source.data)


class PauseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Until when a person wants to hear nothing."""

    until = DateField(
        "Send nothing before", validators=[InputRequired("Choose the day on which messages may start again.")]
    )

    def moment(self) -> datetime:
        """The beginning of the chosen day, where the group is."""
        chosen: date = self.until.data
        return datetime.combine(chosen, time(0), ZoneInfo(settings().time_zone))


class GroupForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """A group's name."""

    name = StringField(
        "Name of the group",
        validators=[InputRequired("Enter a name."), Length(max=120, message="A name can have up to 120 characters.")],
    )


def blame(field: Field, problem: Exception) -> None:
    """Show beside a field what the service had to say about it."""
    field.errors = [*field.errors, str(problem)]
