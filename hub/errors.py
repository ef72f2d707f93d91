"""One tree of errors. Messages are written for the person who reads them."""

from __future__ import annotations


class HubError(Exception):
    """Something a person can do something about. ``status`` is the HTTP status of the page that shows it."""

    status = 400


class NotFound(HubError):
    """404: what was asked for is not here (any more)."""

    status = 404


class Conflict(HubError):
    """409: it can't be done in the state that the thing is in."""

    status = 409


class Refused(HubError):
    """403: a forged, expired or unsigned request."""

    status = 403
