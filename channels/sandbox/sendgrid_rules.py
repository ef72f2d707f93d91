"""What SendGrid refuses: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors and …/limitations."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_PERSONALIZATIONS = 1000
MOST_RECIPIENTS = 1000
MOST_CUSTOM_BYTES = 10_000
MOST_SUBSTITUTION_BYTES = 10_000
MOST_CATEGORIES = 10
LONGEST_CATEGORY = 255
FURTHEST = 72 * 3600
LARGEST = 30 * 1024 * 1024
RESERVED = frozenset(
    {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"}
    | {"to", "from", "subject", "reply-to", "cc", "bcc"}
)

_MAILBOX = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@(?:[^\s@.<>()\[\],;:\\\"]+\.)+[^\s@.<>()\[\],;:\\\"]{2,}")
_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.{}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request."""

    field: str
    message: str

    def described(self) -> dict[str, str]:
        """As it stands in ``errors``."""
        return {
            "message": self.message,
            "field": self.field,
            "help": _HELP.format(re.sub(r"\.\d+", "", self.field)),
        }


def problems(mail: Any) -> list[Problem]:
    """Everything that is wrong with the body of a mail/send request, in SendGrid's words."""
    if not isinstance(mail, dict):
        return [Problem("", "Bad Request: the body must be a JSON object.")]
    return [
        *_personalizations(mail.get("personalizations")),
        *_sender(mail),
        *_subject(mail),
        *_content(mail.get("content")),
        *_strings("custom_args", mail.get("custom_args")),
        *_headers("headers", mail.get("headers")),
        *_categories(mail.get("categories")),
        *_send_at("send_at", mail.get("send_at")),
        *_custom_bytes(mail),
    ]


def _is_mailbox(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 320 and _MAILBOX.fullmatch(value) is not None


def _personalizations(found: Any) -> Iterator[Problem]:
    if not isinstance(found, list) or not found:
        message = "The personalizations field is required and must have at least one personalization."
        yield Problem("personalizations", message)
        return
    if len(found) > MOST_PERSONALIZATIONS:
        message = (
            "The personalization block is limited to 1000 personalizations per API request. You have provided "
            f"{len(found)} personalizations. Please consider splitting this into multiple requests and resending "
            "your request."
        )
        yield Problem("personalizations", message)
        return
    seen: set[str] = set()
    recipients = 0
    for place, personalization in enumerate(found):
        field = f"personalizations.{place}"
        if not isinstance(personalization, dict):
            yield Problem(field, "Each personalization must be an object.")
            continue
        yield from _recipients(field, personalization, seen)
        recipients += sum(len(personalization.get(name) or ()) for name in ("to", "cc", "bcc"))
        yield from _personal_parts(field, personalization)
    if recipients > MOST_RECIPIENTS:
        yield Problem("personalizations", "There is a limit of 1000 total recipients (to + cc + bcc) per request.")


def _recipients(field: str, personalization: dict[str, Any], seen: set[str]) -> Iterator[Problem]:
    if not isinstance(personalization.get("to"), list) or not personalization["to"]:
        message = (
            "The to array is required for all personalization objects, and must have at least one email object with a "
            "valid email address."
        )
        yield Problem(field + ".to", message)
    for name in ("to", "cc", "bcc"):
        people = personalization.get(name)
        for place, person in enumerate(people if isinstance(people, list) else ()):
            address = person.get("email") if isinstance(person, dict) else None
            if not isinstance(address, str) or not _is_mailbox(address):
                message = "Does not contain a valid address."
                yield Problem(f"{field}.{name}.{place}.email", message)
            elif address.lower() in seen:
                message = (
                    "Each unique email address in the personalizations array should only be included once. You have "
                    f"included [{address}] more than once."
                )
                yield Problem("personalizations", message)
            else:
                seen.add(address.lower())


def _personal_parts(field: str, personalization: dict[str, Any]) -> Iterator[Problem]:
    subject = personalization.get("subject")
    if subject is not None and (not isinstance(subject, str) or not subject):
        message = "The subject of your email must be a string at least one character in length."
        yield Problem(field + ".subject", message)
    yield from _strings(field + ".custom_args", personalization.get("custom_args"))
    yield from _headers(field + ".headers", personalization.get("headers"))
    yield from _send_at(field + ".send_at", personalization.get("send_at"))
    substitutions = personalization.get("substitutions")
    if substitutions is None:
        return
    if not isinstance(substitutions, dict) or not all(isinstance(value, str) for value in substitutions.values()):
        message = "The substitution values must be an object of key/value pairs, where the values are all strings."
        yield Problem(field + ".substitutions", message)
    elif sum(len(tag.encode()) + len(value.encode()) for tag, value in substitutions.items()) > MOST_SUBSTITUTION_BYTES:
        yield Problem(field + ".substitutions", "You are limited to 10,000 bytes of substitutions.")


def _sender(mail: dict[str, Any]) -> Iterator[Problem]:
    sender = mail.get("from")
    if not isinstance(sender, dict) or not sender.get("email"):
        message = (
            "The from object must be provided for every email send. It is an object that requires the email parameter, "
            'but may also contain a name parameter.  e.g. {"email" : "example@example.com"}  or {"email" : '
            '"example@example.com", "name" : "Example Recipient"}.'
        )
        yield Problem("from.email", message)
    elif not _is_mailbox(sender["email"]) or not sender["email"].isascii():
        yield Problem("from.email", "The from email does not contain a valid address.")
    reply_to = mail.get("reply_to")
    if reply_to is not None and (not isinstance(reply_to, dict) or not _is_mailbox(reply_to.get("email"))):
        yield Problem("reply_to.email", "The reply_to email does not contain a valid address.")


def _subject(mail: dict[str, Any]) -> Iterator[Problem]:
    subject, people = mail.get("subject"), mail.get("personalizations")
    if isinstance(subject, str) and subject:
        return
    everyone_has_one = isinstance(people, list) and all(isinstance(one, dict) and one.get("subject") for one in people)
    if subject is not None or not everyone_has_one:
        message = (
            "The subject is required. You can get around this requirement if you use a template with a subject defined "
            "or if every personalization has a subject defined."
        )
        yield Problem("subject", message)


def _content(content: Any) -> Iterator[Problem]:
    if not isinstance(content, list) or not content:
        message = (
            "Unless a valid template_id is provided, the content parameter is required. There must be at least one "
            "defined content block. We typically suggest both text/plain and text/html blocks are included, but only "
            "one block is required."
        )
        yield Problem("content", message)
        return
    kinds = []
    for place, block in enumerate(content):
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or not re.fullmatch(r"[^;\s,]+/[^;\s,]+", kind):
            yield Problem(f"content.{place}.type", "The content type must be a MIME type without parameters.")
            continue
        kinds.append(kind)
        value = block.get("value")
        if not isinstance(value, str) or not value:
            message = "The content value must be a string at least one character in length."
            yield Problem(f"content.{place}.value", message)
    if kinds != sorted(kinds, key=lambda kind: {"text/plain": 0, "text/html": 1}.get(kind, 2)):
        message = "If present, text/plain and text/html may only be provided once, in this order, before all others."
        yield Problem("content", message)


def _strings(field: str, found: Any) -> Iterator[Problem]:
    if found is None:
        return
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        yield Problem(field, "All values of custom arguments object must be strings")


def _headers(field: str, found: Any) -> Iterator[Problem]:
    if found is None:
        return
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        yield Problem(field, "All values of the headers object must be strings.")
        return
    for name, value in found.items():
        if not name.isascii() or not name or re.search(r"[\s:]", name):
            yield Problem(field, "Header keys can't contain non-ASCII characters or empty spaces.")
        elif name.lower() in RESERVED:
            yield Problem(field, f"Header can't be one of the reserved keys: {', '.join(sorted(RESERVED))}.")
        elif "\r" in value or "\n" in value:
            yield Problem(field, "Header values can't contain CRLF characters.")


def _categories(found: Any) -> Iterator[Problem]:
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(category, str) for category in found):
        yield Problem("categories", "The categories param must be an array of strings.")
    elif len(found) > MOST_CATEGORIES:
        yield Problem("categories", "You cannot have more than 10 categories per request.")
    elif len(found) != len(set(found)):
        yield Problem("categories", "Each category must be unique.")
    elif any(len(category) > LONGEST_CATEGORY for category in found):
        yield Problem("categories", "Category names cannot be longer than 255 characters.")


def _send_at(field: str, found: Any) -> Iterator[Problem]:
    if found is None:
        return
    if isinstance(found, bool) or not isinstance(found, int):
        yield Problem(field, "The send_at parameter is expecting a UNIX timestamp as an integer.")
    elif found > time.time() + FURTHEST:
        yield Problem(field, "Scheduling more than 72 hours in advance is forbidden.")


def _custom_bytes(mail: dict[str, Any]) -> Iterator[Problem]:
    """The custom arguments of the mail and of each person together."""
    shared = _size(mail.get("custom_args"))
    people = mail.get("personalizations")
    largest = max((_size(one.get("custom_args")) for one in people or () if isinstance(one, dict)), default=0)
    if shared + largest > MOST_CUSTOM_BYTES:
        yield Problem("custom_args", "The total length of custom arguments must be less than 10000 bytes.")


def _size(custom_args: Any) -> int:
    if not isinstance(custom_args, dict):
        return 0
    return sum(len(name.encode()) + len(str(value).encode()) for name, value in custom_args.items())
