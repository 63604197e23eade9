"""features: options of the example mini-program that a deployed function lacks."""

import json
from contextlib import ExitStack

import pytest
import requests

from function.auth import all_settings
from function.config.option_table import OPTIONS
from function.config.profiles import read_profiles
from function.config.setting_table import SETTINGS
from function.routes import ROUTES
from ops.client.features import lacking_features
from ops.client.function_client import FunctionAtUrl
from ops.deploy.features import FEATURES, ROUTE_OF
from tests.ops.client.conftest import start_cloud
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
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


@cases("options", "lacking")
def test_each_feature_names_the_profile_and_the_options_that_it_lacks(clouds, options, lacking):
    cloud = clouds(profiles_with(options))
    found = lacking_features(FunctionAtUrl(cloud.gateway.origin), "")
    titles = {feature.title: name for name, feature in FEATURES.items()}
    named = {}
    for title, name in titles.items():
        for text in found:
            if text.en.startswith(f"{title.en}: "):
                named[name] = text.en.partition(": lacks ")[2].split(", ")
                assert text.zh.startswith(title.zh) and text.zh.endswith(", ".join(named[name]))
    assert named == lacking


def test_nothing_is_lacking_where_the_samples_run_and_no_form_is_signed(clouds, caplog):
    caplog.set_level("INFO", logger="oss_direct_upload")
    cloud = clouds("")
    assert lacking_features(FunctionAtUrl(cloud.gateway.origin), "") == []
    pages = 'max_size = "1MiB"\ncontent_types = ["text/html"]\n'
    of_pages = clouds("".join(f'[{name}]\nkey = "{name}/{{id}}"\n{pages}' for name in ("default", "video")))
    assert len(lacking_features(FunctionAtUrl(of_pages.gateway.origin), "")) == len(FEATURES) - 1
    code = {"code": "local-features"}
    token = requests.post(f"{cloud.gateway.origin}/login", json=code, timeout=60).json()["token"]
    assert lacking_features(FunctionAtUrl(cloud.gateway.origin), token) == []
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.getMessage()[:1] == "{"]
    assert {line["status"] for line in lines if line["route"] != "login"} <= {400, 401, 404, 413, 415}
    assert not any(line["uploadId"] for line in lines)


def test_the_table_names_options_settings_and_routes_that_exist():
    options, settings = {row.name for row in OPTIONS}, {row.name for row in [*SETTINGS, *all_settings()]}
    for feature in FEATURES.values():
        assert set(feature.options) <= options and set(feature.settings) <= settings
        table = "".join(f"{option} = {value}\n" for option, value in feature.options.items())
        key = 'key = "a/{owner}/{id}{ext}"\n'
        assert read_profiles(f"[p]\n{key}{TYPES}{table}", default_signature="v4")[1] == []
    assert set(ROUTE_OF) <= options and set(ROUTE_OF.values()) <= set(ROUTES)
