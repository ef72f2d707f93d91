"""What organisers fill in when they write an announcement."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, HiddenField, SelectField, StringField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from config.channels import CHANNELS
from config.settings import settings
from hub.announcements.deriving import Wording
from hub.announcements.models import Announcement
from hub.announcements.rules import LONGEST_BODY, LONGEST_SUBJECT, LONGEST_TITLE, faults, tidy
from hub.announcements.wording import TEXT_HINTS, TEXT_TITLES

END_OF_DAY = time(23, 59)
LATEST_YEAR = 2100

SHORTEST_SILENCE = 5
LONGEST_SILENCE = 7 * 24 * 60
"""Minutes."""


def _tidied(value: str | None) -> str:
    return tidy(value or "")


class DetailsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What the announcement is about."""

    title = StringField(
        "Title",
        description="In a few words. It is the subject of the email, unless you write another.",
        filters=[_tidied],
        validators=[
            InputRequired("Give the announcement a title."),
            Length(max=LONGEST_TITLE, message=f"Shorten the title to {LONGEST_TITLE} characters or fewer."),
        ],
    )
    topic = SelectField(
        "Topic",
        coerce=int,
        validate_choice=False,
        description="People choose by topic what they hear about, and how.",
    )
    urgent = BooleanField("It is urgent", description="It goes before everything else, in people’s quiet hours too.")
    silence = StringField(
        "If somebody has not answered, try their next way after so many minutes (optional)",
        description="Only an answer counts, so the text has to ask for one: a question, or “please answer”. Otherwise "
        "people who know everything are told again and again. Leave it empty to tell everybody once.",
    )
    until_day = DateField(
        "Of use until (optional)",
        description="After this it is not sent any more, so that nobody gets it too late.",
        validators=[Optional()],
    )
    until_time = TimeField("At what time (optional)", validators=[Optional()])

    def __init__(self, *args: Any, topics: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topic.choices = topics

    @classmethod
    def of(cls, announcement: Announcement, topics: list[tuple[int, str]]) -> DetailsForm:
        """The form with what is saved."""
        until = announcement.useful_until and announcement.useful_until.astimezone(_zone())
        return cls(
            topics=topics,
            data={
                "title": announcement.title,
                "topic": announcement.topic_id,
                "urgent": announcement.urgent,
                "silence": announcement.silence_minutes or "",
                "until_day": until.date() if until else None,
                "until_time": until.time() if until else None,
            },
        )

    def validate_title(self, field: Field) -> None:
        """A title of nothing but spaces is none."""
        if not field.data.strip():
            raise ValidationError("Give the announcement a title.")

    def validate_topic(self, field: Field) -> None:
        """The topic is one of ours."""
        if field.data not in {key for key, _ in self.topic.choices}:
            raise ValidationError("Choose a topic from the list.")

    def validate_silence(self, field: Field) -> None:
        """Minutes that make sense. What is not urgent has no use for them."""
        text = (field.data or "").strip()
        if self.urgent.data and text and not _is_whole(text, SHORTEST_SILENCE, LONGEST_SILENCE):
            raise ValidationError(
                f"Give a whole number of minutes from {SHORTEST_SILENCE} to {LONGEST_SILENCE:,} (a week), or nothing."
            )

    def validate_until_day(self, field: Field) -> None:
        """A day that clocks can tell."""
        if field.data and not 2000 <= field.data.year <= LATEST_YEAR:
            raise ValidationError(f"Give a day between now and {LATEST_YEAR}.")

    def validate_until_time(self, field: Field) -> None:
        """A time needs its day."""
        if field.data and not self.until_day.data and not self.until_day.errors:
            raise ValidationError("Say on which day, too.")

    @property
    def silence_minutes(self) -> int | None:
        """How long somebody may be silent after something urgent; None: for ever."""
        text = (self.silence.data or "").strip()
        return int(text) if self.urgent.data and text else None

    @property
    def useful_until(self) -> datetime | None:
        """The moment until which it is of use; a day alone lasts to its end."""
        if not self.until_day.data:
            return None
        local = datetime.combine(self.until_day.data, self.until_time.data or END_OF_DAY, _zone())
        return local.astimezone(UTC)


class WritingForm(FlaskForm):  # type: ignore[misc]
    """The texts of an announcement in one language and format: a field for each channel of the registry."""

    revision = HiddenField()
    subject = StringField(
        "Subject",
        filters=[_tidied],
        validators=[Length(max=LONGEST_SUBJECT, message=f"Shorten the subject to {LONGEST_SUBJECT} characters.")],
    )

    @property
    def texts(self) -> dict[str, Wording]:
        """What is said on each channel."""
        return {name: Wording(self.subject.data if name == "email" else "", self[name].data or "") for name in CHANNELS}

    @property
    def seen_revision(self) -> int | None:
        """The revision that the form was opened with."""
        text = self.revision.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def show_faults(self) -> bool:
        """Put what must be changed before sending beside its field. Returns whether there is anything."""
        for field, channel in [(self.subject, "email"), *((self[name], name) for name in CHANNELS)]:
            field.errors = [*field.errors, *faults(channel, (field.data or "").strip())]
        return any(field.errors for field in self)


for _name, _entry in CHANNELS.items():
    setattr(
        WritingForm,
        _name,
        TextAreaField(
            TEXT_TITLES.get(_name, _entry.label),
            description=TEXT_HINTS.get(_name, ""),
            filters=[_tidied],
            validators=[Length(max=LONGEST_BODY, message=f"Shorten this to {LONGEST_BODY:,} characters or fewer.")],
        ),
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(settings().time_zone)


def _is_whole(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most
