"""What ``setup`` is asked for: options, environment and profiles."""

from tests.ops.account.stubs import ACCOUNT, FUNCTION_ROLE, PLACES, run
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("options", "complaint")
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


def test_a_dry_run_asks_for_the_account_where_profiles_name_roles(cloud, capsys):
    cloud.profiles.write_text(PLACES)
    assert run(cloud, "--dry-run", "--lang", "en") == 2
    assert "--account" in capsys.readouterr().err
    # What tells it is the role of the deployment as well.
    cloud.profiles.with_name(".env").write_text(f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/oss-direct-upload\n")
    assert run(cloud, "--dry-run") == 0


@cases("name", "complaint")
def test_a_role_of_a_profile_that_cannot_be_made_is_named_before_anything_changes(
    cloud, capsys, name, complaint
):
    cloud.profiles.write_text(PLACES.replace("role/my-contracts", f"role/{name}"))
    assert run(cloud, "--yes", "--lang", "en") == 2
    told = capsys.readouterr().err
    assert f"role/{name}" in told and complaint in told
    assert cloud.ram.changes() == []


def test_the_function_role_of_another_account_may_have_any_name(cloud):
    cloud.profiles.write_text(PLACES.replace("role/uploads", f"role/{FUNCTION_ROLE}"))
    assert run(cloud, "--yes") == 0
