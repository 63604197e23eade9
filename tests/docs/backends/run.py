"""The lines of a page that backends paste, each built and run with the program of its language beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, code_blocks, page

PROGRAMS = Path(__file__).parent
# The standard library is compiled once, not in every run.
GO = {"GO111MODULE": "off", "GOCACHE": str(ROOT / "build/go-cache")}
JARS = [f"/usr/share/java/{name}.jar" for name in ("jose4j", "slf4j-api", "slf4j-nop")]
JAVA_PATH = os.pathsep.join([".", *JARS])
LANGUAGES = ("python", "js", "php", "java", "go")


def commands(language, pasted, program):
    """The file that the lines are pasted into, and the commands to build and to run the program."""
    ending = {"python": "py"}.get(language, language)
    file, main = f"{pasted}.{ending}", f"{program}.{ending}"
    match language:
        case "python":
            return file, [[sys.executable, "-X", "utf8", main]]
        case "js":
            return file, [["node", main]]
        case "go":
            return file, [["go", "run", file, main]]
        case "java":
            file = file.capitalize()
            java = ["-cp", JAVA_PATH]
            return file, [["javac", *java, file, main.capitalize()], ["java", *java, program.capitalize()]]
    return file, [[language, main]]


def skip_without(steps):
    """Skip, with the reason for all to see, where a language is not installed; CI has every one."""
    missing = [command[0] for command in steps if not shutil.which(command[0])]
    missing += [path for path in JARS if steps[0][0] == "javac" and not Path(path).exists()]
    if "node" in missing or missing and os.environ.get("CI"):
        pytest.fail(f"not on this machine: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not on this machine: {', '.join(missing)}")


def run(language, name, pasted, program, folder, *arguments, said=""):
    """
    Args:
        name: the page that has the lines.

        pasted, program: the names of the two files, without their ending.

        said: standard input.

    Returns:
        the exit code of the last command that ran, and what it printed.
    """
    file, steps = commands(language, pasted, program)
    skip_without(steps)
    (lines,) = [code for kind, code in code_blocks(page(name)) if kind == language]
    (folder / file).write_text("<?php\n" * (language == "php") + lines, "utf-8")
    ending = Path(file).suffix
    source = f"{program.capitalize() if language == 'java' else program}{ending}"
    shutil.copy(PROGRAMS / source, folder)
    for command in (*steps[:-1], [*steps[-1], *arguments]):
        done = subprocess.run(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **GO},
            input=said.encode(),
            capture_output=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            break
    return done.returncode, done.stdout.decode().strip()
