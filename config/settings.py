"""Everything that differs between installations. This is the only reader of the environment."""

from __future__ import annotations

import hashlib
import os
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AnyHttpUrl, Field, SecretStr, StringConstraints, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVERS = {
    "database_url": (
        ("postgresql://", "postgres://", "postgresql+psycopg://", "sqlite:///"),
        "postgresql://user:password@host/name",
    ),
    "redis_url": (("redis://", "rediss://", "unix://"), "redis://host:6379/0"),
}
"""What DATABASE_URL and REDIS_URL may begin with, and what they look like."""

MINIMUM_SECRET = 32

LONGEST_SOCKET_PATH = 103
"""Bytes in the path of a Unix socket: 107 on Linux (unix(7)), 103 on macOS."""

HttpUrl = Annotated[str, StringConstraints(strip_whitespace=True)]


class EmailProvider(StrEnum):
    """Who takes our email: SendGrid's API, or any mailbox by SMTP."""

    SENDGRID = "sendgrid"
    SMTP = "smtp"


class LogFormat(StrEnum):
    """How log lines are written."""

    PLAIN = "plain"
    JSON = "json"


class Settings(BaseSettings):
    """Typed settings, read from the environment and from ``.env`` in the working directory.

    An unset name has the default below. A wrong value raises :class:`pydantic.ValidationError`,
    which names the setting; :mod:`hub.cli` turns it into one plain line for each.
    """

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    # Where this installation lives
    public_url: HttpUrl = Field(
        default="http://localhost:8000",
        description="The address people use to reach the hub: for links, and for checking webhook signatures.",
    )
    data_dir: Path = Field(
        default=Path("var"),
        description="Where the SQLite file and the embedded Valkey live, unless they are elsewhere.",
    )
    database_url: str = Field(default="", description="PostgreSQL, as postgresql://…; empty: SQLite under DATA_DIR.")
    redis_url: str = Field(default="", description="Redis or Valkey, as redis://…; empty: an embedded Valkey.")
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="At least 32 characters; signs sessions and links. Empty: made once and kept under DATA_DIR.",
    )
    port: int = Field(default=8000, ge=1, le=65535, description="The port that the web server listens on.")
    listen_on: str = Field(
        default="127.0.0.1", description="The address that the web server listens on; 0.0.0.0: all of the machine's."
    )
    web_processes: int = Field(default=2, ge=1, le=64, description="How many processes answer web requests.")
    web_threads: int = Field(default=8, ge=1, le=256, description="How many requests each of them answers at a time.")
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="What Prometheus shows to read /metrics. Empty: there is no such page."
    )
    log_format: LogFormat = Field(default=LogFormat.PLAIN, description="plain, or json for a log collector.")
    trusted_proxies: int = Field(
        default=0, ge=0, le=5, description="How many reverse proxies stand in front and set X-Forwarded-For and -Proto."
    )
    group_name: str = Field(default="Our group", max_length=60, description="The name that people know the group by.")
    time_zone: str = Field(default="Europe/London", description="The group's time zone, as an IANA name.")
    country: str = Field(
        default="GB",
        pattern="^[A-Z]{2}$",
        description="Where a phone number without a country code is; two letters, as GB.",
    )
    sandbox: bool = Field(default=False, description="Allows fictional numbers and addresses. Never set it when live.")

    # The rules of sending
    undo_seconds: int = Field(
        default=10, ge=0, le=600, description="How long Send can be undone before anything leaves. 0: not at all."
    )
    lease_seconds: int = Field(
        default=60, ge=5, le=3600, description="How long a worker that says nothing keeps what it took for sending."
    )
    ask_after_seconds: int = Field(
        default=30, ge=1, le=3600, description="How soon a provider is asked whether it took a message, if unknown."
    )
    settle_minutes: float = Field(
        default=60, gt=0, le=10080, description="After this an organiser is asked what a provider did not say."
    )
    retry_minutes: str = Field(
        default="60,360",
        pattern=r"^(\d+(\.\d+)?(,\d+(\.\d+)?){0,4})?$",
        description="How long after each failed try somebody who could not be reached just then is tried once more.",
    )
    messages_per_day: int = Field(
        default=5,
        ge=0,
        le=100,
        description="The most for a person in a day, urgent messages apart. 0: no limit.",
    )
    emails_per_second: float = Field(default=0, ge=0, description="The most, of all workers together. 0: no limit.")
    text_parts_per_second: float = Field(default=0, ge=0, description="The most, of all workers together. 0: no limit.")

    # Email
    email_provider: EmailProvider = Field(default=EmailProvider.SENDGRID, description="sendgrid or smtp.")
    email_from: str = Field(default="", description="The address that email comes from.")
    sendgrid_api_key: SecretStr = Field(default=SecretStr(""), description="An API key that may send mail.")
    sendgrid_base_url: HttpUrl = Field(
        default="https://api.sendgrid.com", description="https://api.eu.sendgrid.com for the European Union."
    )
    sendgrid_webhook_public_key: str = Field(default="", description="The verification key of the Event Webhook.")
    sendgrid_inbound_token: SecretStr = Field(
        default=SecretStr(""), description="The secret end of /webhooks/sendgrid/inbound/<token>."
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""), description="smtp://user:password@host:587 (STARTTLS) or smtps://…:465."
    )

    # Text messages
    twilio_account_sid: str = Field(default="", description="The account's SID, which begins with AC.")
    twilio_auth_token: SecretStr = Field(default=SecretStr(""), description="The account's primary auth token.")
    twilio_from: str = Field(default="", description="The number that texts come from, as +44…")
    twilio_messaging_service_sid: str = Field(default="", description="Instead of TWILIO_FROM; begins with MG.")
    twilio_base_url: HttpUrl = Field(default="https://api.twilio.com", description="Twilio's API.")
    text_part_price: float = Field(default=0.0419, ge=0, description="What one part of a text costs, for estimates.")
    currency: str = Field(default="£", max_length=3, description="The sign in front of costs.")

    # Social media
    mastodon_base_url: HttpUrl = Field(default="https://mastodon.social", description="The group's Mastodon server.")
    mastodon_access_token: SecretStr = Field(default=SecretStr(""), description="May write statuses.")

    @field_validator("public_url", "sendgrid_base_url", "twilio_base_url", "mastodon_base_url")
    @classmethod
    def _is_an_http_address(cls, value: str) -> str:
        return str(AnyHttpUrl(value)).rstrip("/")

    @field_validator("database_url", "redis_url")
    @classmethod
    def _is_a_server_we_can_use(cls, value: str, info: ValidationInfo) -> str:
        schemes, example = SERVERS[str(info.field_name)]
        if value and not value.startswith(schemes):
            raise ValueError(f"must be an address like {example}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, KeyError, OSError) as unknown:
            raise ValueError("must be a time zone like Europe/London") from unknown
        return value

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MINIMUM_SECRET:
            raise ValueError(f"must have at least {MINIMUM_SECRET} characters")
        return value

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy names it: psycopg 3 for PostgreSQL, else SQLite under :attr:`data_dir`."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.resolve() / 'everyway.sqlite3'}"
        scheme, _, rest = self.database_url.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg://{rest}"
        return self.database_url

    @property
    def valkey_socket(self) -> Path:
        """Where the embedded Valkey listens: the same for every process that has the same :attr:`data_dir`.

        Under it, unless that makes a path that is too long for a socket. Then it is in a short folder of this user's,
        named after the data folder; whoever starts the server sees to it that the folder is private.
        """
        under_data = self.data_dir.resolve() / "valkey.sock"
        if len(os.fsencode(under_data)) <= LONGEST_SOCKET_PATH:
            return under_data
        name = hashlib.sha256(os.fsencode(under_data)).hexdigest()[:12]
        # Not tempfile.gettempdir(): it follows TMPDIR, which may be another one, and long, for another process.
        return Path("/tmp") / f"everyway-{os.getuid()}-{name}" / "valkey.sock"  # noqa: S108 - checked before use


@cache
def settings() -> Settings:
    """This process's settings, read once. EVERYWAY_ENV_FILE names another file than .env; empty: none is read."""
    return Settings(_env_file=os.environ.get("EVERYWAY_ENV_FILE", ".env") or None)  # type: ignore[call-arg]  # pydantic-settings' own, known to mypy through a plugin only
