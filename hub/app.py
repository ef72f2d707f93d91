"""The web application: what every request passes through, and which feature answers it."""

from __future__ import annotations

from pkgutil import resolve_name

from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from config.secret_key import secret_key
from config.settings import Settings, settings
from hub.accounts.security import set_up_sign_in
from hub.web.assets import register_assets
from hub.web.csrf import csrf
from hub.web.errors import register_errors
from hub.web.limits import limit_attempts
from hub.web.navigation import register_navigation
from hub.web.paging import this_page_with
from hub.web.protection import protect
from hub.web.wording import register_wording

BLUEPRINTS = (
    "hub.reports.views:bp",
    "hub.accounts.views:bp",
)
"""Every feature's pages. A new views.py is added here, and nowhere else."""


def create_app(chosen: Settings | None = None) -> Flask:
    """The application for ``chosen`` settings, or for this process's own."""
    chosen = chosen or settings()
    app = Flask(__name__)
    app.config["SECRET_KEY"] = secret_key()
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    app.jinja_loader = ChoiceLoader([PackageLoader("hub"), components])  # type: ignore[assignment]  # Flask's annotation knows one kind
    protect(app, chosen)
    csrf.init_app(app)
    limit_attempts(app, chosen)
    set_up_sign_in(app, chosen, secret_key().decode())
    register_errors(app)
    register_assets(app)
    register_navigation(app)
    register_wording(app)
    app.jinja_env.globals.update(group_name=chosen.group_name, this_page_with=this_page_with)
    for path in BLUEPRINTS:
        app.register_blueprint(resolve_name(path))
    return app
