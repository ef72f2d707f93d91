"""A hub that only listens, and the official SDKs pointed at the sandbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sendgrid import SendGridAPIClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from werkzeug import Request

from channels.sandbox.credentials import DEFAULT
from tests.services.sandbox import Sandbox

FINE = "+447700900123"
OUT_OF_REACH = "+447700900124"
GONE = "+447700900125"


class AtTheSandbox(TwilioHttpClient):
    """The SDK's own client, with another host in the address."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.url), *rest, **named)


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """A sandbox where the phones of these tests do what their names say."""
    sandbox.post("fates", text={FINE: "fine", OUT_OF_REACH: "out_of_reach", GONE: "dead_number"})
    return sandbox


@pytest.fixture
def twilio(sandbox: Sandbox) -> Client:
    """Twilio's SDK."""
    return Client(DEFAULT.account_sid, DEFAULT.auth_token, http_client=AtTheSandbox(sandbox.url))


@pytest.fixture
def sendgrid(sandbox: Sandbox) -> SendGridAPIClient:
    """SendGrid's SDK."""
    return SendGridAPIClient(DEFAULT.sendgrid_api_key, host=sandbox.url)


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[HTTPServer]:
    """Whatever the sandbox tells the hub arrives here, and is answered 200 unless a test says otherwise."""
    with HTTPServer(host="127.0.0.1", port=sandbox.hub_port) as server:
        yield server


@pytest.fixture
def told(hub: HTTPServer) -> Callable[[str, int], list[Request]]:
    """Call with a path and a number: waits until so many requests have come there, and gives them."""

    def wait(path: str, number: int) -> list[Request]:
        found = []
        for _ in range(1000):
            found = [request for request, _ in hub.log if request.path == path]
            if len(found) >= number:
                return found
            time.sleep(0.01)
        raise AssertionError(f"{len(found)} requests came to {path}, not {number}")

    return wait


def a_mail(*addresses: str, **more: Any) -> dict[str, Any]:
    """The smallest mail that SendGrid takes, to each of the addresses."""
    return {
        "personalizations": [{"to": [{"email": address}]} for address in addresses],
        "from": {"email": "hello@everyway.example"},
        "subject": "The meeting",
        "content": [{"type": "text/plain", "value": "It is on Monday."}],
        **more,
    }
