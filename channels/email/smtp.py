"""Email by SMTP, over Python's own library: for a group that has a mailbox, and no account with a provider."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

from channels.addresses import is_fictional
from channels.base import Accepted, Channel, Message, Misconfigured, Outcome, Rejected, Rejection, TryLater, Unknown
from channels.email.sender import read_sender
from channels.email.smtp_mail import compose, is_plain_address
from channels.email.smtp_replies import Stage, outcome_of
from channels.transport import ANSWER_SECONDS, is_this_machine, tls_context
from config.settings import Settings

LONGEST_PAUSE_SECONDS = 1.0
IDLE_SECONDS = 20.0
_WAIT = timedelta(minutes=1)


def from_settings(settings: Settings) -> Channel:
    """Email as the settings say. Connects to nobody yet."""
    return SmtpChannel(settings)


@dataclass(frozen=True, slots=True)
class Server:
    """What SMTP_URL says."""

    host: str
    port: int
    tls_from_the_start: bool
    user: str
    password: str


class SmtpChannel:
    """Sends one email after the other over a connection that is kept. To be used by one thread at a time."""

    def __init__(
        self, settings: Settings, longest_pause: float = LONGEST_PAUSE_SECONDS, seconds: float = ANSWER_SECONDS
    ) -> None:
        self._sender = read_sender(settings)
        self._server = read_server(settings.smtp_url.get_secret_value())
        self._fictional_ok = settings.sandbox
        self._longest_pause = longest_pause
        self._seconds = seconds
        self._smtp: smtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`. There is room for one message at a time."""
        for message in messages:
            outcome = self._send_one(message)
            yield message.delivery_id, outcome
            if isinstance(outcome, Misconfigured):
                return

    def check(self) -> str | None:
        """Connect and sign in. None: that works; otherwise what is wrong."""
        problem = self._connect()
        if isinstance(problem, Misconfigured):
            return problem.reason
        return None if problem is None else f"The mail server can’t be reached ({problem.code})."

    def close(self) -> None:
        """Say goodbye."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _send_one(self, message: Message) -> Outcome:
        if not is_plain_address(message.address):
            return Rejected("not_an_address", Rejection.CONTACT_POINT_IS_BAD)
        if not self._fictional_ok and is_fictional(message.address):
            return Rejected("fictional", Rejection.CONTACT_POINT_IS_BAD)
        problem = self._connect()
        if problem is not None:
            if isinstance(problem, TryLater):
                time.sleep(self._longest_pause)  # rather than knocking at once for the next
            return problem
        assert self._smtp is not None  # noqa: S101 - connected
        if not message.address.isascii() and not self._smtp.has_extn("smtputf8"):
            return Rejected("no_smtputf8", Rejection.NOT_DELIVERED)
        message_id, letter = compose(message, self._sender, datetime.now(UTC))
        outcome = self._hand_over(self._smtp, message.address, letter)
        self._used_at = time.monotonic()
        return outcome or Accepted(message_id[:80])

    def _hand_over(self, smtp: smtplib.SMTP, address: str, letter: bytes) -> Outcome | None:
        """One mail transaction. None: the server has taken the message."""
        options = [] if address.isascii() else ["SMTPUTF8", "BODY=8BITMIME"]
        content_left = False
        try:
            code, words = smtp.mail(self._sender.address, options)
            if code != 250:
                return self._refused(Stage.SENDER, code, words)
            code, words = smtp.rcpt(address)
            if code not in {250, 251}:
                return self._refused(Stage.RECIPIENT, code, words)
            content_left = True
            code, words = smtp.data(letter)
            return None if code == 250 else self._refused(Stage.CONTENT, code, words)
        except smtplib.SMTPDataError as error:  # “DATA” itself was refused
            return self._refused(Stage.CONTENT, error.smtp_code, _bytes(error.smtp_error))
        except (smtplib.SMTPException, OSError) as error:
            self._let_go()
            if content_left:
                return Unknown(f"The connection to the mail server broke ({type(error).__name__}).")
            return TryLater(type(error).__name__, _WAIT)

    def _refused(self, stage: Stage, code: int, words: bytes) -> Outcome:
        if not 400 <= code < 600:
            self._let_go()
            if stage is Stage.CONTENT:
                return Unknown("The mail server’s answer could not be read.")
            return TryLater("unreadable", _WAIT)
        try:
            if code == 421 or self._smtp is None or self._smtp.rset()[0] != 250:
                self._let_go()
        except (smtplib.SMTPException, OSError):
            self._let_go()
        return outcome_of(stage, code, words)

    def _connect(self) -> Misconfigured | TryLater | None:
        """Make sure of a connection that is signed in. None: there is one."""
        if self._smtp is not None:
            if time.monotonic() - self._used_at < IDLE_SECONDS or self._answers():
                return None
            self._let_go()
        if self._server is None:
            return Misconfigured("not_set_up", "SMTP_URL is not set, or is not smtp://user:password@host:587.")
        if not self._sender.address:
            return Misconfigured("not_set_up", "EMAIL_FROM is not set, or is not an email address.")
        try:
            self._smtp = self._open(self._server)
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                return TryLater(str(error.smtp_code), _WAIT)
            return Misconfigured(str(error.smtp_code), "The mail server refuses the user or password in SMTP_URL.")
        except smtplib.SMTPNotSupportedError as error:
            return Misconfigured("not_supported", str(error))
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return TryLater(type(error).__name__, _WAIT)
        self._used_at = time.monotonic()
        return None

    def _open(self, server: Server) -> smtplib.SMTP:
        tls = tls_context()
        smtp: smtplib.SMTP
        if server.tls_from_the_start:
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=self._seconds, context=tls)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._seconds)
        try:
            smtp.ehlo_or_helo_if_needed()
            if not server.tls_from_the_start and smtp.has_extn("starttls"):
                smtp.starttls(context=tls)
                smtp.ehlo_or_helo_if_needed()
            elif server.user and not server.tls_from_the_start and not is_this_machine(server.host):
                raise smtplib.SMTPNotSupportedError(
                    "The mail server offers no encryption, so the password in SMTP_URL is not sent to it."
                )
            if server.user:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _answers(self) -> bool:
        try:
            return self._smtp is not None and self._smtp.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def _let_go(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


def read_server(url: str) -> Server | None:
    """Take SMTP_URL apart: smtp://user:password@host:587 or smtps://…:465. None where it is not such a thing."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        return None
    if address.scheme not in {"smtp", "smtps"} or not address.hostname:
        return None
    at_once = address.scheme == "smtps"
    user, password = unquote(address.username or ""), unquote(address.password or "")
    return Server(address.hostname, port or (465 if at_once else 587), at_once, user, password)


def _bytes(words: bytes | str) -> bytes:
    return words.encode("utf-8", "replace") if isinstance(words, str) else words
