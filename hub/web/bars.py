"""Numbers as a bar: how wide each part is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

THINNEST = 1.2
"""Per cent of the bar. One person out of a hundred thousand is still seen."""


@dataclass(frozen=True, slots=True)
class BarPart:
    """One part: its name, its number, and where it lies, in per cent of the whole bar."""

    name: str
    number: int
    left: float
    width: float


def bar_parts(numbers: Mapping[str, int]) -> list[BarPart]:
    """The parts of a bar, in the order given, without the empty ones. Together they are exactly as wide as the bar."""
    whole = sum(numbers.values())
    if whole <= 0:
        return []
    widths = {name: max(100 * number / whole, THINNEST) for name, number in numbers.items() if number > 0}
    scale = 100 / sum(widths.values())
    parts: list[BarPart] = []
    left = 0.0
    for name, width in widths.items():
        parts.append(BarPart(name, numbers[name], round(left, 3), round(width * scale, 3)))
        left += width * scale
    return parts
