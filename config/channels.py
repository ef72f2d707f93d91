"""The registry of channels. Adding a channel or a provider is one file, one test file and one entry here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AddressKind(StrEnum):
    """What an address on a channel is; `channels.addresses` reads and checks each kind."""

    EMAIL = "email"
    PHONE = "phone"
    ACCOUNT = "account"


class Handover(StrEnum):
    """What has happened to a person once the channel has taken a delivery."""

    SENT = "sent"
    ON_LIST = "on_list"
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """How one channel is used. ``adapters`` maps a provider's name to the dotted path of its Channel factory."""

    name: str
    label: str
    """As the choice is worded to a person: “By text message”."""
    noun: str
    """As a count is worded: “612 texts”."""
    address: AddressKind
    adapters: dict[str, str]
    batch_size: int
    handover: Handover = Handover.SENT
    mobile_only: bool = False
    repeatable: bool = False
    """Sending the same delivery twice has the effect of sending it once, so a crash leaves nothing uncertain."""
    status_callback: str = ""
    """The path of ours to which the provider reports on each delivery, where it has to be told one per message."""
    rate_setting: str = ""
    """The setting with the most that may leave in a second; empty: there is no such limit."""
    sender_settings: tuple[str, ...] = ()
    """The settings that say who sends: a rate is for each sender."""
    counts_parts: bool = False
    """Messages are counted, and paid for, by their parts."""

    @property
    def queue(self) -> str:
        """The RQ queue that this channel's workers listen on."""
        return self.name


CHANNELS: dict[str, ChannelEntry] = {
    entry.name: entry
    for entry in (
        ChannelEntry(
            name="email",
            label="Email",
            noun="emails",
            address=AddressKind.EMAIL,
            adapters={"sendgrid": "channels.email.sendgrid:from_settings", "smtp": "channels.email.smtp:from_settings"},
            batch_size=1000,
            rate_setting="emails_per_second",
            sender_settings=("email_provider", "email_from"),
        ),
        ChannelEntry(
            name="text",
            label="Text message",
            noun="texts",
            address=AddressKind.PHONE,
            adapters={"twilio": "channels.text.twilio:from_settings"},
            batch_size=500,
            mobile_only=True,
            status_callback="/webhooks/twilio/status",
            rate_setting="text_parts_per_second",
            sender_settings=("twilio_account_sid", "twilio_from", "twilio_messaging_service_sid"),
            counts_parts=True,
        ),
        ChannelEntry(
            name="phone",
            label="Phone call",
            noun="calls",
            address=AddressKind.PHONE,
            adapters={"call_list": "channels.phone.call_list:from_settings"},
            batch_size=500,
            handover=Handover.ON_LIST,
            repeatable=True,
        ),
        ChannelEntry(
            name="social",
            label="Social media",
            noun="people by a public post",
            address=AddressKind.ACCOUNT,
            adapters={"mastodon": "channels.social.mastodon:from_settings"},
            batch_size=1000,
            handover=Handover.POSTED,
            repeatable=True,
        ),
    )
}
"""Channel name -> entry, in the order in which channels are offered."""
