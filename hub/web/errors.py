"""One place that turns whatever went wrong into a page or into JSON, in plain words."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from hub.errors import HubError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wording:
    """What an error page says: what happened, and what to do next."""

    title: str
    message: str


WORDINGS: dict[int, Wording] = {
    400: Wording("That didn’t work", "Something in the request was not complete. Go back and try again."),
    401: Wording("Please sign in", "You need to sign in to see this page."),
    403: Wording("This page is not for your account", "If you need it, ask an administrator of your group."),
    404: Wording(
        "Page not found",
        "If you typed the address, check it. If you followed a link, what it led to may have been removed.",
    ),
    405: Wording("That can’t be done here", "Go back to the page that you came from and use its buttons."),
    409: Wording("That can’t be done just now", "Something has changed in the meantime. Load the page again."),
    413: Wording("The file is too large", "Files can be up to 32 MB. Split it, or take out sheets you don’t need."),
    429: Wording("Too many tries", "Wait a minute, and then try again."),
    500: Wording(
        "Sorry, something went wrong on our side",
        "Nothing that was saved before is lost. Try again; if it happens again, tell an administrator",
    ),
}
CSRF_EXPIRED = Wording(
    "This page was open too long",
    "Your sign-in has ended since you opened the form, so nothing was changed. Go back, load the page again and retry.",
)


def register_errors(app: Flask) -> None:
    """Answer every error in the look of the product. A traceback goes to the log only."""
    app.register_error_handler(HubError, _our_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def wants_json() -> bool:
    """Whether the one who asks is a program: it says so, or asks below /webhooks/."""
    if request.path.startswith("/webhooks/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def _our_error(error: HubError) -> Response:
    usual = WORDINGS.get(error.status, WORDINGS[400])
    return _answer(error.status, Wording(usual.title, str(error) or usual.message))


def _csrf_error(_error: CSRFError) -> Response:
    return _answer(400, CSRF_EXPIRED)


def _http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    answer = _answer(error.code, WORDINGS.get(error.code, WORDINGS[400 if error.code < 500 else 500]))
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers.setdefault(name, value)
    return answer


def _unforeseen(error: Exception) -> Response:
    reference = secrets.token_hex(4)
    log.error("unforeseen error", reference=reference, endpoint=request.endpoint, exc_info=error)
    return _answer(500, WORDINGS[500], reference)


def _answer(status: int, wording: Wording, reference: str = "") -> Response:
    if wants_json():
        body = {"error": wording.message} | ({"reference": reference} if reference else {})
        response = jsonify(body)
    else:
        response = make_response(
            render_template("errors/error.html", status=status, wording=wording, reference=reference)
        )
    response.status_code = status
    return response
