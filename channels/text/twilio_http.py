"""The HTTP clients under the official Twilio SDK: a lean one, and a library's where there is a proxy in between.

Both send what the SDK's default client sends, to the configured base address instead of Twilio's own (the SDK has no
setting for it), and both raise :class:`NotSent` and :class:`NoAnswer` instead of errors of their own.
"""

from __future__ import annotations

import logging
import re
import ssl
from base64 import b64encode
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from channels.pool import Limits, Pool
from channels.transport import proxy_for, tls_context

_log = logging.getLogger(__name__)
_TO_QUOTE = re.compile(rb"[^A-Za-z0-9_.~\- ]")
_QUOTED = {bytes([code]): b"%%%02X" % code for code in range(256)}
_LONGEST_STEM, _SHORT = 120, 32
_FORBIDDEN = re.compile("[\r\n\0]")


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]  # the SDK's types are not used
    """What both clients have in common: the configured base address, and an end."""

    def __init__(self, base_url: str) -> None:
        super().__init__(_log, True)
        self._base_url = base_url.rstrip("/")

    def address(self, uri: str, params: dict[str, Any] | None) -> str:
        """Where a request to ``uri`` goes: same path, at the configured base address."""
        path = urlsplit(uri).path
        query = urlsplit(uri).query
        if params:
            query = "&".join(part for part in (query, urlencode(params, doseq=True)) if part)
        return f"{self._base_url}{path}{'?' + query if query else ''}"

    async def close(self) -> None:
        """Let go of connections."""


def http_client(base_url: str, limits: Limits | None = None) -> TwilioHttp:
    """The client to use for ``base_url`` in this environment: the lean one, unless a proxy must be asked.

    Raises :class:`OSError` where the environment names certificates that can't be read.
    """
    tls = tls_context() if base_url.startswith("https:") else None
    proxy = proxy_for(base_url)
    if proxy is None:
        return LeanHttp(base_url, tls, limits or Limits())
    from channels.text.twilio_proxied import ProxiedHttp  # 10 MB of memory that few need

    return ProxiedHttp(base_url, tls, limits or Limits(), proxy)


class LeanHttp(TwilioHttp):
    """The SDK's requests over a pool of kept connections. Nothing is sent a second time."""

    def __init__(self, base_url: str, tls: ssl.SSLContext | None, limits: Limits) -> None:
        super().__init__(base_url)
        self._pool = Pool(base_url, tls, limits)
        self._heads: dict[tuple[Any, ...], bytes] = {}

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Response:
        """As the SDK asks for it. Redirects are never followed."""
        body = encode_form(data) if data else b""
        headers = headers or {}
        key = (method, uri, auth, *headers.items())
        head = None if params else self._heads.get(key)
        if head is None:
            head = self._head(method, self.address(uri, params), headers, auth)
            if not params and len(self._heads) < 64:
                self._heads[key] = head
        answer = await self._pool.ask(b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body), timeout)
        return Response(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)

    async def close(self) -> None:
        """Let go of connections."""
        self._pool.close()

    def _head(self, method: str, url: str, headers: dict[str, str], auth: tuple[str, str] | None) -> bytes:
        address = urlsplit(url)
        target = f"{address.path or '/'}{'?' + address.query if address.query else ''}"
        fields = {"Host": address.netloc.rpartition("@")[2], **headers}
        if auth is not None:
            fields["Authorization"] = basic(auth)
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if any(_FORBIDDEN.search(line) for line in lines) or " " in target:
            raise ValueError("A header or the address of a request has characters that can't be in it.")
        return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def basic(auth: tuple[str, str]) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return f"Basic {b64encode(':'.join(auth).encode()).decode()}"


def encode_form(data: dict[str, Any]) -> bytes:
    """A form as ``requests`` would write it, at a fraction of the cost."""
    pairs = []
    for name, value in data.items():
        if type(value) is str:
            pairs.append(b"%s=%s" % (_quoted(name), _quote(value)))
            continue
        for one in value if isinstance(value, list | tuple) else (value,):
            pairs.append(b"%s=%s" % (_quoted(name), _quote(str(one))))
    return b"&".join(pairs)


def _quote(value: str) -> bytes:
    """``value`` as it stands in a form. Numbers and addresses mostly differ in the digits at their ends."""
    stem = value.rstrip("0123456789")
    if len(stem) > _LONGEST_STEM or (len(stem) == len(value) and len(stem) > _SHORT):
        return _quote_anew(value)
    return _quoted(stem) + value[len(stem) :].encode("ascii")


def _quote_anew(value: str) -> bytes:
    return _TO_QUOTE.sub(_quoted_byte, value.encode("utf-8", "replace")).replace(b" ", b"+")


def _quoted_byte(match: re.Match[bytes]) -> bytes:
    return _QUOTED[match.group()]


_quoted = lru_cache(maxsize=1024)(_quote_anew)
