"""Tallies of an announcement's deliveries, kept by the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = "announcement_id, channel, state, why, live, handed_over"
GROUPS = "announcement_id, channel, state, why, live, provider_id IS NOT NULL"

POSTGRESQL = f"""
CREATE FUNCTION tally_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO reach_tallies ({COLUMNS}, people)
    SELECT {COLUMNS}, sum(moved) FROM (
      SELECT {GROUPS} AS handed_over, 1 AS moved FROM new_rows
      UNION ALL SELECT {GROUPS}, -1 FROM old_rows
    ) AS changes GROUP BY {COLUMNS} HAVING sum(moved) <> 0;
  ELSE
    INSERT INTO reach_tallies ({COLUMNS}, people) SELECT {GROUPS}, -count(*) FROM old_rows GROUP BY {GROUPS};
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tally_updated_deliveries AFTER UPDATE ON deliveries
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_deliveries();
CREATE TRIGGER tally_deleted_deliveries AFTER DELETE ON deliveries
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_deliveries();
"""


def _is(row: str) -> str:
    names = ("announcement_id", "channel", "state", "why", "live")
    return " AND ".join(f"{name} = {row}.{name}" for name in names) + f" AND handed_over = ({row}.provider_id IS NOT NULL)"


def _values(row: str) -> str:
    names = ("announcement_id", "channel", "state", "why", "live")
    return ", ".join(f"{row}.{name}" for name in names) + f", {row}.provider_id IS NOT NULL"


SQLITE = (
    f"""
CREATE TRIGGER tally_updated_deliveries AFTER UPDATE ON deliveries
WHEN NOT (OLD.state = NEW.state AND OLD.why = NEW.why AND OLD.live = NEW.live AND OLD.channel = NEW.channel
  AND (OLD.provider_id IS NULL) = (NEW.provider_id IS NULL))
BEGIN
  UPDATE reach_tallies SET people = people - 1 WHERE {_is("OLD")};
  INSERT INTO reach_tallies ({COLUMNS}, people)
    SELECT {_values("NEW")}, 0 WHERE NOT EXISTS (SELECT 1 FROM reach_tallies WHERE {_is("NEW")});
  UPDATE reach_tallies SET people = people + 1 WHERE {_is("NEW")};
END""",
    f"""
CREATE TRIGGER tally_deleted_deliveries AFTER DELETE ON deliveries
BEGIN
  UPDATE reach_tallies SET people = people - 1 WHERE {_is("OLD")};
END""",
)


def upgrade() -> None:
    op.create_table(
        "reach_tallies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("announcement_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("why", sa.String(24), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("handed_over", sa.Boolean(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reach_tallies")),
    )
    op.create_index("ix_reach_tallies_announcement", "reach_tallies", ["announcement_id", "channel", "state", "why"])
    op.execute(
        f"INSERT INTO reach_tallies ({COLUMNS}, people) SELECT {GROUPS}, count(*) FROM deliveries GROUP BY {GROUPS}"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL)
    else:
        for trigger in SQLITE:
            op.execute(trigger)


def downgrade() -> None:
    for name in ("tally_updated_deliveries", "tally_deleted_deliveries"):
        op.execute(f"DROP TRIGGER {name}" + (" ON deliveries" if op.get_bind().dialect.name == "postgresql" else ""))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION tally_deliveries()")
    op.drop_table("reach_tallies")
