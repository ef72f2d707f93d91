"""Public posts on Mastodon: https://docs.joinmastodon.org/methods/statuses/#create."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson

from channels.base import Accepted, Channel, Message, Misconfigured, Outcome, Rejected, Rejection, TryLater
from channels.filling import fill_text
from channels.transport import Answer, NoAnswer, NotSent, exchange, retry_after, session, until
from config.settings import Settings

_WAIT = timedelta(seconds=60)
_LINK = re.compile(r"https?://\S+")
_USUAL_LENGTH, _USUAL_LENGTH_OF_LINKS = 500, 23


def from_settings(settings: Settings) -> Channel:
    """Posts as the settings say. Connects to nobody yet."""
    return MastodonChannel(settings)


class MastodonChannel:
    """Posts in the group's name. To be used by one thread at a time.

    Each post carries an idempotency key, by which the server recognises a repeat for an hour: whatever goes wrong on
    the way, it is safe to try again, so nothing here is ever Unknown.
    """

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.mastodon_base_url
        self._token = settings.mastodon_access_token.get_secret_value()
        self._problem = _problem(self._token)
        self._session = session(self._base_url)
        self._lengths: tuple[int, int] | None = None

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`. The hub sends one message for each post, not for each person."""
        for message in messages:
            outcome = self._post(message)
            yield message.delivery_id, outcome
            if isinstance(outcome, Misconfigured):
                return

    def check(self) -> str | None:
        """Ask whose the token is. None: posts can be written; otherwise what is wrong."""
        if self._problem:
            return self._problem
        try:
            answer = self._ask("GET", "/api/v1/accounts/verify_credentials")
        except (NotSent, NoAnswer) as error:
            return f"The Mastodon server can’t be reached at {self._base_url} ({error})."
        if answer.status in {401, 403}:
            return "The Mastodon server does not know this token: check MASTODON_ACCESS_TOKEN."
        if answer.status != 200 or not _read(answer).get("id"):
            return f"What answers at {self._base_url} is not a Mastodon server: check MASTODON_BASE_URL."
        return None

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _post(self, message: Message) -> Outcome:
        if self._problem:
            return Misconfigured("not_set_up", self._problem)
        text = fill_text(message.content.text, message.values)
        form = {"status": text, "visibility": "public", "language": message.content.language.partition("-")[0]}
        key = message.idempotency_key or f"everyway-delivery-{message.delivery_id}"
        try:
            if not self._fits(text):
                return Rejected("too_long", Rejection.CONTENT)
            answer = self._ask("POST", "/api/v1/statuses", urlencode(form, errors="replace").encode(), key)
        except (NotSent, NoAnswer) as error:
            return TryLater(str(error)[:40], _WAIT)
        return _outcome(answer)

    def _fits(self, text: str) -> bool:
        longest, each_link = self._limits()
        return len(_LINK.sub("x" * each_link, text)) <= longest

    def _limits(self) -> tuple[int, int]:
        """How long a post may be on this server, and how much a link counts."""
        if self._lengths is None:
            statuses = _read(self._ask("GET", "/api/v2/instance")).get("configuration", {})
            statuses = statuses.get("statuses", {}) if isinstance(statuses, dict) else {}
            statuses = statuses if isinstance(statuses, dict) else {}
            self._lengths = (
                _number(statuses.get("max_characters"), _USUAL_LENGTH),
                _number(statuses.get("characters_reserved_per_url"), _USUAL_LENGTH_OF_LINKS),
            )
        return self._lengths

    def _ask(self, method: str, path: str, body: bytes = b"", key: str = "") -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": key}
        return exchange(self._session, method, self._base_url + path, headers=headers, body=body)


def _outcome(answer: Answer) -> Outcome:
    status, headers = answer.status, answer.headers
    if 200 <= status < 300:
        post = _read(answer).get("id")
        return Accepted(str(post)) if post else TryLater("unreadable", _WAIT)
    if status == 429:
        return TryLater("429", until(headers.get("X-RateLimit-Reset") or "", _WAIT))
    if status >= 500 or status == 408:
        return TryLater(str(status), retry_after(headers, _WAIT))
    if status in {401, 403}:
        return Misconfigured(str(status), "The Mastodon server refuses: check MASTODON_ACCESS_TOKEN and its scopes.")
    if status in {400, 413, 422}:
        return Rejected(str(status), Rejection.CONTENT)
    return Misconfigured(str(status), f"The Mastodon server answered {status}: check MASTODON_BASE_URL.")


def _read(answer: Answer) -> dict[str, Any]:
    try:
        read = orjson.loads(answer.body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value > 0 else otherwise


def _problem(token: str) -> str | None:
    if not token:
        return "MASTODON_ACCESS_TOKEN is not set."
    if not (token.isascii() and token.isprintable() and " " not in token):
        return "MASTODON_ACCESS_TOKEN has characters that no token has."
    return None
