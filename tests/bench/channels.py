"""What a text and an email cost to send, in processor time, beside the official SDKs as their documentation uses them.

Run ``python -m tests.bench.channels``. The provider is a small server in another process, whose cost is not counted.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import httptools
import uvloop
from pydantic import SecretStr
from sendgrid import SendGridAPIClient
from sendgrid.helpers import mail as helpers
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from channels.base import Accepted, Channel, Content, Message
from channels.email.sendgrid import SendGridChannel
from channels.text.twilio import TwilioChannel
from config.settings import Settings

SID = "AC" + "0" * 32
TEXT = Content(text="Hello ((name)), we meet on Tuesday at 2 pm in the library. Text IN or OUT.", fields=("name",))
EMAIL = Content(
    text="Hello ((name)), we meet on Tuesday. Stop: ((unsubscribe link))",
    subject="A meeting for ((name))",
    html='<p>Hello ((name)), we meet on Tuesday. <a href="((unsubscribe link))">Stop</a></p>',
    fields=("name", "unsubscribe link"),
)
TEXTS, EMAILS, SDK_TEXTS, ROUNDS = 20_000, 50_000, 500, 3
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Message-Id: abc\r\nContent-Length: %d\r\n\r\n%s"
CREATED = (
    b'{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued","error_code":null,"error_message":null,'
    b'"num_segments":"1","direction":"outbound-api","date_created":"Sun, 22 Nov 2026 12:00:00 +0000"}'
)


class Sink(asyncio.Protocol):
    """One connection of a provider that takes everything."""

    def connection_made(self, transport: Any) -> None:
        """Get ready for requests."""
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Answer a request."""
        self.transport.write(ANSWER % (len(CREATED), CREATED))


def serve(ready: Connection) -> None:
    """The provider's process."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Sink, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


def spent(what: Callable[[], int]) -> float:
    """Microseconds of this process for each message."""
    before = os.times()
    count = what()
    after = os.times()
    return (after.user - before.user + after.system - before.system) / count * 1e6


def send(channel: Channel, messages: Iterator[Message]) -> int:
    """Send by one of our channels."""
    results = list(channel.send(messages))
    if not all(isinstance(outcome, Accepted) for _, outcome in results):
        sys.exit("Not everything was accepted.")
    return len(results)


def texts(count: int) -> Iterator[Message]:
    """Texts to people of their own."""
    for number in range(count):
        callback = f"https://hub.example.org/webhooks/twilio/status?d={number}"
        yield Message(number, f"+4477009{number % 100_000:05d}", TEXT, {"name": f"Jo {number}"}, callback)


def emails(count: int) -> Iterator[Message]:
    """Emails to people of their own."""
    for number in range(count):
        link = f"https://hub.example.org/u/{number}"
        values = {"name": f"Jo {number}", "unsubscribe link": link}
        yield Message(number + 1, f"person{number}@example.org", EMAIL, values, unsubscribe_url=link)


def texts_by_the_sdk(url: str) -> int:
    """Texts as the SDK's documentation sends them."""

    class ToUs(TwilioHttpClient):  # type: ignore[misc]
        def request(self, method: str, uri: str, *args: Any, **more: Any) -> Any:
            return super().request(method, uri.replace("https://api.twilio.com", url), *args, **more)

    client = Client(SID, "secret", http_client=ToUs())
    for message in texts(SDK_TEXTS):
        body = message.content.text.replace("((name))", message.values["name"])
        client.messages.create(
            to=message.address, from_="+447700900001", body=body, status_callback=message.status_callback
        )
    return SDK_TEXTS


def emails_by_the_sdk(url: str) -> int:
    """A thousand emails in one request as the SDK's documentation sends them."""
    mail = helpers.Mail(from_email="hub@example.org", subject="A meeting for -name-")
    mail.add_content(helpers.Content("text/plain", EMAIL.text))
    mail.add_content(helpers.Content("text/html", EMAIL.html))
    for message in emails(1000):
        person = helpers.Personalization()
        person.add_to(helpers.To(message.address))
        person.add_header(helpers.Header("List-Unsubscribe", f"<{message.unsubscribe_url}>"))
        person.add_header(helpers.Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        person.add_custom_arg(helpers.CustomArg("delivery_id", str(message.delivery_id)))
        for name, value in message.values.items():
            person.add_substitution(helpers.Substitution(f"-{name}-", value))
        mail.add_personalization(person)
    SendGridAPIClient("SG.key", host=url).send(mail)
    return 1000


def main() -> None:
    """Measure in turns, and print the medians."""
    ready, told = multiprocessing.Pipe()
    provider = multiprocessing.get_context("spawn").Process(target=serve, args=(told,), daemon=True)
    provider.start()
    url = f"http://127.0.0.1:{ready.recv()}"
    settings = Settings(
        twilio_account_sid=SID,
        twilio_auth_token=SecretStr("secret"),
        twilio_from="+447700900001",
        twilio_base_url=url,
        sendgrid_api_key=SecretStr("SG.key"),
        sendgrid_base_url=url,
        email_from="hub@example.org",
        sandbox=True,
    )
    twilio, sendgrid = TwilioChannel(settings), SendGridChannel(settings)
    ways: dict[str, Callable[[], int]] = {
        "text, this hub (64 in flight)": lambda: send(twilio, texts(TEXTS)),
        "text, the SDK as documented": lambda: texts_by_the_sdk(url),
        "email, this hub (1,000 in a request)": lambda: send(sendgrid, emails(EMAILS)),
        "email, the SDK as documented (1,000 in a request)": lambda: emails_by_the_sdk(url),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(spent(way))
    for name, values in taken.items():
        sys.stdout.write(f"{statistics.median(values):8.1f} µs a message: {name}\n")
    twilio.close()
    sendgrid.close()
    provider.terminate()
    provider.join()


if __name__ == "__main__":
    main()
