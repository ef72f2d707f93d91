"""`hub demo`: the whole of it on this machine, with made-up people and a sandbox in place of every provider."""

from __future__ import annotations

import json
import sys

import click

from hub.cli_options import data_option

EXAMPLE = """
\b
Examples:
  python3 -m hub demo
  python3 -m hub demo --exit --json > account.json
  python3 -m hub demo --people 20000 --data var/many --port 8080
"""


@click.command(epilog=EXAMPLE)
@click.option("--exit", "ends", is_flag=True, help="End once nothing is on its way any more.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as one JSON object; all else goes to stderr.")
@click.option(
    "--people",
    type=click.IntRange(1, 1_000_000),
    default=None,
    metavar="N",
    help="Make up N people, instead of those of the demo's contact file.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="Where the web server listens; the sandbox takes the next free one.",
)
@data_option
def demo(*, ends: bool, as_json: bool, people: int | None, port: int) -> int:
    """Try everything on this machine, with made-up people and no accounts anywhere.

    Imports contacts, sends one announcement to everyone, and accounts for everyone. Nothing leaves this machine:
    your own settings and your .env are left aside. A second start goes on where the first one stopped.
    """
    from hub.processes.demo_report import Terminal
    from hub.processes.demo_run import running_demo
    from hub.processes.running import stopped_by_signals

    terminal = Terminal(sys.stderr if as_json else sys.stdout)
    told = False
    with stopped_by_signals(), running_demo(terminal, port=port, people=people) as run:
        outcome = run.follow()
        if as_json:
            click.echo(json.dumps(outcome.as_json(), ensure_ascii=False))
        else:
            terminal.tell(outcome)
        told = True
        if outcome.difference:
            click.echo(f"The account does not add up. {outcome.difference}", err=True)
        if ends:
            return 1 if outcome.difference else 0
        run.say_where()
        run.supervisor.wait()
    return 0 if told else 130
