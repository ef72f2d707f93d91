"""Counting the parts of a text message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.text.segments import Encoding, Segments, plain, segments

GSM_7, UCS_2 = Encoding.GSM_7, Encoding.UCS_2


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "remaining"),
    [
        ("", GSM_7, 0, 160),
        ("a" * 160, GSM_7, 1, 0),
        ("a" * 161, GSM_7, 2, 145),
        ("a" * 306, GSM_7, 2, 0),
        ("a" * 307, GSM_7, 3, 152),
        ("à ä é è ì ò ö ù ü Ç £ €\r\n", GSM_7, 1, 134),
        ("€" * 80, GSM_7, 1, 0),
        ("€" * 81, GSM_7, 2, 143),
        ("ç", UCS_2, 1, 69),
        ("ŵ" * 70, UCS_2, 1, 0),
        ("ŵ" * 71, UCS_2, 2, 63),
        ("ŵ" * 134, UCS_2, 2, 0),
        ("😀" * 35, UCS_2, 1, 0),
    ],
)
def test_parts_are_counted(text: str, encoding: Encoding, parts: int, remaining: int) -> None:
    counted = segments(text)
    assert (counted.encoding, counted.parts, counted.remaining) == (encoding, parts, remaining)


def test_a_character_of_two_units_is_not_split_between_parts() -> None:
    # 306 units would fit two parts of 153, were it not that the euro sign at 153 may not straddle them.
    assert segments("a" * 152 + "€" + "a" * 152).parts == 3
    # 134 units would fit two parts of 67, but the 34th face would be cut in two.
    assert segments("😀" * 67).parts == 3


def test_the_characters_that_make_a_text_dearer_are_named() -> None:
    assert segments("Croeso i’r tŷ, ’n dŵr").forced_by == ("’", "ŷ", "ŵ")


def test_costly_typography_has_a_plain_form() -> None:
    assert plain("“It’s\u00a0on – maybe…”\u200b") == '"It\'s on - maybe..."'
    assert segments(plain("“It’s\u00a0on – maybe…”\u200b")).encoding is GSM_7
    assert plain("Siân ŵ ł ç") == "Siân ŵ ł ç"


@given(st.text())
def test_counting_agrees_with_packing_character_by_character(text: str) -> None:
    assert segments(text) == packed_by_hand(text)


@given(st.text(alphabet="ab€[]~ŵ😀", min_size=140, max_size=500))
def test_counting_long_texts_agrees_with_packing_character_by_character(text: str) -> None:
    assert segments(text) == packed_by_hand(text)


BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def packed_by_hand(text: str) -> Segments:
    """The rule as it is written down, one character after the other."""
    two = "\f^{}\\[~]|€"
    foreign = [character for character in text if character not in BASIC + LETTERS + two]
    if foreign:
        costs, single, part = [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67
    else:
        costs, single, part = [2 if character in two else 1 for character in text], 160, 153
    encoding = UCS_2 if foreign else GSM_7
    forced_by = tuple(dict.fromkeys(foreign))
    if sum(costs) <= single:
        return Segments(encoding, min(len(text), 1), sum(costs), single - sum(costs), forced_by)
    filled = [0]
    for cost in costs:
        if filled[-1] + cost > part:
            filled.append(0)
        filled[-1] += cost
    return Segments(encoding, len(filled), sum(costs), part - filled[-1], forced_by)
