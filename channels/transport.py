"""The ways to providers over HTTP: proxies, trusted certificates, and what can go wrong on the way.

The environment decides about proxies and certificates, by the names that everybody knows: ``HTTPS_PROXY``,
``HTTP_PROXY``, ``ALL_PROXY``, ``NO_PROXY``, ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` and ``SSL_CERT_FILE``.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import HTTPError

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
LARGEST_ANSWER = 4 * 1024 * 1024
UNREADABLE_CERTIFICATES = "the certificates that REQUESTS_CA_BUNDLE or SSL_CERT_FILE names can’t be read"


class NotSent(Exception):
    """Nothing of the request has left: it may be sent again. The message says why, without any content."""


class NoAnswer(Exception):
    """The request has left and no whole answer came: it may or may not have been processed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. ``headers`` are found whatever their case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_this_machine(host: str) -> bool:
    """Whether ``host`` means this very machine. Such addresses are never asked for through a proxy."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def proxy_for(url: str) -> str | None:
    """The proxy that the environment asks for on the way to ``url``, as a URL; None: none."""
    if is_this_machine(urlsplit(url).hostname or ""):
        return None
    proxy = select_proxy(url, get_environ_proxies(url))
    if proxy is None:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def ca_bundle() -> str | None:
    """The certificates to trust, where the environment names a file or a folder of them."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def tls_context() -> ssl.SSLContext:
    """How servers prove who they are: by the environment's certificates, else the system's and certifi's.

    Raises :class:`OSError` where the environment names a file that can't be read.
    """
    bundle = ca_bundle()
    if bundle is None:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())  # a bare machine has no certificates of its own
        return context
    if Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def session(url: str, connections: int = 4) -> requests.Session:
    """A pooled session for one provider at ``url``, through the environment's proxy where there is one.

    It never tries anything a second time. The environment's ``.netrc`` is not read: it would replace our credentials.
    """
    opened = requests.Session()
    opened.trust_env = False
    opened.verify = ca_bundle() or True
    proxy = proxy_for(url)
    if proxy is not None:
        opened.proxies = {"http": proxy, "https": proxy}
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections, max_retries=0)
    opened.mount("https://", adapter)
    opened.mount("http://", adapter)
    return opened


def exchange(
    opened: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    seconds: float = ANSWER_SECONDS,
) -> Answer:
    """One request and its whole answer. Redirects are not followed. Raises :class:`NotSent` or :class:`NoAnswer`."""
    watched = _Body(body)
    try:
        with opened.request(
            method,
            url,
            headers=dict(headers),
            data=watched if body else None,
            timeout=(CONNECT_SECONDS, seconds),
            allow_redirects=False,
            stream=True,
        ) as answer:
            content = answer.raw.read(LARGEST_ANSWER + 1, decode_content=True)
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        what = _cause(error)
        if isinstance(opened.verify, str) and not Path(opened.verify).exists():
            what = UNREADABLE_CERTIFICATES
        # A server can't act on a request with a body before it has seen any of the body.
        raise NoAnswer(what) if watched.touched else NotSent(what) from error
    if len(content) > LARGEST_ANSWER:
        raise NoAnswer("The answer is too long.")
    return Answer(answer.status_code, answer.headers, content)


class _Body(BytesIO):
    """Knows whether any of it has been read for sending, which begins only once there is a connection."""

    touched = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.touched = True
        return super().read(size)


def _cause(error: BaseException) -> str:
    """The name of what lies at the bottom of an error; messages of libraries may hold addresses and keys."""
    seen = 0
    while (error.__cause__ or error.__context__) and seen < 10:
        error, seen = error.__cause__ or error.__context__ or error, seen + 1
    return type(error).__name__


def retry_after(headers: Mapping[str, str], default: timedelta, now: datetime | None = None) -> timedelta:
    """How long a provider asks us to wait: ``Retry-After`` in seconds or as a date (RFC 9110, 10.2.3).

    Never less than a second nor more than a day; ``default`` where it says nothing that can be read.
    """
    value = headers.get("Retry-After", "").strip()
    try:
        wait = timedelta(seconds=float(value)) if value[:1].isdigit() else parsedate_to_datetime(value) - _now(now)
    except (ValueError, TypeError, OverflowError):
        return default
    return min(max(wait, timedelta(seconds=1)), timedelta(days=1))


def until(epoch: str, default: timedelta, now: datetime | None = None) -> timedelta:
    """How long to wait for a moment that a provider gives in seconds since 1970 or as an ISO 8601 date."""
    try:
        moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.fromisoformat(epoch)
        wait = moment - _now(now)
    except (ValueError, TypeError, OverflowError, OSError):
        return default
    return min(max(wait, timedelta(seconds=1)), timedelta(days=1))


def _now(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)
