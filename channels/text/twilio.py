"""Texts by Twilio, through the official SDK, with many calls in flight.

The SDK's own HTTP client costs some twenty times what the SDK itself does, so it gets a leaner one:
:mod:`channels.text.twilio_http`.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import uvloop
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from channels.addresses import is_fictional
from channels.base import (
    Channel,
    Found,
    Message,
    Misconfigured,
    Outcome,
    Progress,
    Rejected,
    Rejection,
    TryLater,
    Unknown,
)
from channels.crowd import Crowd
from channels.filling import fill_text
from channels.pool import Limits
from channels.text.twilio_errors import outcome_of
from channels.text.twilio_http import TwilioHttp, http_client
from channels.text.twilio_receipts import progress_of, reason_of
from channels.timings import Timings
from channels.transport import UNREADABLE_CERTIFICATES, NoAnswer, NotSent
from config.settings import Settings

IN_FLIGHT = 64
FIND_SECONDS = 5.0
"""Asking holds up sending, and can be repeated."""
"""Twilio refuses (20429) more than about 100 calls at the same time for one account, lookups and others included."""
LONGEST_BODY = 1600
LONGEST_VALIDITY = timedelta(seconds=36_000)
LISTED_AT_MOST = 200
_WAIT = timedelta(seconds=30)
# The SDK would otherwise look for an edge and a region of its own in the environment.
_NO_ENVIRONMENT = {"TWILIO": ""}


def from_settings(settings: Settings) -> Channel:
    """Texts as the settings say. Connects to nobody yet."""
    return TwilioChannel(settings)


class TwilioChannel:
    """Sends texts by Twilio's Messages resource. To be used by one thread at a time.

    https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
    """

    def __init__(self, settings: Settings, in_flight: int = IN_FLIGHT, limits: Limits | None = None) -> None:
        self.timings = Timings()
        self._sid = settings.twilio_account_sid
        self._token = settings.twilio_auth_token.get_secret_value()
        self._sender = _sender(settings)
        self._base_url = settings.twilio_base_url
        self._fictional_ok = settings.sandbox
        self._problem = _problem(settings)
        self._in_flight = in_flight
        self._limits = limits
        self._uri = f"https://api.twilio.com/2010-04-01/Accounts/{self._sid}/Messages.json"
        self._loop: AbstractEventLoop | None = None
        self._http: TwilioHttp | None = None
        self._client: Any = None

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`. Outcomes come in small groups, without waiting for the slowest."""
        problem = self._connect()
        if problem:
            for message in messages:
                yield message.delivery_id, Misconfigured("not_set_up", problem)
                return
            return
        assert self._loop is not None  # noqa: S101 - connected
        yield from Crowd(self._loop, self._send_one, self._in_flight, self.timings).send(messages)

    def check(self) -> str | None:
        """Fetch the account. None: texts can be sent; otherwise what is wrong."""
        problem = self._connect()
        if problem:
            return problem
        try:
            account = self._run(self._client.api.v2010.accounts(self._sid).fetch_async())
        except TwilioRestException as error:
            if error.status in {401, 403, 404}:
                return "Twilio does not know these credentials: check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
            return f"Twilio answered {error.status} at {self._base_url}."
        except (NotSent, NoAnswer) as error:
            return f"Twilio can’t be reached at {self._base_url} ({error})."
        except (TwilioException, ValueError, TypeError, AttributeError, KeyError):
            return f"What answers at {self._base_url} is not Twilio: check TWILIO_BASE_URL."
        return None if account.status in {None, "active"} else f"The Twilio account is {account.status}."

    def find(self, asked: Sequence[tuple[str, datetime]]) -> list[list[Found] | None]:
        """The texts that Twilio has for numbers, made since then: for settling what is uncertain.

        None where Twilio can't be asked now. Moments are aware; Twilio's times are in whole seconds.
        """
        if self._connect():
            return [None] * len(asked)

        async def all_at_once() -> list[list[Found] | None]:
            return await asyncio.gather(*(self._find_one(*each) for each in asked))

        found: list[list[Found] | None] = self._run(all_at_once())
        return found

    async def _find_one(self, address: str, since: datetime) -> list[Found] | None:
        try:
            async with asyncio.timeout(FIND_SECONDS):
                # Not by DateSent: a text that is still queued has none.
                listed = await self._client.messages.list_async(to=address, limit=LISTED_AT_MOST)
        except (TimeoutError, TwilioException, NotSent, NoAnswer, ValueError, TypeError, KeyError):
            return None
        since = since.replace(microsecond=0)
        return [_found(message) for message in listed if message.date_created is None or message.date_created >= since]

    def close(self) -> None:
        """Let go of connections."""
        if self._loop is not None and self._http is not None:
            self._loop.run_until_complete(self._http.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
        self._loop = self._http = self._client = None

    def _connect(self) -> str | None:
        if self._problem or self._client is not None:
            return self._problem
        try:
            self._http = http_client(self._base_url, self._limits)
        except OSError:
            return f"Twilio can’t be reached: {UNREADABLE_CERTIFICATES}."
        self._client = Client(self._sid, self._token, http_client=self._http, environment=_NO_ENVIRONMENT)
        self._loop = uvloop.new_event_loop()
        return None

    def _run(self, call: Any) -> Any:
        assert self._loop is not None  # noqa: S101 - connected
        return self._loop.run_until_complete(call)

    async def _send_one(self, message: Message) -> Outcome:
        if not self._fictional_ok and is_fictional(message.address):
            return Rejected("fictional", Rejection.CONTACT_POINT_IS_BAD)
        form = self._form(message)
        if len(form["Body"]) > LONGEST_BODY:
            return Rejected("21617", Rejection.CONTENT)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            # The same bytes as messages.create_async, without making an object of every answer.
            answer = await self._client.request_async("POST", self._uri, data=form, headers=headers)
        except NotSent as error:
            return TryLater(str(error)[:40], _WAIT)
        except NoAnswer as error:
            return Unknown(str(error))
        return outcome_of(answer.status_code, answer.text, answer.headers)

    def _form(self, message: Message) -> dict[str, str]:
        form = {"To": message.address}
        if message.status_callback:
            form["StatusCallback"] = message.status_callback
        if message.valid_for is not None:
            seconds = min(max(message.valid_for, timedelta(seconds=1)), LONGEST_VALIDITY).total_seconds()
            form["ValidityPeriod"] = str(int(seconds))
        form["SmartEncoded"] = "false"  # what was counted and shown is what is sent
        form.update(self._sender)
        form["Body"] = fill_text(message.content.text, message.values)
        return form


def _found(message: Any) -> Found:
    progress, code = progress_of(message.status), str(message.error_code or "")
    why = reason_of(code) if progress is Progress.FAILED else None
    return Found(message.sid, message.body or "", progress, code, why)


def _sender(settings: Settings) -> dict[str, str]:
    if settings.twilio_messaging_service_sid:
        return {"MessagingServiceSid": settings.twilio_messaging_service_sid}
    return {"From": settings.twilio_from}


def _problem(settings: Settings) -> str | None:
    if not settings.twilio_account_sid:
        return "TWILIO_ACCOUNT_SID is not set."
    if not settings.twilio_account_sid.isalnum():
        return "TWILIO_ACCOUNT_SID is not a SID: it begins with AC, and letters and digits follow."
    if not settings.twilio_auth_token.get_secret_value():
        return "TWILIO_AUTH_TOKEN is not set."
    if not settings.twilio_from and not settings.twilio_messaging_service_sid:
        return "Neither TWILIO_FROM nor TWILIO_MESSAGING_SERVICE_SID is set."
    return None
