"""Putting people's values into texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.filling import Template, fill_html, fill_line, fill_text


def test_each_field_gets_its_value_wherever_it_stands() -> None:
    text = "((name)), hello (( First  Name )). ((NAME))"
    assert fill_text(text, {"name": "Jo", "first name": "Joan"}) == "Jo, hello Joan. Jo"
    assert Template(text).names == ("name", "first name")


def test_a_field_inside_a_value_is_not_filled_again() -> None:
    assert fill_text("((a)) ((b))", {"a": "((b))", "b": "((a))"}) == "((b)) ((a))"


def test_a_field_without_a_value_stays_as_it_was_written() -> None:
    assert fill_text("Dear ((Nobody)) (see (below))", {"name": "Jo"}) == "Dear ((Nobody)) (see (below))"


def test_values_are_harmless_in_html() -> None:
    filled = fill_html('<p title="((name))">((name))</p>', {"name": '"<b>O\'Hara & Co"'})
    assert filled == (
        '<p title="&quot;&lt;b&gt;O&#x27;Hara &amp; Co&quot;">&quot;&lt;b&gt;O&#x27;Hara &amp; Co&quot;</p>'
    )


def test_a_line_stays_one_line() -> None:
    assert fill_line("News for ((name))", {"name": "Jo\r\nBcc: all@example.org"}) == "News for Jo Bcc: all@example.org"


@given(st.text(), st.dictionaries(st.sampled_from(["name", "x"]), st.text()))
def test_a_text_without_fields_is_never_changed(text: str, values: dict[str, str]) -> None:
    text = text.replace("((", "( (")
    assert fill_text(text, values) == text


@given(st.lists(st.tuples(st.text(alphabet="ab \n<("), st.text()), max_size=5))
def test_filling_puts_literals_and_values_side_by_side(pieces: list[tuple[str, str]]) -> None:
    literals = [literal.replace("(", "") for literal, _ in pieces]
    text = "".join(f"{literal}((f{place}))" for place, literal in enumerate(literals))
    expected = "".join(literal + value for literal, (_, value) in zip(literals, pieces, strict=True))
    assert fill_text(text, {f"f{place}": value for place, (_, value) in enumerate(pieces)}) == expected
