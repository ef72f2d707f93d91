"""A mail server with one account: SMTP with AUTH (RFC 5321, 4954). Whatever it takes is in its people's mailboxes."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import warnings
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from typing import cast

import orjson
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.sandbox.messages import Arrival, by_words
from channels.sandbox.people import Fate
from channels.sandbox.world import Sandbox, now

LARGEST = 30 * 1024 * 1024
TRIED_FULL_MAILBOX = "smtp_full"
_DELIVERY = re.compile(r"<(\d+)\.[0-9a-f]{16}@")  # a Message-ID that begins with the delivery's id
_HIDDEN = {"content-type", "content-transfer-encoding", "mime-version"}


async def listen(sandbox: Sandbox, host: str, port: int) -> asyncio.Server:
    """Take mail on ``port`` until the server that comes back is closed."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # else every connection warns of AUTH without TLS
    return await asyncio.get_running_loop().create_server(lambda: _server(sandbox), host, port)


def _server(sandbox: Sandbox) -> SMTP:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that AUTH without TLS is risky: see auth_require_tls
        return _smtp(sandbox)


def _smtp(sandbox: Sandbox) -> SMTP:
    return SMTP(
        _Mailboxes(sandbox),
        hostname="sandbox.example",
        ident="Sandbox",
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        auth_required=True,
        auth_require_tls=False,  # the sandbox listens on this machine, and its password opens nothing
        authenticator=_Authenticator(sandbox),
    )


class _Authenticator:
    def __init__(self, sandbox: Sandbox) -> None:
        self.credentials = sandbox.options.credentials

    def __call__(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
        expected = (self.credentials.smtp_user.encode(), self.credentials.smtp_password.encode())
        fine = isinstance(data, LoginPassword) and all(map(hmac.compare_digest, (data.login, data.password), expected))
        return AuthResult(success=fine, handled=False)


class _Mailboxes:
    """What the server says to each command; the names are aiosmtpd's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusals, box = self.sandbox.store.refusals, address.lower()
        fate = self.sandbox.fate("email", box)
        if fate is Fate.NO_MAILBOX:
            return "550 5.1.1 The email account that you tried to reach does not exist."
        if fate is Fate.MAILBOX_FULL and TRIED_FULL_MAILBOX not in refusals.suppressed(box):
            refusals.suppress(TRIED_FULL_MAILBOX, box, now(), "")
            return "452 4.2.2 The recipient's inbox is out of storage space."
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        faults = self.sandbox.faults
        happening = "fine"
        if "smtp" in faults.by_provider:
            await asyncio.sleep(faults.of("smtp").latency_ms / 1000)
            happening = faults.choose("smtp")
        if happening == "hang":
            await asyncio.sleep(faults.of("smtp").hang_seconds)
        if happening in _REFUSALS:
            return _REFUSALS[happening]
        if happening in {"fine", "accept_then_drop"}:
            self._accept(envelope)
        if happening != "fine":
            cast(asyncio.Transport, server.transport).abort()
        return "250 2.0.0 OK: queued"

    def _accept(self, envelope: Envelope) -> None:
        mail = message_from_bytes(cast(bytes, envelope.content), policy=modern)
        headers = {name: str(value) for name, value in mail.items() if name.lower() not in _HIDDEN}
        subject, sender = str(mail["Subject"] or ""), str(mail["From"] or envelope.mail_from or "")
        plain, html = _words(mail, "plain"), _words(mail, "html")
        content_id = self.sandbox.store.add_content(
            sender=sender,
            reply_to=str(mail["Reply-To"] or sender),
            subject=subject,
            plain=plain,
            html=html,
            headers=orjson.dumps(headers).decode(),
        )
        # People who share a mailbox get the same words; the link that each of them could leave by tells them apart.
        words = (subject, plain, html, str(mail["List-Unsubscribe"] or ""))
        named = _DELIVERY.match(str(mail["Message-ID"] or ""))
        for address in envelope.rcpt_tos:
            key = f"d{named[1]}" if named else by_words(address, *words)
            self._deliver(envelope, address, content_id, subject, key)

    def _deliver(self, envelope: Envelope, address: str, content_id: int, subject: str, key: str) -> None:
        at, box = now(), address.lower()
        self.sandbox.store.add(
            Arrival(
                channel="email",
                address=box,
                fate=self.sandbox.fate("email", box),
                at=at,
                settles_at=at,
                outcome="delivered",
                other=envelope.mail_from or "",
                preview=subject,
                content_id=content_id,
                details=orjson.dumps({"email": address, "to": address, "by": "smtp"}).decode(),
                delivery_key=key,
            )
        )


_REFUSALS = {
    "429": "450 4.7.0 Too many messages. Try again later.",
    "500": "451 4.3.0 Local error in processing.",
    "503": "421 4.3.2 Service not available.",
}


def _words(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except LookupError:  # a character set that Python does not know
        return bytes(part.get_payload(decode=True)).decode("latin-1")
