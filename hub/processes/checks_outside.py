"""The doctor's look at what is elsewhere: the public address, and the providers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from channels.opening import open_channel
from config.channels import CHANNELS, Handover
from config.settings import EmailProvider, Settings, settings
from hub.db import read_session
from hub.participants.models import ContactPoint, ContactPointState
from hub.processes.checks_inside import clock_finding
from hub.processes.findings import Finding, fine, note, problem

ANSWER_SECONDS = 10.0


def check_public_address() -> Iterator[Finding]:
    """Whether others reach this hub at PUBLIC_URL: people with their links, providers with their reports."""
    address = settings().public_url
    host = urlsplit(address).hostname or ""
    if _is_only_here(host):
        if not settings().sandbox:
            yield problem(
                "PUBLIC_URL",
                f"Nobody else reaches {address}: links in messages lead nowhere, and providers can't report.",
                "Set it to the address that people will use, such as https://hub.example.org",
            )
    elif not address.startswith("https://"):
        yield problem(
            "PUBLIC_URL", f"{address} is not encrypted.", "Put a server with HTTPS in front (docs/operations.md)."
        )
    yield from _answers(address)


def _is_only_here(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _answers(address: str) -> Iterator[Finding]:
    where = f"{address}/healthz"
    try:
        answer = requests.get(where, timeout=ANSWER_SECONDS, allow_redirects=False)
    except requests.exceptions.SSLError:
        yield problem("PUBLIC_URL", f"The certificate of {address} can't be trusted.", "Renew it, or its chain.")
        return
    except requests.RequestException as trouble:
        yield problem(
            "PUBLIC_URL",
            f"Nothing answers at {where} ({type(trouble).__name__}).",
            "Start the web server, and see that the name and the server in front lead to it.",
        )
        return
    if answer.status_code == 200 and answer.text == "ok\n":
        yield fine("PUBLIC_URL", f"{address} leads to this hub.")
        return
    yield problem(
        "PUBLIC_URL",
        f"{where} answered {answer.status_code}, and not as this hub does.",
        "See that the server in front passes everything on to the web server, unchanged.",
    )


def check_channels() -> Iterator[Finding]:
    """Whether each channel's provider takes our credentials. Those that nobody relies on may be left without."""
    people = _people_by_channel()
    for name, entry in CHANNELS.items():
        channel = open_channel(name, settings())
        try:
            wrong = channel.check()
        finally:
            channel.close()
        if wrong is None:
            if entry.handover is not Handover.ON_LIST:  # a call list has no provider
                yield fine(entry.label, "The provider takes our credentials.")
        elif people.get(name):
            yield problem(entry.label, f"{wrong} {people[name]:,} people can't be reached so.", _set_up(name))
        else:
            yield note(entry.label, f"{wrong} Nobody has an address for it so far.", _set_up(name))


def _set_up(name: str) -> str:
    return f"Put the settings right (.env.example names them), then start the workers for {name} again."


def _people_by_channel() -> dict[str, int]:
    """How many people could be reached on each channel; none where the database can't say."""
    usable = (ContactPoint.state == ContactPointState.USABLE) & ContactPoint.rank.is_not(None)
    counted = (
        select(ContactPoint.channel, func.count(ContactPoint.participant_id.distinct()).label("people"))
        .where(usable)
        .group_by(ContactPoint.channel)
    )
    try:
        with read_session() as session:
            return {row.channel: row.people for row in session.execute(counted)}
    except (SQLAlchemyError, OSError):
        return {}


def check_clock() -> Iterator[Finding]:
    """This machine's clock, beside that of a provider that is used anyhow."""
    for url in _provider_addresses(settings()):
        try:
            stamp = requests.head(url, timeout=ANSWER_SECONDS, allow_redirects=False).headers.get("Date", "")
            theirs = parsedate_to_datetime(stamp)
        except (requests.RequestException, ValueError):
            continue
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=UTC)
        found = list(clock_finding(urlsplit(url).hostname or url, theirs))
        yield from found or [fine("Clock", f"It is {datetime.now(UTC):%H:%M:%S} UTC, here and at a provider's.")]
        return


def _provider_addresses(chosen: Settings) -> Iterator[str]:
    if chosen.twilio_account_sid:
        yield chosen.twilio_base_url
    if chosen.email_provider is EmailProvider.SENDGRID and chosen.sendgrid_api_key.get_secret_value():
        yield chosen.sendgrid_base_url
    if chosen.mastodon_access_token.get_secret_value():
        yield chosen.mastodon_base_url
