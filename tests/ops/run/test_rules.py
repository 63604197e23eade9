"""``--rule NAME=VALUE`` on the command line."""

import argparse
from datetime import timedelta

import pytest

from local.alipay.rules import AlipayRules
from local.douyin.rules import DouyinRules
from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules
from ops.run import demo, serve
from ops.run.rules import rules_of
from ops.terminal.language import Failure
from tests.ops.words import english_in


def read(command, changes):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return rules_of(parser.parse_args([word for change in changes.split() for word in ("--rule", change)]))


@pytest.mark.parametrize("command", [demo, serve])
def test_the_rules_of_each_service_are_separated(command):
    changes = "moderation_takes_ms=0 v1_retired=true public_endpoint_forbidden=true push_repeats=0"
    changes += " check_takes_up_to=60 alipay_gives_user_id=true douyin_code_lives=300"
    assert read(command, changes) == {
        "rules": OssRules(v1_retired=True, public_endpoint_forbidden=True),
        "wechat_rules": WechatRules(push_repeats=0, check_takes_up_to=timedelta(minutes=1)),
        "green_rules": GreenRules(moderation_takes_ms=0),
        "alipay_rules": AlipayRules(alipay_gives_user_id=True),
        "douyin_rules": DouyinRules(douyin_code_lives=timedelta(minutes=5)),
    }


@pytest.mark.parametrize(("change", "named"), [
    ("public=true", "public_endpoint_forbidden"), ("v1_retired=yes", "v1_retired"),
])  # fmt: skip
def test_a_rule_that_is_none_is_named_with_those_that_are(change, named):
    with pytest.raises(Failure, match=named) as refused:
        read(serve, change)
    assert named in refused.value.said.zh and not english_in(refused.value.said.zh)
