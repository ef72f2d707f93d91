"""The web application: what every request passes through, and which feature answers it."""

from __future__ import annotations

from pkgutil import resolve_name

from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from config.channels import CHANNELS
from config.secret_key import secret_key
from config.settings import Settings, settings
from hub.accounts.security import set_up_sign_in
from hub.deliveries.wording import NEXT_STEPS, PLACES, REASONS, STATES
from hub.participants.wording import (
    CONSENT_KINDS,
    FILTERS,
    FORMATS,
    POINT_KINDS,
    POINT_STATES,
    SOURCES,
    language_name,
)
from hub.web.assets import register_assets
from hub.web.bars import bar_parts
from hub.web.csrf import csrf
from hub.web.errors import register_errors
from hub.web.limits import limit_attempts
from hub.web.navigation import register_navigation
from hub.web.numbers import IdConverter
from hub.web.paging import this_page_with
from hub.web.protection import protect
from hub.web.wording import register_wording

BLUEPRINTS = (
    "hub.reports.views:bp",
    "hub.reports.person_views:bp",
    "hub.reports.settings_views:bp",
    "hub.accounts.views:bp",
    "hub.calls.views:bp",
    "hub.announcements.views:bp",
    "hub.announcements.writing_views:bp",
    "hub.deliveries.views:bp",
    "hub.deliveries.scheduling_views:bp",
    "hub.deliveries.deciding_views:bp",
    "hub.conversations.views:bp",
    "hub.conversations.webhooks:bp",
    "hub.deliveries.webhooks:bp",
    "hub.participants.group_views:bp",
    "hub.participants.import_views:bp",
    "hub.participants.import_views:exports",
    "hub.participants.preferences_views:bp",
    "hub.participants.unsubscribe:bp",
    "hub.participants.views:bp",
    "hub.participants.way_views:bp",
    "hub.processes.views:bp",
    "hub.processes.metrics:bp",
    "hub.processes.background_views:bp",
)
"""Every feature's pages. A new views.py is added here, and nowhere else."""


def create_app(chosen: Settings | None = None) -> Flask:
    """The application for ``chosen`` settings, or for this process's own."""
    chosen = chosen or settings()
    app = Flask(__name__)
    app.config["SECRET_KEY"] = secret_key()
    app.url_map.converters["int"] = IdConverter
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_loader = ChoiceLoader([PackageLoader("hub"), components])
    protect(app, chosen)
    csrf.init_app(app)
    limit_attempts(app, chosen)
    set_up_sign_in(app, chosen, secret_key().decode())
    register_errors(app)
    register_assets(app)
    register_navigation(app)
    register_wording(app)
    app.jinja_env.globals.update(
        group_name=chosen.group_name,
        currency=chosen.currency,
        this_page_with=this_page_with,
        bar_parts=bar_parts,
        place_words=PLACES,
        state_words=STATES,
        reason_words=REASONS,
        next_steps=NEXT_STEPS,
        channels=CHANNELS,
        people_filters=FILTERS,
        point_states=POINT_STATES,
        point_kinds=POINT_KINDS,
        consent_kinds=CONSENT_KINDS,
        sources=SOURCES,
    )
    app.jinja_env.filters.update(language=language_name, format_name=FORMATS.__getitem__)
    for path in BLUEPRINTS:
        app.register_blueprint(resolve_name(path))
    return app
