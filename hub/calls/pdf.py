"""Prints a call list: a tagged PDF (PDF/UA-1) with a cover and a table that works in black and white."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import orjson
import typst

from config.settings import settings
from hub.announcements.rendering import FIELD
from hub.calls.models import CallOutcome
from hub.calls.queries import CallRow, Sheet
from hub.calls.rules import OUTCOMES
from hub.errors import Conflict
from hub.participants.addresses import shown
from hub.participants.wording import language_name
from hub.web.wording import counted, day, moment

TEMPLATE = Path(__file__).parent / "sheet.typ"
FONTS = Path(__file__).parent.parent / "static" / "vendor"
LONGEST_UNBROKEN = 13
NO_BREAK_SPACE, BREAK_HERE = "\u00a0", "\u200b"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LONG_WORD = re.compile(rf"\S{{{LONGEST_UNBROKEN}}}(?=\S)")
_NOT_SHOWN = "could not be displayed"


def render(sheet: Sheet, now: datetime) -> bytes:
    """The PDF of a list. Raises :class:`hub.errors.Conflict` where nobody is left to ring.

    Texts are passed as data, so that nothing in a name or a script is taken for a command. Where no font has a
    letter, the file is made without the promise of PDF/UA, as it would not be true: it is tagged all the same.
    """
    if not sheet.rows:
        raise Conflict("Nobody on this list is left to ring, so there is nothing to print.")
    data = {"sheet": orjson.dumps(_data(sheet, now)).decode()}
    try:
        return _compiled(data, "ua-1")
    except typst.TypstError as error:
        if _NOT_SHOWN not in error.message:
            raise
        return _compiled(data, None)


def _compiled(data: dict[str, str], standard: Literal["ua-1"] | None) -> bytes:
    return typst.compile(TEMPLATE, format="pdf", font_paths=_fonts(), sys_inputs=data, pdf_standards=standard)


@cache
def _fonts() -> typst.Fonts:
    folders = [str(FONTS / "atkinson-hyperlegible-next"), str(FONTS / "noto-sans")]
    return typst.Fonts(font_paths=folders)


def _data(sheet: Sheet, now: datetime) -> dict[str, object]:
    listed = sheet.call_list
    concern = OUTCOMES[CallOutcome.WORRIED]
    return {
        "heading": f"Call list {listed.code}: {_text(listed.title)}",
        "title": _text(listed.title),
        "code": listed.code,
        "group": _text(settings().group_name),
        "country": settings().country.lower(),
        "emergency": "999" if settings().country == "GB" else "112",
        "dial_first": "141" if settings().country == "GB" else "",
        "people": counted(len(sheet.rows), "person", "people"),
        "caller": _text(listed.caller),
        "return_by": day(listed.return_by),
        "message": script(sheet.script),
        "concern": f"{concern.letter} {concern.label}",
        "address": f"{settings().public_url}/call-lists",
        "keep": "Keep this safe: it names people.",
        "printed": f"Printed {moment(now)}",
        "outcomes": [{"letter": words.letter, "label": words.label} for words in OUTCOMES.values()],
        "rows": list(_rows(sheet.rows)),
    }


def _rows(rows: Iterable[CallRow]) -> Iterable[dict[str, object]]:
    for row in rows:
        yield {
            "number": str(row.number),
            "name": _text(row.name),
            "phone": shown(row.address).replace(" ", NO_BREAK_SPACE),
            "landline": row.is_landline,
            "language": "" if row.language.partition("-")[0] == "en" else _text(language_name(row.language)),
            "how_to_talk": _text(row.how_to_talk),
            "best_time": _text(row.best_time),
            "attempts": row.attempts,
        }


def script(body: str) -> str:
    """A call script as it is read out: what the caller fills in stands in square brackets."""
    return _text(FIELD.sub(lambda field: _same_for_everybody(field[1]), body).strip())


def _same_for_everybody(field: str) -> str:
    """A field on the cover, which is for all rows: the group's name can be said, the person's is on the row."""
    return settings().group_name if field == "group name" else f"[{field}]"


def _text(text: str) -> str:
    """Text that can be set: without what turns writing around, and with places to break very long words."""
    return _LONG_WORD.sub(lambda word: word[0] + BREAK_HERE, _CONTROL.sub("", text))
