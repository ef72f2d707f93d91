"""What a column of a contact file can mean, and the headings that other systems use for it."""

from __future__ import annotations

import re
from enum import StrEnum


class Field(StrEnum):
    """What a column means. Values are what a person types after ``--column Heading=``."""

    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    FULL_NAME = "full name"
    KNOWN_AS = "known as"
    EMAIL = "email"
    MOBILE = "mobile"
    LANDLINE = "landline"
    PHONE = "phone"
    SOCIAL = "social"
    PREFERRED = "preferred"
    OTHER_WAYS = "other ways"
    BEST_TIME = "best time"
    QUIET_HOURS = "quiet hours"
    PAUSED_UNTIL = "paused until"
    LANGUAGE = "language"
    TIME_ZONE = "time zone"
    FORMATS = "formats"
    GROUPS = "groups"
    HOW_TO_TALK = "how to talk"
    NOTES = "notes"
    JOINED = "joined"
    CONSENT = "consent"
    CONSENT_ON = "consent date"
    NUMBER = "number elsewhere"
    HUB_NUMBER = "number here"
    ORDER = "order"
    STATES = "states"
    TOPICS = "topics"
    NO_EMAIL = "no email"
    NO_TEXTS = "no texts"
    NO_CALLS = "no calls"
    NO_CONTACT = "no contact"
    EMAIL_OK = "email ok"
    TEXTS_OK = "texts ok"
    EMAIL_IS_BAD = "email is bad"
    STATUS = "status"
    UNSUBSCRIBED_ON = "unsubscribed on"
    BOUNCED_ON = "bounced on"
    REASON = "reason"
    LEFT = "left"
    KEEP_IN_NOTES = "keep in notes"
    LEAVE_OUT = "leave out"


LABELS: dict[Field, str] = {
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.FULL_NAME: "Full name",
    Field.KNOWN_AS: "Name they use",
    Field.EMAIL: "Email address",
    Field.MOBILE: "Mobile number",
    Field.LANDLINE: "Landline number",
    Field.PHONE: "Phone number (either)",
    Field.SOCIAL: "Social media account (Mastodon)",
    Field.PREFERRED: "How they like to be contacted",
    Field.OTHER_WAYS: "Other ways that are fine",
    Field.BEST_TIME: "Best time to call",
    Field.QUIET_HOURS: "Quiet hours, such as 21:00 to 08:00",
    Field.PAUSED_UNTIL: "Nothing until (date)",
    Field.LANGUAGE: "Language",
    Field.TIME_ZONE: "Time zone",
    Field.FORMATS: "Formats needed",
    Field.GROUPS: "Groups",
    Field.HOW_TO_TALK: "What a caller needs to know",
    Field.NOTES: "Notes",
    Field.JOINED: "Date of joining",
    Field.CONSENT: "How we know that they agreed",
    Field.CONSENT_ON: "When they agreed",
    Field.NUMBER: "Their number in another system",
    Field.HUB_NUMBER: "Their number in this hub (from an export)",
    Field.ORDER: "Order of contact (from an export)",
    Field.STATES: "Addresses that must not be used (from an export)",
    Field.TOPICS: "What they chose for topics (from an export)",
    Field.NO_EMAIL: "Do not email (yes or no)",
    Field.NO_TEXTS: "Do not text (yes or no)",
    Field.NO_CALLS: "Do not call (yes or no)",
    Field.NO_CONTACT: "Do not contact at all (yes or no)",
    Field.EMAIL_OK: "Agreed to email (yes or no)",
    Field.TEXTS_OK: "Agreed to texts (yes or no)",
    Field.EMAIL_IS_BAD: "Email address doesn’t work (yes or no)",
    Field.STATUS: "Subscribed, unsubscribed, bounced …",
    Field.UNSUBSCRIBED_ON: "When they unsubscribed",
    Field.BOUNCED_ON: "When the address failed",
    Field.REASON: "Why they unsubscribed, or the address failed",
    Field.LEFT: "Has left or died (yes or no)",
    Field.KEEP_IN_NOTES: "Keep in notes",
    Field.LEAVE_OUT: "Leave out",
}
"""Each field as the organiser chooses it."""

SEVERAL = frozenset(
    {Field.EMAIL, Field.MOBILE, Field.LANDLINE, Field.PHONE, Field.SOCIAL, Field.GROUPS, Field.NOTES}
    | {Field.KEEP_IN_NOTES, Field.LEAVE_OUT, Field.FORMATS, Field.HOW_TO_TALK, Field.NO_EMAIL}
)
"""Fields that several columns can have. Of the others the first column counts, and the rest is kept in notes."""

_KNOWN: dict[Field, str] = {
    Field.FIRST_NAME: "first name|firstname|forename|forenames|given name|christian name|fname|first|name first",
    Field.LAST_NAME: "last name|lastname|surname|family name|lname|last|second name|name last",
    Field.FULL_NAME: "name|full name|fullname|display name|contact|contact name|person|member|member name|participant"
    "|your name|who",
    Field.KNOWN_AS: "known as|nickname|nick name|preferred name|likes to be called|goes by|name they use|called|alias"
    "|what should we call you",
    Field.EMAIL: "email|e mail|email address|e mail address|mail address|emails|your email|primary email"
    "|personal email|work email|home email|email value|electronic mail|contact email|recipient email",
    Field.MOBILE: "mobile|mobile phone|mobile number|mobile no|mobile tel|mob|mob no|cell|cell phone|cellphone"
    "|cell number|sms number|text number|phone mobile|mobile phone number|number for texts"
    "|home phone mobile|sms phone number",
    Field.LANDLINE: "landline|landline number|landline no|home phone|home tel|home telephone|house phone|home number"
    "|home phone 2|land line",
    Field.PHONE: "phone|telephone|tel|tel no|phone number|phone no|phone numbers|telephone number|telephone no"
    "|primary phone|other phone|business phone|business phone 2|work phone|work phone number"
    "|contact number|home phone phone|main phone|car phone|phone value|day phone|evening phone"
    "|daytime phone",
    Field.SOCIAL: "mastodon|social|social media|fediverse|mastodon account|social media account",
    Field.PREFERRED: "how do you like to be contacted|preferred contact|preferred contact method|contact preference"
    "|contact preferences|preferred method of contact|preferred communication method|how to contact"
    "|contact method|contact by|prefers|preference|preferred way of contact"
    "|how would you like to be contacted|preferred communication|best way to contact|best contact method"
    "|how should we contact you|preferred channel|first choice|preferred method",
    Field.OTHER_WAYS: "other ways ok|other ways|also ok|alternative contact|other contact methods|second choice|backup"
    "|other ways that are fine|secondary contact method|alternatives",
    Field.BEST_TIME: "best time to call|best time|when to call|best time to contact|best time to ring|time to call"
    "|good time to call|availability",
    Field.QUIET_HOURS: "quiet hours|do not disturb|quiet time|no messages between",
    Field.PAUSED_UNTIL: "paused until|pause until|nothing until|away until|on hold until|snooze until",
    Field.LANGUAGE: "language|preferred language|languages|first language|home language|mother tongue|lang|locale"
    "|spoken language",
    Field.TIME_ZONE: "timezone|time zone|tz",
    Field.FORMATS: "format needed|format|formats|formats needed|accessible format|accessible formats|information format"
    "|needs format|access format|preferred format|format required|alternative format",
    Field.GROUPS: "groups|group|group s|labels|label|tags|tag|tag s|tag list|categories|category|group membership|lists"
    "|team|teams|project|member of|segments",
    Field.HOW_TO_TALK: "how to talk|how to talk with them|what a caller needs to know|communication needs|call notes"
    "|notes for callers",
    Field.NOTES: "notes|note|note s|comments|comment|remarks|other information|other info|additional information"
    "|anything else|info|description",
    Field.JOINED: "joined|date joined|join date|joined on|member since|joining date|start date|date of joining|created"
    "|created at|signup date|sign up date|date added|registered|subscribed at",
    Field.CONSENT: "consent recorded|consent|how consent was given|consent source|permission|gdpr consent|consent given"
    "|consent evidence|how we know|consent method",
    Field.CONSENT_ON: "optin time|opt in time|consent date|date of consent|consent given on|opt in date|consented at"
    "|subscribed on",
    Field.NUMBER: "id|contact id|external id|external identifier|member id|membership number|member number|member no"
    "|membership no|nationbuilder id|contact uuid|uuid|reference|ref|crm id|unique id|customer id"
    "|person id",
    Field.HUB_NUMBER: "everyway number",
    Field.ORDER: "order of contact",
    Field.STATES: "not to be used",
    Field.TOPICS: "topics chosen",
    Field.NO_EMAIL: "do not email|no email|no emails|no bulk emails user opt out|no bulk emails|email opt out"
    "|unsubscribed|opted out of email|has opted out of email|email opted out|is opt out"
    "|hasoptedoutofemail|unsubscribe",
    Field.NO_TEXTS: "do not sms|do not text|no sms|no texts|sms opt out|text opt out|sms opted out|do not sms text",
    Field.NO_CALLS: "do not phone|do not call|no calls|no phone|donotcall|phone opt out|do not ring",
    Field.NO_CONTACT: "do not contact|no contact|opted out|opt out|optout|suppressed|do not contact at all|blocked"
    "|optedout|never contact",
    Field.EMAIL_OK: "email opt in|email ok|email consent|accepts email|newsletter|email subscribed|happy to be emailed"
    "|email permission",
    Field.TEXTS_OK: "mobile opt in|sms opt in|text opt in|sms consent|text consent|sms ok|texts ok|accepts sms"
    "|sms permission",
    Field.EMAIL_IS_BAD: "email1 is bad|email is bad|email bounced|bounced|on hold",
    Field.STATUS: "status|subscription status|subscriber status|email status|member status|email marketing status"
    "|contact status|subscription",
    Field.UNSUBSCRIBED_ON: "unsub time|unsubscribed at|unsubscribed on|unsubscribe date|opt out date|opted out at"
    "|opted out on|date unsubscribed|optout date|unsubscribe time",
    Field.BOUNCED_ON: "clean time|bounced at|bounced on|bounce date|cleaned on",
    Field.REASON: "unsub reason|unsubscribe reason|opt out reason|bounce reason|reason",
    Field.LEFT: "deceased|is deceased|left|has left|archived|inactive|died",
    Field.LEAVE_OUT: "member rating|optin ip|confirm time|confirm ip|latitude|longitude|gmtoff|dstoff|cc|region"
    "|last changed|leid|euid|unsub campaign title|unsub campaign id|clean campaign title"
    "|clean campaign id|photo|birthday|birth date|date of birth|dob|born at|gender|sex|sensitivity"
    "|priority|private|directory server|file as|yomi name|given name yomi|family name yomi"
    "|additional name yomi|phonetic first name|phonetic middle name|phonetic last name|initials|ip"
    "|ip address|contact type|contact subtype|sort name|legal identifier|do not trade|do not mail"
    "|preferred mail format|email type|unsub reason other|is prospect|is supporter|is volunteer|is donor"
    "|employer id|contact hash|image url|contact source|internal contact id|modified date|created date"
    "|updated at|last modified|blocked count|email display name|e mail display name|e mail type"
    "|email address type|phone type|e mail label|phone label|e mail 1 type|ethnicity|marital status"
    "|religion|profile picture",
}

HEADINGS: dict[str, Field] = {heading: field for field, headings in _KNOWN.items() for heading in headings.split("|")}
"""Heading, as :func:`plain_heading` makes it -> what it means."""

_PATTERNS: tuple[tuple[re.Pattern[str], Field], ...] = tuple(
    (re.compile(pattern), field)
    for pattern, field in (
        # Google, Outlook, NationBuilder and CiviCRM number their columns or name the place in front.
        (r"(?:e mail|phone)s? \d+ (?:type|label)", Field.LEAVE_OUT),
        (r"e mail(?: address)? \d+ display name|e mail \d+ (?:display name|type)", Field.LEAVE_OUT),
        (r"e ?mail \d+(?: value| address)?|e ?mail address \d+|email\d+", Field.EMAIL),
        (r"(?:home|work|main|other|billing) (?:e ?mail)(?: address)?", Field.EMAIL),
        (r"email\d+ is bad", Field.EMAIL_IS_BAD),
        (r"phone \d+ value|(?:phone|telephone|tel) \d+|(?:home|work|main|other) phone phone", Field.PHONE),
        (r"mobile(?: phone| number)? \d+|(?:home|work|main|other|billing) (?:phone )?mobile(?: phone)?", Field.MOBILE),
        (r"(?:home|work|main|other|billing) landline", Field.LANDLINE),
        (r".*\bfax\b.*", Field.KEEP_IN_NOTES),
        (r"(?:.* )?do not (?:e ?mail).*", Field.NO_EMAIL),
    )
)


def plain_heading(heading: str) -> str:
    """A heading without capitals, signs and double spaces: what :data:`HEADINGS` is looked up by."""
    return " ".join(re.sub(r"[\W_]+", " ", heading.casefold()).split())


def known_heading(heading: str) -> Field | None:
    """What a heading means, or None where it is not one that we know."""
    plain = plain_heading(heading)
    if plain in HEADINGS:
        return HEADINGS[plain]
    return next((field for pattern, field in _PATTERNS if pattern.fullmatch(plain)), None)
