"""Calls that a warm form does not make: each stands for a trick, and is made again when the trick is gone."""

import sys
from collections import Counter
from functools import partial

import pytest

from function.app import Function
from function.auth.session import SessionToken
from function.context import Dependencies
from function.request_log import to_standard_output
from handler import serve
from tests.support.cases import cases_beside
from tests.support.stage import ask_wsgi

cases = cases_beside(__file__)

FILE = {"filename": "a.png", "contentType": "image/png", "size": 5}
WECHAT = {
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "s",
    "TOKEN_SECRET": "0123456789abcdef" * 2,
}


def calls_of(act):
    """Return how often each Python function is called, by its module and qualified name."""
    calls = Counter()

    def count(frame, what, _argument):
        if what == "call":
            calls[f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"] += 1

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls


@pytest.fixture
def ask(environment, clock, good_sts):
    """Return how a warm instance answers an event; its first answer made it warm."""
    environ = {**environment, **WECHAT}
    function = Function(Dependencies(environ, now=clock, write_line=to_standard_output))
    settings = function.ready().settings
    token = SessionToken.issue("o-somebody", settings.only, settings, clock())

    def prepare(make_event, **fields):
        event = make_event(headers={"Authorization": f"Bearer {token}"}, **fields)
        assert serve(function, event, None)["statusCode"] == 200
        return partial(serve, function, event, None)

    return prepare


@cases("call")
def test_a_warm_form_does_not_make_this_call(ask, event, call):
    calls = calls_of(ask(event, body=FILE))
    assert calls["function.app.Function.respond"] == 1
    assert calls[call] == 0


def test_a_wsgi_request_without_a_query_parses_none(environment, clock, good_sts):
    function = Function(Dependencies(environment, now=clock))
    for query, parsed in (("", 0), ("a=1", 1)):
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": query}
        calls = calls_of(partial(ask_wsgi, function, environ))
        assert calls["function.http.gateway.request_from_wsgi"] == 1
        assert calls["urllib.parse.parse_qsl"] == parsed
