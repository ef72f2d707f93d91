"""From the registry and the settings to a channel that can send."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from channels.base import Channel
from config.channels import CHANNELS
from config.settings import Settings


def open_channel(name: str, settings: Settings) -> Channel:
    """The channel's adapter, for the provider that the settings choose. Connects to nobody yet."""
    adapters = CHANNELS[name].adapters
    provider = settings.email_provider.value if name == "email" else next(iter(adapters))
    module, _, factory = adapters[provider].partition(":")
    return cast("Channel", getattr(import_module(module), factory)(settings))
