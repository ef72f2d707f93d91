"""What processes say about themselves: one line an event, with ids and counts, and never a body, name or number."""

from __future__ import annotations

import logging.config
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.settings import LogFormat, settings

# Events are written with ids alone. Messages of libraries and of exceptions may quote what they were given, so
# whatever looks like a phone number or a mailbox is made unreadable on its way out.
_PERSONAL = re.compile(r"\+\d[\d ()-]{6,18}\d|[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")

QUIET = ("twilio", "urllib3", "python_http_client", "requests", "alembic", "rq")
"""Libraries whose running commentary (the Twilio SDK's holds whole requests) is not wanted; their warnings are."""


def mask_personal_data(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put an ellipsis for everything in an event that looks like a phone number or a mailbox."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _PERSONAL.sub("…", value)
    return event


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _finishing() -> list[Processor]:
    begin: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        mask_personal_data,
    ]
    if settings().log_format is LogFormat.JSON:
        return [*begin, structlog.processors.JSONRenderer(ensure_ascii=False)]
    plain = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)
    return [*begin, plain]


def log_configuration() -> dict[str, Any]:
    """Python's logging as ``logging.config.dictConfig`` takes it; gunicorn starts with it, too."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "everyway": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": _finishing(),
                "foreign_pre_chain": _shared(),
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "everyway"},
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
            **{name: {"level": "WARNING"} for name in QUIET},
        },
    }


def set_up_logs() -> None:
    """Log to stderr from here on, as LOG_FORMAT says. Once in each process, before it does anything."""
    logging.config.dictConfig(log_configuration())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
