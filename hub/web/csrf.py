"""Every form carries a token that other sites can't know."""

from __future__ import annotations

from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()
"""``csrf.exempt`` is for signed webhooks and one-click unsubscribe alone; a test holds the list."""
