"""A local WeChat that pushes at once to a site, and a client of it."""

import json

import pytest

from local.wechat.push import PushSettings
from local.wechat.server import WechatServer
from tests.local.site import Site, sender

APP_ID, SECRET, AES_KEY = "wx0123456789abcdef", "wechat-secret", "A" * 43
PNG = b"\x89PNG\r\n\x1a\n and what follows"


@pytest.fixture
def site(started):
    return started(Site(PNG))


@pytest.fixture
def wechat(clock, site, started):
    """A local WeChat at 14:00 UTC on 24 November 2026."""
    push = PushSettings(f"{site.origin}/wechat-events", "AAAAA", AES_KEY)
    server = started(WechatServer(APP_ID, SECRET, now=clock, push=push))
    server.checks.delays, server.checks.patience = (0, 0), (0.3, 0)
    return server


@pytest.fixture
def send(wechat):
    return sender(wechat.origin)


@pytest.fixture
def call(send):
    """POST JSON; what was answered, read."""

    def call(path, body=None, method="POST"):
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body)
        return json.loads(send(method, path, sent)[2])

    return call


@pytest.fixture
def check(wechat, call, site):
    """Have a file of ``site`` checked for a user who has just logged in; ``None`` leaves a field out."""
    given = {"appid": APP_ID, "secret": SECRET, "grant_type": "authorization_code"}
    wechat.code2session("GET", {**given, "js_code": wechat.issue_code("oUser")})

    def check(name="sunset", **changed):
        url = f"{site.origin}/held/{name}.png"
        asked = {"media_url": url, "media_type": 2, "version": 2, "scene": 1, "openid": "oUser", **changed}
        asked = {name: value for name, value in asked.items() if value is not None}
        return call(f"/wxa/media_check_async?access_token={wechat.tokens.give()[0]}", asked)

    return check
