"""What is made for the other channels from the text that somebody wrote."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.text.segments import segments
from config.channels import CHANNELS
from config.settings import Settings
from hub.announcements.deriving import POST_CHARACTERS, TEXT_CHARACTERS, Wording, derive, shown_length
from hub.announcements.rendering import unknown_fields, used_fields

EMAIL = """Dear ((name)),

The **spring meeting** is on Tuesday at 2pm, in the [hall](https://riverside.example/hall). We’ll talk about:

- the bus route
- who’d like to help

You can change how we reach you at ((preferences link)).

Best wishes,
Ann
"""


def made(channel: str, body: str = EMAIL, source: str = "email", language: str = "en") -> str:
    return derive(source, Wording("Spring", body), channel, title="Spring meeting", language=language).body


def test_a_text_says_who_is_writing_and_how_to_stop() -> None:
    text = made("text")
    assert text.startswith("Hello ((name)), this is ((group name)). The spring meeting is on Tuesday at 2pm")
    assert text.endswith("Reply STOP to stop texts.")
    assert "https://riverside.example/hall" in text
    assert "**" not in text
    assert "Best wishes" not in text


def test_a_derived_text_costs_no_more_than_two_plain_parts(settings_for: Callable[..., Settings]) -> None:
    settings_for(group_name="Riverside Together")
    text = made("text", EMAIL + "\n\nAnd there is “a lot” more to say — about everything… " * 30)
    assert shown_length(text) <= TEXT_CHARACTERS
    assert segments(text).encoding == "GSM-7"


def test_links_of_sentences_that_do_not_fit_are_kept() -> None:
    text = made(
        "text", "It begins. " + "This is a long sentence about nothing at all. " * 8 + "See https://a.example/b."
    )
    assert "More: https://a.example/b" in text


def test_a_field_is_never_cut_in_half() -> None:
    text = made("text", "word " * 52 + "((group name)) " * 10)
    assert unknown_fields(text) == []
    assert text.count("((") == text.count("))")


def test_a_call_has_a_greeting_the_message_a_question_and_thanks() -> None:
    script = made("phone")
    assert script.startswith("Hello, may I speak to ((name)), please?")
    assert "- the bus route" in script
    assert "Is there anything you want to ask" in script
    assert script.endswith("Thank you for your time. Goodbye.")
    assert "((preferences link))" not in script


def test_a_public_post_holds_nothing_of_anybodys_own() -> None:
    post = made(
        "social", "Hello ((name)),\n\n((first name)), come! Ring us, ((last name)). Stop here: ((unsubscribe link))"
    )
    assert set(used_fields(post)) <= {"group name"}
    assert post == "come! Ring us."


def test_a_public_post_fits_however_much_was_written() -> None:
    assert shown_length(made("social", "A long sentence. " * 100)) <= POST_CHARACTERS
    assert shown_length(made("social", "https://a.example/" + "x" * 700)) <= POST_CHARACTERS


def test_an_email_made_from_a_text_has_the_title_for_its_subject() -> None:
    text = "Hello ((name)), this is ((group name)). The hall is closed. Reply STOP to stop texts."
    email = derive("text", Wording("", text), "email", title="Hall closed")
    assert email == Wording("Hall closed", "Hello ((name)),\n\nThe hall is closed.")


def test_a_welsh_text_is_greeted_in_welsh_and_one_in_another_language_not_at_all() -> None:
    assert made("text", "Mae’r neuadd ar gau.", language="cy").startswith("Helo ((name)), ((group name)) sydd yma.")
    assert made("text", "Sala jest zamknięta.", language="pl") == "Sala jest zamknięta."


def test_thanks_in_the_middle_of_a_message_stay() -> None:
    assert "Thank you for coming." in made("phone", "Hello all,\n\nThank you for coming.\n\nWe raised £90.\n\nThanks")


@pytest.mark.parametrize("body", ["", "   \n", "\n\n"])
def test_from_nothing_comes_nothing(body: str) -> None:
    assert made("text", body) == ""


@given(st.text(max_size=300), st.sampled_from(list(CHANNELS)), st.sampled_from(list(CHANNELS)))
def test_nothing_that_can_be_typed_breaks_it(body: str, source: str, channel: str) -> None:
    assert isinstance(made(channel, body, source), str)
