"""What can be wrong with what somebody asks us to do about a person."""

from __future__ import annotations

from hub.errors import Conflict, HubError, NotFound


class BadAddress(HubError):
    """400: the address can't be used on its channel; the message says why."""


class BadDetails(HubError):
    """400: something about the person can't be kept as it was given; the message says what."""


class AlreadyThere(Conflict):
    """409: the person, group or contact point exists already."""


class NobodyThere(NotFound):
    """404: the participant, contact point, group or topic is not here (any more)."""
