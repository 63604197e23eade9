"""A policy as the rows that the demo prints."""

import json

import pytest

from ops.explain.policy import policy_rows


def test_each_condition_is_a_row_with_a_reason():
    policy = {
        "expiration": "2030-01-01T00:00:00.000Z",
        "conditions": [
            {"bucket": "b"},
            ["content-length-range", 7, 7],
            ["starts-with", "$key", "test/"],
            ["in", "$x-oss-content-type", ["image/png", "image/jpeg"]],
            {"x-oss-meta-a": "1"},
            {"x-oss-security-token": "T" * 900},
            {"other": "x"},
        ],
    }
    expiration, rows = policy_rows(json.dumps(policy))
    assert expiration == "2030-01-01T00:00:00Z"
    assert [(field, value) for field, value, _ in rows] == [
        ("bucket", "= b"),
        ("size", "= 7 bytes"),
        ("key", "starts with test/"),
        ("x-oss-content-type", 'in ["image/png", "image/jpeg"]'),
        ("x-oss-meta-a", "= 1"),
        ("x-oss-security-token", rows[5][1]),
        ("other", "= x"),
    ]
    assert all(reason for _, _, reason in rows)
    assert "T" * 20 not in rows[5][1]


def test_a_size_range_shows_both_ends():
    policy = {"expiration": "2030-01-01T00:00:00Z", "conditions": [["content-length-range", 1, 2097152]]}
    assert policy_rows(json.dumps(policy))[1][0][1] == "1 to 2,097,152 bytes"


@pytest.mark.parametrize("policy", ["", "[]", "{}", "not json"])
def test_an_invalid_policy_has_one_row(policy):
    assert policy_rows(policy) == ("?", [("(none)", "", "")])
