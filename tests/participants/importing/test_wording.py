"""How people say how they want to be reached."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.participants.importing.wording import Wish, understand


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("Email", ["email"]),
        ("e-mail", ["email"]),
        ("E MAIL please!", ["email"]),
        ("SMS", ["text"]),
        ("Text message", ["text"]),
        ("ring me please", ["phone"]),
        ("give me a call", ["phone"]),
        ("text then phone", ["text", "phone"]),
        ("Phone, otherwise text", ["phone", "text"]),
        ("1. email 2. text", ["email", "text"]),
        ("Text > call > email", ["text", "phone", "email"]),
        ("either email or text", ["email", "text"]),
        ("I like emails best but text is fine", ["email", "text"]),
        ("any", ["email", "text", "phone"]),
        ("anything, but phone first", ["phone", "email", "text"]),
        ("Mastodon", ["social"]),
    ],
)
def test_a_wish_is_an_order_of_channels(words: str, order: list[str]) -> None:
    assert understand(words) == Wish(order=tuple(order))


@pytest.mark.parametrize(
    ("words", "order", "refused"),
    [
        ("NOT phone", [], {"phone"}),
        ("no calls please", [], {"phone"}),
        ("don’t ring me", [], {"phone"}),
        ("email, not phone", ["email"], {"phone"}),
        ("email (no texts)", ["email"], {"text"}),
        ("not email or text", [], {"email", "text"}),
        ("not text, email", ["email"], {"text"}),
        ("email then phone but not text", ["email", "phone"], {"text"}),
        ("anything but phone", ["email", "text"], {"phone"}),
        ("I can't use email", [], {"email"}),
    ],
)
def test_a_refusal_is_heard(words: str, order: list[str], refused: set[str]) -> None:
    assert understand(words) == Wish(order=tuple(order), refused=frozenset(refused))


def test_no_contact_at_all_is_heard() -> None:
    assert understand("Do not contact me").nothing
    assert understand("none") == Wish(nothing=True)


def test_ways_that_the_hub_has_not_are_named() -> None:
    assert understand("WhatsApp") == Wish(elsewhere=("WhatsApp",))
    assert understand("Letter / post") == Wish(elsewhere=("letter",))
    assert understand("Phone, Email, Postal Mail") == Wish(order=("phone", "email"), elsewhere=("letter",))


@pytest.mark.parametrize(
    "words",
    [
        "pigeon",
        "mail",
        "ring me after 6",
        "phone only in emergencies",
        "yes",
        "both",
        "ask my sister",
        "text relay 18001",
    ],
)
def test_nothing_is_made_of_what_is_not_clear(words: str) -> None:
    wish = understand(words)
    assert wish.unclear
    assert not wish.order
    assert not wish.refused


def test_wanted_and_refused_is_not_clear() -> None:
    assert understand("email, not email").order == ()
    assert understand("email, not email").unclear


def test_an_unclear_part_does_not_spoil_a_clear_one() -> None:
    assert understand("Phone, when my carer is in") == Wish(order=("phone",), unclear=("when my carer is in",))
    assert understand("") == Wish()


WORDS = ("email", "text", "phone", "not", "no", "then", "or", "and", "but", "please", ",", ";", "(", ")")
WORDS += ("any", "only", "call", "ring", "don't", "WhatsApp", "nothing", "both")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_any_words_are_understood_or_unclear_and_never_both_wanted_and_refused(words: str) -> None:
    wish = understand(words)
    assert not wish.refused & set(wish.order)
    assert not (wish.is_empty and any(letter.isalnum() for letter in words))
