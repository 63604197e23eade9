"""A local content moderation, a caller of it, and a site that has the files."""

import io
import json

import pytest
from PIL import Image

from local.common.accounts import AccessKey, Accounts
from local.green.rules import GreenRules
from local.green.server import GreenServer
from tests.local.site import Site
from tests.local.sts.conftest import StsCaller


def picture(kind="PNG", size=(8, 6)):
    """A real picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, "#336699").save(file, kind)
    return file.getvalue()


class GreenCaller(StsCaller):
    """Calls signed by hand, with everything in a form."""

    def signed_for(self, action, parameters, service, **changed):
        text = parameters if isinstance(parameters, str) else json.dumps(parameters)
        given = {"Action": action, "Version": "2022-03-02", "Service": service, "ServiceParameters": text}
        return self.signed(**given | {"RoleArn": None, "RoleSessionName": None} | changed)

    def ask(self, action, parameters, service, **changed):
        return self.post(self.signed_for(action, parameters, service, **changed))

    def picture(self, parameters, service="baselineCheck", **changed):
        return self.ask("ImageModeration", parameters, service, **changed)

    def code(self, parameters, *service, **changed):
        return self.picture(parameters, *service, **changed)[1]["Code"]

    def plan(self, **wanted):
        return self.send("PUT", "/-/check", json.dumps(wanted))


@pytest.fixture
def site(started):
    return started(Site(picture()))


@pytest.fixture
def accounts():
    return Accounts(AccessKey("LTAIlong", "long-secret"))


@pytest.fixture
def start_green(accounts, clock, started):
    """Start a local content moderation by these rules, at 14:00 UTC on 24 November 2026; its caller."""

    def start(url_of=None, name_of=None, **rules):
        rules = GreenRules(moderation_takes_ms=0, **rules)
        server = started(GreenServer(accounts, now=clock, rules=rules, url_of=url_of, name_of=name_of))
        server.silence = 0.0
        caller = GreenCaller(server.origin, clock)
        caller.server = server
        return caller

    return start


@pytest.fixture
def green(start_green):
    return start_green()
