"""Addresses to which providers refuse to send, and fates that were decided by hand."""

from __future__ import annotations

import sqlite3

from channels.sandbox.people import Fate


class Refusals:
    """What one store knows about addresses rather than messages."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def suppress(self, kind: str, address: str, at: float, reason: str) -> None:
        """Refuse this address from now on."""
        self.db.execute("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?, ?)", (address, kind, at, reason))

    def unsuppress(self, kind: str, address: str) -> None:
        """No longer refuse this address."""
        self.db.execute("DELETE FROM suppressions WHERE kind = ? AND address = ?", (kind, address))

    def suppressed(self, address: str) -> set[str]:
        """The kinds of reasons for which providers refuse this address."""
        return {kind for (kind,) in self.db.execute("SELECT kind FROM suppressions WHERE address = ?", (address,))}

    def suppressions(self, kind: str, limit: int, offset: int) -> list[tuple[str, float, str]]:
        """``(address, at, reason)``, newest first."""
        return self.db.execute(
            "SELECT address, at, reason FROM suppressions WHERE kind = ? ORDER BY at DESC LIMIT ? OFFSET ?",
            (kind, limit, offset),
        ).fetchall()

    def decide(self, channel: str, address: str, fate: Fate) -> None:
        """Give an address a fate other than its own."""
        self.db.execute("INSERT OR REPLACE INTO decided_fates VALUES (?, ?, ?)", (channel, address, fate))
        self.db.execute("UPDATE boxes SET fate = ? WHERE channel = ? AND address = ?", (fate, channel, address))

    def decided(self) -> dict[tuple[str, str], Fate]:
        """Every fate that was decided by hand."""
        rows = self.db.execute("SELECT channel, address, fate FROM decided_fates").fetchall()
        return {(channel, address): Fate(fate) for channel, address, fate in rows}
