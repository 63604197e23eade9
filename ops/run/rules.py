"""
``--rule NAME=VALUE``: how the local OSS shall read what differs from account to account, or is open.
"""

import argparse

from local.oss.rules import OssRules, change_rules


def add_rule_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rule",
        action="append",
        default=[],
        type=_rule,
        metavar="NAME=VALUE",
        help="how the local OSS behaves, such as public_endpoint_forbidden=true (docs/oss-open-points.md); "
        "may be given several times",
    )


def rules_of(args: argparse.Namespace) -> OssRules:
    return change_rules(OssRules(), args.rule)


def _rule(text: str) -> str:
    try:
        change_rules(OssRules(), [text])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
