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
OWN_PYTHON = HERE / ".venv" / "bin" / "python"
COMMANDS = {
    "serve": "ops.run.serve",
    "demo": "ops.run.demo",
    "setup": "ops.account.setup",
    "doctor": "ops.doctor.command",
    "invoke": "ops.client.invoke",
    "explain": "ops.explain.command",
    "package": "ops.package.command",
    "check-deploy": "ops.deploy.check_deploy",
    "deploy": "ops.deploy.deploy",
}
# What requirements-run.txt is enough for; the others need requirements-dev.txt.
WITH_FEW_PACKAGES = ("serve", "demo", "explain")


# The annotation is a text, so that a Python too old for it still gets as far as the sentence that says so.
def main(arguments: "list[str]") -> int:
    _use_project_packages()
    parser = argparse.ArgumentParser(prog="manage.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # One command's imports are enough to run it; only the general help needs them all.
    chosen = [name for name in COMMANDS if arguments[:1] == [name]]
    has_all = importlib.util.find_spec("alibabacloud_oss_v2") is not None
    for name in chosen or COMMANDS:
        if not has_all and name not in WITH_FEW_PACKAGES:
            if chosen:
                sys.exit(f"{name} needs packages that are not installed yet. Run: make setup")
            commands.add_parser(name, help="needs more packages: make setup")
            continue
        module = importlib.import_module(COMMANDS[name])
        command = commands.add_parser(name, help=module.SUMMARY, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    return int(args.run(args))


def _use_project_packages() -> None:
    """Run again under the project's virtual environment when this Python lacks its packages."""
    if importlib.util.find_spec("aliyunsdkcore") is None and OWN_PYTHON.exists() and not _is_own_python():
        os.execv(OWN_PYTHON, [str(OWN_PYTHON), str(HERE / "manage.py"), *sys.argv[1:]])
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Run: make setup")
    if importlib.util.find_spec("aliyunsdkcore") is None:
        sys.exit("The packages of this project are not installed. Run: make setup")


def _is_own_python() -> bool:
    return Path(sys.prefix) == OWN_PYTHON.parents[1]


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
