"""moderation.finding: findings in records, of this version and of earlier ones."""

import pytest

from function.moderation import finding as module
from function.moderation.finding import Finding, read_finding

CODES = (
    "label errcode silent changed unsupported animated unreachable not-checked metadata unreadable rules"
    " ai-label removed"
).split()


def test_codes_stay_as_records_have_them():
    assert [getattr(module, code.upper().replace("-", "_")) for code in CODES] == CODES


@pytest.mark.parametrize("value", [[[1]], None, True], ids=str)
def test_fields_of_another_type_count_as_absent(value):
    found = read_finding({"reason": "label", **dict.fromkeys(("by", "label", "labels", "errcode"), value)})
    assert found == Finding("label")


def test_labels_are_bounded():
    found = read_finding({"reason": "label", "by": "aliyun", "label": "a" * 999, "labels": ["b"] * 999})
    assert (len(found.label), len(found.labels)) == (128, 64)
    assert read_finding({"label": "a\ud800"}).label == "a?"


def test_an_event_names_the_checker_and_its_labels():
    assert Finding("label", "aliyun", "pt_to_sell", ("pt_to_sell",)).event == {
        "by": "aliyun",
        "label": "pt_to_sell",
        "labels": ["pt_to_sell"],
    }
    assert Finding("metadata").event == {}
