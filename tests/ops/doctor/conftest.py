"""The local cloud with the function in it, and a doctor's visit to it."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from function.app import Function, load_settings
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.common.http_server import Handler, Server
from local.fc.gateway import FcGateway
from ops.doctor.examination import Visit, examine
from ops.doctor.findings import State


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
    Args:
        environ: of a deployment with one bucket.

        both: of one that has [contract] in a second one, as the function behind the gateway has.
    """

    def __init__(self, cloud, gateway, environ, folder, both=None):
        self.cloud, self.gateway, self.environ, self.folder = cloud, gateway, environ, folder
        self.both = both or environ
        self.profiles = load_settings(environ).profiles

    def examine(
        self,
        url=None,
        uploads=True,
        without=(),
        code="",
        token="",
        content_check=False,
        openid="",
        environ=None,
        **changes,
    ):
        environ = {**(environ or self.environ), **changes}
        environ = {name: value for name, value in environ.items() if name not in without}
        url = self.gateway.origin if url is None else url
        return Findings(examine(environ, Visit(url, code, token, uploads, content_check, openid)))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    with ExitStack() as stack:
        stack.callback(gateway.stop)
        folder = tmp_path_factory.mktemp("objects")
        cloud = stack.enter_context(LocalCloud(gateway, folder))
        both = cloud.environment()
        place["function"] = Function(Dependencies(both))
        gateway.start()
        alone = tmp_path_factory.mktemp("alone") / "profiles.toml"
        alone.write_text(Path(both["PROFILES_FILE"]).read_text("utf-8").partition("[contract]")[0], "utf-8")
        yield Deployment(cloud, gateway, {**both, "PROFILES_FILE": str(alone)}, folder, both)


@pytest.fixture
def here(running):
    yield running
    running.cloud.reset()


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
def oss_error():
    def document(code, more=""):
        return f"<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId>{more}</Error>"

    return document
