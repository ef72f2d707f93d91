"""What the sandbox accepts as credentials, so that whoever starts it can give the same ones to the hub."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """The accounts that exist at the sandbox's providers. None of them opens anything anywhere else."""

    account_sid: str = "AC" + "5a4dba0c" * 4
    auth_token: str = "sandbox0" * 4
    sender: str = "+442079460123"
    """The number that the account owns; Ofcom keeps it free for stories, and no participant has it."""
    messaging_service_sid: str = "MG" + "5a4dba0c" * 4
    sendgrid_api_key: str = "SG.sandbox-sandbox-sandbox.nothing-sent-with-this-key-reaches-anybody"
    inbound_token: str = "sandbox-inbound-parse-token"  # noqa: S105 - opens the sandbox only
    """The secret end of the hub's /webhooks/sendgrid/inbound/<token>."""
    smtp_user: str = "sandbox"
    smtp_password: str = "sandbox-password"  # noqa: S105 - as above
    mastodon_token: str = "sandbox-mastodon-token"  # noqa: S105 - as above


DEFAULT = Credentials()


def hub_environment(
    url: str, public_key: str, *, smtp_port: int | None = None, credentials: Credentials = DEFAULT
) -> dict[str, str]:
    """The settings that make a hub use the sandbox at ``url``; ``public_key`` comes from channels.sandbox.keys."""
    names = {
        "SANDBOX": "1",
        "EMAIL_FROM": "hello@everyway.example",
        "SENDGRID_BASE_URL": url,
        "SENDGRID_API_KEY": credentials.sendgrid_api_key,
        "SENDGRID_WEBHOOK_PUBLIC_KEY": public_key,
        "SENDGRID_INBOUND_TOKEN": credentials.inbound_token,
        "TWILIO_BASE_URL": url,
        "TWILIO_ACCOUNT_SID": credentials.account_sid,
        "TWILIO_AUTH_TOKEN": credentials.auth_token,
        "TWILIO_FROM": credentials.sender,
        "MASTODON_BASE_URL": url,
        "MASTODON_ACCESS_TOKEN": credentials.mastodon_token,
    }
    if smtp_port is not None:
        names["SMTP_URL"] = f"smtp://{credentials.smtp_user}:{credentials.smtp_password}@127.0.0.1:{smtp_port}"
    return names
