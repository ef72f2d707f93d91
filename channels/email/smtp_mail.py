"""One email as it travels by SMTP."""

from __future__ import annotations

import secrets
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels.base import Message
from channels.email.sender import Sender
from channels.filling import fill_html, fill_line, fill_text

# Whatever the next server can carry, it can carry this.
_POLICY = SMTP.clone(cte_type="7bit")


def is_plain_address(address: str) -> bool:
    """Whether an address can stand in a header and in an SMTP command as it is."""
    name, at, domain = address.rpartition("@")
    return bool(name and at and domain and address.isprintable() and not set(address) & set(' <>()[],;:"\\'))


def compose(message: Message, sender: Sender, now: datetime) -> tuple[str, bytes]:
    """The message's id and its bytes. ``message.address`` has been checked with :func:`is_plain_address`."""
    letter = EmailMessage(policy=_POLICY if message.address.isascii() else _POLICY.clone(utf8=True))
    message_id = f"{message.delivery_id}.{secrets.token_hex(8)}@{sender.address.rpartition('@')[2]}"
    letter["From"] = Address(display_name=sender.name, addr_spec=sender.address)
    letter["To"] = message.address
    letter["Subject"] = fill_line(message.content.subject, message.values) or sender.name
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{message_id}>"
    letter.set_content(_mended(fill_text(message.content.text, message.values)))
    if message.content.html:
        letter.add_alternative(_mended(fill_html(message.content.html, message.values)), subtype="html")
    return message_id, _list_headers(message, sender) + letter.as_bytes()


def _list_headers(message: Message, sender: Sender) -> bytes:
    """The headers of RFC 2369, 2919 and 8058, written by hand: the library would encode a link that is long."""
    link = message.unsubscribe_url
    if not link:
        return b""
    if not (link.isascii() and link.isprintable() and not set(link) & set(" <>")):
        raise ValueError("An unsubscribe link has characters that no link has.")
    lines = (
        f"List-Id: {sender.list_id}",
        f"List-Unsubscribe: <{link}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _mended(text: str) -> str:
    """Without halves of surrogate pairs, which no encoding can carry."""
    return text.encode("utf-8", "replace").decode()
