"""A local Alipay with two apps, and a sender of its one call."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from local.alipay.rules import AlipayRules
from local.alipay.server import GATEWAY, AlipayServer
from local.alipay.signing import is_signed, key_of, sign, text_to_sign
from tests.local.sender import sender

APP_ID, OTHER_APP = "2021000000000001", "2021000000000002"
PATH = "/gateway.do"
NODE = '{"alipay_system_oauth_token_response":'


class AlipayCaller:
    """Calls signed by hand; ``None`` leaves a field out, and ``key`` names whose key signs."""

    def __init__(self, server, clock):
        self.server, self._clock = server, clock
        self.send = sender(server.origin)

    def fields(self, code="local-alice", **changed):
        beijing = self._clock.instant + timedelta(hours=8)
        given = {
            "app_id": APP_ID,
            "method": "alipay.system.oauth.token",
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{beijing:%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "grant_type": "authorization_code",
            "code": code,
        }
        return {name: value for name, value in (given | changed).items() if value is not None}

    def text(self, code="local-alice", key="", signature=None, **changed):
        """Return the answer as it came; always HTTP 200."""
        fields = self.fields(code, **changed)
        own = sign(key_of(key or fields.get("app_id", "")), text_to_sign(fields))
        body = urlencode({**fields, "sign": own if signature is None else signature})
        status, _, answer = self.send("POST", PATH, body)
        assert status == 200
        return answer.decode()

    def node(self, *code, **changed):
        """Return the inner object of a success, whose signature covers exactly its text."""
        text = self.text(*code, **changed)
        node, end = json.JSONDecoder().raw_decode(text, len(NODE))
        signature = json.loads("{" + text[end + 1 :])["sign"]
        assert text.startswith(NODE)
        assert is_signed(key_of(GATEWAY).public_key(), text[len(NODE) : end], signature)
        return node

    def error(self, *code, **changed):
        """Return code and sub_code of an unsigned error."""
        answer = json.loads(self.text(*code, **changed))
        assert set(answer) == {"error_response"}
        return f"{answer['error_response']['code']} {answer['error_response']['sub_code']}"


@pytest.fixture
def start_alipay(clock):
    """Start a local Alipay by these rules, at 14:00 UTC on 24 November 2026; its caller."""
    servers = []

    def start(**rules):
        server = AlipayServer(now=clock, rules=AlipayRules(**rules)).start()
        servers.append(server)
        for app_id in (APP_ID, OTHER_APP):
            server.apps[app_id] = key_of(app_id).public_key()
        return AlipayCaller(server, clock)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def alipay(start_alipay):
    return start_alipay()
