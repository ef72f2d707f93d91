"""Bad days on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request

from channels.sandbox.credentials import DEFAULT
from channels.sandbox.faults import BadFaults, Faults
from tests.sandbox.conftest import FINE
from tests.services.sandbox import Sandbox

STATUS = "/webhooks/twilio/status"
Told = Callable[[str, int], list[Request]]


def text(sandbox: Sandbox, callback: str = "", wait: float = 10) -> requests.Response:
    form = {"To": FINE, "From": DEFAULT.sender, "Body": "Hello"} | ({"StatusCallback": callback} if callback else {})
    url = f"{sandbox.url}/2010-04-01/Accounts/{DEFAULT.account_sid}/Messages.json"
    return requests.post(url, data=form, auth=(DEFAULT.account_sid, DEFAULT.auth_token), timeout=wait)


@pytest.mark.parametrize(("rate", "status", "code"), [("rate_500", 500, 20500), ("rate_503", 503, 20503)])
def test_an_error_comes_in_the_providers_own_form(sandbox: Sandbox, rate: str, status: int, code: int) -> None:
    sandbox.post("faults", twilio={rate: 1})
    answer = text(sandbox)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert sandbox.get("summary")["text"]["accepted"] == 0


def test_too_many_requests_say_when_to_come_back(sandbox: Sandbox) -> None:
    sandbox.post("faults", twilio={"rate_429": 1, "retry_after": 7})
    answer = text(sandbox)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (429, 20429, "7")


def test_a_reset_connection_accepts_nothing_and_a_dropped_one_has_accepted(sandbox: Sandbox) -> None:
    for fault, accepted in (("rate_reset", 0), ("rate_accept_then_drop", 1)):
        sandbox.post("faults", twilio={fault: 1})
        with pytest.raises(requests.ConnectionError):
            text(sandbox)
        assert sandbox.get("summary")["text"]["accepted"] == accepted


def test_a_request_can_hang(sandbox: Sandbox) -> None:
    sandbox.post("faults", twilio={"rate_hang": 1})
    with pytest.raises(requests.ReadTimeout):
        text(sandbox, wait=0.1)
    assert sandbox.get("summary")["text"]["accepted"] == 0


def test_callbacks_can_come_twice_and_the_last_one_first(sandbox: Sandbox, hub: HTTPServer, told: Told) -> None:
    hub.expect_request(STATUS).respond_with_data("")
    sandbox.post("faults", twilio={"rate_callback_repeated": 1})
    assert text(sandbox, hub.url_for(STATUS)).status_code == 201

    statuses = [request.form["MessageStatus"] for request in told(STATUS, 4)]
    assert sorted(statuses) == ["delivered", "delivered", "sent", "sent"]


def test_the_same_seed_makes_the_same_day() -> None:
    def day(seed: int) -> list[str]:
        faults = Faults()
        faults.replace({"seed": seed, "twilio": {"rate_500": 0.2, "rate_429": 0.2}})
        return [faults.choose("twilio") for _ in range(200)]

    assert day(7) == day(7)
    assert day(7) != day(8)
    assert 20 < day(7).count("500") < 60


def test_disorder_swaps_when_the_events_of_a_message_are_told() -> None:
    faults = Faults()
    faults.replace({"twilio": {"rate_callback_reordered": 1, "callback_delay_ms": 1000}})
    told = faults.disturbed("twilio", [(1.0, 5, "sent", 1.0), (2.0, 5, "delivered", 2.0)])
    assert told == [(3.0, 5, "sent", 1.0), (2.0, 5, "delivered", 2.0)]


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ([], "JSON object"),
        ({"post office": {}}, "not a provider"),
        ({"twilio": 1}, "JSON object"),
        ({"twilio": {"rate_x": 1}}, "no fault named 'rate_x'"),
        ({"twilio": {"rate_500": 2}}, "from 0 to 1"),
        ({"twilio": {"rate_500": "often"}}, "from 0 to 1"),
        ({"twilio": {"rate_500": True}}, "from 0 to 1"),
        ({"seed": "x"}, "whole number"),
    ],
)
def test_faults_that_make_no_sense_are_refused_and_change_nothing(description: Any, words: str) -> None:
    faults = Faults()
    faults.replace({"twilio": {"rate_500": 0.5}})
    with pytest.raises(BadFaults, match=words):
        faults.replace(description)
    assert faults.of("twilio").rate_500 == 0.5


def test_the_interface_says_what_is_wrong(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/api/faults", json={"twilio": {"rate_x": 1}}, timeout=10)
    assert answer.status_code == 400
    assert "rate_x" in answer.json()["error"]
    assert sandbox.get("faults") == {}
