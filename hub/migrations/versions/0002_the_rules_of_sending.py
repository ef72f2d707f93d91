"""The rules of sending: schedules, silence, budgets, and deliveries that are uncertain."""

import sqlalchemy as sa
from alembic import op

import hub.db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = hub.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.add_column("announcements", sa.Column("silence_minutes", sa.Integer(), nullable=True))
    op.add_column("announcements", sa.Column("budget", sa.Numeric(10, 2), nullable=True))
    op.add_column("announcements", sa.Column("text_parts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("announcements", sa.Column("starts_at", MOMENT, nullable=True))
    op.add_column(
        "announcements",
        sa.Column(
            "paused_because",
            sa.Enum("", "budget", name="pausedbecause", native_enum=False, length=24),
            nullable=False,
            server_default="",
        ),
    )
    op.create_table(
        "uncertain_deliveries",
        sa.Column("delivery_id", BIG_ID, primary_key=True),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("ask_at", MOMENT, nullable=False),
        sa.Column("for_a_person", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_uncertain_deliveries_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_uncertain_deliveries")),
    )
    op.create_index("ix_uncertain_deliveries_due", "uncertain_deliveries", ["channel", "ask_at"])
    op.execute(
        "INSERT INTO uncertain_deliveries (delivery_id, channel, since, ask_at, for_a_person) "
        "SELECT id, channel, state_at, state_at, false FROM deliveries WHERE live AND state = 'uncertain'"
    )


def downgrade() -> None:
    op.drop_table("uncertain_deliveries")
    for name in ("paused_because", "starts_at", "text_parts", "budget", "silence_minutes"):
        op.drop_column("announcements", name)
