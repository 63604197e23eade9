"""features: options of one's own profiles that a deployed function lacks."""

from contextlib import ExitStack

import pytest

from function.config.profiles import read_profiles
from ops.client.features import lacking_options
from ops.client.function_client import FunctionAtUrl
from tests.ops.client.conftest import start_cloud

TYPES = 'max_size = "1MiB"\ncontent_types = ["image/*"]\n'


def profiles_with(options):
    """Return profiles of these names, each with options of its own."""
    return "".join(f'[{name}]\nkey = "{name}/{{id}}{{ext}}"\n{TYPES}{more}' for name, more in options.items())


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    (folder / "profiles.toml").write_text(profiles_with({"default": "", "a": "confirm = true\n"}))
    with ExitStack() as stack:
        more = {"PROFILES_FILE": str(folder / "profiles.toml")}
        yield FunctionAtUrl(start_cloud(stack, folder / "objects", "anonymous", more).gateway.origin)


@pytest.mark.parametrize(("own", "lacking"), [
    ({"default": "", "shaidan": ""}, ["[shaidan] is not deployed"]),
    ({"a": 'confirm = true\nread = "callers"\nparts = true\nlist = false\n'}, ["[a] lacks read, parts"]),
    ({"default": "", "a": ""}, []),
])  # fmt: skip
def test_undeployed_profiles_and_options_are_named_and_no_form_is_signed(function, log_lines, own, lacking):
    profiles = read_profiles(profiles_with(own), default_signature="v4")[0]
    found = lacking_options(function, "", profiles)
    assert [text.en for text in found] == lacking
    assert all(text.zh.startswith(text.en.partition(" ")[0]) for text in found)
    assert log_lines() and {line["status"] for line in log_lines()} <= {400, 401, 404, 413, 415}
    assert not any(line["uploadId"] for line in log_lines())
