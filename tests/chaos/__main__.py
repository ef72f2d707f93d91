"""``python -m tests.chaos --minutes N --seed S``: disturb everything, and judge. Status 1 where it does not hold."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import click

from hub.db import read_session
from tests.chaos.judge import Verdict, judge
from tests.chaos.run import Run
from tests.chaos.servers import Servers


@click.command()
@click.option("--minutes", default=1.0, show_default=True, type=click.FloatRange(0.2, 10_000))
@click.option("--seed", default=1, show_default=True)
@click.option("--people", default=2_000, show_default=True, type=click.IntRange(100, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON on the standard output.")
@click.option("--keep", is_flag=True, help="Leave the folder with everybody's logs, and say where it is.")
def main(minutes: float, seed: int, people: int, as_json: bool, keep: bool) -> None:
    """Kill, wipe, restart and mislead a whole hub, and say whether everybody was told once."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))  # short, because of the sockets
    folder.chmod(0o755)
    servers = Servers(folder)
    try:
        run = Run(servers, seed, minutes * 60, lambda words: click.echo(words, err=True))
        run.start(people)
        record = run.go()
        with read_session() as session:
            verdict = judge(session, servers.sandbox_data, record)
    finally:
        servers.stop()
        if not keep:
            servers.remove()
    report(verdict, seed, minutes, as_json)
    if keep:
        click.echo(f"Logs: {folder}", err=True)
    sys.exit(1 if verdict.wrong else 0)


def report(verdict: Verdict, seed: int, minutes: float, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        click.echo(json.dumps({"seed": seed, "wrong": verdict.wrong, **verdict.figures}))
        return
    for name, figure in verdict.figures.items():
        click.echo(f"  {figure:>10,}  {name}")
    for wrong in verdict.wrong:
        click.echo(f"WRONG: {wrong}")
    verdict_words = "does not hold" if verdict.wrong else "holds: everybody told once, nobody lost"
    click.echo(f"Seed {seed}, {minutes:g} minutes: {verdict_words}.")


if __name__ == "__main__":
    main()
