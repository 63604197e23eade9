"""What ``setup`` is asked for: options, environment and profiles."""

import pytest

from tests.ops.account.stubs import ACCOUNT, FUNCTION_ROLE, run


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--bucket", "UPPER"], "--bucket or OSS_BUCKET must be"),
        (
            ["--region", "oss-cn-beijing"],
            "--region or OSS_REGION must be a region id such as cn-beijing; 'oss-cn-beijing' is not",
        ),
        (["--account", "me"], "--account must be"),
        (["--function-role", "a/b"], "--function-role must be"),
        (["--upload-role", FUNCTION_ROLE], "must be two roles"),
        (["--h5-origin", "*"], "--h5-origin must be"),
        (["--h5-origin", "https://a.example.com/path"], "--h5-origin must be"),
        (["--also-trust", "*"], "--also-trust must be"),
        (["--logs", "project"], "--logs must be"),
        (["--session-seconds", "60"], "must be 900 to 43200"),
        (["--profiles", "/does/not/exist.toml"], "cannot be read"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_sent(cloud, capsys, options, complaint):
    assert run(cloud, "--yes", *options) == 2
    assert complaint in capsys.readouterr().err
    assert cloud.ram.calls == []


def test_wrong_profiles_are_named_and_nothing_is_sent(cloud, capsys):
    cloud.profiles.write_text('[default]\nkey = "uploads/{id}"\nmax_size = "10 apples"\n')
    assert run(cloud, "--yes") == 2
    assert "10 apples" in capsys.readouterr().err
    assert cloud.ram.calls == []


def test_reads_the_settings_of_env_under_those_of_the_environment(cloud, capsys, monkeypatch):
    cloud.profiles.with_name(".env").write_text(
        f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/from-env-file\nFUNCTION_ROLE_NAME=from-env-file-too\n"
    )
    monkeypatch.setenv("FUNCTION_ROLE_NAME", "from-environment")
    assert run(cloud, "--dry-run") == 0
    output = capsys.readouterr().out
    assert f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/from-env-file" in output
    assert "FUNCTION_ROLE_NAME=from-environment" in output
