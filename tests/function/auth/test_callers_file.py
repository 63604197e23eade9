"""auth.callers_file: ``callers.toml`` becomes entries, and each fault a problem of its own."""

import json

import pytest

from function.app import load_settings
from function.auth import alipay, owner_of
from function.auth.callers_file import key_of
from function.errors import Misconfigured
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)
TABLE = table_beside(__file__)
FILES, SIX = TABLE["FILES"], TABLE["SIX"]


@pytest.fixture
def read(environment, tmp_path):
    """Read settings of this text of ``callers.toml``, beside these profiles."""

    def make(callers=SIX, profiles="", **changes):
        (tmp_path / "profiles.toml").write_text(TABLE["PROFILE"] + profiles, "utf-8")
        if callers is not None:
            text = callers if isinstance(callers, bytes) else callers.encode()
            (tmp_path / "callers.toml").write_bytes(text)
        for name, text in FILES.items():
            (tmp_path / name).write_text(text, "utf-8")
        named = {"CALLER_AUTH": "several", "PROFILES_FILE": str(tmp_path / "profiles.toml")}
        return load_settings({**environment, **named, **TABLE["ENVIRON"], **changes})

    return make


def problems_of(read, *text, **changes):
    with pytest.raises(Misconfigured) as raised:
        read(*text, **changes)
    return raised.value.problems


@cases("id", "owner")
def test_an_owner_is_made_of_its_caller_and_the_subject(id, owner):
    assert owner_of("oABC", "an-owner-secret-of-at-least-32-characters", id) == owner


def test_without_a_file_the_setting_is_refused_with_its_place(read):
    (problem,) = problems_of(read, None, 'callers = ["main"]\n')
    assert problem.setting == "callers.toml"
    assert "callers.toml" in problem.sentence.values["path"]
    assert problem.sentence.values["why"] == "No such file or directory"


@pytest.mark.parametrize("text", [b"\xff", b"a = " + b"[" * 100_000], ids=["no UTF-8", "deep nesting"])
def test_a_file_that_cannot_be_read_is_one_problem(read, text):
    (problem,) = problems_of(read, text)
    assert problem.setting == "callers.toml"
    assert problem.sentence.values.get("why") not in (None, "None")


def test_a_secret_s_file_that_cannot_be_read_has_its_reason(read, tmp_path):
    (tmp_path / "odd").write_bytes(b"\xff")
    section = "[main]\nkind = 'wechat'\nappid = 'wx1'\nsecret = 'file:{}'\n"
    said = [
        problem.sentence.values["clause"].values["why"]
        for name in ("odd", "nowhere")
        for problem in problems_of(read, section.format(name))
    ]
    assert said[0].startswith("it is not")
    assert said[1] == "No such file or directory"


@cases("text", "profiles", "changes")
def test_callers_that_may_stand_side_by_side_are_read(read, text, profiles, changes):
    assert read(text, profiles, **changes).callers


def test_an_address_of_the_environment_serves_the_sections_that_name_none(read):
    text = SIX.replace('appid = "wx2', 'endpoint = "https://b.example.com"\nappid = "wx2')
    main, second, *_ = read(text, WECHAT_ENDPOINT="https://a.example.com").callers
    assert (main.settings.endpoint, second.settings.endpoint) == (
        "https://a.example.com",
        "https://b.example.com",
    )


def test_a_key_is_the_setting_without_its_kind_but_for_alipay_s_public_key():
    keys = [key_of(row, "alipay") for row in alipay.KIND.settings]
    assert keys == ["app_id", "key", "alipay_public_key", "identity", "endpoint"]


@pytest.mark.parametrize(("key", "value"), [("appid", "wx 1"), ("endpoint", "no address")])
def test_a_refusal_names_the_key_of_the_section(read, key, value):
    keys = {"kind": "wechat", "appid": "wx1", "secret": "env:MAIN_SECRET", key: value}
    (problem,) = problems_of(read, "[main]\n" + "".join(f'{name} = "{keys[name]}"\n' for name in keys))
    assert f"[main]: {key} " in problem.sentence


@cases("text", "values")
def test_a_fault_of_one_section_is_one_problem(read, text, values):
    (problem,) = problems_of(read, text)
    assert problem.setting == "callers.toml"
    said = {**getattr(problem.sentence.values.get("clause"), "values", {}), **problem.sentence.values}
    assert said.items() >= values.items()


@cases("profiles", "changes", "settings")
def test_settings_and_profiles_beside_several_callers_must_fit(read, profiles, changes, settings):
    assert tuple(each.setting for each in problems_of(read, SIX, profiles, **changes)) == settings


def test_events_of_wechat_need_a_caller_of_wechat(read):
    erasing = {"ERASE": "true", "ERASE_ON": "user_authorization_revoke"}
    (problem,) = problems_of(read, f"[site]{SIX.partition('[site]')[2]}", **erasing)
    assert problem.setting == "ERASE_ON"


def test_all_problems_are_found_together_and_none_shows_a_secret(read):
    text = SIX.replace('"env:MAIN_SECRET"', '"canary"').replace("env:SECOND_SECRET", "env:canary")
    found = problems_of(read, text + "[x]\nkind = 1\n")
    assert len(found) == 3
    assert "canary" not in json.dumps(found)


@pytest.mark.parametrize(
    "text",
    [
        "[main]\nsecret = canary\n",
        '[main]\nkey = "-----BEGIN PRIVATE KEY-----\ncanary\n',
        "[main]\nkind = 'wechat'\nappid = 'env:CANARY'\nsecret = 'env:CANARY'\n",
        "[main]\nkind = 'wechat'\nappid = 'file:canary'\nsecret = 'env:CANARY'\nendpoint = 'env:CANARY'\n",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(read, tmp_path, text):
    (tmp_path / "canary").write_text("a canary", "utf-8")
    found = problems_of(read, text, CANARY="a canary")
    shown = json.dumps([each.sentence for each in found]).replace("file:canary", "")
    assert "canary" not in shown


def test_one_caller_reads_no_option_of_several(environment, profiles_file):
    with pytest.raises(Misconfigured) as raised:
        load_settings(
            {**environment, "PROFILES_FILE": profiles_file(TABLE["PROFILE"] + 'callers = ["main"]')}
        )
    assert "CALLER_AUTH" in {problem.needs for problem in raised.value.problems}


def test_the_entries_of_a_file_have_their_ids_and_claims(read):
    settings = read()
    said = {each.name: (each.id, each.app, each.owner_id) for each in settings.callers}
    assert said == {name: tuple(row) for name, row in TABLE["ENTRIES"].items()}
    assert settings.only is None
    assert settings.unnamed.name == "main"
    assert settings.callers[0].settings.push.token == "pushtokenA"
