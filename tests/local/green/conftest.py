"""A local content moderation, a caller of it, and a site that has the files."""

import io
import json
import threading

import pytest
from PIL import Image

from local.common.accounts import AccessKey, Accounts
from local.common.http_server import Handler, Server
from local.green.rules import GreenRules
from local.green.server import GreenServer
from tests.local.sts.conftest import StsCaller

ON_ALL = {"Effect": "Allow", "Action": ["yundun-greenweb:ImageModeration"], "Resource": "*"}


def picture(kind="PNG", size=(8, 6)):
    """A real picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, "#336699").save(file, kind)
    return file.getvalue()


class Site:
    """A server of files by path; a path of ``slow`` never answers."""

    def __init__(self):
        self.files, self.slow, self.asked = {}, set(), []
        self.released = threading.Event()
        site = self

        class Files(Handler):
            def do_GET(self):  # noqa: N802
                path = self.path.partition("?")[0]
                site.asked.append((path, self.headers.get("Range")))
                if path in site.slow:
                    site.released.wait(10)
                    return self.drop_connection()
                status, body = site.files.get(path, (404, b"no such file"))
                return self.answer(status, body, "image/png")

        self.server = Server(Files).start()
        self.origin = self.server.origin

    def put(self, name, body, status=200):
        """The address of a file."""
        self.files[f"/held/{name}"] = status, body
        return f"{self.origin}/held/{name}"

    def stop(self):
        self.released.set()
        self.server.stop()


class GreenCaller(StsCaller):
    """Calls signed by hand, with everything in a form."""

    def ask(self, action, parameters, service, **changed):
        text = parameters if isinstance(parameters, str) else json.dumps(parameters)
        given = {
            "Action": action,
            "Version": "2022-03-02",
            "Service": service,
            "ServiceParameters": text,
            "RoleArn": None,
            "RoleSessionName": None,
        }
        return self.post(self.signed(**given | changed))

    def picture(self, parameters, service="baselineCheck", **changed):
        return self.ask("ImageModeration", parameters, service, **changed)

    def plan(self, **wanted):
        status, body = self.send("PUT", "/-/check", json.dumps(wanted))
        return status, json.loads(body)


@pytest.fixture
def site():
    site = Site()
    site.files = {
        f"/held/{name}.png": (200, picture()) for name in ("sunset", "risky-1", "review-1", "silent-1")
    }
    yield site
    site.stop()


@pytest.fixture
def accounts():
    return Accounts(AccessKey("LTAIlong", "long-secret"))


@pytest.fixture
def start_green(accounts, clock):
    """Start a local content moderation by these rules, at 14:00 UTC on 24 November 2026; its caller."""
    servers = []

    def start(**options):
        rules = GreenRules(moderation_takes_ms=0, **options.pop("rules", {}))
        servers.append(GreenServer(accounts, now=clock, rules=rules, **options).start())
        servers[-1].silence = 0.0
        caller = GreenCaller(servers[-1].origin, clock)
        caller.server = servers[-1]
        return caller

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def green(start_green):
    return start_green()
