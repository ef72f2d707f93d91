"""The channels that this process has opened, with their connections to providers."""

from __future__ import annotations

from functools import cache

from channels.base import Channel
from channels.opening import open_channel
from config.settings import settings


@cache
def _opened() -> dict[str, Channel]:
    return {}


def opened_channel(name: str) -> Channel:
    """A channel by its name in the registry, opened once: its connections outlive a job."""
    opened = _opened()
    if name not in opened:
        opened[name] = open_channel(name, settings())
    return opened[name]
