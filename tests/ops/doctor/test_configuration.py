"""What ``doctor`` reads, provoked: ``.env``, settings, profiles."""

import pytest

from ops.doctor.configuration import check_settings
from ops.doctor.findings import State
from tests.ops.doctor.conftest import Findings

PROFILE = 'max_size = 9\ncontent_types = ["image/*"]\n'


@pytest.fixture
def found(here, profiles):
    """The findings where settings and profiles are these."""

    def check(text="", without=(), **changes):
        environ = {**here.environ, **changes, **(profiles(text) if text else {})}
        return Findings(check_settings({name: environ[name] for name in environ if name not in without})[1])

    return check


def test_looks_at_the_deployed_function_even_when_the_settings_here_are_wrong(here):
    assert here.examine(without=("OSS_BUCKET",)).of("Deployed function", State.GOOD)


TWO = f'[p]\nkey = "p/{{owner}}/{{id}}"\n{PROFILE}[q]\nkey = "q/{{id}}"\n'
ANYONE = {"CALLER_AUTH": "anonymous"}


@pytest.mark.parametrize(
    ("text", "changes", "pieces"),
    [
        ('[p]\nkey = "u/{id}"\nexpires_in = 1800\n', {}, ["[p] forms live 1800 s"]),
        ('[p]\nkey = "u/{id}"\nsignature = "v1"\n', {}, ["[p] is signed with V1"]),
        ('[p]\nkey = "u/{id}"\n', ANYONE, ["CALLER_AUTH=anonymous"]),
        ('[p]\nkey = "u/{owner}/{sha256}"\nconfirm = true\n', {}, []),
        ('[p]\nkey = "u/{owner}/{sha256}"\nconfirm = true\n', ANYONE, ["CALLER_AUTH", "[p] names bytes"]),
        (TWO, {"ERASE": "true"}, ["ERASE does not cover [q]"]),
        (TWO, {"ERASE": "false"}, []),
    ],
)
def test_each_doubtful_setting_is_named(found, text, changes, pieces):
    doubts = [one.said.en for one in found(text + PROFILE, **changes).of("Settings", State.UNSURE)]
    assert [piece in said for piece, said in zip(pieces, doubts, strict=True)] == [True] * len(pieces)


def test_a_callback_without_its_address_is_mended_in_either_file(found):
    text = f'[p]\nkey = "u/{{id}}"\ncallback = true\n{PROFILE}'
    finding = found(text, CALLBACK_URL="").the_bad_one("Settings")
    assert "CALLBACK_URL in .env" in finding.remedy.en


def test_settings_missing_for_the_check_are_reported_with_their_source(found):
    text = f'[p]\nkey = "u/{{owner}}/{{id}}"\nconfirm = true\nhold = ["check"]\n{PROFILE}'
    lacking = {"WECHAT_PUSH_TOKEN": "", "WECHAT_PUSH_AES_KEY": "", "STS_SESSION_SECONDS": "3600"}
    bad = found(text, **lacking).of("Settings", State.BAD)
    names = ("manage.py setup", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")
    assert all(name in one.remedy.en for name, one in zip(names, bad, strict=True))
    assert found(text).of("Settings", State.GOOD)
