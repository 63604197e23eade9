import contextlib
import http.client

import pytest

from local.playground.server import PlaygroundServer
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.fixture
def playground(tmp_path):
    page, client = tmp_path / "page", tmp_path / "client"
    (page / "assets").mkdir(parents=True)
    client.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "page-secret").mkdir()
    (tmp_path / "page-secret" / "a.txt").write_text("secret")
    (page / "index.html").write_text("<h1>页</h1>", encoding="utf-8")
    (page / "assets" / "app.js").write_text("1")
    (page / ".hidden").write_text("secret")
    (page / "link.txt").symlink_to(tmp_path / "secret.txt")
    (page / "data.unknown").write_bytes(b"\0")
    (client / "index.js").write_text("client")
    running = PlaygroundServer(
        page,
        client,
        lambda: {"function": "http://f"},
        "http://oss/{0}?{1}".format,
        {"/fault.json": new_act()},
    ).start()
    yield running
    running.stop()


def new_act():
    """Takes one kind, and remembers what it was asked."""

    def action(wanted):
        if wanted["kind"] != "drop":
            raise ValueError(wanted)
        action.done.append(wanted)

    action.done = []
    return action


def get(running, target, method="GET", body=None, headers=None):
    host, port = running.origin.removeprefix("http://").split(":")
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=60)) as connection:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@cases("target", "content_type", "body")
def test_serves_the_page_the_client_and_the_addresses(playground, target, content_type, body):
    status, headers, seen = get(playground, target)
    assert (status, headers["Content-Type"], seen) == (200, content_type, body)
    assert headers["Cache-Control"] == "no-store"


def test_no_other_origin_may_read_a_signed_url(playground):
    assert not [
        name for name in get(playground, "/signed.json?key=a")[1] if name.startswith("Access-Control")
    ]


def test_the_page_has_one_form_fail(playground):
    own = {"Origin": playground.origin}
    assert get(playground, "/fault.json", "POST", '{"kind": "drop"}', own)[0] == 200
    assert playground.actions["/fault.json"].done == [{"kind": "drop"}]


@cases("target", "body", "headers", "status")
def test_invalid_requests_get_their_status_and_do_nothing(playground, target, body, headers, status):
    assert get(playground, target, "POST", body, headers)[0] == status
    assert playground.actions["/fault.json"].done == []


def test_a_head_has_the_length_and_no_body(playground):
    status, headers, body = get(playground, "/assets/app.js", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "1", b"")


@cases("target")
def test_finds_nothing_outside_its_two_folders(playground, target):
    status, _, body = get(playground, target)
    assert status == 404
    assert b"secret" not in body


def test_other_methods_are_not_implemented(playground):
    assert get(playground, "/", "DELETE")[0] == 501
