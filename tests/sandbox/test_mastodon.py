"""A Mastodon server with one account."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from channels.sandbox.credentials import DEFAULT
from tests.services.sandbox import Sandbox


def post(sandbox: Sandbox, words: str, key: str = "", **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {DEFAULT.mastodon_token}"} | ({"Idempotency-Key": key} if key else {})
    return requests.post(f"{sandbox.url}/api/v1/statuses", json={"status": words, **more}, headers=headers, timeout=10)


def test_a_status_is_posted_and_says_how_many_requests_are_left(sandbox: Sandbox) -> None:
    answer = post(sandbox, "The meeting is on Monday.", visibility="public", language="en")

    assert answer.status_code == 200
    assert (answer.json()["content"], answer.json()["visibility"]) == ("<p>The meeting is on Monday.</p>", "public")
    assert answer.headers["X-RateLimit-Limit"] == "300"
    assert int(answer.headers["X-RateLimit-Remaining"]) < 300
    assert answer.headers["X-RateLimit-Reset"].endswith("Z")
    assert sandbox.get("summary")["social"] == {"accepted": 1, "distinct_recipients": 1, "duplicates": 0}


def test_the_same_key_gives_the_same_status_and_another_key_a_second_one(sandbox: Sandbox) -> None:
    first, again = post(sandbox, "Once", "a-key"), post(sandbox, "Once", "a-key")
    assert first.json()["id"] == again.json()["id"]
    assert sandbox.get("summary")["social"]["accepted"] == 1

    assert post(sandbox, "Once", "another-key").json()["id"] != first.json()["id"]
    assert sandbox.get("summary")["social"] == {"accepted": 2, "distinct_recipients": 1, "duplicates": 1}


def test_a_form_is_as_good_as_json(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {DEFAULT.mastodon_token}"}
    answer = requests.post(f"{sandbox.url}/api/v1/statuses", data={"status": "Hello"}, headers=headers, timeout=10)
    assert answer.json()["content"] == "<p>Hello</p>"


@pytest.mark.parametrize(
    ("words", "more", "problem"),
    [
        ("", {}, "blank"),
        (" \n", {}, "blank"),
        ("x" * 501, {}, "500 exceeded"),
        ("x", {"visibility": "secret"}, "visibility"),
        ("x", {"language": "English!"}, "Language"),
    ],
)
def test_what_mastodon_would_refuse_is_refused(
    sandbox: Sandbox, words: str, more: dict[str, str], problem: str
) -> None:
    answer = post(sandbox, words, **more)
    assert answer.status_code == 422
    assert problem in answer.json()["error"]


def test_a_link_counts_as_23_characters(sandbox: Sandbox) -> None:
    link = "https://example.org/" + "x" * 200
    assert post(sandbox, "x" * 476 + " " + link).status_code == 200
    assert post(sandbox, "x" * 477 + " " + link).status_code == 422


def test_a_wrong_token_is_refused_and_the_right_one_can_be_checked(sandbox: Sandbox) -> None:
    path = f"{sandbox.url}/api/v1/accounts/verify_credentials"
    right = {"Authorization": f"Bearer {DEFAULT.mastodon_token}"}
    assert requests.get(path, headers={"Authorization": "Bearer wrong"}, timeout=10).status_code == 401
    assert requests.get(path, headers=right, timeout=10).json()["username"] == "everyway"


def test_the_server_says_how_long_a_status_may_be(sandbox: Sandbox) -> None:
    about = requests.get(f"{sandbox.url}/api/v2/instance", timeout=10).json()
    assert about["configuration"]["statuses"]["max_characters"] == 500
