"""Pure decisions about people: how names sort, what the search box finds, and which words are kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_WITHOUT_ACCENT = str.maketrans("łøđħıŧ", "lodhit")
_LOOKS_LIKE_A_NUMBER = re.compile(r"\+?[\d\s()./-]{3,}")
_NOT_A_DIGIT = re.compile(r"\D")

SORT_NAME_LENGTH = 260
SHORTEST_NUMBER_SEARCHED = 3


def clean(text: str) -> str:
    """Text as it is stored: trimmed, with plain line ends, without what PostgreSQL refuses (NUL, half letters)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_STORABLE.sub("", text).strip()


def sort_name(first_name: str, last_name: str, known_as: str) -> str:
    """What lists sort by: last name, then the first name, case-folded."""
    return " ".join(part for part in (last_name, first_name or known_as) if part).casefold()[:SORT_NAME_LENGTH]


def plain_letters(text: str) -> str:
    """Case-folded and without accents, so that “Bialczyk” finds “Białczyk”."""
    if text.isascii():
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in decomposed if not _is_accent(letter))
    return unicodedata.normalize("NFC", bare.translate(_WITHOUT_ACCENT))


def _is_accent(letter: str) -> bool:
    # The marks of Latin, Greek and Cyrillic letters alone: in Bengali or Arabic a mark is part of the word.
    return "\u0300" <= letter <= "\u036f"


def search_text(names: Iterable[str], addresses: Iterable[str]) -> str:
    """What the search box looks through for one person."""
    words: dict[str, None] = {}
    for name in names:
        if name:
            words[unicodedata.normalize("NFC", name.casefold())] = None
            words[plain_letters(name)] = None
    for address in addresses:
        words[address.casefold()] = None
    return " ".join(words)


def search_terms(search: str) -> list[str]:
    """What must all occur in a person's search text. A phone number may be typed with or without its country."""
    search = unicodedata.normalize("NFC", clean(search).casefold())
    if _LOOKS_LIKE_A_NUMBER.fullmatch(search):
        digits = _NOT_A_DIGIT.sub("", search.replace("(0)", ""))
        if len(digits) >= SHORTEST_NUMBER_SEARCHED:
            return [re.sub("^0+", "", digits) or digits]
    return search.split()


def like_pattern(term: str) -> str:
    """A LIKE pattern for a term anywhere, with the escape character ``\\``."""
    escaped = term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def moved(order: Sequence[int], item: int, step: str) -> list[int]:
    """An order after one item went “up” or “down” a place, came “in” at the end, or went “out”."""
    after = [one for one in order if one != item]
    if step == "out":
        return after
    if item not in order:
        return [*after, item]
    place = list(order).index(item) + {"up": -1, "down": 1}.get(step, 0)
    after.insert(max(place, 0), item)
    return after
