"""A local cloud whose function is the real one, for what a terminal asks of it."""

import argparse

import pytest

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway
from ops.terminal import command_line

LENT = []


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    for cloud in LENT:
        cloud.reset()


def start_cloud(stack, folder, caller_auth, more=None):
    """Its services end with the stack."""
    place, own = {}, {}
    # The keys that a test gives the command are not those of the function.
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context), environ=own)
    stack.callback(gateway.stop)
    cloud = stack.enter_context(LocalCloud(gateway, folder, caller_auth, extra_settings=more))
    own |= cloud.environment()
    place["function"] = Function(Dependencies(own))
    gateway.start()
    LENT.append(cloud)
    stack.callback(LENT.remove, cloud)
    return cloud


@pytest.fixture
def run_command(monkeypatch, capsys, tmp_path):
    """Run a command with these settings: ``run_command(module, environ, options)``, its code and output."""

    def run(module, environ, options):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        args = parser.parse_args(["--env-file", str(tmp_path / ".env"), "--lang", "en", *options])
        return command_line.run_command(module.run, args), *capsys.readouterr()

    return run
