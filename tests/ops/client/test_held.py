"""``manage.py invoke`` asks about what is held back, commits it and discards it, as a backend does."""

import argparse
from contextlib import ExitStack
from itertools import count

import pytest

from ops.client import invoke
from tests.ops.client.conftest import start_cloud
from tests.ops.client.test_invoke import log_in
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

# Each is good once.
CODES = count()
SECRET = "terminal-secret-canary-0123456789abcdef"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with ExitStack() as stack:
        more = {"TOKEN_SECRET": SECRET}
        yield start_cloud(stack, tmp_path_factory.mktemp("objects"), "wechat", more)


@pytest.fixture
def env_file(tmp_path):
    path = tmp_path / ".env"
    path.write_text(f"TOKEN_SECRET={SECRET}\n")
    return path


@pytest.fixture
def terminal(cloud, env_file, tmp_path, capsys):
    """``terminal(options)`` runs the command: its exit status, and what it printed."""

    def run(*options, env=env_file):
        parser = argparse.ArgumentParser()
        invoke.add_arguments(parser)
        place = ["--url", cloud.gateway.origin, "--env-file", env]
        status = invoke.run(parser.parse_args([*map(str, place), *map(str, options)]))
        shown = capsys.readouterr()
        assert SECRET not in shown.out + shown.err
        return status, shown.out + shown.err

    return run


@pytest.fixture
def stored(cloud, terminal, tmp_path):
    """``stored(profile)``: the session that uploaded a picture, and its receipt."""

    def upload(profile="note"):
        picture = tmp_path / "a.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n")
        token = log_in(cloud, f"local-holds-{next(CODES)}")
        status, shown = terminal("--token", token, "--profile", profile, "--upload", picture)
        assert status == 0, shown
        [receipt] = [line for line in shown.splitlines() if line.startswith("eyJ")]
        return token, receipt

    return upload


@cases("profile", "commands", "state")
def test_a_backend_decides_with_a_token_of_the_function_s_secret(terminal, stored, profile, commands, state):
    _, receipt = stored(profile)
    for option, *more in commands:
        status, shown = terminal(option, receipt, *more)
        assert status == 0
    assert state in shown


def test_the_owner_s_token_commits_and_discards(terminal, stored):
    token, receipt = stored()
    status, shown = terminal("--commit", receipt, "--token", token, env="/does/not/exist/.env")
    assert status == 0
    assert "published" in shown
    status, shown = terminal("--discard", receipt, "--token", token)
    assert status == 1
    assert "already_published" in shown


def test_a_commit_without_a_secret_names_the_missing_setting(terminal, tmp_path):
    status, shown = terminal("--commit", "a.b.c", env=tmp_path / "none")
    assert status == 2
    assert "RECEIPT_SECRET" in shown
    short = tmp_path / "short"
    short.write_text("TOKEN_SECRET=short\n")
    assert terminal("--commit", "a.b.c", env=short)[0] == 2


def test_a_malformed_receipt_is_explained(terminal):
    status, shown = terminal("--status", "a.b.c")
    assert (status, "forbidden" in shown) == (1, True)


@cases("options")
def test_options_that_exclude_each_other_are_refused(terminal, options):
    assert terminal(*options)[0] == 2
