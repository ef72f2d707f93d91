"""The demo's settings: everything named, so that nobody's own settings and providers are ever used by it."""

from __future__ import annotations

import os
from pathlib import Path

from channels.sandbox.credentials import hub_environment
from channels.sandbox.keys import public_key
from config.settings import Settings, settings
from hub.processes.data_folder import InUse, check_port

LOCAL = "127.0.0.1"
PORTS_TRIED = 50
GROUP_NAME = "Riverside Together"


def leave_own_settings_aside() -> Path:
    """Take every setting out of this process's environment, and read no .env; returns the demo's folder.

    Only the folder is the person's choice (--data, or DATA_DIR). So nothing that is wrong with the others matters.
    """
    for name in Settings.model_fields:
        if name != "data_dir":
            os.environ.pop(name.upper(), None)
            os.environ.pop(name, None)
    os.environ["EVERYWAY_ENV_FILE"] = ""
    settings.cache_clear()
    return settings().data_dir.resolve()


def use_demo_settings(folder: Path, *, port: int, sandbox_port: int) -> Settings:
    """Put the demo's settings into this process's environment, which its children inherit, and return them."""
    os.environ.update(hub_environment(f"http://{LOCAL}:{sandbox_port}", public_key(folder)))
    os.environ.update(
        DATA_DIR=str(folder), PORT=str(port), PUBLIC_URL=f"http://localhost:{port}", GROUP_NAME=GROUP_NAME
    )
    os.environ["RETRY_MINUTES"] = "0.02"  # nobody wants to watch a phone that is off for hours
    _stay_off_proxies()
    settings.cache_clear()
    return settings()


def _stay_off_proxies() -> None:
    # A proxy that the person's own machine needs would be asked for this machine's addresses, too.
    for name in ("NO_PROXY", "no_proxy"):
        known = [os.environ[name]] if os.environ.get(name) else []
        os.environ[name] = ",".join([*known, "localhost", LOCAL])


def free_port_after(port: int) -> int:
    """The next port that nothing listens on. Raises :class:`InUse` where none of the next ones is free."""
    for candidate in range(port + 1, min(port + 1 + PORTS_TRIED, 65536)):
        try:
            check_port(LOCAL, candidate)
        except InUse:
            continue
        return candidate
    raise InUse(f"No port after {port} is free for the sandbox. Choose another with --port.")
