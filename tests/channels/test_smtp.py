"""Email by SMTP, against a real server that can refuse at every step."""

from __future__ import annotations

import asyncio
import email
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.base import Accepted, Content, Message, Misconfigured, Outcome, Rejected, Rejection, TryLater, Unknown
from channels.email.smtp import SmtpChannel, read_server
from config.settings import Settings

HELLO = Content(
    text="Hello ((name))",
    subject="News for ((name))",
    html='<p>Hello ((name)), <a href="((unsubscribe link))">stop</a></p>',
    fields=("name", "unsubscribe link"),
)
LONG_LINK = "https://hub.example.org/u/" + "x" * 150

Opener = Callable[..., SmtpChannel]


def message(number: int = 1, **more: Any) -> Message:
    given: dict[str, Any] = {
        "address": f"person{number}@example.org",
        "content": HELLO,
        "values": {"name": "Jo & Co", "unsubscribe link": LONG_LINK},
        "unsubscribe_url": LONG_LINK,
    }
    return Message(number, **(given | more))


def bytes_of(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


@dataclass
class Mailbox:
    """What the server got, and what it answers at each step."""

    replies: dict[str, str] = field(default_factory=dict)
    envelopes: list[Envelope] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)

    @property
    def letters(self) -> list[EmailMessage]:
        """What came, taken apart."""
        read = [email.message_from_bytes(bytes_of(envelope), policy=default) for envelope in self.envelopes]
        return [letter for letter in read if isinstance(letter, EmailMessage)]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.add(id(session))
        if "MAIL" not in self.replies:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.replies.get("DATA", "250 OK")
        if reply == "hang up":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if reply.startswith("250"):
            self.envelopes.append(envelope)
        return reply


def knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    """One user and one password."""
    fits = isinstance(data, LoginPassword) and (data.login, data.password) == (b"jo@example.org", b"p@ss:word")
    return AuthResult(success=fits, handled=False)


class Server(Controller):
    """A mail server on a free port."""

    def factory(self) -> SMTP:
        return SMTP(
            self.handler, enable_SMTPUTF8=True, auth_required=False, authenticator=knows, auth_require_tls=False
        )


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    server = Server(box, hostname="127.0.0.1", port=free_port())
    server.start()
    yield box, f"smtp://127.0.0.1:{server.port}"
    server.stop()


def free_port() -> int:
    with socket.socket() as spare:
        spare.bind(("127.0.0.1", 0))
        return int(spare.getsockname()[1])


@pytest.fixture
def open_channel() -> Iterator[Opener]:
    opened: list[SmtpChannel] = []

    def open_one(url: str, **more: Any) -> SmtpChannel:
        given: dict[str, Any] = {
            "email_provider": "smtp",
            "smtp_url": url,
            "email_from": "hub@example.org",
            "group_name": "Café “Riverside”",
            "public_url": "https://hub.example.org",
            "sandbox": True,
        }
        opened.append(SmtpChannel(Settings(**(given | more)), longest_pause=0, seconds=2))
        return opened[-1]

    yield open_one
    for channel in opened:
        channel.close()


def test_a_letter_arrives_whole(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    box, url = mailbox
    ((_, outcome),) = open_channel(url).send([message(7, values={"name": "Siân 😀 " * 12})])
    (letter,) = box.letters
    assert isinstance(outcome, Accepted)
    assert letter["Message-ID"] == f"<{outcome.provider_id}>"
    assert outcome.provider_id.startswith("7.")
    assert letter["From"].addresses[0].display_name == "Café “Riverside”"
    assert letter["To"] == "person7@example.org"
    assert letter["Subject"] == ("News for " + "Siân 😀 " * 12).strip()
    assert letter["Date"].datetime is not None
    assert letter["List-Unsubscribe"] == f"<{LONG_LINK}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Id"] == "<announcements.hub.example.org>"
    assert letter.get_content_type() == "multipart/alternative"
    plain, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == ("Hello " + "Siân 😀 " * 12).strip()
    assert "Hello Siân" in html.get_content()
    content = bytes_of(box.envelopes[0])
    assert content.isascii()
    assert max(len(line) for line in content.splitlines()) < 998
    assert f"List-Unsubscribe: <{LONG_LINK}>".encode() in content


def test_one_connection_carries_many_letters(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    box, url = mailbox
    channel = open_channel(url)
    results = dict(channel.send(message(number) for number in range(20)))
    results |= dict(channel.send([message(20)]))
    assert all(isinstance(outcome, Accepted) for outcome in results.values())
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [[f"person{n}@example.org"] for n in range(21)]
    assert len(box.sessions) == 1


def test_no_value_gets_into_the_headers(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    box, url = mailbox
    evil = message(values={"name": "Jo\r\nBcc: all@example.org\r\n\r\nx"})
    wrong = message(2, address="a@example.org>\r\nRCPT TO:<b@example.org")
    results = dict(open_channel(url).send([evil, wrong]))
    assert isinstance(results[1], Accepted)
    assert results[2] == Rejected("not_an_address", Rejection.CONTACT_POINT_IS_BAD)
    assert box.letters[0]["Bcc"] is None
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [["person1@example.org"]]


def test_a_mailbox_with_letters_of_its_own_is_reached(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    box, url = mailbox
    ((_, outcome),) = open_channel(url).send([message(address="żółć@example.org")])
    assert isinstance(outcome, Accepted)
    assert box.envelopes[0].rcpt_tos == ["żółć@example.org"]


REFUSALS: list[tuple[dict[str, str], Outcome | type[Outcome]]] = [
    ({"x@example.org": "550 5.1.1 No such user"}, Rejected("550 5.1.1", Rejection.CONTACT_POINT_IS_BAD)),
    ({"x@example.org": "550 5.2.1 Disabled"}, Rejected("550 5.2.1", Rejection.CONTACT_POINT_IS_BAD)),
    ({"x@example.org": "550 No thanks"}, Rejected("550", Rejection.NOT_DELIVERED)),
    ({"x@example.org": "550 5.7.1 Blocked"}, Rejected("550 5.7.1", Rejection.NOT_DELIVERED)),
    ({"x@example.org": "552 5.2.2 Full"}, Rejected("552 5.2.2", Rejection.NOT_DELIVERED)),
    ({"x@example.org": "552 Too large"}, Rejected("552", Rejection.CONTENT)),
    ({"x@example.org": "450 4.2.1 Greylisted"}, TryLater),
    ({"x@example.org": "421 4.3.2 Closing"}, TryLater),
    ({"x@example.org": "530 5.7.0 Sign in first"}, Misconfigured),
    ({"x@example.org": "hello"}, TryLater),
    ({"MAIL": "550 5.7.1 Not with this sender"}, Misconfigured),
    ({"MAIL": "451 4.7.1 Later"}, TryLater),
    ({"DATA": "554 5.7.1 Looks like spam"}, Rejected("554 5.7.1", Rejection.CONTENT)),
    ({"DATA": "550 5.1.1 No such user after all"}, Rejected("550 5.1.1", Rejection.CONTACT_POINT_IS_BAD)),
    ({"DATA": "452 4.3.1 Disk full"}, TryLater),
    ({"DATA": "421 4.3.2 Closing"}, TryLater),
    ({"DATA": "hang up"}, Unknown),
    ({"DATA": "what?"}, Unknown),
]


@pytest.mark.parametrize(("replies", "expected"), REFUSALS, ids=[str(row[0]) for row in REFUSALS])
def test_a_reply_decides_what_happens_next(
    mailbox: tuple[Mailbox, str],
    open_channel: Opener,
    replies: dict[str, str],
    expected: Outcome | type[Outcome],
) -> None:
    box, url = mailbox
    box.replies = replies
    channel = open_channel(url)
    ((_, outcome),) = channel.send([message(address="x@example.org")])
    assert outcome == expected if not isinstance(expected, type) else isinstance(outcome, expected)
    box.replies = {}
    ((_, afterwards),) = channel.send([message()])
    assert isinstance(afterwards, Accepted), "the next one gets through"


def test_a_wrong_setting_ends_the_reading(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    box, url = mailbox
    box.replies = {"MAIL": "535 5.7.8 No"}
    source = iter([message(1), message(2)])
    ((_, outcome),) = open_channel(url).send(source)
    assert isinstance(outcome, Misconfigured)
    assert next(source).delivery_id == 2


def test_the_right_password_lets_us_in(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    _, url = mailbox
    right = open_channel(url.replace("//", "//jo%40example.org:p%40ss%3Aword@"))
    wrong = open_channel(url.replace("//", "//jo%40example.org:guess@"))
    assert right.check() is None
    assert "user or password" in (wrong.check() or "")
    ((_, outcome),) = wrong.send([message()])
    assert isinstance(outcome, Misconfigured)


def test_fictional_mailboxes_are_never_written_to_when_live(mailbox: tuple[Mailbox, str], open_channel: Opener) -> None:
    box, url = mailbox
    ((_, outcome),) = open_channel(url, sandbox=False).send([message()])
    assert outcome == Rejected("fictional", Rejection.CONTACT_POINT_IS_BAD)
    assert not box.envelopes


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"smtp_url": ""}, "SMTP_URL"),
        ({"smtp_url": "http://example.org"}, "SMTP_URL"),
        ({"smtp_url": "smtp://host:port"}, "SMTP_URL"),
        ({"email_from": ""}, "EMAIL_FROM"),
    ],
)
def test_a_missing_setting_is_named(open_channel: Opener, given: dict[str, str], named: str) -> None:
    channel = open_channel("smtp://127.0.0.1:1", **given)
    assert named in (channel.check() or "")
    ((_, outcome),) = channel.send([message(1), message(2)])
    assert isinstance(outcome, Misconfigured)
    assert named in outcome.reason


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:{}", "smtps://127.0.0.1:{}", "smtp://nowhere.invalid"])
def test_a_server_that_is_away_is_tried_later(open_channel: Opener, url: str) -> None:
    channel = open_channel(url.format(free_port()))
    ((_, outcome),) = channel.send([message()])
    assert isinstance(outcome, TryLater)
    assert "can’t be reached" in (channel.check() or "")


@contextmanager
def server_that_says(*lines: bytes) -> Iterator[str]:
    """One connection that gets these lines whatever it says, and is then closed."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                for line in lines:
                    connection.sendall(line)
                    connection.recv(4096)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"smtp://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "lines", [(b"554 No service\r\n",), (b"HTTP/1.1 200 OK\r\n\r\n",), (b"220 x\r\n", b"500 ?\r\n")]
)
def test_a_server_that_is_no_mail_server_is_tried_later(open_channel: Opener, lines: tuple[bytes, ...]) -> None:
    with server_that_says(*lines) as url:
        ((_, outcome),) = open_channel(url).send([message()])
    assert isinstance(outcome, TryLater)


def test_the_server_is_read_from_one_setting() -> None:
    server = read_server("smtps://jo%40example.org:p%40ss@mail.example.org")
    assert server is not None
    assert (server.host, server.port, server.tls_from_the_start) == ("mail.example.org", 465, True)
    assert (server.user, server.password) == ("jo@example.org", "p@ss")
    plain = read_server("smtp://mail.example.org")
    assert plain is not None
    assert (plain.port, plain.tls_from_the_start, plain.user) == (587, False, "")
