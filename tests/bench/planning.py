"""Planning and dry run beside a bare ``INSERT … SELECT`` of as many rows, on both databases, in one run.

python3 -m hub test --help        (once: installs what this needs)
.venv/bin/python -m tests.bench.planning --people 100000
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from hub.db import make_engine
from hub.deliveries import planning, service
from hub.migrate import migrate
from tests.bench.crowd import make_people
from tests.deliveries.people import announcement
from tests.services.lifeline import Run
from tests.services.postgresql import PostgreSQL

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

BARE = """
INSERT INTO deliveries (announcement_id, participant_id, contact_point_id, channel, rung, attempt, state, why, live,
  state_at)
SELECT :announcement, participant_id, contact_point_id, channel, rung, 1, state, why, live, state_at
FROM chosen_before
"""


def main() -> None:
    """Measure and print one table for each database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    run = Run()
    try:
        with tempfile.TemporaryDirectory() as folder:
            engine = make_engine(f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
            migrate(engine)
            measure("SQLite", engine, given.people, given.rounds)
        with PostgreSQL(run.folder).database() as url:
            measure(
                "PostgreSQL", make_engine(url.replace("postgresql:", "postgresql+psycopg:")), given.people, given.rounds
            )
    finally:
        run.end()


def measure(name: str, engine: Engine, people: int, rounds: int) -> None:
    """One database: each round plans, repeats the same rows bare, and checks, one after the other."""
    make_people(engine, people)
    taken: dict[str, list[float]] = {"plan": [], "bare": [], "check": []}
    for number in range(rounds):
        announcement_id = draft(engine)
        taken["check"].append(clocked(lambda a=announcement_id: within(engine, lambda s: service.check(s, a, NOW))))
        taken["plan"].append(clocked(lambda a=announcement_id: launch_and_plan(engine, a)))
        if number == 0:
            keep_choice(engine, announcement_id)
        second = draft(engine)
        taken["bare"].append(clocked(lambda a=second: bare(engine, a)))
        forget(engine)
    floor = statistics.median(taken["bare"])
    sys.stdout.write(f"\n{name}: {people:,} people, {rounds} rounds\n")
    for what, label in (("bare", "bare INSERT … SELECT"), ("plan", "plan with batches"), ("check", "dry run")):
        median = statistics.median(taken[what])
        sys.stdout.write(f"  {label:<24} {median:7.3f} s   {median / floor:5.2f} ×\n")
    engine.dispose()


def clocked(do: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def within(engine: Engine, do: Callable[[Session], object]) -> None:
    """Call in a writing transaction of its own."""
    with (
        engine.connect().execution_options(writes=True) as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        do(session)


def draft(engine: Engine) -> int:
    """A new announcement to everyone."""
    made: list[int] = []
    within(engine, lambda session: made.append(announcement(session).id))
    return made[0]


def launch_and_plan(engine: Engine, announcement_id: int) -> None:
    """Launch, and plan slice by slice as the dispatcher does (the mandatory check is measured by itself)."""

    def first(session: Session) -> None:
        made = planning.locked(session, announcement_id)
        assert made is not None
        made.state = planning.AnnouncementState.UNDER_WAY
        session.flush()
        planning.plan_slice(session, announcement_id, NOW)

    within(engine, first)
    more = [True]
    while more[-1]:
        within(engine, lambda session: more.append(planning.plan_slice(session, announcement_id, NOW)))


def keep_choice(engine: Engine, announcement_id: int) -> None:
    """Remember what planning chose, as rows for the bare insert."""
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE chosen_before AS SELECT * FROM deliveries WHERE announcement_id = :announcement"),
            {"announcement": announcement_id},
        )


def bare(engine: Engine, announcement_id: int) -> None:
    """As many rows with the same indexes, chosen beforehand, in one statement."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text(BARE), {"announcement": announcement_id})


def forget(engine: Engine) -> None:
    """Empty the tables, so that every round begins alike."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("TRUNCATE deliveries, batches, follow_ups CASCADE"))
        else:
            connection.execute(text("DELETE FROM deliveries"))
            connection.execute(text("DELETE FROM batches"))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CHECKPOINT"))


if __name__ == "__main__":
    main()
