"""What callers and organisers type about call lists."""

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf import FlaskForm
from wtforms import DateField, StringField
from wtforms.validators import Length, Optional

from hub.calls.models import CallOutcome
from hub.calls.service import LONGEST_NOTE, Result

LARGEST_ID = 2**63 - 1
MOST_ROWS = 200


class DetailsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Who rings the people on a list, and by when it comes back."""

    caller = StringField(
        "Who rings them",
        description="A first name is enough.",
        validators=[Length(max=120, message="Up to 120 characters.")],
    )
    return_by = DateField("Give the list back by", validators=[Optional()])


def read_results(form: Mapping[str, str]) -> list[Result]:
    """The results that were ticked on a page of a list: fields ``outcome-7``, ``note-7`` and ``seen-7`` for a row.

    What is no number or no outcome is left out.
    """
    results: list[Result] = []
    for name, value in form.items():
        delivery_id = _number(name.removeprefix("outcome-")) if name.startswith("outcome-") else 0
        if not delivery_id or value not in set(CallOutcome) or len(results) == MOST_ROWS:
            continue
        note = form.get(f"note-{delivery_id}", "")[: LONGEST_NOTE * 2]
        seen = _number(form.get(f"seen-{delivery_id}", ""))
        results.append(Result(delivery_id, CallOutcome(value), note, seen))
    return results


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if number <= LARGEST_ID else 0
