"""Names that others rely on: in scripts, in the settings of providers, in messages that were sent long ago."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Engine

from config.settings import Settings
from hub.app import create_app
from hub.cli import COMMANDS
from tests.architecture.tree import ROOT

SETTINGS = [
    "PUBLIC_URL",
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "EMAIL_PROVIDER",
    "EMAIL_FROM",
    "SMTP_URL",
    "SANDBOX",
    "SENDGRID_API_KEY",
    "SENDGRID_BASE_URL",
    "SENDGRID_WEBHOOK_PUBLIC_KEY",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_FROM",
    "TWILIO_MESSAGING_SERVICE_SID",
    "TWILIO_BASE_URL",
    "MASTODON_BASE_URL",
    "MASTODON_ACCESS_TOKEN",
]
ADDRESSES = [
    ("POST", "/webhooks/twilio/status"),
    ("POST", "/webhooks/twilio/inbound"),
    ("POST", "/webhooks/sendgrid/events"),
    ("POST", "/webhooks/sendgrid/inbound/<token>"),
    ("GET", "/u/<token>"),
    ("POST", "/u/<token>"),
    ("GET", "/p/<token>"),
]


@pytest.fixture
def app(sqlite_database: Engine) -> Flask:
    return create_app()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_keeps_its_name_and_the_readme_has_it(name: str) -> None:
    assert name.lower() in Settings.model_fields
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_addresses_keep_their_names(app: Flask) -> None:
    there = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert set(ADDRESSES) - there == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_has_every_command(name: str) -> None:
    assert f"`{name}" in (ROOT / "README.md").read_text(encoding="utf-8")
