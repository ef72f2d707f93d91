"""What this hub is measured beside: ``python -m tests.bench.beside default-client | job-a-person``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from rq import SimpleWorker
from rq.serializers import JSONSerializer
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from channels.base import Accepted, Message, Outcome
from channels.filling import fill_text
from config.logs import set_up_logs
from config.settings import settings
from hub.announcements.models import Announcement
from hub.db import utc_now, write_session
from hub.deliveries.models import Delivery
from hub.participants.models import ContactPoint, Participant
from workers import __main__ as workers
from workers import opened
from workers.queue import connection, queue

ONE_BY_ONE = "one-by-one"
"""The queue of jobs that send to one person each."""


class ToTheSink(TwilioHttpClient):  # type: ignore[misc]
    """The client that the library brings, sent to TWILIO_BASE_URL."""

    def request(self, method: str, uri: str, *args: Any, **more: Any) -> Any:
        """As the library asks for it."""
        return super().request(method, uri.replace("https://api.twilio.com", settings().twilio_base_url), *args, **more)


@cache
def client() -> Client:
    """The library as its guide uses it."""
    return Client(settings().twilio_account_sid, "secret", http_client=ToTheSink())


class DefaultClientChannel:
    """The text channel as it would be with the library's own client, one message after the other."""

    def send(self, messages: Iterable[Message]) -> Iterator[tuple[int, Outcome]]:
        """See :class:`channels.base.Channel`."""
        for message in messages:
            body = fill_text(message.content.text, message.values)
            made = client().messages.create(
                to=message.address, from_=settings().twilio_from, body=body, status_callback=message.status_callback
            )
            yield message.delivery_id, Accepted(made.sid)

    def check(self) -> str | None:
        """Nothing is wrong."""
        return None

    def close(self) -> None:
        """Nothing to let go of."""


def send_to_one(delivery_id: int) -> None:
    """The job of a hub that has one for each person: load, write, send, record."""
    with write_session() as session:
        delivery = session.get_one(Delivery, delivery_id)
        person = session.get_one(Participant, delivery.participant_id)
        point = session.get_one(ContactPoint, delivery.contact_point_id)
        [variant] = [
            each
            for each in session.get_one(Announcement, delivery.announcement_id).variants
            if each.channel == delivery.channel
        ]
        body = variant.body.replace("((name))", person.first_name)
        url = f"{settings().public_url}/webhooks/twilio/status?d={delivery_id}"
        made = client().messages.create(to=point.address, from_=settings().twilio_from, body=body, status_callback=url)
        delivery.state, delivery.provider_id, delivery.state_at = "sent", made.sid, utc_now()  # type: ignore[assignment]


def main(what: str) -> None:
    """Be one of the workers."""
    if what == "default-client":
        opened.opened_channel = lambda _name: DefaultClientChannel()
        workers.main(["send", "text"])
        return
    set_up_logs()
    SimpleWorker([queue(ONE_BY_ONE)], connection=connection(), serializer=JSONSerializer).work(logging_level="WARNING")


if __name__ == "__main__":
    main(sys.argv[1])
