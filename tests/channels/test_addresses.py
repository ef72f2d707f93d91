"""Reading addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.addresses import (
    Address,
    BadAddress,
    display,
    is_fictional,
    read_account,
    read_address,
    read_mailbox,
    read_phone,
)
from config.channels import AddressKind


@pytest.mark.parametrize(
    "written",
    [
        "07700 900123",
        "07700-900-123",
        "07700.900.123",
        "+44 7700 900123",
        "+44 (0)7700900123",
        "0044 7700 900123",
        "0044 (0) 7700 900 123",
        "447700900123",
        "7700900123",
        "tel:+447700900123",
        "07700900123.0",
        "\u202a07700 900123\u202c",
        "\u00a007700\u00a0900123 ",
        "０７７００ ９００１２３",
    ],
)
def test_one_number_is_read_however_it_is_written(written: str) -> None:
    assert read_phone(written, "GB") == Address("+447700900123", "mobile", fictional=True)


@pytest.mark.parametrize(
    ("written", "country", "value", "kind"),
    [
        ("07911 123456", "GB", "+447911123456", "mobile"),
        ("020 7183 8750", "GB", "+442071838750", "landline"),
        ("0800 1111", "GB", "+448001111", "landline"),
        ("07624 123456", "GB", "+447624123456", "mobile"),
        ("070 1234 5678", "GB", "+447012345678", "phone"),
        ("+353 86 123 4567", "GB", "+353861234567", "mobile"),
        ("086 123 4567", "IE", "+353861234567", "mobile"),
        ("(212) 736-5000", "US", "+12127365000", "phone"),
    ],
)
def test_a_number_is_classified(written: str, country: str, value: str, kind: str) -> None:
    assert read_phone(written, country) == Address(value, kind)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("07700 900999", "mobile"),
        ("07700 912345", "mobile"),
        ("01632 960000", "landline"),
        ("01632 969999", "landline"),
        ("020 7946 0958", "landline"),
        ("0113 496 0123", "landline"),
        ("0191 498 0123", "landline"),
        ("028 9649 6123", "landline"),
        ("029 2018 0123", "landline"),
        ("03069 990123", "landline"),
        ("+1 202 555 0123", "phone"),
    ],
)
def test_numbers_reserved_for_drama_are_known_as_fictional(written: str, kind: str) -> None:
    address = read_phone(written, "GB")
    assert (address.kind, address.fictional) == (kind, True)
    assert is_fictional(address.value)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "no number"),
        ("  \u200b ", "no number"),
        ("999", "too short"),
        ("077009001234", "too long"),
        ("1" * 500, "too long"),
        ("07700 90012", "No phone has this number"),
        ("+44 7700 9", "too short"),
        ("+999 123456", "country code"),
        ("07911 123456 ext 5", "extension"),
        ("07700 900883 (mum)", "letters"),
        ("0800 FLOWERS", "letters"),
        ("07700 900 123 / 07700 900 456", "more than one"),
        ("07700 900123 or 01632 960001", "more than one"),
        ("7.7009E+09", "spreadsheet"),
        ("ann@example.org", "not a phone number"),
        ("N/A", "not a phone number"),
        ("-", "not a phone number"),
    ],
)
def test_what_is_wrong_with_a_number_is_said_in_plain_words(written: str, complaint: str) -> None:
    with pytest.raises(BadAddress, match=complaint):
        read_phone(written, "GB")


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    for kind in AddressKind:
        try:
            address = read_address(kind, text, country="GB", fictional_ok=True)
        except BadAddress:
            continue
        assert read_address(kind, address.value, country="GB", fictional_ok=True) == address


@given(st.integers(0, 99_999))
def test_a_demonstration_has_a_hundred_thousand_mobiles_of_its_own(last_digits: int) -> None:
    assert read_phone(f"077009{last_digits:05d}", "GB") == Address(f"+4477009{last_digits:05d}", "mobile", True)


@pytest.mark.parametrize(
    ("written", "value", "fictional"),
    [
        ("A.Person@GMAIL.com", "A.Person@gmail.com", False),
        (" ann@example.org ", "ann@example.org", True),
        ("ann@mail.example.org", "ann@mail.example.org", True),
        ("ann@hub.test", "ann@hub.test", True),
        ("ann@notexample.com", "ann@notexample.com", False),
        ("ann@bücher.de", "ann@xn--bcher-kva.de", False),
        ("żółć@poczta.pl", "żółć@poczta.pl", False),
        ("j.o'brien+news@nhs.net", "j.o'brien+news@nhs.net", False),
    ],
)
def test_a_mailbox_is_read(written: str, value: str, fictional: bool) -> None:
    assert read_mailbox(written) == Address(value, "mailbox", fictional)


@pytest.mark.parametrize("written", ["ann", "ann@", "@example.org", "ann@example", "a..b@example.org", "a b@c.org"])
def test_a_broken_mailbox_is_refused_with_a_reason(written: str) -> None:
    with pytest.raises(BadAddress, match=r"\w"):
        read_mailbox(written)


@pytest.mark.parametrize(
    "written", ["@riverside@mastodon.social", "riverside@Mastodon.Social", "https://mastodon.social/@riverside"]
)
def test_an_account_is_read(written: str) -> None:
    assert read_account(written) == Address("@riverside@mastodon.social", "account")


@pytest.mark.parametrize("written", ["@riverside", "@a@b", "@a@mastodon.social@x", "https://mastodon.social/"])
def test_a_broken_account_is_refused(written: str) -> None:
    with pytest.raises(BadAddress, match="@name@server"):
        read_account(written)


def test_fictional_addresses_are_refused_when_live() -> None:
    for kind, written in [(AddressKind.PHONE, "07700 900123"), (AddressKind.EMAIL, "ann@example.org")]:
        with pytest.raises(BadAddress, match="reserved for examples"):
            read_address(kind, written, country="GB", fictional_ok=False)


@pytest.mark.parametrize(
    ("value", "country", "shown"),
    [
        ("+447700900123", "GB", "07700 900 123"),
        ("+441632960123", "GB", "01632 960 123"),
        ("+442079460958", "GB", "020 7946 0958"),
        ("+447700900123", "IE", "+44 7700 900 123"),
        ("+353861234567", "GB", "+353 86 123 4567"),
        ("ann@xn--bcher-kva.de", "GB", "ann@bücher.de"),
        ("ann@example.org", "GB", "ann@example.org"),
        ("@a@mastodon.social", "GB", "@a@mastodon.social"),
    ],
)
def test_addresses_are_shown_as_people_read_them(value: str, country: str, shown: str) -> None:
    assert display(value, country) == shown
