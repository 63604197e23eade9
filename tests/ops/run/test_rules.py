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


@pytest.fixture(params=[demo, serve])
def parse(request):
    parser = argparse.ArgumentParser()
    request.param.add_arguments(parser)
    return parser.parse_args


def test_the_rules_of_each_service_are_separated(parse):
    changes = "moderation_takes_ms=0 v1_retired=true public_endpoint_forbidden=true push_repeats=0"
    changes += " check_takes_up_to=60 alipay_gives_user_id=true douyin_code_lives=300"
    args = parse([word for change in changes.split() for word in ("--rule", change)])
    assert rules_of(args) == {
        "rules": OssRules(v1_retired=True, public_endpoint_forbidden=True),
        "wechat_rules": WechatRules(push_repeats=0, check_takes_up_to=timedelta(minutes=1)),
        "green_rules": GreenRules(moderation_takes_ms=0),
        "alipay_rules": AlipayRules(alipay_gives_user_id=True),
        "douyin_rules": DouyinRules(douyin_code_lives=timedelta(minutes=5)),
    }
