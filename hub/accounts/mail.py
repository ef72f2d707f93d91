"""Letters about accounts (“here is your link”), by the same way as the group's email."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

import structlog
from flask import Flask
from flask_security.mail_util import MailUtil

from channels.base import Accepted, Channel, Content, Message
from config.channels import CHANNELS
from config.settings import EmailProvider, Settings, settings

log = structlog.get_logger()


def email_is_set_up(settings: Settings) -> bool:
    """Whether this installation can send an email at all."""
    if not settings.email_from:
        return False
    if settings.email_provider is EmailProvider.SMTP:
        return bool(settings.smtp_url.get_secret_value())
    return bool(settings.sendgrid_api_key.get_secret_value())


class AccountMail(MailUtil):
    """Sends Flask-Security's letters through our own email channel."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)

    def send_mail(
        self,
        template: str,  # noqa: ARG002 - Flask-Security's signature, here and below
        subject: str,
        recipient: str | tuple[str, str],
        sender: str | tuple[str, str],  # noqa: ARG002
        body: str | None,
        html: str | None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Send one letter at once. A failure is logged without the address: the page says the same either way."""
        channel: Channel = resolve_name(CHANNELS["email"].adapters[settings().email_provider])(settings())
        address = recipient if isinstance(recipient, str) else recipient[1]
        message = Message(delivery_id=0, address=address, content=Content(text=body or "", subject=subject))
        try:
            for _, outcome in channel.send([message]):
                if not isinstance(outcome, Accepted):
                    log.error("a letter about an account was not sent", outcome=type(outcome).__name__)
        finally:
            channel.close()
