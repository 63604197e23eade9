"""The local cloud with the function in it, and a doctor's visit to it."""

import logging
import os
import shutil
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from function.app import Function, load_settings
from function.context import Dependencies
from function.sts.credentials import AccessKeys
from handler import serve
from local.cloud import FUNCTION_KEY, LocalCloud
from local.common.http_server import Handler, Server
from local.fc.gateway import FcGateway
from ops.doctor.examination import Visit, examine
from ops.doctor.findings import State

KEYS = AccessKeys(FUNCTION_KEY.access_key_id, FUNCTION_KEY.access_key_secret, None)
# The discard port: nothing listens there.
REFUSED = "http://127.0.0.1:9"


class Findings(list):
    def of(self, check, state=None):
        """The findings of a check, found by the start of its English name."""
        found = [one for one in self if one.check.en.startswith(check)]
        return [one for one in found if state is None or one.state is state]

    def the_bad_one(self, check):
        [finding] = self.of(check, State.BAD)
        assert finding.remedy is not None
        for language in ("en", "zh"):
            assert finding.remedy.say(language)
        return finding


class Deployment:
    """
    A local cloud with the function in it.

    Args:
        environ: of a deployment with one bucket.

        both: of one that has [contract] in a second one, as the function behind the gateway has.

        place: holds the function that answers at the gateway.
    """

    def __init__(self, cloud, gateway, environ, folder, both, place):
        self.cloud, self.gateway, self.environ, self.folder, self.both = cloud, gateway, environ, folder, both
        self.profiles, self._place = load_settings(environ).profiles, place

    def deploy(self, **changes):
        self._place["function"] = Function(Dependencies({**self.both, **changes}))

    def examine(
        self, url=None, uploads=True, without=(), code=None, token="", environ=None, deployed=None, **changes
    ):
        """
        Args:
            code: of a new user by default.

            deployed: changes of the environment that the function has, too; so it has profiles.
        """
        visit = {name: changes.pop(name) for name in ("content_check", "openid", "caller") if name in changes}
        changes |= deployed or {}
        own = {name: text for name, text in changes.items() if name == "PROFILES_FILE"}
        self.deploy(**own, **{name: text for name, text in (deployed or {}).items() if name not in own})
        environ = {**(environ or self.environ), **changes}
        environ = {name: value for name, value in environ.items() if name not in without}
        url = self.gateway.origin if url is None else url
        if code is None:
            code = self.cloud.wechat.issue_code() if url and uploads and not token else ""
        return Findings(examine(environ, Visit(url, code, token, uploads, **visit)))


@contextmanager
def deployment(folder, profiles_at=None, caller_auth="wechat", **settings):
    """
    Args:
        profiles_at: the text of its profiles, from the cloud; those of the demo by default.
    """
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        file = folder / "profiles.toml"
        if profiles_at:
            settings |= {"PROFILES_FILE": str(file)}
        local = LocalCloud(gateway, folder / "objects", caller_auth, extra_settings=settings)
        cloud = stack.enter_context(local)
        if caller_auth == "several":
            shutil.copy(cloud.deployment.profiles_file.with_name("callers.toml"), folder)
        environ = both = cloud.environment()
        if profiles_at:
            file.write_text(profiles_at(cloud), "utf-8")
        else:
            alone = Path(both["PROFILES_FILE"]).read_text("utf-8").partition("[contract]")[0]
            file.write_text(alone, "utf-8")
            environ = {**both, "PROFILES_FILE": str(file)}
        deployed = Deployment(cloud, gateway, environ, folder / "objects", both, place)
        deployed.deploy()
        gateway.start()
        yield deployed


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with deployment(tmp_path_factory.mktemp("deployment")) as deployed:
        yield deployed


@pytest.fixture
def here(running):
    yield running
    running.cloud.reset()
    running.deploy()


@pytest.fixture
def serving():
    """Start small servers that answer everything in one way, and stop them at the end."""
    servers = []

    def start(status, body, content_type="application/json", **by_method):
        class Stub(Handler):
            def answer_all(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = by_method.get(self.command, (status, body))
                code, text = said(self.path) if callable(said) else said
                self.answer(code, text.encode(), content_type, x_oss_request_id="R")

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer_all  # noqa: N815

        servers.append(Server(Stub).start())
        return servers[-1].origin

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def profiles(tmp_path):
    """Write profiles, and return the setting that names their file."""

    def write(text):
        (tmp_path / "profiles.toml").write_text(text, "utf-8")
        return {"PROFILES_FILE": str(tmp_path / "profiles.toml")}

    return write


@pytest.fixture
def own_process(monkeypatch):
    """What a command that hosts a cloud replaces is given back: environment, time zone and logging."""
    kept, root = dict(os.environ), logging.getLogger()
    handlers, root.handlers = root.handlers, [logging.NullHandler()]
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    yield
    root.handlers = handlers
    os.environ.clear()
    os.environ.update(kept)
    time.tzset()


@pytest.fixture
def oss_error():
    def document(code, more=""):
        return f"<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId>{more}</Error>"

    return document
