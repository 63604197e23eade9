"""
The Python of the project's virtual environment: made where there is no make, and commands run under it.

An old Python imports it too: hence the annotations in quotes.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv"
IS_WINDOWS = os.name == "nt"


def python_in(folder: "Path", is_windows: bool = IS_WINDOWS) -> "Path":
    return folder / "Scripts" / "python.exe" if is_windows else folder / "bin" / "python"


def is_running(folder: "Path" = FOLDER) -> bool:
    """Return whether this very process is the environment's."""
    return folder.exists() and folder.samefile(sys.prefix)


def install(requirements: str, folder: "Path" = FOLDER) -> None:
    """Install what a make target would, or exit; the first time the environment is made, too."""
    fresh = [] if is_running(folder) else ["--fresh"]
    command = [sys.executable, "-m", "ops.run.install", str(folder), requirements]
    code = subprocess.call([*command, *fresh], cwd=str(ROOT))
    if code:
        sys.exit(code)


def run_again(arguments: "list[str]", folder: "Path" = FOLDER, is_windows: bool = IS_WINDOWS) -> None:
    """Go on under the environment's Python; execv of Windows would return to the prompt at once."""
    command = [str(python_in(folder, is_windows)), str(ROOT / "manage.py"), *arguments]
    if not is_windows:
        os.execv(command[0], command)
    with subprocess.Popen(command) as process:
        while True:
            try:
                sys.exit(process.wait())
            except KeyboardInterrupt:
                # Ctrl-C reaches both: this one waits until the other has cleaned up.
                continue
