"""Rules of the local OSS, written on a command line."""

from datetime import timedelta

import pytest

from local.common.rules import change_rules
from local.oss.rules import OssRules
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_each_kind_of_rule_is_read():
    rules = change_rules(
        OssRules(), ["v1_retired=true", "block_public_access=False", "max_key_bytes=12", "callback_timeout=1"]
    )
    assert rules == OssRules(
        v1_retired=True, block_public_access=False, max_key_bytes=12, callback_timeout=timedelta(seconds=1)
    )


def test_no_change_changes_nothing_and_the_last_of_two_counts():
    assert change_rules(OssRules(), []) == OssRules()
    assert change_rules(OssRules(), ["v1_retired=true", "v1_retired=false"]) == OssRules()


@cases("change", "sentence")
def test_an_unreadable_rule_is_an_error_message(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        change_rules(OssRules(), [change])
