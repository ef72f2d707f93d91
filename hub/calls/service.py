"""Call lists: who is on them, and what callers tell us."""

from __future__ import annotations

from hub.calls.listing import put_on_list

__all__ = ["put_on_list"]
