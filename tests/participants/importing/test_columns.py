"""What columns mean, in our own words and in those of other systems."""

from __future__ import annotations

import pytest

from hub.participants.errors import BadDetails
from hub.participants.importing.columns import Certainty, correct, lay_out
from hub.participants.importing.fields import LABELS, Field
from hub.participants.importing.reading import read_table


def fields(text: str) -> dict[str, str]:
    return {column.heading: column.field.value for column in lay_out(read_table(text.encode())).columns}


GOOGLE = """Name,Given Name,Additional Name,Family Name,Nickname,Birthday,Notes,Group Membership,E-mail 1 - Type,\
E-mail 1 - Value,E-mail 2 - Value,Phone 1 - Type,Phone 1 - Value,Organization 1 - Name
Ann Dale,Ann,,Dale,,,x,* myContacts,Home,a@example.org,,Mobile,07700 900123,"""
GOOGLE_NEW = """First Name,Middle Name,Last Name,Phonetic First Name,Nickname,File As,Labels,E-mail 1 - Label,\
E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value
Ann,,Dale,,,,Club,,a@example.org,,07700 900123"""
OUTLOOK = """First Name,Middle Name,Last Name,Title,E-mail Address,E-mail 2 Address,Home Phone,Mobile Phone,\
Business Phone,Primary Phone,Categories,Notes,Home Fax
Ann,,Dale,,a@example.org,,01632 960001,07700 900123,,,Club,,"""
MAILCHIMP = """Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,LATITUDE,TIMEZONE,UNSUB_TIME,\
UNSUB_REASON,LEID,EUID,NOTES,TAGS
a@example.org,Ann,Dale,2,2020-01-01 10:00:00,,,Europe/London,2021-01-01 10:00:00,,1,2,,"""
CIVICRM = """Contact ID,Contact Type,Do Not Email,Do Not Phone,Do Not Sms,No Bulk Emails (User Opt Out),Nickname,\
Preferred Communication Method,Preferred Language,First Name,Last Name,Home-Email,Home-Phone-Mobile,Group(s),Deceased
7,Individual,,1,,,,Phone,en_GB,Ann,Dale,a@example.org,07700 900123,Club,"""
NATIONBUILDER = """nationbuilder_id,first_name,last_name,email,email1_is_bad,phone_number,mobile_number,email_opt_in,\
mobile_opt_in,do_not_call,do_not_contact,tag_list,is_deceased
7,Ann,Dale,a@example.org,false,,07700 900123,true,false,false,false,Club,false"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOGLE,
            {
                "Name": "leave out",
                "Given Name": "first name",
                "Additional Name": "keep in notes",
                "Family Name": "last name",
                "Group Membership": "groups",
                "E-mail 1 - Value": "email",
                "E-mail 2 - Value": "email",
                "E-mail 1 - Type": "leave out",
                "Phone 1 - Value": "phone",
                "Phone 1 - Type": "leave out",
                "Birthday": "leave out",
            },
        ),
        (
            GOOGLE_NEW,
            {
                "First Name": "first name",
                "Labels": "groups",
                "E-mail 1 - Value": "email",
                "Phone 1 - Label": "leave out",
            },
        ),
        (
            OUTLOOK,
            {
                "E-mail Address": "email",
                "E-mail 2 Address": "email",
                "Home Phone": "landline",
                "Mobile Phone": "mobile",
                "Business Phone": "phone",
                "Categories": "groups",
                "Home Fax": "keep in notes",
            },
        ),
        (
            MAILCHIMP,
            {
                "Email Address": "email",
                "OPTIN_TIME": "consent date",
                "UNSUB_TIME": "unsubscribed on",
                "UNSUB_REASON": "reason",
                "MEMBER_RATING": "leave out",
                "TIMEZONE": "time zone",
                "TAGS": "groups",
                "NOTES": "notes",
            },
        ),
        (
            CIVICRM,
            {
                "Contact ID": "number elsewhere",
                "Do Not Email": "no email",
                "Do Not Phone": "no calls",
                "Do Not Sms": "no texts",
                "No Bulk Emails (User Opt Out)": "no email",
                "Preferred Communication Method": "preferred",
                "Home-Email": "email",
                "Home-Phone-Mobile": "mobile",
                "Group(s)": "groups",
                "Deceased": "left",
            },
        ),
        (
            NATIONBUILDER,
            {
                "nationbuilder_id": "number elsewhere",
                "mobile_number": "mobile",
                "email_opt_in": "email ok",
                "mobile_opt_in": "texts ok",
                "do_not_call": "no calls",
                "do_not_contact": "no contact",
                "email1_is_bad": "email is bad",
                "tag_list": "groups",
            },
        ),
    ],
    ids=["google", "google since 2024", "outlook", "mailchimp", "civicrm", "nationbuilder"],
)
def test_exports_of_other_systems_are_understood(text: str, expected: dict[str, str]) -> None:
    found = fields(text)
    assert {heading: found[heading] for heading in expected} == expected


def test_headings_are_recognised_however_they_are_written() -> None:
    assert fields(
        "FIRST-NAME, Surname ,E-mail:,Mob no.,How do you like to be contacted?\nAnn,Dale,a@example.org,1,x"
    ) == {
        "FIRST-NAME": "first name",
        "Surname": "last name",
        "E-mail:": "email",
        "Mob no.": "mobile",
        "How do you like to be contacted?": "preferred",
    }


def test_without_headings_the_content_tells() -> None:
    layout = lay_out(read_table(b"ann@example.org,07700 900123,Ann\nben@example.org,07700 900124,Ben"))
    assert [(column.heading, column.field, column.certainty) for column in layout.columns] == [
        ("Column A", Field.EMAIL, Certainty.CONTENT),
        ("Column B", Field.PHONE, Certainty.CONTENT),
        ("Column C", Field.KEEP_IN_NOTES, Certainty.UNKNOWN),
    ]
    assert len(layout.rows) == 2
    assert "no headings" in layout.remarks[0]


def test_headings_are_found_below_a_title() -> None:
    layout = lay_out(read_table(b"Contacts 2026,,\n,,\nFirst name,Surname,Mobile\nAnn,Dale,07700900123"))
    assert [row.number for row in layout.rows] == [4]
    assert "row 3" in layout.remarks[0]


def test_the_same_heading_twice_is_two_columns() -> None:
    assert fields("Phone,Phone,Language,Language\n1,2,x,y") == {
        "Phone": "phone",
        "Phone (2)": "phone",
        "Language": "language",
        "Language (2)": "keep in notes",
    }


def test_a_column_of_dates_is_not_one_of_phone_numbers() -> None:
    assert fields("Name,Met on\nAnn,2026-01-02\nBen,2026-01-03")["Met on"] == "keep in notes"


def test_the_organiser_has_the_last_word() -> None:
    columns = lay_out(read_table(b"Name,Contact by what,Email\nAnn,text,a@example.org")).columns
    corrected = correct(columns, {"contact by what": "How they like to be contacted", "Email": "leave out"})
    assert [column.field for column in corrected] == [Field.FULL_NAME, Field.PREFERRED, Field.LEAVE_OUT]
    assert corrected[1].certainty is Certainty.CHOSEN


@pytest.mark.parametrize(
    ("chosen", "message"), [({"Nmae": "email"}, "no column “Nmae”"), ({"Name": "e-mial"}, "“e-mial” is not something")]
)
def test_a_wrong_correction_is_named(chosen: dict[str, str], message: str) -> None:
    columns = lay_out(read_table(b"Name,Email\nAnn,a@example.org")).columns
    with pytest.raises(BadDetails, match=message):
        correct(columns, chosen)


def test_every_field_can_be_chosen() -> None:
    assert set(LABELS) == set(Field)
