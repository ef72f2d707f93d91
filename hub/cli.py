"""The command line: which commands there are, and how one ends.

Status 0: done. 1: it could not be done, and the reason is on stderr. 2: wrong usage. 130: stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from io import TextIOWrapper
from pkgutil import resolve_name
from typing import IO, Any, NoReturn

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("hub.processes.demo:demo", "Try everything on this machine, with made-up people and no accounts."),
    "start": ("hub.processes.start:start", "Run the hub with today's settings."),
    "migrate": ("hub.commands.migrate:migrate_command", "Bring the database up to what this version expects."),
    "doctor": ("hub.processes.doctor:doctor", "Look for what is wrong and say what to do about it."),
    "account": ("hub.accounts.cli:account", "Make accounts for those who sign in."),
    "people": ("hub.participants.cli:people", "Import and export people."),
    "announce": ("hub.deliveries.cli:announce", "Write, check and send an announcement."),
    "reach": ("hub.deliveries.cli:reach", "Account for everyone an announcement was meant for."),
    "call-list": ("hub.calls.cli:call_list", "Print a call list."),
    "chaos": (
        "hub.commands.chaos:chaos",
        "Kill and mislead a hub of its own, and judge what came of it.",
    ),
    "test": ("hub.commands.test:run_tests", "Run Everyway's own tests."),
}
"""Name -> where the command is, and what it is for. Loaded only when it is called."""

EXAMPLE = """
\b
Examples:
  python3 -m hub demo
  python3 -m hub people import contacts.csv --dry-run
  python3 -m hub announce --help
"""


class _Problem(click.ClickException):
    """What went wrong, in plain words, without a label in front."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=True)


class _Hub(click.Group):
    """Loads a command only when it is called, so that each starts at once, and tells its problems in plain words."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - Click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = resolve_name(COMMANDS[cmd_name][0])
        if isinstance(command, click.Group):  # without an example of its own, it shows its first command's
            texts = [part for each in command.commands.values() for part in (each.epilog or "").split("\n\n")]
            command.epilog = command.epilog or next((text for text in texts if "Example" in text), None)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - Click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as problem:
            from hub.cli_problems import in_plain_words

            if ctx.params["debug"]:
                traceback.print_exception(problem)
            raise _Problem(in_plain_words(problem)) from problem


@click.group(cls=_Hub, epilog=EXAMPLE, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, envvar="EVERYWAY_DEBUG", help="Show where in the program a problem comes from.")
def main(*, debug: bool) -> None:
    """Everyway reaches every person in the way they prefer, and accounts for everyone."""


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Do as ``arguments`` (by default: the command line) say, and end this process with the right status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no such letter shows a question mark
    try:
        outcome = main.main(arguments, prog_name="python3 -m hub", standalone_mode=False)
    except click.Abort as stopped:
        sys.exit(130 if isinstance(stopped.__cause__, KeyboardInterrupt) else 1)
    except KeyboardInterrupt:
        sys.exit(130)
    except click.ClickException as problem:
        problem.show()
        sys.exit(problem.exit_code)
    sys.exit(outcome if isinstance(outcome, int) else 0)
