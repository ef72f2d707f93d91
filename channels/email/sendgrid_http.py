"""The official SendGrid client over a pooled transport.

``python_http_client`` opens a new connection for each request and writes the whole body into a string for its log,
logged or not. Both are changed here; what is sent stays the same.
"""

from __future__ import annotations

import logging
from email.message import Message as HeaderFields
from typing import Any

import python_http_client
import requests
import sendgrid

from channels.transport import Answer, exchange

JSON = "application/json; charset=utf-8"
"""With this, and not with plain application/json, the client leaves a body alone that is JSON already."""


# At DEBUG it writes the key and whatever is sent into the log.
logging.getLogger("python_http_client").setLevel(logging.WARNING)


class Payload(bytes):
    """A body that is JSON already: passes where the client would encode a string, and stays out of its log."""

    def encode(self, *_: object) -> Payload:
        """Itself."""
        return self

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    def __format__(self, _: str) -> str:
        return repr(self)


class _Reply:
    """An answer in the shape that the client expects of urllib."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def getcode(self) -> int:
        return self._answer.status

    def read(self) -> bytes:
        return self._answer.body

    def info(self) -> HeaderFields:
        fields = HeaderFields()
        for name, value in self._answer.headers.items():
            fields[name] = value
        return fields


class PooledClient(python_http_client.Client):  # type: ignore[misc]  # ships no types
    """The client over one session of kept connections. Not to be shared between threads.

    An answer of 400 and above is returned like any other. Raises :class:`channels.transport.NotSent` and
    :class:`channels.transport.NoAnswer`.
    """

    def __init__(self, session: requests.Session, **given: Any) -> None:
        super().__init__(**given)
        self._session = session

    def _build_client(self, name: str | None = None) -> PooledClient:
        return PooledClient(
            self._session,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
        )

    def _make_request(self, _opener: Any, request: Any, timeout: float | None = None) -> _Reply:  # noqa: ARG002
        return _Reply(
            exchange(
                self._session,
                request.get_method(),
                request.get_full_url(),
                headers=dict(request.header_items()),
                body=request.data or b"",
            )
        )


def api(key: str, host: str, session: requests.Session) -> Any:
    """The official SDK's client for ``host`` over ``session``: call it as ``api(…).client.mail.send.post(…)``."""
    official = sendgrid.SendGridAPIClient(api_key=key, host=host)
    official.client = PooledClient(session, host=host, version=3, request_headers=official.client.request_headers)
    return official
