"""Who may open which page, and which forms other sites can't send. Asked of the application itself, one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFError
from sqlalchemy import Engine
from werkzeug.routing import IntegerConverter

from hub.app import create_app

PUBLIC = {
    "static": "the style sheet, the font and the scripts",
    "security.static": "as above, for the sign-in pages",
    "security.login": "signing in",
    "security.two_factor_token_validation": "the second step of signing in; needs the first",
    "security.two_factor_rescue": "help with the second step; needs the first",
    "security.tf_select": "as above",
    "security.two_factor_setup": "where a second step is required, it is set up while signing in; needs the first",
    "security.two_factor_setup_validate": "as above",
    "health.alive": "says that the process runs, and nothing else",
    "health.ready": "says that the database answers, and nothing else",
    "metrics.metrics": "the token of METRICS_TOKEN; without one there is no such page",
    "conversation_webhooks.twilio_inbound": "Twilio's signature",
    "conversation_webhooks.sendgrid_inbound": "the secret end of the address",
    "delivery_webhooks.twilio_status": "Twilio's signature",
    "delivery_webhooks.sendgrid_events": "SendGrid's signature",
    "unsubscribe.page": "the signed link of one person",
    "unsubscribe.act": "the signed link of one person",
    "preferences.show": "the signed link of one person",
    "preferences.order": "the signed link of one person",
    "preferences.stop": "the signed link of one person",
    "preferences.start": "the signed link of one person",
    "preferences.topic": "the signed link of one person",
    "preferences.pause": "the signed link of one person",
}
"""What opens without signing in, and what protects it instead."""

WITHOUT_FORM_TOKEN = {
    "conversation_webhooks.twilio_inbound": "a program posts it; Twilio's signature",
    "conversation_webhooks.sendgrid_inbound": "a program posts it; the secret end of the address",
    "delivery_webhooks.twilio_status": "a program posts it; Twilio's signature",
    "delivery_webhooks.sendgrid_events": "a program posts it; SendGrid's signature",
    "unsubscribe.act": "mail programs post it by themselves (RFC 8058); the signed link",
}
"""What may be posted without our own form's token, and what protects it instead."""


@pytest.fixture
def app(sqlite_database: Engine) -> Flask:
    return create_app()


def _routes(app: Flask, *methods: str) -> Iterator[tuple[str, str, str]]:
    """The endpoint, method and an address of every route that takes one of the methods."""
    addresses = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        values = {name: 1 if isinstance(part, IntegerConverter) else "x" for name, part in rule._converters.items()}
        for method in sorted(set(methods) & (rule.methods or set())):
            yield rule.endpoint, method, addresses.build(rule.endpoint, values, method=method)


def test_only_named_pages_open_without_signing_in(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # so that the refusal is about the person, not about the form
    open_pages = set()
    for endpoint, method, address in _routes(app, "GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = app.test_client().open(address, method=method)
        assert answer.status_code != 500, address
        asked_to_sign_in = answer.status_code == 302 and "/sign-in" in answer.headers["Location"]
        if not asked_to_sign_in and answer.status_code not in {401, 403}:
            open_pages.add(endpoint)
    assert open_pages - PUBLIC.keys() == set()


def test_other_sites_can_send_none_of_our_forms(app: Flask) -> None:
    refused = "refused for its token"
    app.register_error_handler(CSRFError, lambda _error: (refused, 400))  # to tell this refusal from any other
    accepted = {
        endpoint
        for endpoint, method, address in _routes(app, "POST", "PUT", "PATCH", "DELETE")
        if app.test_client().open(address, method=method).text != refused
    }
    assert accepted == WITHOUT_FORM_TOKEN.keys()


def test_every_name_on_the_lists_is_a_page(app: Flask) -> None:
    assert (PUBLIC.keys() | WITHOUT_FORM_TOKEN.keys()) - app.view_functions.keys() == set()
