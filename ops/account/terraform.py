"""
Write the values of the Terraform configuration in deploy/terraform, out of .env, profiles.toml and s.yaml.

It makes the same roles, bucket rules and function as setup and make deploy: use one or the other. No
secret is written: give those that are named to Terraform as TF_VAR_secrets.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ops.account.desired import DesiredState, read_desired, whose_roles_they_are
from ops.account.setup import show_elsewhere
from ops.account.setup_options import add_setup_arguments
from ops.account.terraform_values import ACCOUNT_MARKER, left_out, regions, secrets_of, values
from ops.deploy.expressions import Resolver
from ops.deploy.operator_env import ROOT, add_env_argument, operator_environment
from ops.deploy.s_yaml import read_s_yaml
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language, why_unreadable
from ops.terminal.screen import Screen

FILE = ROOT / "deploy" / "terraform" / "deployment.auto.tfvars.json"
PLAIN_FILE, BURST_FILE = ROOT / "s.yaml", ROOT / "deploy" / "burst" / "s.burst.yaml"
# Beside it, where there are buckets in other regions; Terraform reads every file of that name.
REGIONS_FILE = "regions.tf.json"
SUMMARY = Text("write the values for the Terraform configuration", "为 Terraform 写出变量值")
ABOUT = Text(
    __doc__,
    "从 .env、profiles.toml 和 s.yaml 写出 deploy/terraform 所需的变量值。\n\n"
    "它创建的角色、桶规则和函数，与 setup 和 make deploy 相同：二者选一。"
    "密钥不会写进文件：请把列出的几个用 TF_VAR_secrets 交给 Terraform。",
)
WORDS = {
    "into": Text("the file to write (default: {file})", "写到哪个文件（默认：{file}）"),
    "written": Text("{file} is written.", "已写入 {file}。"),
    "secrets": Text(
        "Export TF_VAR_secrets, a JSON object with: {names}",
        "请导出 TF_VAR_secrets，一个 JSON 对象，含：{names}",
    ),
    "left_out": Text(
        "The configuration does not know what s.yaml says of {names}: add it there.",
        "deploy/terraform 里没有 s.yaml 写的 {names}：请自行补上。",
    ),
    "next": Text(
        "Then: make package, and in deploy/terraform `terraform init` and `terraform plan`.",
        "然后：make package，再在 deploy/terraform 里运行 `terraform init` 与 `terraform plan`。",
    ),
}
# What setup alone has a use for.
SETUP_ALONE = ("dry_run", "yes", "dashboards", "notify")


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    add_setup_arguments(parser, language)
    shown = FILE.relative_to(ROOT)
    parser.add_argument(
        "--into", type=Path, default=FILE, metavar="FILE", help=WORDS["into"].say(language, file=shown)
    )
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    environ = operator_environment(args.env_file, os.environ)
    for name in SETUP_ALONE:
        setattr(args, name, None)
    try:
        desired = read_desired(args, environ)
        whose_roles_they_are(desired)
        props = function_props(
            {**environ, "OSS_BUCKET": desired.bucket.name, "OSS_REGION": desired.bucket.region},
            BURST_FILE if args.burst else PLAIN_FILE,
        )
        files = [args.into, *_write_regions(desired, args.into.with_name(REGIONS_FILE))]
        _write(args.into, values(desired, props))
    except Failure as error:
        complaints.fail_with(error, language)
        return 2
    except OSError as error:
        complaints.fail(f"{args.into}: {why_unreadable(error).say(language)}")
        return 1
    for file in files:
        screen.good(WORDS["written"].say(language, file=file))
    if names := secrets_of(props):
        screen.line(WORDS["secrets"].say(language, names=", ".join(names)))
    if names := left_out(props):
        screen.warn(WORDS["left_out"].say(language, names=", ".join(names)))
    screen.line(WORDS["next"].say(language))
    show_elsewhere(desired, screen, language)
    return 0


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(f"{json.dumps(content, indent=2, ensure_ascii=False)}\n", "utf-8")


def _write_regions(desired: DesiredState, file: Path) -> Iterator[Path]:
    """The file, when there is anything to say in it."""
    try:
        known = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        known = {}
    except ValueError:
        raise Failure(
            Text(f"{file} is no JSON: delete it, and run this again.", f"{file} 不是 JSON：请删除它再运行。")
        ) from None
    if content := regions(desired, known):
        _write(file, content)
        yield file


def function_props(environ: Mapping[str, str], file: Path = PLAIN_FILE) -> dict[str, Any]:
    """
    Return the properties of the function in ``s.yaml``, or in a file that extends it, variables resolved.

    Raises:
        Failure: a variable without a default is not set, or it holds something else than one function.
    """
    source = read_s_yaml(file)
    # The role's ARN is made by Terraform: whatever stands in .env is not looked at.
    given = {"STS_ROLE_ARN": ACCOUNT_MARKER, **environ}
    resolver = Resolver(given, ACCOUNT_MARKER, source.folder, source.content)
    if source.problems or not isinstance(source.content, dict):
        raise Failure(*(problem.sentence for problem in source.problems))
    resolved = resolver.resolve_layers(source.layers)
    if resolver.problems:
        raise Failure(*(problem.sentence for problem in resolver.problems))
    (resource,) = resolved["resources"].values()
    props: dict[str, Any] = resource["props"]
    return props
