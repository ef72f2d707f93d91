"""`hub start`: everything from the Procfile, on this machine, with today's settings."""

from __future__ import annotations

import sys

import click

from config.secret_key import secret_key
from config.settings import settings
from hub.cli_options import data_option
from hub.db import engine
from hub.migrate import migrate, pending
from hub.processes.data_folder import check_port, only_run_in
from hub.processes.demo_folder import refuse_demo_folder
from hub.processes.running import Lines, start_the_others, start_web, stopped_by_signals, wait_for_web
from hub.processes.supervisor import Supervisor
from hub.processes.valkey import start_valkey

EXAMPLE = """
\b
Examples:
  python3 -m hub start
  PUBLIC_URL=https://hub.example.org PORT=8080 python3 -m hub start --data /srv/everyway
"""


@click.command(epilog=EXAMPLE)
@data_option
def start() -> int:
    """Run the hub with today's settings.

    The web server, the dispatcher, a worker for every channel and the clock, as the Procfile names them. A process
    that ends is started again. Ctrl-C ends everything. On several machines, run the Procfile's lines there instead:
    docs/operations.md says how.
    """
    chosen = settings()
    refuse_demo_folder(chosen)
    lines = Lines(sys.stdout)
    with stopped_by_signals(), only_run_in(chosen.data_dir) as lock:
        check_port(chosen.listen_on, chosen.port)
        secret_key()
        if pending(engine()):
            migrate(engine())
            lines.say("hub", "the database is ready for this version")
        with Supervisor(lines.say, lines.say, stays_open=[lock]) as supervisor:
            if not chosen.redis_url:
                start_valkey(supervisor, chosen)
            start_web(supervisor, chosen)
            wait_for_web(supervisor, chosen)
            start_the_others(supervisor, chosen)
            lines.say("hub", f"Everyway is running: {chosen.public_url} (Ctrl-C stops it)")
            supervisor.wait()
    return 0
