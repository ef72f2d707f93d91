"""The key that signs sessions and links: given as SECRET_KEY, or made once and kept under DATA_DIR."""

from __future__ import annotations

import os
import secrets
from functools import cache
from pathlib import Path

from config.settings import settings

MINIMUM_LENGTH = 32


@cache
def secret_key() -> bytes:
    """The installation's secret. Every process of it gets the same one.

    Raises ``ValueError`` where SECRET_KEY is set but shorter than 32 characters, ``OSError`` where it can't be kept.
    """
    given = settings().secret_key.get_secret_value()
    if not given:
        return _kept(settings().data_dir / "secret_key")
    if len(given) < MINIMUM_LENGTH:
        raise ValueError(f"SECRET_KEY is too short: it needs at least {MINIMUM_LENGTH} characters.")
    return given.encode()


def _kept(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            os.link(fresh, path)  # the first process to get here wins, whole; the others read its key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes().strip()
