"""The lines that a backend pastes to call the function do so, and the page says what the function does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from function.holding.transitions import SHOWN
from local.common.clock import StandingClock
from tests.docs import held_states
from tests.docs.backends import run
from tests.docs.markdown import both, code_blocks, names_in, page, tables
from tests.support import stage
from tests.support.world import HELD, World

NAME = "docs/held-objects.md"
STATES = {*SHOWN.values()}
SECRET = HELD["TOKEN_SECRET"]


@contextmanager
def serving(world: World, is_broken: bool = False) -> Iterator[str]:
    """The function of this world behind a socket, or a gateway that does not reach it: its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            given = {"Authorization": self.headers["Authorization"]}
            reply = stage.ask(world.functions[0], body, path=self.path, **given)
            status, text = (502, "Bad Gateway") if is_broken else (reply.status, reply.text)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

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

    def said_by(language, origin, receipts, secret, session="x"):
        told = (origin, ",".join(receipts), secret, session)
        return run.run(language, "calls", "call", folders[language], *told)

    return said_by


@pytest.mark.parametrize("language", run.LANGUAGES)
def test_the_example_lines_read_each_result_and_introspect_a_session(language, said_by):
    world = World(HELD, StandingClock(datetime.now(UTC)))
    stored = world.store("commit")
    with serving(world) as origin:
        receipts = [stored["receipt"], "a.b.c"]
        said = said_by(language, origin, receipts, SECRET, world.session("openid-7"))
        assert said == (0, "published forbidden openid-7")
    assert world.oss.names() == {stored["key"]}


@pytest.mark.parametrize("language", run.LANGUAGES)
def test_the_example_lines_pass_on_code_message_and_request_id_of_an_error(language, said_by, log_lines):
    world = World(HELD, StandingClock(datetime.now(UTC)))
    stored = world.store("commit")
    another = "another-secret-0123456789abcdefghij"
    with serving(world) as origin:
        status, said = said_by(language, origin, [stored["receipt"]], another)
    code, request_id, message = said.split(" ", 2)
    assert (status, code) == (1, "forbidden")
    assert message == world.ask("commit", world.backend(another), receipt="x").json["error"]["message"]
    assert request_id in {line["requestId"] for line in log_lines() if line["route"] == "commit"}
    with serving(world, is_broken=True) as origin:
        status, said = said_by(language, origin, ["a.b.c"], SECRET)
    assert status == 1 and "502" in said
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
        assert said_by("python", origin, [receipt], SECRET) == (0, "not_uploaded inactive")
    for name, title in zip(both(NAME), ("Discard", "丢弃"), strict=True):
        assert section(name, title).count("`not_uploaded`") == 2


@pytest.mark.parametrize("name", [*both(NAME), *both("docs/callers.md"), *both("docs/tutorial.md")])
def test_the_page_links_to_the_file_of_every_language(name):
    assert run.linked_from(name, "calls")


@pytest.mark.parametrize("name", both(NAME))
def test_the_states_and_the_events_on_the_page_are_those_that_there_are(name):
    states, _, events = ({names_in(row[0])[0] for row in table} for table in tables(page(name)))
    assert states == STATES
    assert events == STATES - {"held", "checking"} | {"uploaded", "expired"}
    (picture,) = [code for kind, code in code_blocks(page(name)) if kind == "mermaid"]
    arrows = [line.split(":")[0].split("-->") for line in picture.splitlines() if "-->" in line]
    assert {end.strip() for arrow in arrows for end in arrow} == STATES | {"[*]"}


@pytest.mark.parametrize("language", held_states.PAGES)
def test_diagram_and_table_are_drawn_from_the_table_of_transitions(language):
    """``python -m tests.docs.held_states`` writes them."""
    assert held_states.drawn(language) == page(held_states.PAGES[language])
