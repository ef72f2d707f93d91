"""Reading and checking addresses: phone numbers, mailboxes and accounts, each kept in one normal form."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import email_validator
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from config.channels import AddressKind


class BadAddress(ValueError):
    """What is wrong with an address, in plain words for the person who typed or imported it."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in its normal form: E.164 for phones, lower-case domain for mailboxes, @name@server for accounts.

    ``kind`` is mobile, landline, phone (a number of unknown type), mailbox or account. ``fictional`` says that the
    address was reserved for stories and examples, so that nothing sent there can reach anybody.
    """

    value: str
    kind: str
    fictional: bool = False


MOBILE, LANDLINE, PHONE, MAILBOX, ACCOUNT = "mobile", "landline", "phone", "mailbox", "account"

# Numbers for use in drama: Ofcom, “Telephone numbers for use in TV and radio drama programmes”; NANPA 555-0100 to 0199.
# libphonenumber knows most of them as “not valid” or as real, so they are told apart here. Ofcom names 07700 900000 to
# 900999 and 01632 960000 to 960999; the rest of 07700 9 and of 01632 96 has not been given out to anybody either, and
# counts as fictional too, so that a large demonstration has 100,000 mobile numbers of its own.
_FICTIONAL_MOBILE = re.compile(r"\+4477009\d{5}")
_FICTIONAL_LANDLINE = re.compile(
    r"\+44(?:163296\d{4}"
    r"|(?:11[34567]|1[23456]1)4960\d{3}|1914980\d{3}|2079460\d{3}|2896496\d{3}|2920180\d{3}"
    r"|8081570\d{3}|9098790\d{3}|3069990\d{3})"
)
_FICTIONAL_PHONE = re.compile(r"\+1[2-9]\d\d55501\d\d")
# RFC 2606 and RFC 6761: example.com, .net and .org, and everything under .example and .test.
_FICTIONAL_DOMAIN = re.compile(r"(?:.+\.)?example\.(?:com|net|org)|.+\.(?:example|test)")

_KIND_OF_NUMBER = {
    PhoneNumberType.MOBILE: MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: PHONE,
    PhoneNumberType.PERSONAL_NUMBER: PHONE,
    PhoneNumberType.UNKNOWN: PHONE,
}
"""Whatever is not listed (freephone, shared cost, …) can be called and never be texted, as a landline."""

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f\x7f]")
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")
_SEVERAL = re.compile(r"(?:\d\D{0,3}){6,}(?:[/;,|&\n]|\bor\b|\band\b)\D*(?:\d\D{0,3}){6,}", re.IGNORECASE)
_WRAPPING = re.compile(r"^tel:|(?<=\d{8})\.0+$", re.IGNORECASE)  # a link's beginning; a spreadsheet's decimals
_LETTER = re.compile(r"[^\W\d_]")
_LONGEST = 400
_ACCOUNT = re.compile(r"@?([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?)@([^@\s/]+)")
_ACCOUNT_PAGE = re.compile(r"https?://([^@\s/]+)/@([A-Za-z0-9_.-]{1,64})/?", re.IGNORECASE)


def read_address(kind: AddressKind, text: str, *, country: str, fictional_ok: bool) -> Address:
    """Read one address of a channel's kind. Raises :class:`BadAddress`, with the reason in plain words.

    ``country`` is where a phone number without a country code is (ISO 3166, such as GB). Fictional addresses are
    refused unless ``fictional_ok``: they are for trying things out.
    """
    if kind is AddressKind.PHONE:
        address = read_phone(text, country)
    elif kind is AddressKind.EMAIL:
        address = read_mailbox(text)
    else:
        address = read_account(text)
    if address.fictional and not fictional_ok:
        what = "number" if kind is AddressKind.PHONE else "address"
        raise BadAddress(f"This {what} is reserved for examples and stories, so nobody can be reached there.")
    return address


def read_phone(text: str, country: str) -> Address:
    """Read one phone number, as people write it, into E.164. Raises :class:`BadAddress`."""
    text = _tidy(text, what="number")
    text = _WRAPPING.sub("", text)
    _refuse_what_is_not_one_number(text)
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException as error:
        raise BadAddress(_parse_problem(error, country)) from None
    if number.extension:
        raise BadAddress("There is an extension on this number. Keep the number alone, and note the extension.")
    if _LETTER.search(text):
        raise BadAddress("There are letters in this phone number. Keep only the number.")
    value = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    fictional = _fictional_number(value)
    if fictional:
        return Address(value, fictional, fictional=True)
    if not phonenumbers.is_valid_number(number):
        raise BadAddress(_why_invalid(number))
    return Address(value, _KIND_OF_NUMBER.get(phonenumbers.number_type(number), LANDLINE))


def read_mailbox(text: str) -> Address:
    """Read one email address; its domain is put in lower case and, where it is international, in ASCII.

    The part before the @ is kept as it was written. No name server is asked. Raises :class:`BadAddress`.
    """
    text = _tidy(text, what="email address")
    fictional = _is_fictional_domain(text.rpartition("@")[2].lower())
    try:
        # Names under .test are refused as “special use”, except in a test environment.
        read = email_validator.validate_email(text, check_deliverability=False, test_environment=fictional)
    except email_validator.EmailNotValidError as error:
        raise BadAddress(str(error)) from None
    return Address(read.ascii_email or read.normalized, MAILBOX, fictional)


def read_account(text: str) -> Address:
    """Read one Mastodon account, as @name@server or as its page's address. Raises :class:`BadAddress`."""
    text = _tidy(text, what="account")
    if page := _ACCOUNT_PAGE.fullmatch(text):
        server, name = page.groups()
    elif account := _ACCOUNT.fullmatch(text):
        name, server = account.groups()
    else:
        raise BadAddress("An account is written as @name@server, such as @riverside@mastodon.social.")
    try:
        server = read_mailbox(f"x@{server}").value.partition("@")[2]
    except BadAddress:
        raise BadAddress(f"“{server}” is not the name of a server. An account is written as @name@server.") from None
    return Address(f"@{name}@{server}", ACCOUNT, _is_fictional_domain(server))


def is_fictional(value: str) -> bool:
    """Whether an address in its normal form is reserved for examples. Cheap: adapters ask it for every message."""
    if value[:1] == "+":
        return bool(_fictional_number(value))
    return _is_fictional_domain(value.rpartition("@")[2].lower())


def display(value: str, country: str) -> str:
    """An address in its normal form, as people read it.

    Numbers of the own ``country`` are shown as dialled there, in short groups (07700 900 123); others with +.
    Everything that is not a phone number is shown as it is, with international domains in their own letters.
    """
    return _display_phone(value, country) if value[:1] == "+" else _display_domain(value)


@lru_cache(maxsize=8192)
def _display_phone(value: str, country: str) -> str:
    try:
        number = phonenumbers.parse(value)
    except NumberParseException:
        return value
    at_home = phonenumbers.country_code_for_region(country) == number.country_code
    form = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    return re.sub(r"(?<=\s)(\d{3})(\d{3})$", r"\1 \2", phonenumbers.format_number(number, form))


def _display_domain(value: str) -> str:
    if "xn--" not in value:
        return value
    name, at, domain = value.rpartition("@")
    try:
        return f"{name}{at}{domain.encode('ascii').decode('idna')}"
    except UnicodeError:
        return value


def _tidy(text: str, *, what: str) -> str:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text[: _LONGEST + 1])).strip()
    if not text:
        raise BadAddress(f"There is no {what} here.")
    if len(text) > _LONGEST:
        raise BadAddress(f"This is too long to be one {what}.")
    return text


def _refuse_what_is_not_one_number(text: str) -> None:
    if _SHORTENED.fullmatch(text):
        raise BadAddress("A spreadsheet has shortened this number, and its last digits are lost. Type it in again.")
    if "@" in text:
        raise BadAddress("This is not a phone number.")
    if _SEVERAL.search(text):
        raise BadAddress("There is more than one phone number here. Keep one number in each place.")


def _fictional_number(value: str) -> str:
    """The kind of a fictional number, or nothing."""
    if _FICTIONAL_MOBILE.fullmatch(value):
        return MOBILE
    if _FICTIONAL_LANDLINE.fullmatch(value):
        return LANDLINE
    return PHONE if _FICTIONAL_PHONE.fullmatch(value) else ""


def _is_fictional_domain(domain: str) -> bool:
    return _FICTIONAL_DOMAIN.fullmatch(domain) is not None


def _parse_problem(error: NumberParseException, country: str) -> str:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return f"The country code of this number does not exist. Numbers in {country} may be written without one."
    if error.error_type == NumberParseException.TOO_LONG:
        return "This number is too long: there are too many digits."
    if error.error_type in {NumberParseException.TOO_SHORT_AFTER_IDD, NumberParseException.TOO_SHORT_NSN}:
        return "This number is too short: some digits are missing."
    return "This is not a phone number."


def _why_invalid(number: PhoneNumber) -> str:
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible == ValidationResult.TOO_LONG:
        return "This number is too long: there are too many digits."
    if possible in {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}:
        return "This number is too short: some digits are missing."
    return "No phone has this number. A digit may be wrong, or missing."
