"""How long providers take, as workers have told the queue server once a job: they have no address to be asked at."""

from __future__ import annotations

from redis import Redis

PREFIX = "everyway:provider:"


def add_provider_times(server: Redis, channel: str, requests: int, seconds: float) -> None:
    """Add what one job has seen."""
    with server.pipeline(transaction=False) as pipeline:
        pipeline.hincrby(f"{PREFIX}{channel}", "requests", requests)
        pipeline.hincrbyfloat(f"{PREFIX}{channel}", "seconds", seconds)
        pipeline.execute()


def provider_times(server: Redis, channel: str) -> tuple[int, float]:
    """Requests that were answered, and the seconds that took in all, since the queue server was last emptied."""
    requests, seconds = server.hmget(f"{PREFIX}{channel}", "requests", "seconds")
    return int(requests or 0), float(seconds or 0)
