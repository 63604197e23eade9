"""Rules of the local OSS: written on a command line, and explained on the page that is made from them."""

from datetime import timedelta

import pytest

from local.common.rules import change_rules
from local.oss.open_points import PAGE, STATES, explained, page, switches
from local.oss.rules import OssRules


def test_each_kind_of_rule_is_read_and_the_last_of_two_counts():
    given = ["v1_retired=true", "block_public_access=False", "max_key_bytes=12", "callback_timeout=1"]
    changed = {"v1_retired": True, "block_public_access": False, "max_key_bytes": 12}
    assert change_rules(OssRules(), given) == OssRules(**changed, callback_timeout=timedelta(seconds=1))
    assert change_rules(OssRules(), []) == OssRules()
    assert change_rules(OssRules(), ["v1_retired=true", "v1_retired=false"]) == OssRules()


@pytest.mark.parametrize(
    "change",
    [
        *("v2_retired=true", "v1_retired", "v1_retired=yes", "max_key_bytes=-1", "max_key_bytes=1.5"),
        *("callback_timeout=soon", "date_life=5"),
    ],
)
def test_an_unreadable_rule_is_named(change):
    with pytest.raises(ValueError, match=change.partition("=")[0]):
        change_rules(OssRules(), [change])


def test_every_rule_that_can_be_read_in_two_ways_is_explained_on_the_page():
    assert set(switches()) <= set(explained())
    assert set(STATES) < set(switches())
    assert PAGE.read_text("utf-8") == page(), "run: python3 -m local.oss.open_points"
