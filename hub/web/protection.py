"""Headers and cookies that keep a page to itself."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from config.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""Nothing from elsewhere, nothing inline: https://www.w3.org/TR/CSP3/."""

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
ONE_YEAR = 365 * 24 * 3600
LARGEST_UPLOAD_BYTES = 32 * 1024 * 1024
LARGEST_FORM_BYTES = 2 * 1024 * 1024


def protect(app: Flask, settings: Settings) -> None:
    """Set cookies, limits and headers for every answer of ``app``."""
    https = settings.public_url.startswith("https://")
    app.config.update(
        SESSION_COOKIE_NAME="everyway",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=https,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=https,
        MAX_CONTENT_LENGTH=LARGEST_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM_BYTES,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open overnight still works
        WTF_CSRF_SSL_STRICT=https,
    )
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # as Werkzeug documents it

    @app.before_request
    def refuse_enormous_forms() -> None:
        # Werkzeug holds MAX_FORM_MEMORY_SIZE against the fields of multipart forms only.
        plain = request.mimetype == "application/x-www-form-urlencoded"
        if plain and (request.content_length or 0) > LARGEST_FORM_BYTES:
            raise RequestEntityTooLarge

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers.setdefault("Referrer-Policy", "same-origin")
        headers["Permissions-Policy"] = PERMISSIONS_POLICY
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if https:
            headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
        return response
