"""A connection to the queue server, for looking at it. The hub never puts anything there: workers do."""

from __future__ import annotations

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.settings import settings

TIMEOUT = 2.0


@cache
def queue_server() -> Redis:
    """This process's connections to Redis or Valkey, for questions that are answered at once or not at all."""
    at_once = Retry(NoBackoff(), 0)
    if settings().redis_url:
        return Redis.from_url(
            settings().redis_url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=at_once
        )
    return Redis(unix_socket_path=str(settings().valkey_socket), socket_timeout=TIMEOUT, retry=at_once)
