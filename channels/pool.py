"""A lean keep-alive HTTP/1.1 client on asyncio, for one server and many requests in flight.

It does little so that it costs little: one request at a time on a connection, no redirects, no cookies, no proxies, and
above all no second try. It tells apart what callers must know: whether anything of a request has left this machine.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

from channels.transport import ANSWER_SECONDS, CONNECT_SECONDS, LARGEST_ANSWER, Answer, NoAnswer, NotSent

_SURELY_OPEN_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, and how much to take. An idle connection older than ``idle_seconds`` is not used again."""

    connect_seconds: float = CONNECT_SECONDS
    answer_seconds: float = ANSWER_SECONDS
    idle_seconds: float = 15.0
    largest_answer: int = LARGEST_ANSWER


class Headers(Mapping[str, str]):
    """An answer's headers, whatever their case; taken apart only when somebody asks."""

    __slots__ = ("_pairs", "_read")

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self._read: dict[str, str] | None = None

    def _all(self) -> dict[str, str]:
        if self._read is None:
            self._read = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._pairs}
        return self._read

    def __getitem__(self, name: str) -> str:
        return self._all()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


class Connection(asyncio.Protocol):
    """One connection: idle, or waiting for the answer to one request."""

    __slots__ = (
        "_body",
        "_headers",
        "_limit",
        "_parser",
        "_size",
        "_status",
        "_waiter",
        "deadline",
        "idle_since",
        "overdue",
        "reusable",
        "transport",
    )

    def __init__(self, largest_answer: int) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._limit = largest_answer
        self._waiter: asyncio.Future[Answer] | None = None
        self._begin()
        self.transport: asyncio.Transport | None = None
        self.reusable = True
        self.idle_since = 0.0
        self.deadline = 0.0
        self.overdue = False

    def ask(self, request: bytes, waiter: asyncio.Future[Answer], deadline: float) -> None:
        """Write a request; ``waiter`` gets its answer, or :class:`NoAnswer`."""
        assert self.transport is not None  # noqa: S101 - only connected ones are handed out
        self._waiter, self.deadline, self.overdue = waiter, deadline, False
        self.transport.write(request)

    def fail(self, reason: str) -> None:
        """Give up on the answer, and on the connection."""
        self.reusable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(NoAnswer(reason))
        self._waiter = None
        if self.transport is not None:
            self.transport.abort()

    def is_quiet(self) -> bool:
        """Whether nothing has come in that is still to be read: neither the end of the connection nor anything else."""
        if self.transport is None or self.transport.is_closing():
            return False
        poll = select.poll()
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.fail("Nobody has asked.")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail("The answer is not HTTP.")

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        if self._waiter is not None and error is None and self._ends_with_the_connection():
            self._finish()
        self.fail("The connection was closed before the answer was whole.")

    # httptools calls these

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self.fail("The answer is too long.")
        else:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        if self._status < 200:  # an interim answer: the real one follows
            self._begin()
            return
        # A second answer to one request: whose answers come next is not certain any more.
        self.reusable = self.reusable and self._waiter is not None and self._parser.should_keep_alive()
        self._finish()

    def _begin(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._status = 0

    def _finish(self) -> None:
        answer = Answer(self._status, Headers(self._headers), b"".join(self._body))
        waiter, self._waiter = self._waiter, None
        self._begin()
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def _ends_with_the_connection(self) -> bool:
        names = {name.lower() for name, _ in self._headers}
        return self._status >= 200 and not names & {b"content-length", b"transfer-encoding"}


class Pool:
    """Connections to one server. As many are opened as there are requests in flight: callers keep that within bounds.

    Belongs to the event loop that is running when it is used first.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None = None, limits: Limits | None = None) -> None:
        """``url`` gives scheme, host and port. ``tls`` is used for https."""
        address = urlsplit(url)
        self._host = address.hostname or ""
        self._tls = (tls or ssl.create_default_context()) if address.scheme == "https" else None
        self._port = address.port or (443 if self._tls else 80)
        self._limits = limits or Limits()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._sweep_seconds = min(0.5, self._limits.answer_seconds / 4)
        self._sweeper: asyncio.TimerHandle | None = None

    async def ask(self, request: bytes, seconds: float | None = None) -> Answer:
        """Send a whole request (head and body) and wait for its whole answer, for at most ``seconds``.

        Raises :class:`NotSent` if nothing of it has left, and :class:`NoAnswer` if something may have.
        """
        loop = asyncio.get_running_loop()
        connection = self._take(loop.time()) or await self._connect(loop)
        waiter: asyncio.Future[Answer] = loop.create_future()
        self._busy.add(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._sweep_seconds, self._sweep, loop)
        connection.ask(request, waiter, loop.time() + (seconds or self._limits.answer_seconds))
        try:
            answer = await waiter
        except asyncio.CancelledError:
            connection.fail("Nobody waits any more.")
            raise
        finally:
            self._busy.discard(connection)
        if connection.reusable:
            connection.idle_since = loop.time()
            self._idle.append(connection)
        elif connection.transport is not None:
            connection.transport.close()
        return answer

    def close(self) -> None:
        """Close every connection; requests in flight end with :class:`NoAnswer`."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in [*self._idle, *self._busy]:
            connection.fail("The connection was closed here.")
        self._idle.clear()

    def _take(self, now: float) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            idle = now - connection.idle_since
            # The loop may have stood still, so that the other side's goodbye has not been noticed yet.
            still_open = idle < _SURELY_OPEN_SECONDS or (idle < self._limits.idle_seconds and connection.is_quiet())
            if connection.reusable and still_open:
                return connection
            connection.fail("Idle for too long, or closed.")
        return None

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> Connection:
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(self._limits.largest_answer),
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
        except (OSError, ssl.SSLError, ssl.CertificateError, UnicodeError, ValueError) as error:
            raise NotSent(type(error).__name__) from error
        return connection

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give up on answers that are overdue.

        Not at the first look: while the loop stood still, the answer may have come, and is read before the second.
        """
        now = loop.time()
        for connection in [connection for connection in self._busy if connection.deadline < now]:
            if connection.overdue:
                connection.fail("No answer came in time.")
            connection.overdue = True
        self._sweeper = loop.call_later(self._sweep_seconds, self._sweep, loop) if self._busy else None
