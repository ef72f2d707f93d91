"""Accounts from the command line: the first one, and new passwords where no email can be sent."""

from __future__ import annotations

import sys

import click

from hub.accounts import service
from hub.accounts.models import RoleName
from hub.cli_options import data_option
from hub.db import utc_now, write_session

CREATE_HELP = """
\b
Example:
  python3 -m hub account create ann@example.org --role organiser --name "Ann Lee"
"""
RENEWAL = """
\b
Example:
  python3 -m hub account password ann@example.org
"""


@click.group()
def account() -> None:
    """Make accounts for those who sign in: organisers, volunteers and administrators."""


@account.command(epilog=CREATE_HELP)
@click.argument("email")
@click.option(
    "--role", type=click.Choice([role.value for role in RoleName]), required=True, help="What the account may do."
)
@click.option("--name", default="", help="The person's name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else one is made up.")
@data_option
def create(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Make an account for EMAIL, and print its password if none was given."""
    given = _password(password_stdin)
    with write_session() as session:
        made, password = service.create_account(
            session, email, RoleName(role), name=name, password=given, now=utc_now()
        )
        address = made.email
    click.echo(f"{address} can sign in now, as {_with_article(role)}.")
    if not given:
        click.echo(f"Password: {password}")


@account.command(epilog=RENEWAL)
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else one is made up.")
@data_option
def password(email: str, password_stdin: bool) -> None:
    """Give EMAIL's account a new password. It is signed out everywhere, and its second step is switched off."""
    given = _password(password_stdin)
    with write_session() as session:
        chosen = service.set_password(session, email, given)
    click.echo(f"{email} has a new password, and is signed out everywhere.")
    if not given:
        click.echo(f"Password: {chosen}")


def _password(from_stdin: bool) -> str:
    if not from_stdin:
        return ""
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise click.UsageError("--password-stdin: there was no password on standard input.")
    return given


def _with_article(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"
