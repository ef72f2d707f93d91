"""One page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

LARGEST_PAGE = 500

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of the items of a list. ``page`` counts from 1; ``total`` counts the whole list."""

    items: Sequence[Item]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.per_page))


def page_bounds(page: int, per_page: int) -> tuple[int, int]:
    """The offset and limit of a page, whatever numbers an address bar brought."""
    limit = min(max(per_page, 1), LARGEST_PAGE)
    return (max(page, 1) - 1) * limit, limit
