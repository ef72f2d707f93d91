"""Email by SendGrid, through the official SDK: up to a thousand people in a request.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

import orjson

from channels.addresses import is_fictional
from channels.base import (
    Accepted,
    Channel,
    Message,
    Misconfigured,
    Outcome,
    Rejected,
    Rejection,
    TryLater,
    Unknown,
)
from channels.email.sender import read_sender
from channels.email.sendgrid_http import JSON, Payload, api
from channels.email.sendgrid_mail import mail
from channels.timings import Timings
from channels.transport import NoAnswer, NotSent, retry_after, session, until
from config.settings import Settings

PEOPLE_IN_A_REQUEST = 1000
LONGEST_PAUSE_SECONDS = 1.0
_WAIT = timedelta(seconds=30)
_PERSON = re.compile(r"personalizations[.\[](\d+)")

Result = tuple[int, Outcome]


def from_settings(settings: Settings) -> Channel:
    """Email as the settings say. Connects to nobody yet."""
    return SendGridChannel(settings)


class SendGridChannel:
    """Sends email by SendGrid's mail/send. To be used by one thread at a time."""

    def __init__(self, settings: Settings, longest_pause: float = LONGEST_PAUSE_SECONDS) -> None:
        self.timings = Timings()
        self._sender, self._problem = read_sender(settings), _problem(settings)
        self._key = settings.sendgrid_api_key.get_secret_value()
        self._base_url = settings.sendgrid_base_url
        self._fictional_ok = settings.sandbox
        self._longest_pause = longest_pause
        self._api: Any = None
        self._session = session(self._base_url)

    def send(self, messages: Iterable[Message]) -> Iterator[Result]:
        """See :class:`channels.base.Channel`. There is room for a thousand messages at a time."""
        source = iter(messages)
        while batch := list(islice(source, PEOPLE_IN_A_REQUEST if not self._problem else 1)):
            trouble: Misconfigured | None = None
            if self._problem:
                trouble = Misconfigured("not_set_up", self._problem)
            for request in _requests(batch):
                # What was read is answered, even where it is not sent any more.
                results = [(one.delivery_id, trouble) for one in request] if trouble else self._send(request)
                for delivery_id, outcome in results:
                    trouble = outcome if isinstance(outcome, Misconfigured) else trouble
                    yield delivery_id, outcome
            if trouble:
                return

    def check(self) -> str | None:
        """Ask what the key may do. None: it may send; otherwise what is wrong."""
        if self._problem:
            return self._problem
        try:
            answer = self._client().scopes.get()
            scopes = orjson.loads(answer.body).get("scopes", []) if answer.status_code == 200 else []
        except (NotSent, NoAnswer) as error:
            return f"SendGrid can’t be reached at {self._base_url} ({error})."
        except (ValueError, AttributeError):
            return f"What answers at {self._base_url} is not SendGrid: check SENDGRID_BASE_URL."
        if answer.status_code in {401, 403}:
            return "SendGrid does not know this key: check SENDGRID_API_KEY."
        if answer.status_code != 200:
            return f"SendGrid answered {answer.status_code} at {self._base_url}."
        return None if "mail.send" in scopes else "SENDGRID_API_KEY is not allowed to send mail."

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    def _client(self) -> Any:
        if self._api is None:
            self._api = api(self._key, self._base_url, self._session)
        return self._api.client

    def _send(self, messages: Sequence[Message]) -> Iterator[Result]:
        if not self._fictional_ok:
            fictional = [message for message in messages if is_fictional(message.address)]
            yield from _all(fictional, Rejected("fictional", Rejection.CONTACT_POINT_IS_BAD))
            messages = [message for message in messages if not is_fictional(message.address)]
        if messages:
            yield from self._post(messages)

    def _post(self, messages: Sequence[Message]) -> Iterator[Result]:
        """Send one request, and smaller ones where SendGrid has taken nothing of it because of some."""
        body = Payload(mail(messages, self._sender))
        began = time.monotonic()
        try:
            answer = self._client().mail.send.post(request_body=body, request_headers={"Content-Type": JSON})
        except NotSent as error:
            yield from self._later(messages, TryLater(str(error)[:40], _WAIT))
            return
        except NoAnswer as error:
            yield from _all(messages, Unknown(str(error)))
            return
        self.timings.add(time.monotonic() - began)
        if answer.status_code == 413 and len(messages) > 1:
            middle = len(messages) // 2
            yield from self._post(messages[:middle])
            yield from self._post(messages[middle:])
        elif answer.status_code == 400:
            yield from self._without_the_refused(messages, _errors(answer.body))
        else:
            outcome = _outcome(answer.status_code, answer.headers)
            yield from self._later(messages, outcome) if isinstance(outcome, TryLater) else _all(messages, outcome)

    def _without_the_refused(self, messages: Sequence[Message], errors: Sequence[dict[str, Any]]) -> Iterator[Result]:
        refused: dict[int, Rejection] = {}
        for error in errors:
            field = str(error.get("field") or "")
            person = _PERSON.match(field)
            if person and int(person.group(1)) < len(messages):
                why = Rejection.CONTACT_POINT_IS_BAD if ".to" in field else Rejection.CONTENT
                refused.setdefault(int(person.group(1)), why)
        if not refused:
            yield from _all(messages, _refused_whole(errors))
            return
        for place, why in refused.items():
            yield messages[place].delivery_id, Rejected("400", why)
        rest = [message for place, message in enumerate(messages) if place not in refused]
        if rest:
            yield from self._post(rest)

    def _later(self, messages: Sequence[Message], outcome: TryLater) -> Iterator[Result]:
        yield from _all(messages, outcome)
        time.sleep(min(outcome.after.total_seconds(), self._longest_pause))  # rather than asking for the next at once


def _requests(messages: Sequence[Message]) -> list[list[Message]]:
    """One request for each content, and more where people share a mailbox: SendGrid takes an address once a request."""
    requests: list[list[Message]] = []
    opened: dict[tuple[int, bool, int], tuple[list[Message], set[str]]] = {}
    for message in messages:
        address = message.address.casefold()
        kind, number = (id(message.content), bool(message.unsubscribe_url)), 0
        while (request := opened.get((*kind, number))) is not None and address in request[1]:
            number += 1
        if request is None:
            request = opened[(*kind, number)] = ([], set())
            requests.append(request[0])
        request[0].append(message)
        request[1].add(address)
    return requests


def _all(messages: Iterable[Message], outcome: Outcome) -> Iterator[Result]:
    return ((message.delivery_id, outcome) for message in messages)


def _outcome(status: int, headers: Any) -> Outcome:
    """What an answer means for the whole request. SendGrid may have taken a request that it answers with 5xx."""
    if 200 <= status < 300:
        return Accepted(headers.get("X-Message-Id") or "")
    if status == 429:
        reset = until(headers.get("X-RateLimit-Reset") or "", _WAIT)
        return TryLater("429", retry_after(headers, reset) if headers.get("Retry-After") else reset)
    if status == 503 and headers.get("Retry-After"):
        return TryLater("503", retry_after(headers, _WAIT))
    if status >= 500:
        return Unknown(f"SendGrid answered {status}.")
    if status == 413:
        return Rejected("413", Rejection.CONTENT)
    if status == 408:
        return TryLater("408", _WAIT)
    if status in {401, 403}:
        return Misconfigured(
            str(status), "SendGrid refuses: check SENDGRID_API_KEY and whether EMAIL_FROM is verified."
        )
    return Misconfigured(str(status), f"SendGrid answered {status}: check SENDGRID_BASE_URL.")


def _refused_whole(errors: Sequence[dict[str, Any]]) -> Outcome:
    fields = {re.split(r"[.\[]", str(error.get("field") or ""))[0] for error in errors}
    if fields and fields <= {"subject", "content"}:
        return Rejected("400", Rejection.CONTENT)
    # Nothing says that a person or a text is at fault, so nobody is given up because of it.
    what = ", ".join(sorted(field for field in fields if field.isascii() and field.isprintable()))[:80]
    return Misconfigured("400", f"SendGrid refuses the request{f' because of “{what}”' if what else ''}.")


def _errors(body: bytes) -> list[dict[str, Any]]:
    try:
        errors = orjson.loads(body)["errors"]
    except (ValueError, KeyError, TypeError):
        return []
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _problem(settings: Settings) -> str | None:
    key = settings.sendgrid_api_key.get_secret_value()
    if not key:
        return "SENDGRID_API_KEY is not set."
    if not (key.isascii() and key.isprintable() and " " not in key):
        return "SENDGRID_API_KEY has characters that no key has."
    return None if read_sender(settings).address else "EMAIL_FROM is not set, or is not an email address."
