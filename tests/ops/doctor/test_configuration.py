"""What ``doctor`` reads, provoked: ``.env``, settings, profiles."""

import pytest

from ops.doctor.configuration import check_settings
from ops.doctor.findings import State
from tests.ops.doctor.conftest import Findings


@pytest.fixture
def found(here):
    def check(without=(), **changes):
        environ = {**here.environ, **changes}
        return Findings(check_settings({name: environ[name] for name in environ if name not in without})[1])

    return check


def test_every_missing_setting_is_a_red_line_of_its_own(found):
    findings = found(without=("OSS_BUCKET", "STS_ROLE_ARN", "TOKEN_SECRET"))
    said = [one.said.en for one in findings.of("Settings", State.BAD)]
    for name in ("OSS_BUCKET", "STS_ROLE_ARN", "TOKEN_SECRET"):
        assert any(name in sentence for sentence in said)


def test_looks_at_the_deployed_function_even_when_the_settings_here_are_wrong(here):
    assert here.examine(without=("OSS_BUCKET",)).of("Deployed function", State.GOOD)


def test_doubtful_settings_are_unsure_and_named(found, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/*"]\n'
        'expires_in = 1800\nsignature = "v1"\n'
    )
    findings = found(CALLER_AUTH="anonymous", PROFILES_FILE=str(tmp_path / "profiles.toml"))
    said = " ".join(one.said.en for one in findings.of("Settings", State.UNSURE))
    assert "1800 s" in said and "V1" in said


def test_a_digest_key_with_anonymous_callers_is_doubted(found, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "u/{owner}/{sha256}"\nmax_size = 9\ncontent_types = ["a/b"]\nconfirm = true\n'
    )
    profiles = {"PROFILES_FILE": str(tmp_path / "profiles.toml")}

    def doubts(**changes):
        said = [one.said.en for one in found(**profiles, **changes).of("Settings")]
        return [sentence for sentence in said if "[default]" in sentence]

    assert doubts() == []
    assert len(doubts(CALLER_AUTH="anonymous")) == 1


@pytest.mark.parametrize(("erase", "doubted"), [("true", True), ("false", False)])
def test_a_profile_that_erasing_does_not_cover_is_named(found, tmp_path, erase, doubted):
    about = 'max_size = 9\ncontent_types = ["a/b"]\n'
    texts = (
        f'[{name}]\nkey = "{name}/{tail}"\n{about}' for name, tail in (("a", "{owner}/{id}"), ("b", "{id}"))
    )
    (tmp_path / "profiles.toml").write_text("".join(texts))
    findings = found(PROFILES_FILE=str(tmp_path / "profiles.toml"), ERASE=erase)
    doubts = [one.said.en for one in findings.of("Settings", State.UNSURE)]
    assert ["[b]" in said and "[a]" not in said for said in doubts] == [True] * doubted


def test_a_callback_without_its_address_is_mended_in_either_file(found, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "uploads/{id}"\nmax_size = 9\ncontent_types = ["a/b"]\ncallback = true\n'
    )
    finding = found(CALLBACK_URL="", PROFILES_FILE=str(tmp_path / "profiles.toml")).the_bad_one("Settings")
    assert "CALLBACK_URL in .env" in finding.remedy.en


def test_settings_missing_for_the_check_are_reported_with_their_source(found, tmp_path):
    (tmp_path / "profiles.toml").write_text(
        '[default]\nkey = "u/{owner}/{id}"\nmax_size = 9\ncontent_types = ["image/*"]\nconfirm = true\n'
        'hold = ["check"]\n'
    )
    lacking = {"WECHAT_PUSH_TOKEN": "", "WECHAT_PUSH_AES_KEY": "", "STS_SESSION_SECONDS": "3600"}
    profiles = {"PROFILES_FILE": str(tmp_path / "profiles.toml")}
    bad = found(**profiles, **lacking).of("Settings", State.BAD)
    names = ("manage.py setup", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY")
    assert all(name in one.remedy.en for name, one in zip(names, bad, strict=True))
    assert found(**profiles).of("Settings", State.GOOD)
