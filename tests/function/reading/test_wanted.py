"""reading: what a caller may say of what it wants to read, each field to its bounds."""

from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("fields", "says")
def test_malformed_fields_are_named_before_forbidden_keys(reading, sts, fields, says):
    answer = reading()(fields)
    assert answer.outcome == (400, "bad_request")
    assert answer.json["error"]["message"].split()[0] == says
