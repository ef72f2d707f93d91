"""One public post on the group's Mastodon account: https://docs.joinmastodon.org/methods/statuses/#create.

A server keeps an Idempotency-Key for an hour, so a post whose answer was lost can simply be tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import requests

from channels.base import Accepted, Message, Misconfigured, Outcome, Rejected, Rejection, TryLater
from channels.filling import fill_text
from config.settings import Settings

SECONDS = (5.0, 30.0)
"""To connect, and to wait for the answer."""
AGAIN_AFTER = timedelta(seconds=30)
NOT_SET_UP = "MASTODON_ACCESS_TOKEN is not set. Make an access token that may write statuses, and put it there."


class MastodonChannel:
    """Posts to one account, one post after the other: an announcement needs few."""

    def __init__(self, base_url: str, access_token: str) -> None:
        self._base_url = base_url
        self._access_token = access_token
        self._http = requests.Session()

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """Post each message. Ends the reading when the account can't be used."""
        for message in messages:
            outcome = self._post(message)
            yield message.delivery_id, outcome
            if isinstance(outcome, Misconfigured):
                return

    def check(self) -> str | None:
        """Ask the server who we are."""
        if not self._access_token:
            return NOT_SET_UP
        try:
            answer = self._ask("GET", "/api/v1/accounts/verify_credentials")
        except requests.RequestException as error:
            return f"The Mastodon server does not answer ({type(error).__name__}). Check MASTODON_BASE_URL."
        if answer.status_code in {401, 403}:
            return "The Mastodon server refuses MASTODON_ACCESS_TOKEN. Make a new one that may write statuses."
        return None if answer.ok else f"The Mastodon server answers with status {answer.status_code}."

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _post(self, message: Message) -> Outcome:
        if not self._access_token:
            return Misconfigured("401", NOT_SET_UP)
        post = {
            "status": fill_text(message.content.text, message.values),
            "visibility": "public",
            "language": message.content.language.partition("-")[0],
        }
        try:
            answer = self._ask(
                "POST",
                "/api/v1/statuses",
                data=post,
                headers={"Idempotency-Key": message.idempotency_key or str(message.delivery_id)},
            )
        except requests.RequestException as error:
            return TryLater(type(error).__name__, AGAIN_AFTER)
        return _outcome(answer)

    def _ask(
        self, method: str, path: str, data: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        return self._http.request(
            method,
            f"{self._base_url}{path}",
            data=data,
            headers={"Authorization": f"Bearer {self._access_token}", **(headers or {})},
            timeout=SECONDS,
            allow_redirects=False,
        )


def _outcome(answer: requests.Response) -> Outcome:
    code = str(answer.status_code)
    match answer.status_code:
        case 200:
            return _accepted(answer)
        case 401 | 403:
            return Misconfigured(code, "The Mastodon server refuses MASTODON_ACCESS_TOKEN.")
        case 404 | 410:
            return Misconfigured(code, "There is no Mastodon server at MASTODON_BASE_URL.")
        case 429:
            return TryLater(code, _until(answer.headers.get("X-RateLimit-Reset", "")))
        case status if 400 <= status < 500:
            return Rejected(code, Rejection.CONTENT)
        case _:
            return TryLater(code, AGAIN_AFTER)


def _accepted(answer: requests.Response) -> Outcome:
    try:
        return Accepted(str(answer.json()["id"]))
    except (ValueError, KeyError, TypeError):
        return TryLater("not an answer", AGAIN_AFTER)


def _until(reset: str) -> timedelta:
    """How long until the rate limit starts anew; the header is ISO 8601."""
    try:
        at = datetime.fromisoformat(reset)
    except ValueError:
        return AGAIN_AFTER
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC), timedelta(seconds=1))


def from_settings(settings: Settings) -> MastodonChannel:
    """The social channel, with the group's account."""
    return MastodonChannel(settings.mastodon_base_url, settings.mastodon_access_token.get_secret_value())
