"""``--rule NAME=VALUE`` on the command line."""

import argparse
from datetime import timedelta

import pytest

from local.green.rules import GreenRules
from local.oss.rules import OssRules
from local.wechat.rules import WechatRules
from ops.run import demo, serve
from ops.run.rules import green_rules_of, rules_of, wechat_rules_of


@pytest.fixture(params=[demo, serve])
def parse(request):
    parser = argparse.ArgumentParser()
    request.param.add_arguments(parser)
    return parser.parse_args


def test_without_it_the_rules_are_those_of_a_new_bucket(parse):
    assert rules_of(parse([])) == OssRules()
    assert wechat_rules_of(parse([])) == WechatRules()
    assert green_rules_of(parse([])) == GreenRules()


def test_the_rule_option_can_be_repeated(parse):
    args = parse(["--rule", "public_endpoint_forbidden=true", "--rule", "block_public_access=false"])
    assert rules_of(args) == OssRules(public_endpoint_forbidden=True, block_public_access=False)


def test_rules_of_content_moderation_are_separated(parse):
    args = parse(["--rule", "moderation_takes_ms=0", "--rule", "v1_retired=true", "--rule", "push_repeats=0"])
    assert green_rules_of(args) == GreenRules(moderation_takes_ms=0)
    assert (rules_of(args), wechat_rules_of(args)) == (OssRules(v1_retired=True), WechatRules(push_repeats=0))


def test_wechat_and_oss_rules_are_separated(parse):
    args = parse(["--rule", "push_repeats=0", "--rule", "v1_retired=true", "--rule", "check_takes_up_to=60"])
    assert rules_of(args) == OssRules(v1_retired=True)
    assert wechat_rules_of(args) == WechatRules(push_repeats=0, check_takes_up_to=timedelta(minutes=1))


@pytest.mark.parametrize(
    "text",
    [
        "push_repeats_alike=1",
        "moderation_takes_ms=fast",
        "public_endpoint=true",
        "block_public_access=off",
        "",
    ],
)
def test_an_unreadable_rule_is_an_error_and_nothing_starts(parse, text, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["--rule", text])
    assert ended.value.code == 2
    assert text.partition("=")[0] in capsys.readouterr().err
