"""The web server: ``gunicorn --config python:config.gunicorn "hub.app:create_app()"``. Names are gunicorn's own."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

from config.logs import log_configuration, set_up_logs
from config.settings import settings

bind = f"{settings().listen_on}:{settings().port}"
workers = settings().web_processes
worker_class = "gthread"
threads = settings().web_threads
backlog = 512

# The application is loaded once and shared by the processes. On macOS a process that has asked the system for its
# proxies must not fork, so there each process loads it for itself.
preload_app = sys.platform == "linux"

timeout = 60
graceful_timeout = 2  # a request that takes longer than that is long over; `hub start` ends within 5 s
keepalive = 75  # longer than a proxy in front keeps an idle connection, so that it is never closed under a request

# The workers' sign of life is a file's time. In memory, where there is such a place: a busy disk would look like a
# dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file in it

# No access log: addresses hold people's links and what was searched for. The proxy in front may count requests.
accesslog = None
errorlog = "-"
set_up_logs()  # before the application is loaded, which is before any of gunicorn's hooks
logconfig_dict = log_configuration()

limit_request_line = 8190
limit_request_field_size = 8190
forwarded_allow_ips = ""  # hub.web.protection reads X-Forwarded-*, as TRUSTED_PROXIES says
control_socket_disable = True


def pre_fork(_server: Any, _worker: Any) -> None:
    """What is loaded stays: kept out of the collector's way, its memory stays shared, and processes end at once."""
    gc.freeze()
