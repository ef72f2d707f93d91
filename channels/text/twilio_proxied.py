"""The HTTP client under the official Twilio SDK where there is a proxy in between."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp
from twilio.http.response import Response

from channels.pool import Limits
from channels.text.twilio_http import TwilioHttp, basic, encode_form
from channels.transport import LARGEST_ANSWER, NoAnswer, NotSent


class ProxiedHttp(TwilioHttp):
    """The SDK's requests through the environment's proxy, over aiohttp."""

    def __init__(self, base_url: str, tls: ssl.SSLContext | None, limits: Limits, proxy: str) -> None:
        super().__init__(base_url)
        self._tls = tls
        self._proxy = proxy
        self._timeout = aiohttp.ClientTimeout(
            total=limits.connect_seconds + limits.answer_seconds, sock_connect=limits.connect_seconds
        )
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_: Any,
    ) -> Response:
        """As the SDK asks for it. Redirects are never followed."""
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls or True, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        try:
            async with self._session.request(
                method,
                self.address(uri, params),
                data=encode_form(data) if data else None,
                headers={**(headers or {}), **({"Authorization": basic(auth)} if auth else {})},
                proxy=self._proxy,
                allow_redirects=False,
            ) as answer:
                body = await _read(answer.content)
        except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError, aiohttp.InvalidURL) as error:
            raise NotSent(type(error).__name__) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(type(error).__name__) from error
        return Response(answer.status, body.decode("utf-8", "replace"), answer.headers)

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = b""
    async for piece in content.iter_any():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise NoAnswer("The answer is too long.")
    return body
