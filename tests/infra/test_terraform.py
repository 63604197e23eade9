"""
infra/terraform makes what ``setup`` and ``s.yaml`` make: the HCL is held against the values that the command
writes, those against the documents of ``setup``, and every argument against what the provider documents.
"""

import argparse
import json
import re
import tomllib
from dataclasses import replace
from functools import cache

import hcl2
import pytest
import yaml

from function.setting_table import SETTINGS
from ops.account import terraform
from ops.account.bucket_plan import bucket_steps
from ops.account.ram_documents import same_document
from ops.account.role_plan import FoundRoles, role_steps
from ops.account.terraform_values import ACCOUNT_MARKER, KNOWN_PROPS, SECRETS, left_out
from ops.account.wanted import read_wanted
from tests.docs.markdown import ROOT, both, page

MODULE = ROOT / "infra" / "terraform"
ACCOUNT = "1234567890123456"
META = {"count", "for_each", "depends_on", "dynamic", "lifecycle", "provider"}
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
[video]
key = "videos/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["video/mp4"]
parts = true
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
hold = ["commit"]
hold_days = 3
"""
SECRET_SETTINGS = {
    "TOKEN_SECRET": "token-secret-canary-0123456789abcdef",
    "WECHAT_SECRET": "wechat-secret-canary",
}
PLAIN_SETTINGS = {
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx0123456789abcdef",
    "STS_SESSION_SECONDS": "7200",
}


# --- the HCL ---


def plain(value):
    """Names without their quotes, texts as well."""
    if isinstance(value, dict):
        return {name.strip('"'): plain(item) for name, item in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


@cache
def parsed():
    files = {}
    for path in MODULE.glob("*.tf"):
        with path.open() as file:
            for kind, blocks in plain(hcl2.load(file)).items():
                files.setdefault(kind, []).extend(blocks)
    return files


def blocks(kind):
    return {
        (of, name): body
        for block in parsed()[kind]
        for of, named in block.items()
        for name, body in named.items()
    }


def variables():
    return {name: body for block in parsed()["variable"] for name, body in block.items()}


def arguments(body, above=""):
    """Every argument and block of a resource, nested ones with a point; a dynamic one as what it becomes."""
    for name, value in body.items():
        if name == "dynamic":
            for dynamic in value:
                for block, inner in dynamic.items():
                    yield above + block
                    for content in inner["content"]:
                        yield from arguments(content, f"{above}{block}.")
        elif name not in META:
            yield above + name
            # A block is a list of bodies; a list of texts is a value.
            inners = value if isinstance(value, list) else []
            for inner in inners:
                if isinstance(inner, dict):
                    yield from arguments(inner, f"{above}{name}.")


def test_it_has_what_a_deployment_needs_and_nothing_else():
    assert set(blocks("resource")) == {
        *(("alicloud_ram_role", name) for name in ("function", "upload")),
        *(("alicloud_ram_policy", name) for name in ("function", "upload")),
        *(("alicloud_ram_role_policy_attachment", name) for name in ("function", "upload")),
        *(("alicloud_oss_bucket", name) for name in ("uploads", "code")),
        *(("alicloud_oss_bucket_acl", name) for name in ("uploads", "code")),
        *(("alicloud_oss_bucket_public_access_block", name) for name in ("uploads", "code")),
        ("alicloud_oss_bucket_object", "code"),
        ("alicloud_fcv3_function", "upload"),
        ("alicloud_fcv3_trigger", "http"),
    }


def test_the_provider_documents_every_argument():
    known = tomllib.loads((ROOT / "tests/infra/provider_arguments.toml").read_text("utf-8"))
    used = {**blocks("resource"), **blocks("data")}
    assert {of for of, _ in used} == set(known)
    for (of, name), body in used.items():
        assert set(arguments(body)) <= set(known[of]["arguments"]), (of, name)


def text_of_module():
    lines = (line for path in MODULE.glob("*.tf") for line in path.read_text("utf-8").splitlines())
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in lines)


def test_every_reference_leads_to_something_and_every_variable_is_used():
    text = text_of_module()
    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(variables())
    for name, field in re.findall(r"\bvar\.(\w+)\.(\w+)", text):
        assert re.search(rf"\b{field} = ", variables()[name]["type"]), (name, field)
    referred = set(re.findall(r"(?<![.\w])(alicloud_\w+)\.(\w+)", text)) | {
        (of, name) for of, name in re.findall(r"\bdata\.(\w+)\.(\w+)", text)
    }
    assert referred <= {*blocks("resource"), *blocks("data")}


def names_in(value):
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {name for item in value.values() for name in names_in(item)}


def test_each_value_that_is_written_has_its_variable_and_each_variable_its_value(written):
    own = {"secrets", "package"}
    assert set(written) == set(variables()) - own
    for name, value in written.items():
        if isinstance(value, dict) and name != "environment":
            assert names_in(value) == set(re.findall(r"(\w+) = ", variables()[name]["type"])), name


@pytest.mark.parametrize("role", ["function", "upload"])
def test_a_role_gets_its_documents_with_the_account_in_them_and_nothing_else(role):
    made, policy = (
        blocks("resource")["alicloud_ram_role", role],
        blocks("resource")["alicloud_ram_policy", role],
    )
    filled = f"${{replace(var.{role}_role.%s, var.account_marker, local.account)}}"
    assert made["assume_role_policy_document"] == filled % "trust"
    assert policy["policy_document"] == filled % "policy"
    assert made["max_session_duration"] == f"${{var.{role}_role.max_session_seconds}}"
    assert made["role_name"] == policy["policy_name"] == f"${{var.{role}_role.name}}"
    attached = blocks("resource")["alicloud_ram_role_policy_attachment", role]
    assert attached["role_name"] == f"${{alicloud_ram_role.{role}.role_name}}"
    assert attached["policy_name"] == f"${{alicloud_ram_policy.{role}.policy_name}}"


def test_the_role_that_is_trusted_is_made_first_and_the_function_last():
    resources = blocks("resource")
    assert resources["alicloud_ram_role", "upload"]["depends_on"] == ["${alicloud_ram_role.function}"]
    assert resources["alicloud_fcv3_function", "upload"]["depends_on"] == [
        f"${{alicloud_ram_role_policy_attachment.{name}}}" for name in ("function", "upload")
    ]


def test_no_destroy_takes_what_users_have_stored():
    uploads = blocks("resource")["alicloud_oss_bucket", "uploads"]
    assert uploads["force_destroy"] is False
    code = blocks("resource")["alicloud_oss_bucket", "code"]
    assert code["bucket"] == "${var.bucket.name}-code"


def test_secrets_are_marked_and_stand_nowhere_else():
    assert variables()["secrets"]["sensitive"] is True
    merged = blocks("resource")["alicloud_fcv3_function", "upload"]["environment_variables"]
    assert re.findall(r"var\.\w+", merged) == ["var.environment", "var.secrets"]
    assert text_of_module().count("var.secrets") == 1


# --- the values ---


@pytest.fixture
def operator(tmp_path, monkeypatch):
    """An operator's folder: profiles, and settings in the environment."""
    (tmp_path / "profiles.toml").write_text(PROFILES)
    for name in [row.name for row in SETTINGS] + ["FUNCTION_ROLE_NAME", "FUNCTION_NAME", "LOG_PROJECT"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**PLAIN_SETTINGS, **SECRET_SETTINGS}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def arguments_of(folder, *options):
    parser = argparse.ArgumentParser()
    terraform.add_arguments(parser)
    given = ["--bucket", "my-bucket", "--region", "cn-shanghai", "--bucket-create", "--lang", "en"]
    given += ["--profiles", str(folder / "profiles.toml"), "--env-file", str(folder / ".env")]
    given += ["--into", str(folder / "values.json"), "--h5-origin", "https://m.example.com"]
    return parser.parse_args([*given, *options])


@pytest.fixture
def written(operator, capsys):
    assert terraform.run(arguments_of(operator)) == 0
    return json.loads((operator / "values.json").read_text("utf-8"))


def documents_of_setup(operator, environ):
    wanted = read_wanted(arguments_of(operator), environ)
    steps, _ = role_steps(replace(wanted.roles, account=ACCOUNT), FoundRoles())
    return wanted, steps


@pytest.mark.parametrize("role", ["function", "upload"])
def test_the_documents_are_those_that_setup_makes(operator, written, role):
    wanted, steps = documents_of_setup(operator, PLAIN_SETTINGS)
    name = getattr(wanted.roles, f"{role}_role")
    (made,) = [one.parameters for one in steps if one.parameters.get("AssumeRolePolicyDocument")
               and one.parameters["RoleName"] == name]  # fmt: skip
    (policy,) = [one.parameters for one in steps if one.parameters.get("PolicyDocument")
                 and one.parameters["PolicyName"] == name]  # fmt: skip
    ours = written[f"{role}_role"]

    def filled(text):
        return json.loads(text.replace(written["account_marker"], ACCOUNT))

    assert same_document(filled(ours["trust"]), made["AssumeRolePolicyDocument"])
    assert same_document(filled(ours["policy"]), policy["PolicyDocument"])
    assert ours["max_session_seconds"] == made["MaxSessionDuration"]
    assert ours["name"] == name
    assert "held/" in written["upload_role"]["policy"]


def test_the_marker_stands_in_the_documents_as_the_account_and_nowhere_else(written):
    shown = json.dumps({**written, "account_marker": ""})
    assert shown.count(ACCOUNT_MARKER) == 2
    # A character that Terraform's jsonencode would write otherwise.
    assert not set(ACCOUNT_MARKER) & set("<>&")


def test_the_bucket_s_rules_are_those_of_setup(operator, written):
    wanted, _ = documents_of_setup(operator, PLAIN_SETTINGS)
    steps, _ = bucket_steps(wanted.bucket, None)
    (body,) = [one.parameters["body"] for one in steps if one.action == "PutBucketLifecycle"]
    rules = written["bucket"]["lifecycle_rules"]
    assert len(rules) == body.count("<Rule>") > 1
    for rule in rules:
        assert f"<ID>{rule['id']}</ID>" in body
    assert {rule["prefix"]: (rule["abort_days"], rule["expire_days"]) for rule in rules}["held/"] == (None, 3)
    (cors,) = written["bucket"]["cors_rules"]
    assert (cors["origins"], cors["methods"]) == (["https://m.example.com"], ["POST", "PUT"])
    assert written["bucket"]["create"] is True and written["bucket"]["block_public_access"] is True


def test_block_public_access_goes_off_only_where_setup_switches_it_off(operator):
    text = PROFILES.replace("confirm = true\n[video]", 'acl = "public-read"\n[video]')
    (operator / "profiles.toml").write_text(text)
    for options, blocked in (((), True), (("--allow-public-read",), False)):
        assert terraform.run(arguments_of(operator, *options)) == 0
        found = json.loads((operator / "values.json").read_text("utf-8"))
        assert found["bucket"]["block_public_access"] is blocked


def test_the_function_is_that_of_s_yaml(written):
    (resource,) = yaml.safe_load(page("s.yaml"))["resources"].values()
    props, function = resource["props"], written["function"]
    (trigger,) = props["triggers"]
    assert function["description"] == props["description"]
    assert (function["runtime"], function["handler"]) == (props["runtime"], props["handler"])
    assert (function["cpu"], function["memory_mb"], function["disk_mb"]) == (
        *(props["cpu"], props["memorySize"], props["diskSize"]),
    )
    assert function["timeout_seconds"] == props["timeout"]
    assert function["internet_access"] is props["internetAccess"]
    assert function["initializer"] == props["instanceLifecycleConfig"]["initializer"]["handler"]
    assert function["methods"] == trigger["triggerConfig"]["methods"]
    assert function["auth_type"] == trigger["triggerConfig"]["authType"]
    assert set(props) <= KNOWN_PROPS


def test_each_setting_is_given_once_and_no_secret_is_written(operator, written, capsys):
    assert terraform.run(arguments_of(operator)) == 0
    said = capsys.readouterr().out
    assert "with: TOKEN_SECRET, WECHAT_SECRET" in said
    text = (operator / "values.json").read_text("utf-8")
    assert not [value for value in SECRET_SETTINGS.values() if value in text + said]
    given = written["environment"]
    assert not set(given) & SECRETS and "STS_ROLE_ARN" not in given
    assert {name: given[name] for name in PLAIN_SETTINGS} == PLAIN_SETTINGS
    assert (given["OSS_BUCKET"], given["OSS_REGION"]) == ("my-bucket", "cn-shanghai")
    assert "" not in given.values()
    # A session as long as the settings want, and no longer than the role's.
    assert written["upload_role"]["max_session_seconds"] == 7200


def test_the_log_goes_where_s_yaml_sends_it():
    props = {"logConfig": {"project": "p", "logstore": "l", "enableRequestMetrics": True}}
    assert left_out({**props, "vpcConfig": {}, "customDomain": {}}) == ["customDomain", "vpcConfig"]


def test_what_the_module_does_not_know_is_told(operator, monkeypatch, capsys):
    real = terraform.function_props
    monkeypatch.setattr(
        terraform, "function_props", lambda environ: {**real(environ), "vpcConfig": {"vpcId": "v"}}
    )
    assert terraform.run(arguments_of(operator)) == 0
    assert "does not know what s.yaml says of vpcConfig" in capsys.readouterr().out


def test_a_setting_that_lacks_is_named_and_nothing_is_written(operator, monkeypatch, capsys):
    monkeypatch.delenv("CALLER_AUTH")
    assert terraform.run(arguments_of(operator)) == 2
    assert "CALLER_AUTH" in capsys.readouterr().err
    assert not (operator / "values.json").exists()


def test_a_folder_that_is_not_there_is_told(operator, capsys):
    assert terraform.run(arguments_of(operator, "--into", str(operator / "none" / "x.json"))) == 1
    assert "none" in capsys.readouterr().err


def test_what_is_written_is_kept_out_of_the_repository():
    ignored = page(".gitignore").splitlines()
    assert {"infra/terraform/*.auto.tfvars.json", "infra/terraform/*.tfstate*"} <= set(ignored)


@pytest.mark.parametrize("name", both("docs/deploy.md"))
def test_the_page_about_deploying_says_how(name):
    assert "manage.py terraform" in page(name) and "infra/terraform" in page(name)
