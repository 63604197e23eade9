"""The lines that a backend pastes to commit do so, and the page says what the function does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from function.holding.state import OPEN
from local.common.clock import StandingClock
from tests.docs.backends import run
from tests.docs.markdown import both, code_blocks, names_in, page, tables
from tests.support import stage
from tests.support.world import HELD, World

NAME = "docs/held-objects.md"
STATES = {*OPEN, "published", "rejected", "gone"}
SECRET = HELD["TOKEN_SECRET"]


@contextmanager
def serving(world: World) -> Iterator[str]:
    """The function of this world behind a socket: its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            given = {"Authorization": self.headers["Authorization"]}
            reply = stage.ask(world.functions[0], body, path=self.path, **given)
            self.send_response(reply.status)
            self.end_headers()
            self.wfile.write(reply.text.encode())

        def log_message(self, *_said):
            """Nothing of it is for whoever runs the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One for each language, in which its program is built once."""
    return {language: tmp_path_factory.mktemp(language) for language in run.LANGUAGES}


@pytest.fixture
def said_by(folders):
    """What the lines got: how the program ended, and what it printed."""

    def said_by(language, origin, receipts, secret):
        told = (origin, ",".join(receipts), secret)
        return run.run(language, "commits", "commit", folders[language], *told)

    return said_by


@pytest.mark.parametrize("language", run.LANGUAGES)
def test_the_example_lines_commit_and_print_each_state(language, said_by):
    world = World(HELD, StandingClock(datetime.now(UTC)))
    stored = world.store("commit")
    with serving(world) as origin:
        receipts = [stored["receipt"], "a.b.c"]
        assert said_by(language, origin, receipts, SECRET) == (0, "published forbidden")
    assert world.oss.names() == {stored["key"]}


@pytest.mark.parametrize("language", run.LANGUAGES)
def test_with_another_secret_they_fail_and_say_so(language, said_by):
    world = World(HELD, StandingClock(datetime.now(UTC)))
    stored = world.store("commit")
    another = "another-secret-0123456789abcdefghij"
    with serving(world) as origin:
        status, _ = said_by(language, origin, [stored["receipt"]], another)
    assert status != 0
    assert world.oss.names() == {f"held/{stored['key']}"}


def section(name, title):
    """What stands under a heading of the second level."""
    return page(name).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("end", ["discarded", "over"])
def test_committing_a_gone_upload_gets_the_documented_code(end, said_by):
    now = datetime.now(UTC)
    clock = StandingClock(now if end == "discarded" else now - timedelta(days=1))
    world = World(HELD, clock)
    receipt = world.store("commit")["receipt"]
    clock.instant = now
    route = "discard" if end == "discarded" else "status"
    assert world.ask(route, world.session(), receipt=receipt).json["state"] == "gone"
    assert world.commit(receipt, decision="publish").code == "not_uploaded"
    with serving(world) as origin:
        assert said_by("python", origin, [receipt], SECRET) == (0, "not_uploaded")
    for name, title in zip(both(NAME), ("Discard", "丢弃"), strict=True):
        assert section(name, title).count("`not_uploaded`") == 2


def test_the_page_shows_a_file_that_is_run_and_links_to_the_others():
    for name in both(NAME):
        shown = [block for block in code_blocks(page(name)) if block[0] != "mermaid"]
        assert shown == [("js", page("docs/backends/commits.js"))]
        assert run.linked_from(name, "commits")


@pytest.mark.parametrize("name", both(NAME))
def test_the_states_and_the_events_on_the_page_are_those_that_there_are(name):
    states, events = ({names_in(row[0])[0] for row in table} for table in tables(page(name)))
    assert states == STATES
    assert events == STATES - {"held", "checking"} | {"uploaded", "expired"}
    (picture,) = [code for kind, code in code_blocks(page(name)) if kind == "mermaid"]
    arrows = [line.split(":")[0].split("-->") for line in picture.splitlines() if "-->" in line]
    assert {end.strip() for arrow in arrows for end in arrow} == STATES | {"[*]"}
