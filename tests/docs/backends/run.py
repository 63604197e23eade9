"""The files of ``docs/backends`` that backends copy, each built and run with the program of its language."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, links, page

COPIED = ROOT / "docs/backends"
PROGRAMS = Path(__file__).parent
JAVA_PACKAGES = "default-jdk-headless libjose4j-java"
PACKAGES = {"php": "php-cli", "go": "golang-go", "javac": JAVA_PACKAGES, "java": JAVA_PACKAGES}
JARS = [f"/usr/share/java/{name}.jar" for name in ("jose4j", "slf4j-api", "slf4j-nop")]
JAVA_PATH = os.pathsep.join([".", *JARS])
# The lines are pasted into a project that has installed what they require.
NODE_PATH = str(ROOT / "node_modules")
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
            return file, [["go", "build", "-o", program, file, main], [f"./{program}"]]
        case "java":
            file = file.capitalize()
            java = ["-cp", JAVA_PATH]
            return file, [["javac", *java, file, main.capitalize()], ["java", *java, program.capitalize()]]
    return file, [[language, main]]


def linked_from(name, pasted):
    """Whether a page links to the file of every language."""
    wanted = {f"backends/{commands(language, pasted, '')[0]}" for language in LANGUAGES}
    return wanted <= {target for target, _ in links(page(name))}


def skip_without(steps):
    """Skip, with the reason for all to see, where a language is not installed."""
    missing = [step[0] for step in steps if not step[0].startswith("./") and not shutil.which(step[0])]
    missing += [path for path in JARS if steps[0][0] == "javac" and not Path(path).exists()]
    if not missing:
        return
    packages = PACKAGES.get(steps[0][0], missing[0])
    reason = f"needs {missing[0]} (apt install {packages})"
    if "node" in missing:
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def go_environment():
    """The standard library is compiled once on a machine, not in every checkout."""
    done = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True)
    return {"GO111MODULE": "off", "GOCACHE": done.stdout.strip()}


def run(language, pasted, program, folder, *arguments, said=""):
    """
    Args:
        pasted, program: the names of the two files, without their ending.

        folder: where they are built, unless they were.

        said: standard input.

    Returns:
        the exit code of the last command that ran, and what it printed.
    """
    file, (*building, running) = commands(language, pasted, program)
    skip_without([*building, running])
    ending = Path(file).suffix
    source = f"{program.capitalize() if language == 'java' else program}{ending}"
    more = go_environment() if language == "go" else {}
    if (folder / source).exists():
        building = []
    else:
        shutil.copy(COPIED / file, folder)
        shutil.copy(PROGRAMS / source, folder)
    for command in (*building, [*running, *arguments]):
        done = subprocess.run(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_PATH": NODE_PATH, **more},
            input=said.encode(),
            capture_output=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            break
    return done.returncode, done.stdout.decode().strip()
