"""What a list's address asks for."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

LAST_PAGE = 1_000_000


def page_number() -> int:
    """The page that this request asks for; anything that is not a page is the first."""
    text = request.args.get("page", "1")
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def this_page_with(**changes: Any) -> str:
    """This page's address with some of its query changed; None takes a name out. A new question begins on page 1."""
    query: dict[str, Any] = {name: request.args.getlist(name) for name in request.args}
    if "page" not in changes:
        query.pop("page", None)
    query.update(changes)
    kept = {name: value for name, value in query.items() if value not in (None, "", [""], [])}
    return url_for(request.endpoint or "home.index", **(request.view_args or {}), **kept)
