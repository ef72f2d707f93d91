"""The menu at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_login import current_user


@dataclass(frozen=True, slots=True)
class Section:
    """One entry: shown to the roles named, and marked on every page below ``prefix``."""

    label: str
    endpoint: str
    prefix: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A section as one request sees it."""

    label: str
    url: str
    current: bool


_ORGANISING = frozenset({"admin", "organiser"})
_ANYBODY = frozenset({"admin", "organiser", "volunteer"})

SECTIONS = (
    Section("Home", "home.index", "/", _ORGANISING),
    Section("Announcements", "deliveries.index", "/announcements", _ORGANISING),
    Section("People", "people.index", "/people", _ORGANISING),
    Section("Conversations", "conversations.index", "/conversations", _ORGANISING),
    Section("Call lists", "calls.index", "/call-lists", _ANYBODY),
    Section("Settings", "settings.index", "/settings", _ORGANISING),
)


def register_navigation(app: Flask) -> None:
    """Give templates ``navigation()``."""
    app.jinja_env.globals["navigation"] = navigation


def navigation() -> list[Entry]:
    """The sections that the one who is signed in may open."""
    if not current_user.is_authenticated:
        return []
    mine = {role.name for role in current_user.roles}
    return [
        Entry(section.label, url_for(section.endpoint), _is_current(section.prefix))
        for section in SECTIONS
        if section.roles & mine
    ]


def _is_current(prefix: str) -> bool:
    if prefix == "/":
        return request.path == "/"
    return request.path == prefix or request.path.startswith(prefix + "/")
