"""The files of ``docs/backends``, each built and run with its language; and a cloud for a backend."""

import os
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
import requests

from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from ops.run.hosting import Hosted
from tests.docs.markdown import ROOT
from tests.support.ports import held_port

COPIED = ROOT / "docs/backends"
PROGRAMS = Path(__file__).parent
JAVA_PACKAGES = "default-jdk-headless libjose4j-java"
PACKAGES = {"php": "php-cli", "go": "golang-go", "javac": JAVA_PACKAGES, "java": JAVA_PACKAGES}
JARS = [f"/usr/share/java/{name}.jar" for name in ("jose4j", "slf4j-api", "slf4j-nop")]
JAVA_PATH = os.pathsep.join([".", *JARS])
# The lines are pasted into a project that has installed what they require.
NODE_PATH = str(ROOT / "node_modules")
# Of each language the ending of its files, and the commands that build and, at last, run the program.
LANGUAGES = {
    "python": ("py", [[sys.executable, "-X", "utf8", "ask.py"]]),
    "js": ("js", [["node", "ask.js"]]),
    "php": ("php", [["php", "ask.php"]]),
    "java": (
        "java",
        [["javac", "-cp", JAVA_PATH, "Uploads.java", "Ask.java"], ["java", "-cp", JAVA_PATH, "Ask"]],
    ),
    "go": ("go", [["go", "build", "-o", "ask", "uploads.go", "ask.go"], ["./ask"]]),
}

PATIENCE_SECONDS = 60


def start_cloud(stack, folder, caller_auth, profiles, **settings):
    """A local cloud and a session, until the stack ends, and the port where its webhooks go to a backend."""
    hosted, port = Hosted(), stack.enter_context(held_port())
    settings["UPLOAD_WEBHOOK_URL"] = f"http://127.0.0.1:{port}/webhook"
    gateway = FcGateway(hosted.handle, hosted.initialize)
    stack.callback(gateway.stop)
    cloud = LocalCloud(gateway, folder / "objects", extra_settings=settings)
    hosted.cloud = stack.enter_context(cloud)
    cloud.wechat.checks.delays = (0, 0)
    hosted.deploy(cloud.prepare(caller_auth, profiles, {}), folder / "hooks.py")
    gateway.start()
    session = stack.enter_context(requests.Session())
    session.trust_env = False
    return cloud, session, port


def ask(session, function, route, body, token=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return session.post(f"{function}/{route}", json=body, headers=headers, timeout=60).json()


def upload(session, function, token, picture, name="sunset.png", **more):
    """Upload a picture for a post; its receipt."""
    wanted = {"profile": "post", "filename": name, "size": len(picture), **more}
    form = ask(session, function, "upload-params", wanted, token)
    fields = {field: (None, value) for field, value in form["formData"].items()}
    sent = session.post(form["url"], files={**fields, "file": (name, picture)}, timeout=60)
    assert sent.status_code == 200, sent.text
    return ask(session, function, "confirm", {"ticket": form["ticket"]})["receipt"]


def until(is_so):
    ends = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


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


def build(language, folder):
    """
    Copy the lines and the program into a folder, and build it.

    Returns:
        a function that gives it lines on standard input and returns those that it prints.
    """
    ending, (*building, running) = LANGUAGES[language]
    skip_without([*building, running])
    more = go_environment() if language == "go" else {}
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_PATH": NODE_PATH, **more}

    def command(words, said=""):
        done = subprocess.run(
            words, cwd=folder, env=environ, input=said.encode(), capture_output=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().splitlines()

    for file in (*COPIED.glob(f"[uU]ploads.{ending}"), *PROGRAMS.glob(f"[aA]sk.{ending}")):
        shutil.copy(file, folder)
    for words in building:
        command(words)
    return lambda rows: command(running, "".join("\t".join(row) + "\n" for row in rows))
