"""Ids as they come in addresses and forms: where a number can't be one, it is as if there were nothing."""

from __future__ import annotations

from werkzeug.routing import IntegerConverter, ValidationError

LARGEST_ID = 2**31 - 1
"""What an INTEGER column of PostgreSQL holds; a larger number would be refused with an error, not “not found”."""


class IdConverter(IntegerConverter):
    """``<int:…>`` in addresses: a number that no row can have leads to no page."""

    def to_python(self, value: str) -> int:
        """The number. Raises :class:`ValidationError`, which makes it a 404."""
        number: int = super().to_python(value)
        if number > LARGEST_ID:
            raise ValidationError
        return number


def row_id(text: str | int) -> int:
    """An id from a form or a query. Raises :class:`ValueError` for anything that no row can have."""
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise ValueError("No row has this number.")
    return number
