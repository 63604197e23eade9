"""What ``setup`` is asked for: options, environment and profiles."""

import pytest

from ops.deploy.cloud_keys import KEY_NAMES
from tests.ops.account.stubs import ACCOUNT, PLACES, run


@pytest.mark.parametrize(("settings", "options", "complaint"), [
    ({"OSS_BUCKET": "UPPER"}, [], "OSS_BUCKET must be"),
    ({"OSS_BUCKET": ""}, [], "it is missing"),
    ({"OSS_REGION": "oss-cn-beijing"}, [], "a region id such as cn-beijing; 'oss-cn-beijing' is not"),
    ({"FUNCTION_ROLE_NAME": "a/b"}, [], "FUNCTION_ROLE_NAME must be"),
    ({"LOG_PROJECT": "a/b*"}, [], "LOG_PROJECT must be"),
    ({"LOG_PROJECT": "logs", "LOG_STORE": "*"}, [], "LOG_STORE must be"),
    ({"STS_ROLE_ARN": f"acs:ram::{ACCOUNT}:role/a.b"}, [], "its name must be 1 to 64 letters"),
    ({"FUNCTION_ROLE_NAME": "oss-direct-upload"}, [], "is the function's own role"),
    *(({"STS_SESSION_SECONDS": each}, [], "from 900 to 43200") for each in ("60", "43201", "1h")),
    ({"PROFILES_FILE": "/does/not/exist.toml"}, [], "cannot be read"),
    ({}, ["--account", "me"], "--account must be"),
    ({}, ["--h5-origin", "*"], "--h5-origin must be"),
    ({}, ["--h5-origin", "https://a.example.com/path"], "--h5-origin must be"),
    ({}, ["--also-trust", "*"], "--also-trust must be"),
    ({}, [], "10 apples"),
    ({}, ["--contacts", "a,b"], "--contacts"),
    ({}, ["--contacts", "a b"], "--contacts"),
    ({}, ["--egress-alarm", "1"], "--egress-alarm"),
    *(({}, ["--contacts", "o", "--egress-alarm", each], "GB") for each in ("0", "-1", "nan", "100001")),
])  # fmt: skip
def test_a_wrong_setting_option_or_profile_is_named_and_nothing_is_sent(
    cloud, capsys, monkeypatch, settings, options, complaint
):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    if not settings and not options:
        cloud.profiles.write_text('[default]\nkey = "uploads/{id}"\nmax_size = "10 apples"\n')
    assert run(cloud, "--yes", *options) == 2
    assert complaint in capsys.readouterr().err
    assert (cloud.ram.calls, cloud.oss.calls, cloud.metrics.calls) == ([], [], [])


@pytest.mark.parametrize("has_keys", [True, False])
def test_keys_of_another_account_or_none_are_refused(cloud, capsys, monkeypatch, has_keys):
    if not has_keys:
        monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert run(cloud, "--yes", "--account", "9999999999") == 2
    said = capsys.readouterr().err
    assert all(name in said for name in ([ACCOUNT] if has_keys else KEY_NAMES))
    assert cloud.ram.changes() == []


def test_a_dry_run_asks_for_the_account_where_profiles_name_roles(cloud, capsys):
    cloud.profiles.write_text(PLACES)
    assert run(cloud, "--dry-run", "--lang", "en") == 2
    assert "--account" in capsys.readouterr().err
    # What tells it is the role of the deployment as well.
    cloud.profiles.with_name(".env").write_text(f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/oss-direct-upload\n")
    assert run(cloud, "--dry-run") == 0


@pytest.mark.parametrize(("name", "complaint"), [
    ("oss-direct-upload-function", "is the function's own role (FUNCTION_ROLE_NAME)"),
    ("with.point", "its name must be 1 to 64 letters, digits and hyphens"),
])  # fmt: skip
def test_a_role_of_a_profile_that_cannot_be_made_is_named_before_anything_changes(
    cloud, capsys, name, complaint
):
    cloud.profiles.write_text(PLACES.replace("role/my-contracts", f"role/{name}"))
    assert run(cloud, "--yes", "--lang", "en") == 2
    told = capsys.readouterr().err
    assert f"role/{name}" in told and complaint in told
    assert cloud.ram.changes() == []
