"""Answers that mean harm to the terminal of who invokes the function, and tokens that no header takes."""

import argparse
import base64
import json

import pytest

from local.common.http_server import Handler, Server
from ops.client import invoke
from ops.client.claims import read_claims

EVIL = "\x1b[2J\x9b\u202e\x07gone"
DEEP = "[" * 100_000
FORM = {"key": "a/b.png", "policy": "e30=", "x-oss-signature": "0" * 64}
BASE = {"fileUrl": "https://files.example.com/a", "formData": FORM}


@pytest.fixture
def hostile():
    """Start a function whose answers are given by route; ``oss`` stands for the form's own address."""
    servers = []

    def start(**answers):
        class Stub(Handler):
            def do_POST(self):  # noqa: N802
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                route = self.path.strip("/") or "oss"
                body = answers[route.replace("-", "_")]
                text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
                status = 200 if not isinstance(body, dict) else body.get("status", 200)
                self.answer(status, text.replace("OSS", servers[0].origin).encode("utf-8", "surrogatepass"))

        servers.append(Server(Stub).start())
        return servers[0].origin

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def picture(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    return tmp_path / "a.png"


def run(*options):
    parser = argparse.ArgumentParser()
    invoke.add_arguments(parser)
    given = [str(option) for option in options]
    return invoke.run(parser.parse_args([*given, "--lang", "en", "--env-file", "/does/not/exist"]))


def assert_plain(capsys):
    said = "".join(capsys.readouterr())
    assert all(mark.isprintable() or mark == "\n" for mark in said), repr(said)
    return said


FORMS = [
    {**BASE, "url": "OSS", "fileUrl": EVIL},
    {**BASE, "url": "OSS", "formData": {**FORM, "key": EVIL, EVIL: EVIL}},
    {**BASE, "url": f"OSS/{EVIL}"},
    {**BASE, "url": "http://["},
    {**BASE, "url": ""},
    {**BASE, "url": "OSS", "formData": {**FORM, "key": "\ud800"}},
    {**BASE, "url": "OSS", "formData": {**FORM, "key": {"a": [EVIL]}}},
    {"url": 5, "formData": {}},
    {"status": 403, "error": {"code": EVIL, "message": EVIL, "requestId": EVIL}},
    {"Code": EVIL, "Message": EVIL},
    {"policy": EVIL, "dir": EVIL, "host": EVIL, "accessid": EVIL},
    DEEP,
    EVIL,
]


@pytest.mark.parametrize("form", FORMS)
def test_no_form_moves_the_cursor_or_ends_in_a_traceback(hostile, capsys, picture, form):
    url = hostile(upload_params=form, oss={"status": 200})
    assert run("--url", url, "--upload", picture) in (0, 1)
    assert_plain(capsys)


CALLBACKS = [
    {"status": "ok", "url": EVIL, EVIL: EVIL},
    {"receipt": EVIL},
    {"receipt": f"a.{base64.urlsafe_b64encode(json.dumps({'key': EVIL}).encode()).decode()}.c"},
    {"receipt": f"a.{base64.urlsafe_b64encode(DEEP.encode()).decode()}.c"},
    {"receipt": "a.é.c"},
    {"receipt": "a." + "\ud800" + ".c"},
    f"<Error><Code>{EVIL}</Code><Message>{EVIL}</Message></Error>",
    DEEP,
]


@pytest.mark.parametrize("told", CALLBACKS)
def test_no_answer_to_the_upload_moves_the_cursor_or_ends_in_a_traceback(hostile, capsys, picture, told):
    url = hostile(upload_params={**BASE, "url": "OSS"}, oss=told)
    assert run("--url", url, "--upload", picture) in (0, 1)
    assert_plain(capsys)


@pytest.mark.parametrize("token", ["", 5, EVIL, "Bearer x", "\ud800", "é", "a\r\nX-Evil: 1", {"a": 1}])
def test_no_token_of_a_login_moves_the_cursor_or_ends_in_a_traceback(hostile, capsys, token):
    url = hostile(login={"token": token, "expiresIn": EVIL}, upload_params={**BASE, "url": "OSS"})
    run("--url", url, "--code", "abc")
    assert_plain(capsys)


@pytest.mark.parametrize("token", ["é", "a b", "a\nb", "\udcff", "\u202e"])
def test_a_token_that_no_header_takes_is_refused(hostile, capsys, token):
    assert run("--url", hostile(), "--token", token) == 1
    assert_plain(capsys)


def test_a_file_name_that_is_not_utf_8_is_sent(hostile, capsys):
    assert run("--url", hostile(upload_params={**BASE, "url": "OSS"}), "--filename", "a\udcff.png") == 0


@pytest.mark.parametrize("receipt", ["", "a", "a.b", "a.b.c", "a.é.c", "a.!.c", "a.W10.c", "a.bnVsbA.c"])
def test_an_invalid_receipt_has_no_claims(receipt):
    assert read_claims(receipt) is None
