"""How fast a channel may send: a bucket of tokens for each sender, shared by all workers on all machines.

The bucket is in the queue server and fills with its clock. One that is wiped starts full again: a second's worth.
"""

from __future__ import annotations

import hashlib

from redis.commands.core import Script

from config.channels import CHANNELS
from config.settings import settings
from workers.queue import connection

FORGOTTEN_AFTER_SECONDS = 60

_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local rate, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(kept[1]) or most
tokens = math.min(most, tokens + (now - (tonumber(kept[2]) or now)) * rate)
local taken = wanted
if wanted > 0 then taken = math.max(0, math.min(wanted, math.floor(tokens))) end
if ARGV[4] == 'all' then taken = wanted end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - taken), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], ARGV[5])
return taken
"""


class Rate:
    """The rate of one channel's sender. Without a limit, everything is granted and nobody is asked."""

    def __init__(self, channel: str) -> None:
        chosen = settings()
        entry = CHANNELS[channel]
        self.per_second: float = getattr(chosen, entry.rate_setting) if entry.rate_setting else 0.0
        sender = "|".join(str(getattr(chosen, name)) for name in entry.sender_settings)
        self._key = f"everyway:rate:{channel}:{hashlib.sha256(sender.encode()).hexdigest()[:16]}"
        self._script: Script | None = None

    def take(self, wanted: int) -> int:
        """How many of ``wanted`` may leave now; these are taken."""
        return self._ask(wanted, "some") if self.per_second else wanted

    def take_all(self, number: int) -> None:
        """Take so many even where there are not enough, which has to be made up for; or give back, if negative."""
        if self.per_second and number:
            self._ask(number, "all")

    def _ask(self, number: int, how: str) -> int:
        if self._script is None:
            self._script = connection().register_script(_TAKE)
        most = max(self.per_second, 1.0)
        # Long enough for a debt to be remembered until it is paid.
        remembered = int(FORGOTTEN_AFTER_SECONDS + most / self.per_second)
        return int(self._script(keys=[self._key], args=[self.per_second, most, number, how, remembered]))
