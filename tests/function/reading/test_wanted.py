"""reading.wanted: what a caller may say of what it wants to read, each field to its bounds."""

import pytest

from tests.function.reading.keys import KEY, THEIR_KEY


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "key"),
        ({"key": None}, "key"),
        ({"key": ""}, "key"),
        ({"key": 5}, "key"),
        ({"key": [KEY]}, "key"),
        ({"key": {"key": KEY}}, "key"),
        ({"key": "a" * 1024}, "key"),
        ({"key": KEY, "variant": 5}, "variant"),
        ({"key": KEY, "variant": ["thumb"]}, "variant"),
        ({"key": KEY, "variant": ""}, "variant"),
        ({"key": KEY, "variant": "thumbs"}, "variant"),
        ({"key": KEY, "variant": "Thumb"}, "variant"),
        ({"key": KEY, "variant": "large"}, "variant"),
        ({"key": KEY, "variant": "image/resize,w_1"}, "variant"),
        ({"key": KEY, "variant": "thumb\x00"}, "variant"),
        ({"key": "x", "variant": "nobody's"}, "variant"),
        ({"key": THEIR_KEY, "variant": "nobody's"}, "variant"),
        ({"key": THEIR_KEY, "variant": "large"}, "variant"),
        ({"items": []}, "items "),
        ({"items": {}}, "items "),
        ({"items": "x"}, "items "),
        ({"items": [{"key": KEY}] * 51}, "items "),
        ({"items": {"key": KEY}}, "items "),
        ({"items": [KEY]}, "items[0]"),
        ({"items": [{"key": KEY}, None]}, "items[1]"),
        ({"items": [{"key": KEY}, {"key": ""}]}, "items[1].key"),
        ({"items": [{"key": KEY}, {"key": KEY, "variant": 1}]}, "items[1].variant"),
        # Malformed goes before forbidden, wherever it stands.
        ({"items": [{"key": THEIR_KEY}, {"key": ""}]}, "items[1].key"),
        ({"items": [{"key": THEIR_KEY}, {"key": KEY, "variant": "nobody's"}]}, "variant"),
    ],
)
def test_malformed_fields_are_named_before_forbidden_keys(reading, sts, fields, says):
    answer = reading()(fields)
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_request")
    assert answer.json["error"]["message"].startswith(says)


@pytest.mark.parametrize("body", ["{", "[]", "null", '{"key": "a", "key": "b"}', "\ud800"])
def test_a_body_that_is_no_object_is_malformed(reading, sts, body):
    answer = reading()(body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_request")
