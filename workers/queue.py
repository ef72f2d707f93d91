"""The queue server: where the dispatcher leaves word for workers. It holds nothing that the database does not know."""

from __future__ import annotations

from functools import cache

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from config.settings import settings


@cache
def connection() -> Redis:
    """This process's connections to Redis or Valkey: REDIS_URL, or the embedded server's socket."""
    if settings().redis_url:
        return Redis.from_url(settings().redis_url)
    return Redis(unix_socket_path=str(settings().valkey_socket))


def queue(name: str) -> Queue:
    """A channel's queue. Jobs are JSON: nothing that arrives there can run code of its own."""
    return Queue(name, connection=connection(), serializer=JSONSerializer)
