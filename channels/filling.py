"""Putting a person's own values where a text says ((field)): a text is taken apart once, and joined per message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape

FIELD = re.compile(r"\(\(\s*([^()]{1,40}?)\s*\)\)")


class Template:
    """A text taken apart at its fields. ``names`` are the fields that it uses, each once, in order.

    A field's name is compared without regard to case and to the width of spaces.
    """

    __slots__ = ("_pieces", "_slots", "names")

    def __init__(self, text: str) -> None:
        self._pieces: list[str] = []
        self._slots: list[tuple[int, str]] = []
        end = 0
        for match in FIELD.finditer(text):
            self._pieces += [text[end : match.start()], match.group()]
            self._slots.append((len(self._pieces) - 1, " ".join(match.group(1).lower().split())))
            end = match.end()
        self._pieces.append(text[end:])
        self.names = tuple(dict.fromkeys(name for _, name in self._slots))

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with its values, used as they are: a ((field)) inside a value is not filled again.

        A field without a value stays as it was written.
        """
        if not self._slots:
            return self._pieces[0]
        pieces = self._pieces.copy()
        for place, name in self._slots:
            value = values.get(name)
            if value is not None:
                pieces[place] = value
        return "".join(pieces)


@lru_cache(maxsize=512)
def template(text: str) -> Template:
    """``text`` taken apart; done once for each text that is in use."""
    return Template(text)


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """A plain text with a person's values. See :meth:`Template.fill`."""
    return template(text).fill(values)


def fill_html(html: str, values: Mapping[str, str]) -> str:
    """Safe HTML with a person's values, which are plain text and become harmless in elements and in attributes."""
    return template(html).fill({name: escape(value) for name, value in values.items()})


def fill_line(line: str, values: Mapping[str, str]) -> str:
    """A subject or another single line: no value can break it into two."""
    return " ".join(template(line).fill(values).split())
