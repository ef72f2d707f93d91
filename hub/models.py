"""Every table of the hub: imported by migrations, and by whoever needs the whole metadata."""

from hub.accounts import tables as accounts
from hub.announcements import models as announcements
from hub.calls import models as calls
from hub.conversations import models as conversations
from hub.db import Base
from hub.deliveries import models as deliveries
from hub.participants import models as participants

metadata = Base.metadata

__all__ = ["accounts", "announcements", "calls", "conversations", "deliveries", "metadata", "participants"]
