"""wechat.push_fields: JSON and XML with the slips of WeChat's samples, and nothing that grows."""

import pytest

from function.wechat.push_fields import fields_of
from tests.support.cases import cases_beside

with_rows_as = cases_beside(__file__)
# Bodies at their limit: a reader that looks at anything twice would take minutes.
LARGE = {
    "repeated": b"<xml>" + b"<a/>" * 16_000 + b"</xml>",
    "blanks": b"<xml><" + b" " * 65_000,
    "commas": b"{" + b", " * 32_000,
    "commas and blanks": b"{" + b"," + b" " * 65_000,
    "open": b"<a>" * 21_000,
    "closed": b"</a>" * 16_000,
    "CDATA": b"<xml><a>" + b"<![CDATA[" * 7_000,
    "brackets": b"<xml><a><![CDATA[" + b"]]" * 32_000,
    "declaration": b"<?xml " * 10_000,
    "JSON": b"[" * 65_000,
}


@with_rows_as("message", "fields")
def test_a_message_is_read_leniently(message, fields):
    assert fields_of(message.encode()) == fields


@with_rows_as("message")
def test_anything_else_is_no_message(message):
    assert fields_of(message.encode()) is None


@pytest.mark.parametrize("message", [b"\xff", b"\xff\xfe<\0x\0m\0l\0>\0", b"<xml><\xff/></xml>"])
def test_bytes_that_are_no_text_are_no_message(message):
    assert fields_of(message) is None


def test_elements_nest_as_deep_as_a_verdict_and_not_much_deeper():
    def nested(levels):
        return fields_of(b"<xml>" + b"<a>" * levels + b"x" + b"</a>" * levels + b"</xml>")

    assert nested(6) is not None
    assert nested(7) is None


@pytest.mark.parametrize("message", LARGE.values(), ids=LARGE)
def test_no_body_takes_long(message):
    fields = fields_of(message)
    assert fields is None or len(fields["a"]) == 16_000
