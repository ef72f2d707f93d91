"""``python -m channels.sandbox``: start the sandbox."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from pathlib import Path

import click
import uvloop
from aiohttp import web

from channels.sandbox import smtp
from channels.sandbox.app import create_app
from channels.sandbox.credentials import DEFAULT, Credentials
from channels.sandbox.keys import public_key, shown
from channels.sandbox.world import Options, Sandbox


@click.command(epilog="Example: python -m channels.sandbox --port 8001 --hub-url http://localhost:8000 --data var")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="For HTTP; 0 takes any.")
@click.option("--smtp-port", default=None, type=click.IntRange(0, 65535), help="For SMTP; without it there is none.")
@click.option(
    "--hub-url",
    "--public-url",
    envvar="PUBLIC_URL",
    default="http://localhost:8000",
    show_default=True,
    help="Where webhooks go: exactly the hub's PUBLIC_URL, as signatures cover it.",
)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Remember everything in this folder.")
@click.option("--everyone-reachable", is_flag=True, help="Nobody is out of reach, has opted out, or bounces.")
@click.option("--delay", default=0.5, show_default=True, type=click.FloatRange(0, 3600), help="Seconds until delivery.")
@click.option("--concurrency", default=16, show_default=True, type=click.IntRange(1, 500), help="Webhooks at a time.")
@click.option("--account-sid", envvar="TWILIO_ACCOUNT_SID", default=DEFAULT.account_sid, help="Twilio's account.")
@click.option("--auth-token", envvar="TWILIO_AUTH_TOKEN", default=DEFAULT.auth_token, help="Its auth token.")
@click.option(
    "--messaging-service-sid",
    envvar="TWILIO_MESSAGING_SERVICE_SID",
    default=DEFAULT.messaging_service_sid,
    help="Its Messaging Service.",
)
@click.option("--sender", envvar="TWILIO_FROM", default=DEFAULT.sender, help="Its number.")
@click.option("--sendgrid-api-key", envvar="SENDGRID_API_KEY", default=DEFAULT.sendgrid_api_key, help="SendGrid's key.")
@click.option("--inbound-token", envvar="SENDGRID_INBOUND_TOKEN", default=DEFAULT.inbound_token, help="For replies.")
@click.option("--smtp-user", default=DEFAULT.smtp_user, help="Who may send mail.")
@click.option("--smtp-password", default=DEFAULT.smtp_password, help="Their password.")
@click.option("--mastodon-token", envvar="MASTODON_ACCESS_TOKEN", default=DEFAULT.mastodon_token, help="Mastodon's.")
@click.option("--print-public-key", is_flag=True, help="Print the Event Webhook's key of --data, and end.")
def main(
    host: str,
    port: int,
    smtp_port: int | None,
    hub_url: str,
    data: Path | None,
    everyone_reachable: bool,
    delay: float,
    concurrency: int,
    print_public_key: bool,
    **credentials: str,
) -> None:
    """A local stand-in for Twilio, SendGrid, Mastodon and a mail server. Nothing in it reaches a real person."""
    if print_public_key:
        if data is None:
            raise click.UsageError("--print-public-key needs --data: the key is kept there.")
        click.echo(public_key(data))
        return
    accepted = Credentials(**credentials)
    options = Options(hub_url.rstrip("/"), data, accepted, everyone_reachable, delay, concurrency)
    try:
        uvloop.run(_serve(options, host, port, smtp_port))
    except (OSError, sqlite3.Error) as problem:
        click.echo(f"The sandbox has stopped: {problem}", err=True)
        sys.exit(1)


async def _serve(options: Options, host: str, port: int, smtp_port: int | None) -> None:
    sandbox = Sandbox.open(options)
    runner = web.AppRunner(create_app(sandbox), access_log=None, keepalive_timeout=3600, shutdown_timeout=1)
    await runner.setup()
    mail: asyncio.Server | None = None
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        if smtp_port is not None:
            mail = await smtp.listen(sandbox, host, smtp_port)
        _say(runner, mail, shown(sandbox.key))
        await _until_stopped(sandbox)
    finally:
        if mail is not None:
            mail.close()
        await runner.cleanup()
    if sandbox.failure is not None:
        raise sandbox.failure


def _say(runner: web.AppRunner, mail: asyncio.Server | None, key: str) -> None:
    listening_on, port = runner.addresses[0][:2]
    click.echo(f"Sandbox: http://{listening_on}:{port}/ (nothing in it reaches a real person)")
    if mail is not None:
        listening_on, port = mail.sockets[0].getsockname()[:2]
        click.echo(f"SMTP: {listening_on}:{port}")
    click.echo(f"SENDGRID_WEBHOOK_PUBLIC_KEY={key}")
    sys.stdout.flush()


async def _until_stopped(sandbox: Sandbox) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, sandbox.stopped.set)
    await sandbox.stopped.wait()


if __name__ == "__main__":
    main()
