"""The operator's commands: ``python3 manage.py COMMAND --help``."""

import argparse
import importlib
import importlib.util
import shutil
import sys
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE))

from ops.run import own_python  # noqa: E402
from ops.terminal.language import LANGUAGES, Text, add_language_argument, asked_language  # noqa: E402

COMMANDS = {
    "serve": "ops.run.serve",
    "demo": "ops.run.demo",
    "review": "ops.client.review",
    "init": "ops.deploy.init",
    "setup": "ops.account.setup",
    "check-deploy": "ops.deploy.check_deploy",
    "deploy": "ops.deploy.deploy",
    "rollback": "ops.deploy.rollback",
    "doctor": "ops.doctor.command",
    "explain": "ops.explain.command",
    "webhooks": "ops.client.webhooks",
    "erase": "ops.client.erase",
    "import": "ops.client.import_urls",
    "types": "ops.client.profile_types",
    "package": "ops.package.command",
    "template": "ops.package.template",
}
# By the first command of each.
GROUPS = {
    "serve": Text("every day", "每天"),
    "init": Text("going live", "上线"),
    "doctor": Text("when something is wrong", "出问题时"),
    "erase": Text("rarely", "偶尔"),
}
# Commands of 0.1.0 that went, with what does their work now.
GONE = {
    "invoke": Text(
        "`invoke` is gone: `doctor --url … --code CODE` uploads by each profile and names missing features.",
        "`invoke` 已经取消：`doctor --url … --code CODE` 用每个用途上传，并列出缺少的功能。",
    ),
    "measure": Text(
        "`measure` is gone: the dashboard in deploy/monitoring shows milliseconds by route and cold starts"
        " (docs/speed.md#your-own-deployment).",
        "`measure` 已经取消：deploy/monitoring 里的看板列出各路由的毫秒数和冷启动"
        "（docs/speed.md#your-own-deployment）。",
    ),
    "terraform": Text(
        "`terraform` is gone: `setup --dry-run --json > deploy/terraform/setup.json` is what that folder"
        " reads; make deploy deploys the function (docs/deploy.md#with-terraform).",
        "`terraform` 已经取消：用 `setup --dry-run --json > deploy/terraform/setup.json`"
        " 写出那里要读的文件，函数由 make deploy 部署（docs/deploy.md#with-terraform）。",
    ),
}
# What requirements/run.txt is enough for; the others need requirements/dev.txt.
WITH_FEW_PACKAGES = ("init", "serve", "demo", "explain", "types")
# A new project is filled in before anything is installed.
WITHOUT_PACKAGES = ("init",)

ABOUT = Text(
    "The operator's commands: python3 manage.py COMMAND --help.", "运维命令：python3 manage.py 命令 --help。"
)
MORE = Text("needs more packages: make setup", "需要更多的包：make setup")
NEEDS_MORE = Text(
    "{name} needs packages that are not installed yet. Run: make setup",
    "{name} 需要的包还没有安装。请运行：make setup",
)
TOO_OLD = Text(
    "Python 3.11 or newer is needed; this is {version}. Install one, then name it: make setup"
    " PYTHON=python3.12 (on Windows: py -3.12 manage.py demo)",
    "需要 Python 3.11 或更新的版本，这里是 {version}。请安装新的，再指定它：make setup PYTHON=python3.12"
    "（Windows 上是 py -3.12 manage.py demo）",
)
NO_PACKAGES = Text(
    "The packages of this project are not installed. Run: make setup",
    "本项目的包还没有安装。请运行：make setup",
)


# The annotations are texts, so that a Python too old for them still gets as far as the sentence that says so.
def main(arguments: "list[str]") -> int:
    _use_project_packages(arguments)
    from ops.terminal.command_line import WideHelp, run_command, speak

    language = asked_language(arguments)
    speak(language)
    named = next((each for each in arguments if not each.startswith("-") and each not in LANGUAGES), "")
    if named in GONE:
        print(GONE[named].say(language), file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        prog="manage.py",
        description=ABOUT.say(language),
        formatter_class=partial(WideHelp, groups={name: each.say(language) for name, each in GROUPS.items()}),
    )
    add_language_argument(parser, language)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # One command's imports are enough to run it; only the general help needs them all.
    chosen = [named] if named in COMMANDS else []
    has_all = importlib.util.find_spec("alibabacloud_oss_v2") is not None
    for name in chosen or COMMANDS:
        if not has_all and name not in WITH_FEW_PACKAGES:
            if chosen:
                _install_or_exit(NEEDS_MORE.say(language, name=name), "requirements/dev.txt", arguments)
            commands.add_parser(name, help=MORE.say(language), formatter_class=WideHelp)
            continue
        module = importlib.import_module(COMMANDS[name])
        command = commands.add_parser(
            name,
            help=module.SUMMARY.say(language),
            description=module.ABOUT.say(language),
            formatter_class=WideHelp,
            # Else --bucket, which went, would be taken for --bucket-create.
            allow_abbrev=False,
        )
        module.add_arguments(command, language)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    args.lang = args.lang or language
    return run_command(args.run, args)


def _use_project_packages(arguments: "list[str]") -> None:
    """Run again under the project's virtual environment when this Python lacks its packages."""
    has_packages = importlib.util.find_spec("aliyunsdkcore") is not None
    if not has_packages and own_python.python_in(own_python.FOLDER).exists() and not own_python.is_running():
        own_python.run_again(arguments)
    if sys.version_info < (3, 11):
        sys.exit(TOO_OLD.say(asked_language(arguments), version=sys.version.split()[0]))
    named = next((name for name in arguments if name in COMMANDS), "")
    if not has_packages and named not in WITHOUT_PACKAGES:
        _install_or_exit(NO_PACKAGES.say(asked_language(arguments)), "requirements/run.txt", arguments)


def _install_or_exit(sentence: str, requirements: str, arguments: "list[str]") -> None:
    """Install what is missing where no make could, as on Windows; else say which target does."""
    if shutil.which("make") or not arguments:
        sys.exit(sentence)
    own_python.install(requirements)
    own_python.run_again(arguments)


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
