"""
``doctor --prove``: its options, and the cloud that it asks.

A proof is for makers and careful operators, and speaks English alone.
"""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from function.app import load_settings
from function.auth.wechat import openid_of
from function.http.client import send
from ops.account.oss_client import operator_keys
from ops.doctor.configuration import check_settings
from ops.doctor.deployed import wechat_callers
from ops.doctor.examination import function_url
from ops.doctor.findings import State, show_finding
from ops.doctor.identity import check_keys
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.suite import show_cost, show_proof
from ops.terminal.language import Text
from ops.terminal.screen import Screen

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "proved"
OPTIONS = {
    "--prove": Text(
        "instead ask what the function relies on and what no page says, write a report, remove all again",
        "改为验证函数所依赖的、文档没有说清的，写出报告，最后全部删除",
    ),
    "--report": Text(
        "with --prove: file of the report (default: docs/proved/DATE-TIME-REGION.md; of a local cloud none)",
        "与 --prove 一起：报告的文件（默认：docs/proved/DATE-TIME-REGION.md；本地云不写）",
    ),
}


def add_prove_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    parser.add_argument("--prove", action="store_true", help=OPTIONS["--prove"].say(language))
    parser.add_argument("--report", type=Path, metavar="FILE", help=OPTIONS["--report"].say(language))


def prove_on(environ: Mapping[str, str], args: argparse.Namespace, screen: Screen) -> int:
    """Say what it costs, then ask; nothing is sent before settings and keys are there."""
    settings, findings = check_settings(environ)
    keys, finding = check_keys(environ)
    bad = [one for one in [*findings, finding] if one.state is State.BAD]
    for one in bad:
        show_finding(one, screen, "en")
    if settings is None or keys is None or bad:
        return 1
    there = settings.at(settings.home)
    sandbox = Sandbox(there, keys, function_url(there, args.url))
    sandbox.openid = args.openid
    show_cost(sandbox, screen)
    report = args.report or FOLDER / f"{datetime.now(UTC):%Y-%m-%d-%H%M%S}-{there.region}.md"
    return show_proof(sandbox, f"OSS in {there.region}", report, screen)


def prove_locally(cloud: Any, args: argparse.Namespace, screen: Screen) -> int:
    # A domain bound to the bucket; 127.0.0.1 plays the default host.
    environ = {**cloud.environment(), "OSS_HOST": cloud.oss.origin.replace("127.0.0.1", "localhost")}
    settings = load_settings(environ)
    there = settings.at(settings.home)
    sandbox = Sandbox(there, operator_keys(environ), cloud.gateway.origin)
    sandbox.openid = openid_of(cloud.wechat.issue_code(), wechat_callers(there)[0].settings, send)
    asked = f"The local cloud with {', '.join(args.rule) or 'no other rules'}"
    return show_proof(sandbox, asked, args.report, screen)
