"""Many made-up people at once, for measurements: by SQL, so that a million takes seconds."""

from __future__ import annotations

from sqlalchemy import Engine, text

PEOPLE = """
INSERT INTO participants (id, first_name, last_name, known_as, sort_name, search_text, language, time_zone,
  best_time_to_call, how_to_talk, notes, created_at, updated_at, paused_until)
SELECT n, 'First' || (n % 400), 'Last' || (n % 5000), '', 'last' || (n % 5000), 'first last',
  CASE n % 20 WHEN 0 THEN 'cy' WHEN 1 THEN 'pl' ELSE 'en' END, '', '', '', '',
  '2026-01-01 00:00:00', '2026-01-01 00:00:00', CASE WHEN n % 100 = 7 THEN '2030-01-01 00:00:00' {stamp} END
FROM {numbers}
"""

# Two contact points each: three in ten prefer text, six email, one a call. One in fifty has opted out of the first.
POINTS = """
INSERT INTO contact_points (participant_id, channel, address, kind, label, rank, state, state_reason, created_at)
SELECT n, CASE WHEN n % 10 < 3 THEN '{text}' WHEN n % 10 < 9 THEN '{email}' ELSE '{phone}' END,
  CASE WHEN n % 10 < 3 THEN '+447' || (700000000 + n) WHEN n % 10 < 9 THEN 'person' || n || '@example.org'
    ELSE '+441632' || (1000000 + n) END,
  CASE WHEN n % 10 < 3 THEN 'mobile' WHEN n % 10 < 9 THEN 'mailbox' ELSE 'landline' END, '', {rank},
  CASE WHEN n % 50 = {out} THEN 'opted_out' ELSE 'usable' END, '', '2026-01-01 00:00:00'
FROM {numbers}
"""

TOPICS = """
INSERT INTO topic_preferences (participant_id, topic_id, rank, contact_point_id)
SELECT participant_id, 1, 1, min(id) FROM contact_points
WHERE participant_id % 40 = 11 GROUP BY participant_id
"""


def make_people(engine: Engine, people: int) -> None:
    """Fill a migrated, empty database: ``people`` participants with two contact points each; one in 40 has an own
    order for topic 1, one in 100 is paused, one in 50 has opted out of their first way."""
    on_postgresql = engine.dialect.name == "postgresql"
    if on_postgresql:
        numbers = f"generate_series(1, {people}) AS n"
    else:
        numbers = (
            "(WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < "
            f"{int(people)}) SELECT n FROM count)"
        )
    stamp = "::timestamptz" if on_postgresql else ""
    people_sql = PEOPLE.format(numbers=numbers, stamp="").replace(
        "'2030-01-01 00:00:00'", f"'2030-01-01 00:00:00'{stamp}"
    )
    people_sql = people_sql.replace("'2026-01-01 00:00:00'", f"'2026-01-01 00:00:00'{stamp}")
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("INSERT INTO topics (id, name, description) VALUES (1, 'General', '')"))
        connection.execute(text(people_sql))
        for rank, out, names in ((1, 3, ("text", "email", "phone")), (2, 51, ("email", "text", "text"))):
            points = POINTS.format(
                numbers=numbers, rank=rank, out=out, **dict(zip(("text", "email", "phone"), names, strict=True))
            )
            connection.execute(text(points.replace("'2026-01-01 00:00:00'", f"'2026-01-01 00:00:00'{stamp}")))
        connection.execute(text(TOPICS))
    with engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        if on_postgresql:
            alone.execute(text("CHECKPOINT"))  # what is not on the disk yet, VACUUM does not mark as visible to all
        alone.execute(text("VACUUM ANALYZE" if on_postgresql else "ANALYZE"))
