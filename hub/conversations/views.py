"""Conversations: what people told us, and who has looked at it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from hub.accounts.access import organiser_required
from hub.conversations import queries, service
from hub.db import read_session, utc_now, write_session
from hub.participants.addresses import shown
from hub.web.messages import flash_with_undo
from hub.web.paging import page_number
from hub.web.wording import counted

bp = Blueprint("conversations", __name__, url_prefix="/conversations")

LARGEST_ID = 2**63 - 1
LONGEST_SEARCH = 200


@bp.get("")
@organiser_required
def index() -> ResponseReturnValue:
    """Replies, newest first; those that nobody has looked at, or all."""
    unread_only = request.args.get("show") == "unread"
    search = request.args.get("search", "")[:LONGEST_SEARCH]
    with read_session() as session:
        found = queries.replies(session, unread_only=unread_only, search=search, page=page_number())
        unread = queries.unread_count(session)
    return render_template(
        "conversations/index.html", found=found, unread=unread, unread_only=unread_only, search=search, shown=shown
    )


@bp.post("/read")
@organiser_required
def mark_read() -> ResponseReturnValue:
    """Say of one or more replies that somebody has looked at them."""
    reply_ids = _reply_ids()
    with write_session() as session:
        changed = service.mark_read(session, reply_ids, utc_now())
    if changed:
        undo = url_for(".mark_unread", **_shown())
        flash_with_undo(f"{counted(changed, 'reply', 'replies')} marked as read.", undo, ids=_joined(reply_ids))
    return redirect(url_for(".index", **_shown()))


@bp.post("/unread")
@organiser_required
def mark_unread() -> ResponseReturnValue:
    """Put replies back among those to be looked at."""
    with write_session() as session:
        service.mark_unread(session, _reply_ids())
    return redirect(url_for(".index", **_shown()))


def _reply_ids() -> list[int]:
    given = request.form.get("ids", "").split(",")
    return [int(text) for text in given[:500] if text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID]


def _joined(reply_ids: list[int]) -> str:
    return ",".join(map(str, reply_ids))


def _shown() -> dict[str, Any]:
    """What the list that the button was on was showing."""
    return {
        name: value for name in ("show", "search", "page") if (value := request.args.get(name, "")[:LONGEST_SEARCH])
    }
