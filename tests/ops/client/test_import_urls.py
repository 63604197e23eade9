"""``manage.py import``: files of another store arrive under the keys of their users, once each."""

import json
from contextlib import ExitStack

import pytest
import requests

from function.auth import owner_of
from local.common.http_server import Handler, Server
from ops.client import import_source, import_urls
from tests.ops.client.conftest import start_cloud

PICTURE = b"\x89PNG\r\n\x1a\n" + b"x" * 300_000
FILES = {
    "/a.png": ("image/png", PICTURE),
    "/b.mp4": ("application/octet-stream", b"film"),
    "/c.html": ("text/html", b"<p>"),
    "/broken.png": ("image/png", PICTURE),
    "/endless.png": ("image/png", PICTURE),
    "/future.png": ("image/png", PICTURE),
    "/closing.png": ("image/png", PICTURE),
    "/vast.png": ("image/png", b"x" * (11 * 1024 * 1024)),
}
# The port of this server stands in them.
LEADS_TO = {
    "/moved.png": "/a.png",
    "/away.png": "http://localhost:{}/a.png",
    "/round.png": "/round.png",
    "/odd.png": "http://[/a.png",
}
DAY = "Tue, 03 Mar 2020 08:00:00 GMT"


class Elsewhere(Handler):
    """Another store; ``/unsized.png`` comes without a length, and some addresses lead on."""

    def do_GET(self):  # noqa: N802
        path = self.path.partition("?")[0]
        if path in LEADS_TO:
            self.send_response(302)
            self.send_header("Location", LEADS_TO[path].format(self.server.server_address[1]))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path == "/unsized.png":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            return
        kind, body = FILES.get(path, ("text/plain", b""))
        self.send_response(200 if path in FILES else 404)
        length = "9" * 5000 if path == "/endless.png" else len(body)
        day = DAY.replace("2020", "9" * 20) if path == "/future.png" else DAY
        for name, value in {"Content-Type": kind, "Content-Length": length, "Last-Modified": day}.items():
            self.send_header(name, str(value))
        if path == "/closing.png":
            self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(body[: 1000 if path == "/broken.png" else None])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with ExitStack() as stack:
        yield start_cloud(stack, tmp_path_factory.mktemp("objects"), "wechat")


@pytest.fixture
def elsewhere():
    server = Server(Elsewhere).start()
    yield server.origin
    server.stop()


@pytest.fixture
def moved(cloud, elsewhere, tmp_path, run_command):
    """``moved(lines, options)``: the status, what was printed, and the records."""
    path, record = tmp_path / "list.txt", tmp_path / "list.txt.done"

    def run(lines, *options, private=True):
        options += ("--allow-private",) if private else ()
        path.write_text("\n".join(line.replace("~", elsewhere) for line in lines))
        status, out, err = run_command(import_urls, cloud.environment(), [str(path), *options])
        done = record.read_text().splitlines() if record.exists() else []
        return status, out + err, [json.loads(line) for line in done if line.endswith("}")]

    return run


def test_a_file_arrives_as_if_its_user_had_uploaded_it(cloud, moved):
    status, _, (stored,) = moved(["# from the old store", "", "~/a.png?sign=1 openid-a"])
    owner = owner_of("openid-a", cloud.environment()["TOKEN_SECRET"])
    assert status == 0
    assert stored["key"].startswith(f"uploads/{owner}/2020/03/03/") and stored["key"].endswith(".png")
    got = requests.get(cloud.signed_url(stored["key"]), timeout=60)
    assert (got.content, got.headers["Content-Type"]) == (PICTURE, "image/png")
    assert got.headers["Content-Disposition"] == "inline"


def test_recorded_files_are_skipped_and_stored_ones_keep_their_key(moved, tmp_path):
    _, _, first = moved(["~/a.png?sign=1 openid-b"])
    both = moved(["~/a.png?sign=2 openid-b", "~/b.mp4 openid-b"])[2]
    assert (both[:1], len(both)) == (first, 2)
    (tmp_path / "list.txt.done").write_text('{"url": "cut off\n')
    assert moved(["~/a.png?sign=3 openid-b"])[::2] == (0, first)


def test_files_that_only_a_query_tells_apart_are_all_copied(moved):
    queries = ["id=1&sign=1&t=1", "id=2&sign=2&t=2", "id=1&sign=3&t=3", "t=1", "t=2"]
    stored = moved([f"~/a.png?{query} openid-g" for query in queries])[2]
    assert [line["url"].rpartition("?")[2] for line in stored] == ["id=1", "id=2", "id=1", "t=1", "t=2"]
    assert len({line["key"] for line in stored}) == 4


def test_a_dry_run_prints_the_key_and_stores_nothing(cloud, moved):
    status, shown, done = moved(["~/a.png openid-c"], "--dry-run")
    key = json.loads(shown.splitlines()[0])["key"]
    assert (status, done) == (0, [])
    assert requests.get(cloud.signed_url(key), timeout=60).status_code == 404
    assert moved(["~/a.png openid-c"])[2][0]["key"] == key
    shown = moved(["~/b.mp4 openid-c"], "--dry-run", "--caller", "douyin:tt1")[1]
    owner = owner_of("openid-c", cloud.environment()["TOKEN_SECRET"], "douyin:tt1")
    assert f"/{owner}/" in json.loads(shown.splitlines()[0])["key"]


@pytest.mark.parametrize(("path", "why"), [
    ("/c.html", "unsupported_type"), ("/vast.png", "too_large"), ("/none.png", "HTTP 404"),
    ("/broken.png", "Error"), ("/unsized.png", "no Content-Length"), ("/endless.png", "no Content-Length"),
    ("/away.png", "localhost"), ("/round.png", "TooManyRedirects"), ("/odd.png", "ValueError"),
])  # fmt: skip
def test_one_file_that_cannot_be_copied_spoils_no_other(moved, path, why):
    status, shown, done = moved([f"~{path} openid-d", "~/b.mp4 openid-d"])
    assert (status, [line["size"] for line in done]) == (1, [4])
    assert why in shown


def test_a_redirect_on_the_same_host_and_an_impossible_date_spoil_nothing(moved):
    status, _, stored = moved(["~/moved.png openid-i", "~/future.png openid-i", "~/b.mp4 openid-i"])
    assert (status, [line["size"] for line in stored]) == (0, [len(PICTURE)] * 2 + [4])


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=len)
def test_a_private_address_is_not_read_unless_it_is_allowed(moved, options):
    lines = ["~/a.png openid-j", "http://[::ffff:169.254.169.254]/latest/meta-data/ openid-j"]
    hosts = ("100.100.100.200", "[fe80::1]", "localhost", "127.0.0.1:9\\@example.com", "127.0.0.1\\@1.1.1.1")
    hosts += ("[64:ff9b::10.0.0.1]", "[2002:a00:1::]", "[::10.0.0.1]")
    lines += [f"http://{host}/a.png openid-j" for host in hosts]
    status, shown, done = moved(lines, *options, private=False)
    assert (status, done, shown.count("--allow-private")) == (1, [], len(lines))


@pytest.mark.parametrize("path", ["/a.png", "/closing.png"])
def test_an_address_that_becomes_private_after_it_was_resolved_is_not_stored(path, moved, monkeypatch):
    public = [(0, 0, 0, "", ("8.8.8.8", 0))]
    monkeypatch.setattr(import_source, "getaddrinfo", lambda *_: public)
    status, shown, done = moved([f"~{path} openid-k"], private=False)
    assert (status, done, "--allow-private" in shown) == (1, [], True)


def test_a_file_of_a_profile_with_hold_is_imported_as_published(moved):
    assert moved(["~/a.png openid-e"], "--profile", "post")[2][0]["key"].startswith("posts/")


@pytest.mark.parametrize(("line", "options"), [
    ("~/a.png", ()), ("ftp://a openid", ()), ("~/a.png one two", ()), ("~/a.png o", ("--profile", "none")),
    ("~/a.png o", ("--profile", "album")),
])  # fmt: skip
def test_a_list_that_cannot_be_carried_out_is_refused_before_anything_is_copied(moved, line, options):
    status, _, done = moved(["~/b.mp4 openid-f", line], *options)
    assert (status, done) == (2, [])


def test_a_list_that_is_not_there_is_a_sentence(run_command, cloud):
    status, _, err = run_command(import_urls, cloud.environment(), ["absent"])
    assert status == 2 and "absent" in err
