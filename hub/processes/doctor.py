"""`hub doctor`: look for what is wrong, and say what to do about it."""

from __future__ import annotations

import json

import click

from hub.cli_options import data_option

EXAMPLE = """
\b
Examples:
  python3 -m hub doctor
  python3 -m hub doctor --json
"""


@click.command(epilog=EXAMPLE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@data_option
def doctor(*, as_json: bool) -> int:
    """Look for what is wrong and say what to do about it.

    Settings, database, queue, processes, providers, the public address, clocks and disk. Changes and sends nothing.
    The status is 1 where there is a problem.
    """
    from hub.processes import checks_inside, checks_outside
    from hub.processes.findings import Level

    checks = (
        checks_inside.check_settings,
        checks_inside.check_database,
        checks_inside.check_queue,
        checks_inside.check_processes,
        checks_inside.check_stopped_channels,
        checks_inside.check_sending,
        checks_outside.check_channels,
        checks_outside.check_public_address,
        checks_outside.check_clock,
        checks_inside.check_disk,
    )
    marks = {Level.FINE: "fine   ", Level.NOTE: "note   ", Level.PROBLEM: "PROBLEM"}
    found = []
    for check in checks:
        for finding in check():
            found.append(finding)
            if not as_json:
                click.echo(f"{marks[finding.level]}  {finding.subject}: {finding.text}")
                if finding.to_do:
                    click.echo(f"         -> {finding.to_do}")
    problems = sum(finding.level is Level.PROBLEM for finding in found)
    if as_json:
        answer = {"problems": problems, "findings": [finding.as_json() for finding in found]}
        click.echo(json.dumps(answer, ensure_ascii=False))
    elif problems:
        click.echo(f"\n{problems} problem{'s' if problems > 1 else ''} to put right.")
    else:
        click.echo("\nAll is well.")
    return 1 if problems else 0
