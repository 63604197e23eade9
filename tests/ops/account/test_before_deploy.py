"""before_deploy: the account against the profiles, before ``make deploy`` changes anything."""

import io
import re

import pytest

from ops.account.before_deploy import examine, main
from ops.terminal.language import Failure
from ops.terminal.screen import Screen
from tests.conftest import TOKEN_SECRET
from tests.ops.account.stubs import ACCOUNT, SECRET, UPLOAD_ROLE, bucket_info, run
from tests.support.cases import profile_toml

POST = profile_toml("post", "posts", content_types=["image/jpeg"], confirm=True, hold=["commit"])
REFUSED = (403, {}, "<Error><Code>AccessDenied</Code><Message>m</Message></Error>")
SETTINGS = {
    "OSS_BUCKET": "my-bucket",
    "OSS_REGION": "cn-hangzhou",
    "STS_ROLE_ARN": f"acs:ram::{ACCOUNT}:role/{UPLOAD_ROLE}",
    "CALLER_AUTH": "jwt",
    "JWT_KEY": "k" * 32,
    "JWT_ALGORITHM": "HS256",
    "TOKEN_SECRET": TOKEN_SECRET,
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAItest",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
}


@pytest.fixture
def account(cloud, capsys):
    """An account that ``setup`` made ready for these profiles; ask what is wrong for others."""
    cloud.profiles.write_text(POST)
    assert run(cloud, "--yes", "--bucket-create") == 0
    capsys.readouterr()

    def ask(options="", **changes):
        cloud.profiles.write_text(POST + options)
        printed = io.StringIO()
        environ = {**SETTINGS, "PROFILES_FILE": str(cloud.profiles), **changes}
        problems = examine({name: value for name, value in environ.items() if value}, "en", Screen(printed))
        assert SECRET not in printed.getvalue()
        return [problem.en for problem in problems], printed.getvalue().splitlines()

    cloud.ask = ask
    return cloud


def test_rules_shorter_than_hold_days_stop_the_deployment_until_setup_has_run(account):
    problems, _ = account.ask("hold_days = 7\n")
    assert any("held/posts/" in each and "after 2 days" in each for each in problems)
    assert any("held/.due/" in each for each in problems)
    assert all("manage.py setup" in each for each in problems)
    assert run(account, "--yes") == 0
    assert account.ask("hold_days = 7\n")[0] == []


def test_rights_that_lack_are_spoken_of(account):
    problems, (line,) = account.ask('read = "owner"\nlist = true\n')
    assert problems == [] and UPLOAD_ROLE in line and "oss:ListObjects" in line and "manage.py setup" in line


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_bucket_is_refused_for_a_profile_with_strip(account, acl):
    account.oss.info = bucket_info(acl=acl)
    assert account.ask()[0] == []
    [problem] = account.ask("strip = true\n")[0]
    assert acl in problem and "[post]" in problem


@pytest.mark.parametrize("strip", ["", "strip = true\n"])
def test_each_thing_that_the_key_may_not_read_is_one_line(account, strip):
    account.ram.refuse["GetPolicy"] = (403, {"Code": "NoPermission", "Message": "m"})
    account.oss.refuse["GET"] = REFUSED
    problems, lines = account.ask(strip)
    assert problems == [] and len(lines) == 2
    assert "NoPermission" in lines[0] and "my-bucket" in lines[1] and "AccessDenied" in lines[1]
    account.ram.refuse["GetCallerIdentity"] = (403, {"Code": "Forbidden", "Message": "m"})
    problems, (line,) = account.ask(strip)
    assert problems == [] and "Forbidden" in line


def test_without_a_key_a_profile_with_strip_is_refused_and_others_have_one_line(account):
    none = dict.fromkeys(("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"), "")
    assert [len(each) for each in account.ask(**none)] == [0, 1]
    with pytest.raises(Failure):
        account.ask("strip = true\n", **none)


def test_wrong_settings_are_left_to_the_check_before(account):
    account.oss.calls.clear()
    assert account.ask(CALLER_AUTH="") == ([], []) and account.oss.calls == []


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["--anyway"], 0)])
def test_anyway_goes_on_and_still_says_it(account, monkeypatch, capsys, arguments, status):
    account.profiles.write_text(POST + "hold_days = 7\n")
    for name, value in {**SETTINGS, "PROFILES_FILE": str(account.profiles)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["before_deploy", *arguments])
    monkeypatch.setattr("ops.account.before_deploy.ENV_FILE", account.profiles.with_name(".env"))
    assert main(None) == status
    assert re.search("held/posts/.* 2 days", capsys.readouterr().err)
