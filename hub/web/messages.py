"""Telling people what an action did, with a way back where there is one."""

from __future__ import annotations

from typing import Any

from flask import flash


def flash_with_undo(text: str, undo: str, **fields: Any) -> None:
    """Show ``text`` on the next page beside an Undo button that posts ``fields`` to the address ``undo``."""
    flash({"text": text, "undo": undo, "fields": fields})  # type: ignore[arg-type]  # Flask passes any JSON value on


def flash_done(text: str) -> None:
    """Show on the next page that something is done."""
    flash(text, "success")
