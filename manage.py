"""
The operator's commands: ``python3 manage.py COMMAND --help``.
"""

import argparse
import importlib
import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE))

from ops.terminal.language import Text, add_language_argument, chosen_language  # noqa: E402

OWN_PYTHON = HERE / ".venv" / "bin" / "python"
COMMANDS = {
    "serve": "ops.run.serve",
    "demo": "ops.run.demo",
    "setup": "ops.account.setup",
    "terraform": "ops.account.terraform",
    "doctor": "ops.doctor.command",
    "invoke": "ops.client.invoke",
    "measure": "ops.client.measure",
    "import": "ops.client.import_urls",
    "explain": "ops.explain.command",
    "types": "ops.client.profile_types",
    "package": "ops.package.command",
    "template": "ops.package.template",
    "check-deploy": "ops.deploy.check_deploy",
    "deploy": "ops.deploy.deploy",
}
# What requirements/run.txt is enough for; the others need requirements/dev.txt.
WITH_FEW_PACKAGES = ("serve", "demo", "explain", "types")

ABOUT = Text(
    "The operator's commands: python3 manage.py COMMAND --help.", "运维命令：python3 manage.py 命令 --help。"
)
MORE = Text("needs more packages: make setup", "需要更多的包：make setup")
NEEDS_MORE = Text(
    "{name} needs packages that are not installed yet. Run: make setup",
    "{name} 需要的包还没有安装。请运行：make setup",
)
TOO_OLD = Text(
    "Python 3.11 or newer is needed; this is {version}. Run: make setup",
    "需要 Python 3.11 或更新的版本，这里是 {version}。请运行：make setup",
)
NO_PACKAGES = Text(
    "The packages of this project are not installed. Run: make setup",
    "本项目的包还没有安装。请运行：make setup",
)


# The annotations are texts, so that a Python too old for them still gets as far as the sentence that says so.
def main(arguments: "list[str]") -> int:
    _use_project_packages()
    from ops.terminal.command_line import WideHelp, asked_language

    language, others = asked_language(arguments)
    parser = argparse.ArgumentParser(
        prog="manage.py", description=ABOUT.say(language), formatter_class=WideHelp
    )
    add_language_argument(parser, language)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # One command's imports are enough to run it; only the general help needs them all.
    chosen = [name for name in COMMANDS if others[:1] == [name]]
    has_all = importlib.util.find_spec("alibabacloud_oss_v2") is not None
    for name in chosen or COMMANDS:
        if not has_all and name not in WITH_FEW_PACKAGES:
            if chosen:
                sys.exit(NEEDS_MORE.say(language, name=name))
            commands.add_parser(name, help=MORE.say(language), formatter_class=WideHelp)
            continue
        module = importlib.import_module(COMMANDS[name])
        command = commands.add_parser(
            name,
            help=module.SUMMARY.say(language),
            description=module.ABOUT.say(language),
            formatter_class=WideHelp,
        )
        module.add_arguments(command, language)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    args.lang = args.lang or language
    return int(args.run(args))


def _use_project_packages() -> None:
    """Run again under the project's virtual environment when this Python lacks its packages."""
    if importlib.util.find_spec("aliyunsdkcore") is None and OWN_PYTHON.exists() and not _is_own_python():
        os.execv(OWN_PYTHON, [str(OWN_PYTHON), str(HERE / "manage.py"), *sys.argv[1:]])
    if sys.version_info < (3, 11):
        sys.exit(TOO_OLD.say(chosen_language(None), version=sys.version.split()[0]))
    if importlib.util.find_spec("aliyunsdkcore") is None:
        sys.exit(NO_PACKAGES.say(chosen_language(None)))


def _is_own_python() -> bool:
    return Path(sys.prefix) == OWN_PYTHON.parents[1]


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
