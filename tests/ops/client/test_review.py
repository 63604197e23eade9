"""``manage.py review``: what its page may ask, who may ask it, and what the command says before."""

import argparse
import http.client
import json

import jwt
import pytest

from ops.client import review
from ops.client.form_upload import Answer
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.client.review_server import MAX_BODY_BYTES, ReviewServer
from ops.terminal.command_line import run_command
from ops.terminal.language import Failure, Text

SECRET = "review-SecretCanary-0123456789abcdef"
ITEMS = {"items": [], "cursor": None, "serverTime": "2026-11-25T12:00:00Z"}
TOKEN = "page-token"


def answer(body, status=200):
    return Answer(status, json.dumps(body), {})


def refused(status, code):
    return answer({"error": {"code": code, "message": "No.", "requestId": "r"}}, status)


class Scripted:
    """The function, with an answer for each route."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def ask(self, route, body, token):
        self.asked.append((route, body, token))
        said = self.answers[route]
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    for name in ("RECEIPT_SECRET", "TOKEN_SECRET"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".env"
    path.write_text(f"RECEIPT_SECRET={SECRET}\n", "utf-8")
    return path


@pytest.fixture
def desk_of(env_file):
    def build(**answers):
        caller = answers.pop("caller", "")
        function = Scripted(**answers)
        args = argparse.Namespace(env_file=env_file, caller=caller)
        return review.Desk(function, args, "小红"), function

    return build


# --- what the page asks ---


def test_each_call_has_a_backend_token_of_its_own(desk_of):
    desk, function = desk_of(reviews=answer(ITEMS))
    assert desk.items({"cursor": None}) == {**ITEMS, "reviewer": "小红"}
    desk.items({"cursor": "c", "limit": 7, "reviewer": "another"})
    assert [(route, body) for route, body, _ in function.asked] == [
        ("reviews", {}),
        ("reviews", {"cursor": "c"}),
    ]
    for _, _, token in function.asked:
        jwt.decode(token, SECRET, ["HS256"], audience="oss-direct-upload/backend")


CALLERS = """
[main]
kind = "wechat"
appid = "wx1"
owners = "unnamed"
[tt]
kind = "douyin"
appid = "tt1"
"""


@pytest.mark.parametrize(("caller", "keys"), [
    ("", ["a", "b", "c"]), ("main", ["a"]), ("douyin:tt1", ["b"]), ("alipay:2021", ["c"]),
])  # fmt: skip
def test_items_of_one_caller_are_shown_alone(desk_of, env_file, monkeypatch, caller, keys):
    monkeypatch.setattr("function.config.settings.DEFAULT_PROFILES_FILE", env_file)
    env_file.with_name("callers.toml").write_text(CALLERS, "utf-8")
    env_file.write_text(f"RECEIPT_SECRET={SECRET}\nCALLER_AUTH=several\n", "utf-8")
    callers = {"a": "wechat:wx1", "b": "douyin:tt1", "c": "alipay:2021"}
    items = [{"key": key, "caller": each} for key, each in callers.items()]
    desk, _ = desk_of(reviews=answer({**ITEMS, "items": items}), caller=caller)
    assert [each["key"] for each in desk.items({})["items"]] == keys


def test_a_decision_is_made_in_the_name_of_the_command(desk_of):
    made = {"state": "rejected", "decision": {"reviewer": "小红"}}
    desk, function = desk_of(commit=answer(made))
    assert desk.decide({"receipt": "r", "decision": "reject", "reviewer": "another"}) == made
    ((route, body, _),) = function.asked
    assert (route, body) == ("commit", {"receipt": "r", "decision": "reject", "reviewer": "小红"})
    desk.decide({"receipt": "r", "decision": "publish", "aiLabel": 3})
    assert function.asked[-1][1]["aiLabel"] == 3


@pytest.mark.parametrize(("status", "code"), [(409, "already_published"), (404, "not_uploaded")])
def test_a_late_decision_gets_the_state_of_the_first(desk_of, status, code):
    latest = {"state": "published", "decision": {"reviewer": "小明"}}
    desk, function = desk_of(commit=refused(status, code), status=answer(latest))
    assert desk.decide({"receipt": "r", "decision": "reject"}) == latest
    assert [(route, body) for route, body, _ in function.asked][1:] == [("status", {"receipt": "r"})]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("said", [
    refused(403, "forbidden"), refused(418, "of_a_newer_version"), answer({"detail": "Not Found"}, 404),
    Answer(502, "<html>SecretCanary</html>", {}), FunctionSilent(Text("silent", "没有响应")),
], ids=["known", "unknown", "another", "html", "silent"])  # fmt: skip
def test_an_error_is_a_sentence_in_the_language_of_the_page(desk_of, said, language):
    desk, _ = desk_of(reviews=said)
    sentence = desk.items({"language": language})["error"]
    assert sentence and (not sentence.isascii()) is (language == "zh")
    assert SECRET not in sentence


def test_a_missing_secret_is_said(desk_of, env_file):
    env_file.write_text("", "utf-8")
    desk, function = desk_of()
    assert "RECEIPT_SECRET" in desk.items({})["error"]
    assert function.asked == []


# --- who may ask ---


@pytest.fixture
def page():
    done = []

    def act(fields):
        done.append(fields)
        return {"done": True}

    server = ReviewServer(TOKEN, {"/items.json": act}, 0).start()
    server.done = done
    yield server
    server.stop()


def ask(page, method, path, body=None, **headers):
    port = int(page.origin.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def test_the_page_acts_for_a_holder_of_its_token(page):
    assert page.address == f"{page.origin}/#{TOKEN}"
    status, headers, body = ask(page, "POST", "/items.json", b'{"a": 1}', X_Page_Token=TOKEN)
    assert (status, json.loads(body), page.done) == (200, {"done": True}, [{"a": 1}])
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("headers", [
    {},
    {"X_Page_Token": ""},
    {"X_Page_Token": "another"},
    {"X_Page_Token": "é"},
    {"X_Page_Token": TOKEN, "Origin": "https://evil.example"},
    {"X_Page_Token": TOKEN, "Origin": "null"},
], ids=str)  # fmt: skip
def test_a_missing_token_or_another_site_is_refused(page, headers):
    assert ask(page, "POST", "/items.json", b"{}", **headers)[0] == 403
    assert page.done == []


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9090", "127.0.0.1.evil.example"])
def test_a_name_that_was_made_to_lead_here_is_refused(page, host):
    for method, path in (("GET", "/"), ("POST", "/items.json")):
        assert ask(page, method, path, b"{}", Host=host, X_Page_Token=TOKEN)[0] == 421
    assert page.done == []


def test_a_preflight_gets_no_permission(page):
    status, headers, _ = ask(page, "OPTIONS", "/items.json", Origin="https://evil.example")
    assert status == 501
    assert not [name for name in headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(("path", "body", "status"), [
    ("/items.json", b"", 400), ("/items.json", b"[]", 400), ("/items.json", b"[" * 5000, 400),
    ("/items.json", b"x" * (MAX_BODY_BYTES + 1), 413), ("/", b"{}", 403),
], ids=["empty", "list", "deep", "overlong", "unknown action"])  # fmt: skip
def test_a_request_that_the_page_never_sends_is_refused(page, path, body, status):
    assert ask(page, "POST", path, body, X_Page_Token=TOKEN)[0] == status
    assert page.done == []


def test_the_page_runs_its_own_files_only(page):
    for path in ("/", "/style.css", "/review.js", "/media.js", "/texts.js"):
        status, headers, body = ask(page, "GET", path)
        assert status == 200 and body
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        assert headers["Referrer-Policy"] == "no-referrer"
        rules = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(rules)
        assert TOKEN.encode() not in body


@pytest.mark.parametrize("path", ["/tsconfig.json", "/../review.py", "/%2e%2e/review.py", "/index.html"])
def test_no_other_file_is_served(page, path):
    assert ask(page, "GET", path)[0] == 404


# --- the command ---


@pytest.fixture
def run(env_file, monkeypatch, capsys):
    """The command, until it would wait for its end."""

    def end():
        raise KeyboardInterrupt

    monkeypatch.setattr(review, "wait_for_the_end", end)

    def run(*options, said=None):
        function = Scripted(reviews=said or answer(ITEMS))
        monkeypatch.setattr(FunctionAtUrl, "ask", lambda _self, *asked: function.ask(*asked))
        parser = argparse.ArgumentParser()
        review.add_arguments(parser)
        given = "--lang en --url https://up.example.com --env-file".split()
        args = parser.parse_args([*given, str(env_file), *options])
        try:
            code = run_command(review.run, args)
        except KeyboardInterrupt:
            code = 130
        return code, *capsys.readouterr(), function.asked

    return run


def test_the_address_is_printed_once_the_function_has_answered(run):
    code, out, err, asked = run("--reviewer", " 小红 👨‍👩‍👧 ")
    assert (code, err) == (130, "")
    assert [line.strip() for line in out.splitlines()][1].startswith("http://127.0.0.1:")
    assert [(route, body) for route, body, _ in asked] == [("reviews", {"limit": 1})]
    assert SECRET not in out


@pytest.mark.parametrize(("said", "status"), [
    (refused(404, "not_found"), 1), (refused(403, "forbidden"), 1),
    (FunctionSilent(Text("silent", "没有响应")), 1), (Failure(Text("none", "没有")), 2),
], ids=["no route", "another secret", "silent", "failure"])  # fmt: skip
def test_a_refusal_is_printed_before_a_page_is_opened(run, said, status):
    code, out, err, _ = run("--reviewer", "小红", said=said)
    assert (code, out) == (status, "")
    assert err


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\tb", "\x00"], ids=repr)
def test_the_reviewer_needs_a_name(run, name):
    code, _, err, asked = run("--reviewer", name)
    assert (code, asked) == (2, [])
    assert "--reviewer" in err
