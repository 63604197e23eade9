"""``doctor --prove``: its options, and the cloud that it asks."""

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from function.config.settings import Settings
from ops.deploy.operator_env import operator_environment
from ops.doctor.configuration import check_settings
from ops.doctor.content_check import checked_places
from ops.doctor.deployed import wechat_callers
from ops.doctor.examination import function_url
from ops.doctor.findings import State
from ops.doctor.identity import check_keys
from ops.doctor.places import FOLDER, each_place, place_of, trial_folder
from ops.run.rules import rules_of
from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable
from ops.terminal.screen import Screen

OPTIONS = {
    "--prove": Text(
        "instead ask what the function relies on and what no page says, write a report, remove all again",
        "改为验证函数所依赖的、文档没有说清的，写出报告，最后全部删除",
    ),
    "--bucket": Text(
        "with --prove: a bucket that a profile names (default: OSS_BUCKET)",
        "与 --prove 一起：某个用途写的桶（默认：OSS_BUCKET）",
    ),
    "--dry-run": Text(
        "with --prove: only what would be asked, and what it costs",
        "与 --prove 一起：只列出会问什么、花费多少",
    ),
    "--report": Text(
        "with --prove: file of the report (default: docs/proved/DATE-REGION.md; of a local cloud none)",
        "与 --prove 一起：报告的文件（默认：docs/proved/DATE-REGION.md；本地云不写）",
    ),
    "--against-local": Text(
        "with --prove: ask a local cloud with these rules instead, without keys",
        "与 --prove 一起：改为问采用这些规则的本地云，不需要密钥",
    ),
}


def add_prove_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    said = {option: text.say(language) for option, text in OPTIONS.items()}
    for option in ("--prove", "--dry-run"):
        parser.add_argument(option, action="store_true", help=said[option])
    parser.add_argument("--bucket", default="", help=said["--bucket"])
    parser.add_argument("--report", type=Path, metavar="FILE", help=said["--report"])
    parser.add_argument(
        "--against-local",
        nargs="*",
        action="extend",
        dest="rule",
        metavar="RULE=VALUE",
        help=said["--against-local"],
    )


def without_prove(args: argparse.Namespace) -> str:
    """Return the first option that goes with ``--prove`` alone; empty where there is none, or it is given."""
    given = {
        "--dry-run": args.dry_run,
        "--bucket": args.bucket,
        "--report": args.report is not None,
        "--against-local": args.rule is not None,
    }
    return "" if args.prove else next((option for option, is_given in given.items() if is_given), "")


def run_prove(args: argparse.Namespace, screen: Screen, language: str) -> int:
    """A proof is for makers and careful operators, and speaks English alone."""
    try:
        if args.local or args.rule is not None:
            return _prove_locally(args, screen)
        return _prove_on(operator_environment(args.env_file, os.environ), args, screen)
    except Failure as error:
        screen.fail_with(error, language)
        return 1


def _prove_on(environ: Mapping[str, str], args: argparse.Namespace, screen: Screen) -> int:
    """
    Say what it costs, then ask; nothing is sent before settings and keys are there.

    A dry run needs neither: it says what would be asked, and what that would take.
    """
    from ops.doctor.proof.report import report_file, title_of
    from ops.doctor.proof.sandbox import Sandbox
    from ops.doctor.proof.suite import show_cost, show_dry, show_proof

    settings, findings = check_settings(environ)
    there = place_of(settings, args.bucket) if settings else None
    if settings is not None and there is None:
        return _no_such_bucket(args, screen)
    keys, finding = check_keys(environ)
    bad = [one for one in [*findings, finding] if one.state is State.BAD]
    if settings is not None or args.dry_run:
        folder = trial_folder(there) if there else FOLDER
        show_cost(args.bucket or environ.get("OSS_BUCKET") or "OSS_BUCKET", folder, screen)
    if args.dry_run:
        show_dry(screen)
        if bad:
            screen.line("Before it can be asked:")
    elif there is not None and keys is not None and not bad:
        now = datetime.now(UTC)
        title, report = title_of(f"OSS in {there.region}", now), args.report or report_file(there.region, now)
        sandbox = Sandbox(there, keys, now, function_url(there, args.url))
        sandbox.openid, sandbox.others = args.openid, _others_with_verdicts(settings, there)
        return show_proof(sandbox, title, report, screen)
    for one in bad:
        (screen.warn if args.dry_run else screen.fail)(f"{one.check.en}: {printable(one.said.en)}")
        if one.remedy:
            screen.line(f"    → {one.remedy.en}")
    return 1 if bad and not args.dry_run else 0


def _no_such_bucket(args: argparse.Namespace, screen: Screen) -> int:
    screen.fail(f"No profile is in the bucket {printable(args.bucket)}.")
    return 2


def _others_with_verdicts(settings: Settings | None, there: Settings) -> list[Settings]:
    """The other buckets in which the function keeps a verdict."""
    places = each_place(settings) if settings else []
    return [one for one in checked_places(places) if one.home != there.home]


def _prove_locally(args: argparse.Namespace, screen: Screen) -> int:
    from function.auth.wechat import openid_of
    from function.http.client import send
    from ops.doctor.proof.report import title_of
    from ops.doctor.proof.sandbox import Sandbox
    from ops.doctor.proof.suite import show_dry, show_proof
    from ops.run.hosting import Plan, check_settings, quiet_log, running_cloud

    if args.dry_run:
        show_dry(screen)
        return 0
    args.rule = args.rule or []
    with running_cloud(Plan(rules=rules_of(args))) as cloud, quiet_log():
        environ = cloud.environment()
        # A domain bound to the bucket; 127.0.0.1 plays the default host.
        environ["OSS_HOST"] = cloud.oss.origin.replace("127.0.0.1", "localhost")
        settings = check_settings(environ)
        there, (keys, _) = place_of(settings, args.bucket), check_keys(environ)
        if there is None or keys is None:
            return _no_such_bucket(args, screen)
        now = datetime.now(UTC)
        title = title_of(f"The local cloud with {', '.join(args.rule) or 'no other rules'}", now)
        sandbox = Sandbox(there, keys, now, cloud.gateway.origin)
        sandbox.openid = openid_of(cloud.wechat.issue_code(), wechat_callers(there)[0].settings, send)
        return show_proof(sandbox, title, args.report, screen)
