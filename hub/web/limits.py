"""How often somebody may try something, counted across all web processes where there is a Redis or Valkey."""

from __future__ import annotations

import structlog
from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from redis import Redis
from redis.exceptions import RedisError

from config.settings import Settings

SIGN_IN_LIMIT = "10 per minute; 60 per hour"
"""Enough for a person who mistypes, too few for guessing (OWASP Authentication Cheat Sheet)."""

limiter = Limiter(key_func=get_remote_address, default_limits=[], headers_enabled=True)

log = structlog.get_logger()


def limit_attempts(app: Flask, settings: Settings) -> None:
    """Start counting. Without a reachable Redis or Valkey each web process counts for itself."""
    app.config.setdefault("RATELIMIT_STORAGE_URI", _storage(settings))
    app.config.setdefault("RATELIMIT_IN_MEMORY_FALLBACK_ENABLED", True)
    app.config.setdefault("RATELIMIT_IN_MEMORY_FALLBACK", [])
    limiter.init_app(app)


def _storage(settings: Settings) -> str:
    address = settings.redis_url or f"unix://{settings.valkey_socket}"
    try:
        Redis.from_url(address, socket_connect_timeout=1, socket_timeout=1).ping()
    except (RedisError, OSError, ValueError):
        log.warning("sign-in attempts are counted by each web process alone: Redis or Valkey is not reachable")
        return "memory://"
    return f"redis+{address}" if address.startswith("unix://") else address
