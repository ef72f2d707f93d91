"""Public channels: one post for an announcement and language serves everybody who follows the group there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from channels.base import Message
from hub.db import read_session
from hub.deliveries.models import PublicPost
from hub.deliveries.recording import Result
from hub.deliveries.sending import Start
from workers.messages import Texts


@dataclass(slots=True)
class Post:
    """One post, and the deliveries that wait for it. ``provider_id`` is empty until it is out."""

    announcement_id: int
    language: str
    provider_id: str = ""
    waiting: list[int] = field(default_factory=list)


class PublicPosts:
    """What this job knows of an announcement's public posts."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._posts: dict[tuple[int, str], Post] = {}
        self._carried: dict[int, Post] = {}

    def messages(
        self, announcement_id: int, what: Texts, starts: Iterable[Start], now: datetime
    ) -> Iterator[tuple[Message | None, Post, list[int]]]:
        """For each language among ``starts``: the post to make (None: it is out already), and whom it serves.

        The message carries the id of the first delivery that waits for it; the idempotency key makes a second try,
        after a crash between the post and our record of it, end in the same post.
        """
        by_language: dict[str, list[Start]] = {}
        for start in starts:
            by_language.setdefault(what.content(start.language, start.formats).language, []).append(start)
        for language, those in by_language.items():
            post = self._post(announcement_id, language)
            ids = [start.delivery_id for start in those]
            if post.provider_id:
                yield None, post, ids
                continue
            post.waiting = ids
            self._carried[ids[0]] = post
            key = f"everyway-{announcement_id}-{language}"
            content = what.content(those[0].language, those[0].formats)
            yield Message(ids[0], "", content, idempotency_key=key, valid_for=what.valid_for(now)), post, ids

    def served_by(self, delivery_id: int, provider_id: str) -> list[int]:
        """The deliveries that an answer for ``delivery_id`` is the answer for."""
        post = self._carried.pop(delivery_id, None)
        if post is None:
            return [delivery_id]
        post.provider_id = provider_id
        return post.waiting

    def remember(
        self, session: Session, announcement_ids: Iterable[int], results: Iterable[Result], now: datetime
    ) -> None:
        """Keep what is out, so that no other job posts it again."""
        out = {result.provider_id for result in results if result.provider_id}
        known = [
            {
                "announcement_id": post.announcement_id,
                "channel": self.channel,
                "language": post.language,
                "provider_id": post.provider_id,
                "posted_at": now,
            }
            for post in self._posts.values()
            if post.provider_id in out and post.announcement_id in announcement_ids
        ]
        if known:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            session.execute(dialect.insert(PublicPost).values(known).on_conflict_do_nothing())

    def _post(self, announcement_id: int, language: str) -> Post:
        key = (announcement_id, language)
        if key not in self._posts:
            with read_session() as session:
                provider_id = session.scalar(
                    select(PublicPost.provider_id).where(
                        PublicPost.announcement_id == announcement_id,
                        PublicPost.channel == self.channel,
                        PublicPost.language == language,
                    )
                )
            self._posts[key] = Post(announcement_id, language, provider_id or "")
        return self._posts[key]
