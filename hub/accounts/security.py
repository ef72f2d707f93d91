"""Signing in, by Flask-Security: sessions, password hashes, and codes from an app as a second step."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Flask, Response, jsonify, redirect, request, url_for
from flask_security.core import Security
from werkzeug.wrappers import Response as AnyResponse

from config.settings import Settings
from hub.accounts.datastore import AccountDatastore
from hub.accounts.forms import LostPhoneForm, SecondStepForm
from hub.accounts.mail import AccountMail, email_is_set_up
from hub.accounts.service import SHORTEST_PASSWORD
from hub.db import utc_now
from hub.web.errors import WORDINGS, wants_json
from hub.web.limits import SIGN_IN_LIMIT, limiter

SIGNED_IN_FOR = timedelta(hours=12)
REMEMBERED_FOR = timedelta(days=14)
LIMITED = (
    "security.login",
    "security.two_factor_token_validation",
    "security.reset_password",
    "security.forgot_password",
)


def set_up_sign_in(app: Flask, settings: Settings, secret: str) -> None:
    """Add the pages for signing in and out, and let only a few tries a minute through."""
    app.config.update(_addresses())
    app.config.update(_rules(settings, secret))
    security = Security(
        app,
        AccountDatastore(),
        mail_util_cls=AccountMail,
        two_factor_setup_form=SecondStepForm,
        two_factor_rescue_form=LostPhoneForm,
    )
    security.unauthn_handler(_ask_to_sign_in)
    for endpoint in LIMITED:
        if endpoint in app.view_functions:
            limited = limiter.limit(SIGN_IN_LIMIT, methods=["POST"], scope=endpoint)
            app.view_functions[endpoint] = limited(app.view_functions[endpoint])  # type: ignore[assignment]  # Flask-Limiter knows no asynchronous views


def _ask_to_sign_in(_mechanisms: object = None, headers: object = None) -> AnyResponse:  # noqa: ARG001 - Flask-Security's signature
    """Send a reader to the sign-in page and, after it, back; a program gets 401, and a lost form a fresh start."""
    if wants_json():
        answer: Response = jsonify({"error": WORDINGS[401].message})
        answer.status_code = 401
        return answer
    wanted = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("security.login", next=wanted))


def _rules(settings: Settings, secret: str) -> dict[str, object]:
    https = settings.public_url.startswith("https://")
    by_email = email_is_set_up(settings)
    return {
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],  # a plain argon2id hash, without a pepper to lose
        "SECURITY_PASSWORD_SALT": _derived(secret, "password"),
        "SECURITY_PASSWORD_LENGTH_MIN": SHORTEST_PASSWORD,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,  # never say whether an address has an account
        "SECURITY_CHANGEABLE": True,
        "SECURITY_SEND_PASSWORD_CHANGE_EMAIL": by_email,
        "SECURITY_RECOVERABLE": by_email,
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_ALWAYS_VALIDATE": True,
        "SECURITY_TOTP_SECRETS": {"1": _derived(secret, "totp")},
        "SECURITY_TOTP_ISSUER": f"Everyway {settings.group_name}",
        "SECURITY_DATETIME_FACTORY": utc_now,
        "SECURITY_EMAIL_SENDER": settings.email_from or "no-reply@localhost",
        "SECURITY_EMAIL_HTML": False,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "test_environment": settings.sandbox},
        "SECURITY_TWO_FACTOR_VALIDITY_COOKIE": {"httponly": True, "secure": https, "samesite": "Strict"},
        "SECURITY_CACHE_CONTROL": None,  # hub.web.protection says it for every page
        "SECURITY_FLASH_MESSAGES": True,
        "PERMANENT_SESSION_LIFETIME": SIGNED_IN_FOR,
        "REMEMBER_COOKIE_DURATION": REMEMBERED_FOR,
    }


def _addresses() -> dict[str, object]:
    pages = {
        "LOGIN": "/sign-in",
        "LOGOUT": "/sign-out",
        "CHANGE": "/account/password",
        "RESET": "/account/forgotten",
        "VERIFY": "/account/confirm-it-is-you",
        "TWO_FACTOR_SETUP": "/account/second-step",
        "TWO_FACTOR_TOKEN_VALIDATION": "/sign-in/code",
        "TWO_FACTOR_RESCUE": "/sign-in/help",
        "TWO_FACTOR_SELECT": "/sign-in/choose",
    }
    templates = {
        "LOGIN_USER": "sign_in",
        "CHANGE_PASSWORD": "change_password",
        "FORGOT_PASSWORD": "forgotten",
        "RESET_PASSWORD": "new_password",
        "VERIFY": "confirm",
        "TWO_FACTOR_SETUP": "second_step",
        "TWO_FACTOR_VERIFY_CODE": "code",
        "LOGOUT_USER": "sign_out",
    }
    return (
        {f"SECURITY_{name}_URL": address for name, address in pages.items()}
        | {f"SECURITY_{name}_TEMPLATE": f"accounts/{template}.html" for name, template in templates.items()}
        | {"SECURITY_POST_LOGIN_VIEW": "/", "SECURITY_POST_LOGOUT_VIEW": "/sign-in"}
        | {"SECURITY_POST_CHANGE_VIEW": "/account", "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/account"}
        | {f"SECURITY_MSG_{name}": message for name, message in _messages().items()}
    )


def _messages() -> dict[str, tuple[str, str]]:
    return {
        "GENERIC_AUTHN_FAILED": ("That email address and password do not match an account. Check both.", "error"),
        "UNAUTHENTICATED": ("Please sign in to see that page.", "info"),
        "PASSWORD_CHANGE": ("Your password is changed.", "success"),
        "PASSWORD_INVALID_LENGTH": (f"Use at least {SHORTEST_PASSWORD} characters.", "error"),
        "PASSWORD_NOT_PROVIDED": ("Enter your password.", "error"),
        "EMAIL_NOT_PROVIDED": ("Enter your email address.", "error"),
        "INVALID_PASSWORD": ("That is not the password you have now.", "error"),
        "INVALID_EMAIL_ADDRESS": ("Enter an email address like name@example.org.", "error"),
        "RETYPE_PASSWORD_MISMATCH": ("The two passwords are not the same.", "error"),
        "PASSWORD_IS_THE_SAME": ("Choose a password that differs from the one you have.", "error"),
        "TWO_FACTOR_INVALID_TOKEN": ("That code is not right. Wait for the next one in your app and try it.", "error"),
        "TWO_FACTOR_LOGIN_SUCCESSFUL": ("", "success"),
        "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": ("From now on you sign in with a code from your app, too.", "success"),
        "TWO_FACTOR_DISABLED": ("You now sign in without a code.", "success"),
        "REAUTHENTICATION_REQUIRED": ("To be safe, enter your password once more.", "info"),
        "PASSWORD_RESET_REQUEST": ("If %(email)s has an account, we have sent it a link.", "info"),
    }


def _derived(secret: str, use: str) -> str:
    """A key of its own for each use, so that none gives another away. 32 hexadecimal digits and more."""
    return hashlib.blake2b(f"everyway {use}".encode(), key=secret.encode()[:64], digest_size=32).hexdigest()
