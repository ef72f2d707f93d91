"""Flask-Security's forms, where we need another one than its own."""

from __future__ import annotations

from flask_security.forms import TwoFactorRescueForm, TwoFactorSetupForm
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice


class SecondStepForm(TwoFactorSetupForm):
    """Switching the second step on or off: an app is the only kind that we offer."""

    setup = RadioField(
        "Second step",
        choices=[SelectChoice("authenticator", "An app that makes codes"), SelectChoice("disable", "None")],
        validate_choice=False,
    )


class LostPhoneForm(TwoFactorRescueForm):
    """Never shown: an administrator helps those who lost their phone. Flask-Security makes one all the same."""

    help_setup = RadioField("Help", choices=[SelectChoice("help", "Ask an administrator")], validate_choice=False)
