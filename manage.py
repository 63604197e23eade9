"""
The operator's commands: ``python manage.py COMMAND --help``.
"""

import argparse
import importlib
import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMANDS = ("serve", "demo")


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        return _fail(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    _use_project_packages()
    parser = argparse.ArgumentParser(prog="manage.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"ops.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=module.SUMMARY, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    return int(args.run(args))


def _use_project_packages() -> None:
    """Run again under the project's virtual environment when this Python lacks its packages."""
    if importlib.util.find_spec("aliyunsdkcore") is not None:
        return
    python = HERE / ".venv" / "bin" / "python"
    if not python.exists():
        sys.exit(_fail("The packages of this project are not installed. Run: make setup"))
    os.execv(python, [str(python), str(HERE / "manage.py"), *sys.argv[1:]])


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    raise SystemExit(main(sys.argv[1:]))
