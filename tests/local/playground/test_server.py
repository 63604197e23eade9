"""The page over HTTP: its files, its addresses, and the actions that it asks for."""

import contextlib
import http.client

import pytest

from local.playground.server import PlaygroundServer
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

FILES = {
    "page/index.html": "<h1>页</h1>",
    "page/assets/app.js": "1",
    "page/data.unknown": "\0",
    "page/.hidden": "secret",
    "client/index.js": "client",
    "secret.txt": "secret",
    "page-secret/a.txt": "secret",
}


@pytest.fixture
def done():
    return []


@pytest.fixture
def get(tmp_path, done):
    """One call of a playground, whose one action takes the kind ``drop``: status, headers and body."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "page" / "link.txt").symlink_to(tmp_path / "secret.txt")

    def act(wanted):
        if wanted["kind"] != "drop":
            raise ValueError(wanted)
        done.append(wanted)

    folders = tmp_path / "page", tmp_path / "client"
    about = (lambda: {"function": "http://f"}), "http://oss/{0}?{1}".format, {"/fault.json": act}
    running = PlaygroundServer(*folders, *about).start()

    def get(target, method="GET", body=None, headers=None):
        address = running.origin.removeprefix("http://")
        with contextlib.closing(http.client.HTTPConnection(address, timeout=60)) as connection:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    get.origin = running.origin
    yield get
    running.stop()


@cases("target", "content_type", "body")
def test_serves_the_page_the_client_and_the_addresses(get, target, content_type, body):
    status, headers, seen = get(target)
    assert (status, headers["Content-Type"], seen) == (200, content_type, body)
    assert headers["Cache-Control"] == "no-store"
    # No other origin may read a signed URL.
    assert not [name for name in headers if name.startswith("Access-Control")]


def test_the_page_has_one_form_fail(get, done):
    assert get("/fault.json", "POST", '{"kind": "drop"}', {"Origin": get.origin})[0] == 200
    assert done == [{"kind": "drop"}]


@cases("target", "body", "headers", "status")
def test_invalid_requests_get_their_status_and_do_nothing(get, done, target, body, headers, status):
    assert get(target, "POST", body, headers)[0] == status
    assert done == []


def test_a_head_has_the_length_and_no_body_and_other_methods_are_not_implemented(get):
    status, headers, body = get("/assets/app.js", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, "1", b"")
    assert get("/", "DELETE")[0] == 501


@cases("target")
def test_finds_nothing_outside_its_two_folders(get, target):
    status, _, body = get(target)
    assert status == 404 and b"secret" not in body
