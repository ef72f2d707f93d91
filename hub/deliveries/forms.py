"""What organisers fill in about sending: when an announcement leaves, and what its texts may cost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import DateField, Field, HiddenField, StringField, TimeField
from wtforms.validators import InputRequired, ValidationError

from config.settings import settings
from hub.deliveries.budgets import BadAmount, amount

LATEST_YEAR = 2100


class ScheduleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """When an announcement leaves."""

    revision = HiddenField()
    day = DateField("Day", validators=[InputRequired("Say on which day.")])
    time = TimeField("Time", validators=[InputRequired("Say at what time.")])

    def validate_day(self, field: Field) -> None:
        """A day that clocks can tell."""
        if field.data and not 2000 <= field.data.year <= LATEST_YEAR:
            raise ValidationError(f"Give a day between now and {LATEST_YEAR}.")

    @property
    def starts_at(self) -> datetime:
        """The chosen moment; day and time are the group's."""
        return datetime.combine(self.day.data, self.time.data, ZoneInfo(settings().time_zone)).astimezone(UTC)


class BudgetForm(FlaskForm):  # type: ignore[misc]
    """What an announcement's texts may cost."""

    budget = StringField("Stop before the texts cost more than")

    def validate_budget(self, field: Field) -> None:
        """An amount of money, or nothing."""
        try:
            amount(field.data or "")
        except BadAmount as problem:
            raise ValidationError(str(problem)) from None

    @property
    def amount(self) -> Decimal | None:
        """The amount; None: no limit."""
        return amount(self.budget.data or "")
