"""The ways to providers: proxies and certificates as the environment says, in every adapter that speaks HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from channels.base import Accepted, Channel, Content, Message, Outcome, TryLater
from channels.opening import open_channel
from channels.transport import is_this_machine, proxy_for, retry_after, until
from config.settings import Settings
from tests.channels.certificates import server_context
from tests.channels.proxy import Proxy, proxy
from tests.channels.wire import Request, Wire, reply, wire

BY_HTTP = ["email", "text", "social"]
NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"]
TEXT = Content(text="Hello", subject="Hello")


def any_provider(request: Request) -> bytes:
    """An answer that every provider could give."""
    return reply(200 if request.method == "GET" else 201, {"id": "1", "sid": "SM1"})


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def secure(folder: Path) -> Iterator[Wire]:
    with wire(any_provider, server_context(folder)) as server:
        yield server


def settings(url: str) -> Settings:
    return Settings(
        email_from="hub@example.org",
        sendgrid_api_key=SecretStr("SG.key"),
        sendgrid_base_url=url,
        twilio_account_sid="AC1",
        twilio_auth_token=SecretStr("secret"),
        twilio_from="+447700900001",
        twilio_base_url=url,
        mastodon_base_url=url,
        mastodon_access_token=SecretStr("token"),
        sandbox=True,
    )


@pytest.fixture
def outcome_at() -> Iterator[Callable[[str, str], Outcome]]:
    opened: list[Channel] = []

    def send_one(name: str, url: str) -> Outcome:
        opened.append(open_channel(name, settings(url)))
        address = "+447700900123" if name == "text" else "ann@example.org"
        ((_, outcome),) = opened[-1].send([Message(1, address, TEXT)])
        return outcome

    yield send_one
    for channel in opened:
        channel.close()


Sender = Callable[[str, str], Outcome]


@pytest.mark.parametrize("name", BY_HTTP)
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_certificates_of_the_environment_are_trusted(
    monkeypatch: pytest.MonkeyPatch, outcome_at: Sender, secure: Wire, folder: Path, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, str(folder / "trusted.pem"))
    assert isinstance(outcome_at(name, secure.url), Accepted)


@pytest.mark.parametrize("name", BY_HTTP)
def test_an_unknown_certificate_gets_nothing(outcome_at: Sender, secure: Wire, name: str) -> None:
    assert isinstance(outcome_at(name, secure.url), TryLater)
    assert not secure.requests


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_certificate_for_another_name_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, outcome_at: Sender, secure: Wire, folder: Path, name: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "trusted.pem"))
    assert isinstance(outcome_at(name, secure.url.replace("127.0.0.1", "127.0.0.2")), TryLater)
    assert not secure.requests


@pytest.fixture
def tunnel(secure: Wire, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy to a provider whose name only the proxy knows."""
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "trusted.pem"))
    with proxy({"provider.test": urlsplit(secure.url).port or 0}) as served:
        yield served


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, outcome_at: Sender, name: str) -> None:
    with wire(any_provider) as plain, proxy({"provider.test": urlsplit(plain.url).port or 0}) as between:
        monkeypatch.setenv("HTTP_PROXY", between.url)
        assert isinstance(outcome_at(name, "http://provider.test"), Accepted)
        assert plain.requests[-1].method == "POST"
        assert all(" http://provider.test/" in asked for asked in between.asked)
        assert between.asked


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_proxy_sees_nothing_of_what_is_encrypted(
    monkeypatch: pytest.MonkeyPatch, outcome_at: Sender, secure: Wire, tunnel: Proxy, name: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url.replace("//", "//jo:secret@"))
    assert isinstance(outcome_at(name, "https://provider.test"), Accepted)
    assert secure.requests[-1].method == "POST"
    assert tunnel.asked
    assert all(asked.startswith("CONNECT provider.test:443 ") for asked in tunnel.asked)
    assert all("Basic am86c2VjcmV0" in asked for asked in tunnel.asked)
    assert not any("secret" in asked or "SG.key" in asked for asked in tunnel.asked)


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_proxy_that_refuses_or_is_away_means_later(
    monkeypatch: pytest.MonkeyPatch, outcome_at: Sender, tunnel: Proxy, name: str
) -> None:
    tunnel.refuses = True
    monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
    assert isinstance(outcome_at(name, "https://provider.test"), TryLater)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert isinstance(outcome_at(name, "https://provider.test"), TryLater)


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_proxy_is_never_asked_for_this_very_machine(
    monkeypatch: pytest.MonkeyPatch, outcome_at: Sender, name: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with wire(any_provider) as plain:
        assert isinstance(outcome_at(name, plain.url), Accepted)


def test_exceptions_from_the_proxy_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example.org:3128")
    monkeypatch.setenv("NO_PROXY", "api.sendgrid.com,.internal.example.org")
    assert proxy_for("https://api.twilio.com") == "http://proxy.example.org:3128"
    assert proxy_for("https://api.sendgrid.com") is None
    assert proxy_for("https://mail.internal.example.org") is None
    assert proxy_for("http://api.twilio.com") is None


@pytest.mark.parametrize("name", BY_HTTP)
def test_certificates_that_cannot_be_read_are_said_plainly(
    monkeypatch: pytest.MonkeyPatch, secure: Wire, name: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at-all.pem")
    channel = open_channel(name, settings(secure.url))
    ((_, outcome),) = channel.send([Message(1, "+447700900123", TEXT)])
    assert not isinstance(outcome, Accepted)
    assert "SSL_CERT_FILE" in (channel.check() or "")
    channel.close()


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("[::1]", True),
        ("hub.localhost", True),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_is_recognised(host: str, is_it: bool) -> None:
    assert is_this_machine(host) is is_it


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("2.5", 2.5),
        ("Sun, 22 Nov 2026 12:05:00 GMT", 300),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 1),
        ("99999999999", 86_400),
        ("soon", 60),
        ("", 60),
        ("1e999", 60),
        ("9" * 400, 60),
    ],
)
def test_a_provider_is_given_the_time_it_asks_for(said: str, seconds: float) -> None:
    assert retry_after({"Retry-After": said}, A_MINUTE, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (str(int(NOW.timestamp()) + 90), 90),
        ("2026-11-22T12:00:30Z", 30),
        ("2026-11-22T12:00:30", 60),
        ("1", 1),
        ("soon", 60),
        ("", 60),
        ("9" * 400, 60),
    ],
)
def test_a_provider_is_given_time_until_the_moment_it_names(said: str, seconds: int) -> None:
    assert until(said, A_MINUTE, NOW) == timedelta(seconds=seconds)
