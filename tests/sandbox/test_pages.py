"""What people see, and answering as them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import requests
from pytest_httpserver import HTTPServer
from sendgrid import SendGridAPIClient
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from werkzeug import Request

from channels.sandbox.credentials import DEFAULT
from tests.sandbox.conftest import FINE, OUT_OF_REACH, a_mail
from tests.services.sandbox import Sandbox

INBOUND = "/webhooks/twilio/inbound"
PARSED = f"/webhooks/sendgrid/inbound/{DEFAULT.inbound_token}"
TWIML = '<?xml version="1.0"?><Response><Message>Thank you.</Message></Response>'
Told = Callable[[str, int], list[Request]]


def get(sandbox: Sandbox, path: str = "/") -> str:
    answer = requests.get(sandbox.url + path, timeout=10)
    assert answer.status_code == 200
    assert "nothing here reaches a real person" in answer.text
    return answer.text


def post(sandbox: Sandbox, path: str, **form: str) -> str:
    answer = requests.post(sandbox.url + path, data=form, timeout=10)
    assert answer.status_code == 200
    return answer.text


def open_box(sandbox: Sandbox, address: str) -> str:
    found = re.search(r'href="(/(?:phones|mailboxes)/\d+)"', get(sandbox, f"/?search={requests.utils.quote(address)}"))
    assert found
    return found.group(1)


def text(twilio: Client, words: str, to: str = FINE) -> None:
    twilio.messages.create(to=to, from_=DEFAULT.sender, body=words)


@pytest.fixture
def mailbox(sandbox: Sandbox, sendgrid: SendGridAPIClient, hub: HTTPServer) -> str:
    """The path of a mail in Joan's mailbox."""
    sandbox.post("fates", email={"joan@example.org": "fine"})
    mail = a_mail("joan@example.org", subject="The <b>meeting</b>")
    mail["content"].append({"type": "text/html", "value": "<p>On Monday</p><script>alert(1)</script>"})
    mail["reply_to"] = {"email": "reply+7@everyway.example"}
    mail["headers"] = {
        "List-Unsubscribe": f"<{hub.url_for('/u/token')}>, <mailto:stop@everyway.example>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    sendgrid.client.mail.send.post(request_body=mail)
    path = open_box(sandbox, "joan@example.org")
    found = re.search(rf"{path}/\d+(?=/html)", get(sandbox, path))
    assert found
    return found.group()


def test_every_phone_and_mailbox_is_found_however_it_is_written(
    sandbox: Sandbox, twilio: Client, sendgrid: SendGridAPIClient
) -> None:
    text(twilio, "Hello")
    text(twilio, "Hello", OUT_OF_REACH)
    sendgrid.client.mail.send.post(request_body=a_mail("joan@example.org"))

    assert get(sandbox).count("<li>") == 3
    for search in ("07700 900123", "+44 (0)7700 900123", "900123"):
        page = get(sandbox, f"/?search={requests.utils.quote(search)}")
        assert "+44 7700 900123" in page
        assert page.count("<li>") == 1
    assert get(sandbox, "/?search=JOAN&channel=email").count("<li>") == 1
    assert "switched off or out of reach" in get(sandbox, "/?unlucky=1&channel=text")
    assert "There is none like that" in get(sandbox, "/?search=%25")


def test_a_phone_shows_its_texts_in_order_and_what_did_not_arrive(sandbox: Sandbox, twilio: Client) -> None:
    text(twilio, "First <script>")
    text(twilio, "Second")
    page = get(sandbox, open_box(sandbox, FINE))
    assert page.index("First &lt;script&gt;") < page.index("Second")

    text(twilio, "Lost", OUT_OF_REACH)
    assert "Did not arrive (30003)" in get(sandbox, open_box(sandbox, OUT_OF_REACH))


def test_an_answer_reaches_the_hub_signed_and_its_words_come_back(
    sandbox: Sandbox, twilio: Client, hub: HTTPServer, told: Told
) -> None:
    hub.expect_request(INBOUND, method="POST").respond_with_data(TWIML, content_type="text/xml")
    text(twilio, "Can you come?")

    page = post(sandbox, open_box(sandbox, FINE) + "/answer", words="Yes please, I can come ")

    assert "The hub took it (200) and answered by text" in page
    assert page.index("Yes please") < page.index("Thank you.")
    (request,) = told(INBOUND, 1)
    assert (request.form["From"], request.form["To"]) == (FINE, DEFAULT.sender)
    assert request.form["Body"] == "Yes please, I can come "
    assert (request.form["NumMedia"], request.form["NumSegments"]) == ("0", "1")
    assert request.form["MessageSid"] == request.form["SmsSid"] == request.form["SmsMessageSid"]
    signature = request.headers["X-Twilio-Signature"]
    assert RequestValidator(DEFAULT.auth_token).validate(sandbox.hub_url + INBOUND, request.form, signature)
    assert sandbox.get("summary")["text"]["accepted"] == 1


def test_stop_is_kept_by_twilio_until_start(sandbox: Sandbox, twilio: Client, hub: HTTPServer, told: Told) -> None:
    hub.expect_request(INBOUND).respond_with_data(TWIML, content_type="text/xml")
    text(twilio, "Hello")
    phone = open_box(sandbox, FINE)

    page = post(sandbox, phone + "/answer", words=" stop ")
    assert "You have successfully been unsubscribed" in page
    assert "Thank you." not in page
    with pytest.raises(TwilioRestException) as refused:
        text(twilio, "Hello again")
    assert (refused.value.status, refused.value.code) == (400, 21610)

    assert "You have successfully been re-subscribed" in post(sandbox, phone + "/answer", words="START")
    text(twilio, "Welcome back")
    assert [request.form["Body"] for request in told(INBOUND, 2)] == [" stop ", "START"]


def test_a_stop_word_in_a_sentence_stops_nothing(sandbox: Sandbox, twilio: Client, hub: HTTPServer) -> None:
    hub.expect_request(INBOUND).respond_with_data("")
    text(twilio, "Hello")
    post(sandbox, open_box(sandbox, FINE) + "/answer", words="please stop calling at night")
    text(twilio, "Hello again")


def test_somebody_who_opted_out_long_ago_comes_back_with_start(
    sandbox: Sandbox, twilio: Client, hub: HTTPServer
) -> None:
    hub.expect_request(INBOUND).respond_with_data("")
    sandbox.post("fates", text={FINE: "opted_out"})
    with pytest.raises(TwilioRestException, match="unsubscribed"):
        text(twilio, "Hello")
    page = post(sandbox, "/phones", number="07700 900123")
    assert "Twilio refuses texts to them (21610)" in page
    post(sandbox, open_box(sandbox, FINE) + "/answer", words="UNSTOP")
    text(twilio, "Hello")


def test_a_hub_that_is_away_is_said_so(sandbox: Sandbox, twilio: Client) -> None:
    text(twilio, "Hello")
    assert "did not answer: is it running?" in post(sandbox, open_box(sandbox, FINE) + "/answer", words="Hi")


def test_a_mail_is_shown_without_its_scripts(sandbox: Sandbox, mailbox: str) -> None:
    page = get(sandbox, mailbox.rpartition("/")[0])
    assert "The &lt;b&gt;meeting&lt;/b&gt;" in page
    assert "alert(1)" not in page
    framed = requests.get(f"{sandbox.url}{mailbox}/html", timeout=10)
    assert "default-src 'none'" in framed.headers["Content-Security-Policy"]
    assert "sandbox allow-popups" in framed.headers["Content-Security-Policy"]
    assert "allow-scripts" not in framed.headers["Content-Security-Policy"]


def test_one_click_unsubscribe_is_posted_as_a_mail_program_does(
    sandbox: Sandbox, mailbox: str, hub: HTTPServer, told: Told
) -> None:
    hub.expect_ordered_request("/u/token", method="POST").respond_with_data("")
    hub.expect_ordered_request("/u/token").respond_with_data("", status=302, headers={"Location": "/elsewhere"})

    assert "the hub took it (200)" in post(sandbox, mailbox + "/unsubscribe")
    assert "redirect (302)" in post(sandbox, mailbox + "/unsubscribe")
    request = told("/u/token", 2)[0]
    assert request.form.to_dict() == {"List-Unsubscribe": "One-Click"}
    assert not request.cookies


def test_a_reply_comes_through_inbound_parse(sandbox: Sandbox, mailbox: str, hub: HTTPServer, told: Told) -> None:
    hub.expect_request(PARSED, method="POST").respond_with_data("", status=204)

    assert "The hub took it (204)" in post(sandbox, mailbox + "/reply", words="Rwy'n dod â ffrind")

    (request,) = told(PARSED, 1)
    assert request.mimetype == "multipart/form-data"
    assert request.form["text"].startswith("Rwy'n dod â ffrind\n")
    assert request.form["subject"] == "Re: The <b>meeting</b>"
    assert (request.form["from"], request.form["to"]) == ("joan@example.org", "reply+7@everyway.example")
    assert json.loads(request.form["envelope"]) == {"to": ["reply+7@everyway.example"], "from": "joan@example.org"}
    assert json.loads(request.form["charsets"])["text"] == "UTF-8"
    assert "In-Reply-To: <" in request.form["headers"]


def test_a_spam_report_is_told_and_the_next_mail_is_dropped(
    sandbox: Sandbox, mailbox: str, hub: HTTPServer, told: Told, sendgrid: SendGridAPIClient
) -> None:
    hub.expect_request("/webhooks/sendgrid/events").respond_with_data("")
    post(sandbox, mailbox + "/spam")
    sendgrid.client.mail.send.post(request_body=a_mail("joan@example.org", subject="Next"))

    for number in range(1, 20):
        came = [event for request in told("/webhooks/sendgrid/events", number) for event in json.loads(request.data)]
        if {"spamreport", "dropped"} <= {event["event"] for event in came}:
            break
    (dropped,) = [event for event in came if event["event"] == "dropped"]
    assert dropped["reason"] == "Spam Reporting Address"


def test_what_a_phone_does_can_be_changed(sandbox: Sandbox, twilio: Client) -> None:
    text(twilio, "Hello")
    phone = open_box(sandbox, FINE)
    assert "no longer in use" in post(sandbox, phone + "/fate", fate="dead_number")
    text(twilio, "Hello again")
    assert "Did not arrive (30005)" in get(sandbox, phone)
    assert "Choose one of the list" in post(sandbox, phone + "/fate", fate="moved away")


def test_the_public_timeline_shows_posts(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {DEFAULT.mastodon_token}"}
    requests.post(f"{sandbox.url}/api/v1/statuses", json={"status": "Hello <all>"}, headers=headers, timeout=10)
    assert "Hello &lt;all&gt;" in get(sandbox, "/timeline")


def test_a_form_of_another_website_is_refused(sandbox: Sandbox, twilio: Client) -> None:
    text(twilio, "Hello")
    path = sandbox.url + open_box(sandbox, FINE) + "/answer"
    for origin in ("https://evil.example", "null"):
        answer = requests.post(path, data={"words": "STOP"}, headers={"Origin": origin}, timeout=10)
        assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/phones/999999", "/mailboxes/999999", "/mailboxes/1/2/html"])
def test_what_is_not_there_is_said_plainly(sandbox: Sandbox, path: str) -> None:
    answer = requests.get(sandbox.url + path, timeout=10)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


@pytest.mark.parametrize("number", ["", "hello", "123", "+0123456789"])
def test_a_number_that_is_none_gets_a_clear_answer(sandbox: Sandbox, number: str) -> None:
    assert "That is not a phone number" in post(sandbox, "/phones", number=number)
