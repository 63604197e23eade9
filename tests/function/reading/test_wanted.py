"""reading: what a caller may say of what it wants to read, each field to its bounds."""

import pytest

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("fields", "says")
def test_malformed_fields_are_named_before_forbidden_keys(reading, sts, fields, says):
    answer = reading()(fields)
    assert answer.outcome == (400, "bad_request")
    assert answer.json["error"]["message"].split()[0] == says


@pytest.mark.parametrize("body", ["{", "[]", "null", '{"key": "a", "key": "b"}', "\ud800"])
def test_a_body_that_is_no_object_is_malformed(reading, sts, body):
    assert reading()(body).outcome == (400, "bad_request")
