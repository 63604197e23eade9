"""features: options of one's own profiles that a deployed function lacks."""

import json
from contextlib import ExitStack

import pytest
import requests

from function.config.profiles import read_profiles
from local.profiles import DEMO
from ops.client.features import lacking_options
from ops.client.function_client import FunctionAtUrl
from tests.ops.client.conftest import start_cloud

TYPES = 'max_size = "1MiB"\ncontent_types = ["image/*"]\n'


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    """Clouds by their profiles, whose callers are anonymous; with none, the samples."""
    with ExitStack() as stack:
        started = {}

        def start(profiles):
            if profiles not in started:
                folder = tmp_path_factory.mktemp("cloud")
                (folder / "profiles.toml").write_text(profiles)
                more = {"PROFILES_FILE": str(folder / "profiles.toml")} if profiles else None
                caller_auth = "anonymous" if profiles else "wechat"
                started[profiles] = start_cloud(stack, folder / "objects", caller_auth, more)
            return started[profiles]

        yield start


def profiles_with(options):
    """Return profiles of these names, each with options of its own."""
    return "".join(f'[{name}]\nkey = "{name}/{{id}}{{ext}}"\n{TYPES}{more}' for name, more in options.items())


@pytest.mark.parametrize(("options", "own", "lacking"), [
    ({"default": ""}, {"default": "", "shaidan": ""}, ["[shaidan] is not deployed"]),
    (
        {"a": "confirm = true\n"},
        {"a": 'confirm = true\nread = "callers"\nparts = true\nlist = false\n'},
        ["[a] lacks read, parts"],
    ),
    ({"a": "confirm = true\n"}, {"a": ""}, []),
])  # fmt: skip
def test_own_profiles_and_options_that_are_not_deployed_are_named(clouds, options, own, lacking):
    cloud = clouds(profiles_with(options))
    profiles = read_profiles(profiles_with(own), default_signature="v4")[0]
    found = lacking_options(FunctionAtUrl(cloud.gateway.origin), "", profiles)
    assert [text.en for text in found] == lacking
    assert all(text.zh.startswith(text.en.partition(" ")[0]) for text in found)


def test_nothing_is_lacking_where_the_same_profiles_run_and_no_form_is_signed(clouds, caplog):
    caplog.set_level("INFO", logger="oss_direct_upload")
    origin = clouds("").gateway.origin
    client = FunctionAtUrl(origin)
    profiles = read_profiles((DEMO / "profiles.toml").read_text("utf-8"), default_signature="v4")[0]
    code = {"code": "local-features"}
    token = requests.post(f"{origin}/login", json=code, timeout=60).json()["token"]
    assert lacking_options(client, token, profiles) == []
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.getMessage()[:1] == "{"]
    assert {line["status"] for line in lines if line["route"] != "login"} <= {400, 401, 404, 413, 415}
    assert not any(line["uploadId"] for line in lines)
