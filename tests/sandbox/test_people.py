"""What becomes of a message to each address."""

from __future__ import annotations

from collections import Counter

import pytest

from channels.sandbox.people import SHARES, Fate, fate_of


@pytest.mark.parametrize(
    ("channel", "address"), [("text", "+4477009{:05d}"), ("email", "person{}@example.org")], ids=["text", "email"]
)
def test_a_small_and_stable_share_of_people_is_hard_to_reach(channel: str, address: str) -> None:
    fates = Counter(fate_of(channel, address.format(number)) for number in range(20_000))

    assert fates[Fate.FINE] / 20_000 == pytest.approx(0.966, abs=0.006)
    for share, fate in SHARES[channel]:
        assert fates[fate] / 20_000 == pytest.approx(share, abs=0.004)


def test_everyone_can_be_made_reachable_except_landlines() -> None:
    numbers = [f"+4477009{number:05d}" for number in range(500)]
    assert {fate_of("text", number, everyone_reachable=True) for number in numbers} == {Fate.FINE}
    assert fate_of("text", "+441632960123", everyone_reachable=True) is Fate.LANDLINE
    assert fate_of("text", "+448081570123") is Fate.NOT_MOBILE


def test_a_mailbox_has_one_fate_however_it_is_written() -> None:
    for number in range(200):
        assert fate_of("email", f"Person{number}@Example.org") is fate_of("email", f"person{number}@example.org")
