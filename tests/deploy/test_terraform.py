"""deploy/terraform: the HCL makes what ``setup`` and ``s.yaml`` make."""

import argparse
import json
import re
import subprocess
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import hcl2
import pytest
import yaml

from function.auth import all_settings
from ops.account import metric_alarms, terraform
from ops.account.bucket_plan import bucket_steps
from ops.account.desired import read_desired
from ops.account.ram_documents import same_document
from ops.account.role_plan import FoundRoles, role_steps
from ops.account.terraform_values import ACCOUNT_MARKER, KNOWN_PROPS, SECRETS, left_out
from tests.docs.markdown import ROOT, both, page

MODULE = ROOT / "deploy" / "terraform"
ACCOUNT = "1234567890123456"
OF_A_ROLE = ("alicloud_ram_role", "alicloud_ram_policy", "alicloud_ram_role_policy_attachment")
OF_A_BUCKET = tuple(f"alicloud_oss_bucket{of}" for of in ("", "_acl", "_public_access_block"))
META = {"count", "for_each", "depends_on", "dynamic", "lifecycle", "provider"}
HERE = Path(__file__).parent
PROFILES, OWN = ((HERE / f"profiles/{name}.toml").read_text("utf-8") for name in ("held", "buckets"))
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


BUCKETS = MODULE / "buckets"


@cache
def parsed(module):
    files = {}
    for path in module.glob("*.tf"):
        with path.open() as file:
            for kind, blocks in plain(hcl2.load(file)).items():
                files.setdefault(kind, []).extend(blocks)
    return files


def blocks(kind, *modules):
    """Of the module and of that for buckets, unless one is named."""
    return {
        (of, name): body
        for module in modules or (MODULE, BUCKETS)
        for block in parsed(module).get(kind, [])
        for of, named in block.items()
        for name, body in named.items()
    }


def variables(module=MODULE):
    return {name: body for block in parsed(module)["variable"] for name, body in block.items()}


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


def test_the_module_has_exactly_the_resources_of_a_deployment():
    assert set(blocks("resource")) == {
        *((of, name) for of in OF_A_ROLE for name in ("function", "upload")),
        *((of, name) for of in OF_A_BUCKET for name in ("uploads", "code")),
        *(("alicloud_oss_bucket_object", "code"), ("alicloud_fcv3_function", "upload")),
        *(("alicloud_fcv3_trigger", kind) for kind in ("http", "timer")),
        ("alicloud_cms_alarm", "metrics"),
    }


def names_of(table, above=""):
    """What a resource may be given, nested ones with a point."""
    for name, said in table.items():
        if isinstance(said, dict):
            yield above + name
            yield from names_of(said, f"{above}{name}.")
        elif name != "block" and "only" not in said.split():
            yield above + name


def test_the_providers_declare_every_argument():
    schema = tomllib.loads((ROOT / "tests/deploy/real/schema.toml").read_text("utf-8"))
    for kind, declared in schema.items():
        used = blocks("resource" if kind == "resource" else "data")
        assert {of for of, _ in used} == set(declared)
        for (of, name), body in used.items():
            assert set(arguments(body)) <= {*names_of(declared[of])}, (of, name)


def text_of_module(module=MODULE):
    lines = (line for path in module.glob("*.tf") for line in path.read_text("utf-8").splitlines())
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in lines)


@pytest.mark.parametrize("module", [MODULE, BUCKETS], ids=["terraform", "buckets"])
def test_every_reference_leads_to_something_and_every_variable_is_used(module):
    text = text_of_module(module)
    # What stands before the move is there no longer.
    text = re.sub(r"^  from = .*$", "", text, flags=re.M)
    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(variables(module))
    for name, field in re.findall(r"\bvar\.(\w+)\.(\w+)", text):
        assert re.search(rf"\b{field} = ", variables(module)[name]["type"]), (name, field)
    referred = set(re.findall(r"(?<![.\w])(alicloud_\w+)\.(\w+)", text)) | {
        (of, name) for of, name in re.findall(r"\bdata\.(\w+)\.(\w+)", text)
    }
    assert referred <= {*blocks("resource", module), *blocks("data", module)}


# By name, however many there are.
MAPS = ("upload_roles", "buckets", "alarms")


def names_in(value):
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {name for item in value.values() for name in names_in(item)}


def test_each_value_that_is_written_has_its_variable_and_each_variable_its_value(written):
    own = {"secrets", "package"}
    assert set(written) == set(variables()) - own
    server = dict.fromkeys(re.findall(r"(\w+) += ", variables()["function"]["type"].rpartition("server")[2]))
    for name, value in written.items():
        if isinstance(value, dict) and name != "environment":
            of_one = [*value.values()] if name in MAPS else value
            if name == "function":
                of_one = {**value, "server": value["server"] or server}
            assert names_in(of_one) == set(re.findall(r"(\w+) = ", variables()[name]["type"])), name


@pytest.mark.parametrize(
    ("role", "value", "index"),
    [("function", "var.function_role", ""), ("upload", "each.value", "[each.key]")],
)
def test_a_role_gets_its_documents_with_the_account_in_them_and_nothing_else(role, value, index):
    made, policy = (blocks("resource")[f"alicloud_ram_{of}", role] for of in ("role", "policy"))
    filled = f"${{replace({value}.%s, var.account_marker, local.account)}}"
    assert made["assume_role_policy_document"] == filled % "trust"
    assert policy["policy_document"] == filled % "policy"
    assert made["max_session_duration"] == f"${{{value}.max_session_seconds}}"
    assert made["role_name"] == policy["policy_name"] == f"${{{value}.name}}"
    attached = blocks("resource")["alicloud_ram_role_policy_attachment", role]
    assert attached["role_name"] == f"${{alicloud_ram_role.{role}{index}.role_name}}"
    assert attached["policy_name"] == f"${{alicloud_ram_policy.{role}{index}.policy_name}}"


def test_each_upload_role_is_one_of_each_and_each_bucket_that_is_to_be_made():
    resources = blocks("resource")
    for of in OF_A_ROLE:
        assert resources[of, "upload"]["for_each"] == "${var.upload_roles}"
    for of in OF_A_BUCKET:
        assert resources[of, "uploads"]["for_each"] == "${local.made}"
    assert plain(parsed(BUCKETS)["locals"][0]["made"]).endswith("bucket if bucket.create}}")


def test_the_two_modules_speak_of_the_same_buckets():
    assert variables(BUCKETS)["buckets"]["type"] == variables()["buckets"]["type"]
    (module,) = [body for block in parsed(MODULE)["module"] for body in block.values()]
    assert module["source"] == "./buckets"
    assert module["buckets"].endswith("bucket if bucket.region == var.region}}")


def test_the_role_that_is_trusted_is_made_first_and_the_function_last():
    resources = blocks("resource")
    assert resources["alicloud_ram_role", "upload"]["depends_on"] == ["${alicloud_ram_role.function}"]
    assert resources["alicloud_fcv3_function", "upload"]["depends_on"] == [
        f"${{alicloud_ram_role_policy_attachment.{name}}}" for name in ("function", "upload")
    ]


def test_destroy_never_deletes_user_uploads():
    uploads = blocks("resource")["alicloud_oss_bucket", "uploads"]
    assert uploads["force_destroy"] is False
    code = blocks("resource")["alicloud_oss_bucket", "code"]
    assert code["bucket"] == '${var.buckets["OSS_BUCKET"].name}-code'


def test_secrets_are_sensitive_and_reach_the_function_alone():
    assert variables()["secrets"]["sensitive"] is True
    merged = blocks("resource")["alicloud_fcv3_function", "upload"]["environment_variables"]
    assert re.findall(r"var\.\w+", merged) == ["var.environment", "var.secrets"]
    # Its own rule, the names of what is given, and the values.
    used = re.findall(r"\S*var\.secrets\S*", text_of_module())
    assert sorted(used) == ["nonsensitive(keys(var.secrets))))", "var.secrets", "var.secrets,"]


# --- the values ---


@pytest.fixture
def operator(tmp_path, monkeypatch):
    """An operator's folder: profiles, and settings in the environment."""
    (tmp_path / "profiles.toml").write_text(PROFILES)
    for name in [row.name for row in all_settings()] + ["FUNCTION_ROLE_NAME", "FUNCTION_NAME", "LOG_PROJECT"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**PLAIN_SETTINGS, **SECRET_SETTINGS}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def arguments_of(folder, *options):
    parser = argparse.ArgumentParser()
    terraform.add_arguments(parser)
    given = ["--bucket", "my-bucket", "--region", "cn-shanghai", "--bucket-create", "--lang", "en"]
    given += ["--contacts", "ops"]
    given += ["--profiles", str(folder / "profiles.toml"), "--env-file", str(folder / ".env")]
    given += ["--into", str(folder / "values.json"), "--h5-origin", "https://m.example.com"]
    return parser.parse_args([*given, *options])


@pytest.fixture
def written(operator, capsys):
    assert terraform.run(arguments_of(operator)) == 0
    return json.loads((operator / "values.json").read_text("utf-8"))


def documents_of_setup(operator, environ):
    desired = read_desired(arguments_of(operator), environ)
    steps, _ = role_steps(replace(desired.roles, account=ACCOUNT), FoundRoles())
    return desired, steps


@pytest.mark.parametrize("role", ["function", "upload"])
def test_the_documents_are_those_that_setup_makes(operator, written, role):
    desired, steps = documents_of_setup(operator, PLAIN_SETTINGS)
    name = getattr(desired.roles, f"{role}_role")
    given = [one.parameters for one in steps]
    given = [one for one in given if name in (one.get("RoleName"), one.get("PolicyName"))]
    (made,) = [one for one in given if "AssumeRolePolicyDocument" in one]
    (policy,) = [one for one in given if "PolicyDocument" in one]
    ours = written["function_role"] if role == "function" else written["upload_roles"]["STS_ROLE_ARN"]

    def filled(text):
        return json.loads(text.replace(written["account_marker"], ACCOUNT))

    assert same_document(filled(ours["trust"]), made["AssumeRolePolicyDocument"])
    assert same_document(filled(ours["policy"]), policy["PolicyDocument"])
    assert ours["max_session_seconds"] == made["MaxSessionDuration"]
    assert ours["name"] == name
    assert "held/" in written["upload_roles"]["STS_ROLE_ARN"]["policy"]


def test_the_alarms_are_those_of_setup(operator, written):
    desired = read_desired(arguments_of(operator), PLAIN_SETTINGS).alarms._replace(account=ACCOUNT_MARKER)
    for alarm in metric_alarms.ALARMS:
        made, ours = metric_alarms.rule(desired, alarm), written["alarms"][alarm.name]
        assert (ours["title"], ours["metric"]) == (made["RuleName"], made["MetricName"])
        assert json.loads(ours["dimensions"]) == json.loads(made["Resources"])
        assert [str(ours["threshold"]), str(ours["minutes"])] == [
            made[f"Escalations.Warn.{name}"] for name in ("Threshold", "Times")
        ]
    resource = blocks("resource")["alicloud_cms_alarm", "metrics"]
    fixed = [str(resource[name]) for name in ("project", "period", "silence_time")]
    assert fixed == [made[name] for name in ("Namespace", "Period", "SilenceTime")]
    (level,) = resource["escalations_warn"]
    assert (level["statistics"], level["comparison_operator"]) == (made["Escalations.Warn.Statistics"], ">")
    assert (
        written["alarm_contacts"] == "ops"
        and written["function"]["name"] in written["alarms"]["failing"]["title"]
    )


def test_without_a_contact_group_there_are_no_alarms(operator):
    assert terraform.run(arguments_of(operator, "--contacts", "")) == 0
    found = json.loads((operator / "values.json").read_text("utf-8"))
    assert (found["alarms"], found["alarm_contacts"]) == ({}, "")


def test_with_erase_a_role_may_list_versions_and_uploads_of_the_bucket_and_delete_in_folders_alone(
    operator, monkeypatch
):
    documents = {}
    for erase in ("false", "true"):
        monkeypatch.setenv("ERASE", erase)
        assert terraform.run(arguments_of(operator)) == 0
        values = json.loads((operator / "values.json").read_text("utf-8"))
        assert values["environment"]["ERASE"] == erase
        documents[erase] = json.loads(values["upload_roles"]["STS_ROLE_ARN"]["policy"])["Statement"]
    where = {
        action: each["Resource"]
        for each in documents["true"]
        if each not in documents["false"]
        for action in each["Action"]
    }
    for action in ("oss:ListObjectVersions", "oss:ListMultipartUploads"):
        assert where[action] == ["acs:oss:*:*:my-bucket"]
        assert action not in json.dumps(documents["false"])
    assert documents_of_setup(operator, {**PLAIN_SETTINGS, "ERASE": "true"})[0].bucket.keeps_erasures
    for action in ("oss:DeleteObjectVersion", "oss:AbortMultipartUpload"):
        assert where[action] and all("/" in resource for resource in where[action])
    assert "oss:DeleteObjectVersion" not in json.dumps(documents["false"])


def test_the_account_marker_is_used_only_in_the_documents(written):
    assert all(ACCOUNT_MARKER in one["dimensions"] for one in written["alarms"].values())
    shown = json.dumps({**written, "account_marker": "", "alarms": {}})
    # What the function may assume, whom the upload role trusts, and what that would be called.
    assert shown.count(ACCOUNT_MARKER) == 3
    # A character that Terraform's jsonencode would write otherwise.
    assert not set(ACCOUNT_MARKER) & set("<>&")


def test_the_bucket_s_rules_are_those_of_setup(operator, written):
    desired, _ = documents_of_setup(operator, PLAIN_SETTINGS)
    steps, _ = bucket_steps(desired.bucket, None)
    (body,) = [one.parameters["body"] for one in steps if one.action == "PutBucketLifecycle"]
    ours = written["buckets"]["OSS_BUCKET"]
    rules = ours["lifecycle_rules"]
    assert len(rules) == body.count("<Rule>") > 1
    for rule in rules:
        assert f"<ID>{rule['id']}</ID>" in body
    days = {rule["prefix"]: (rule["abort_days"], rule["expire_days"]) for rule in rules}
    assert "held/" not in days and "held/.rejected/" not in days
    assert days["held/.decided/"] == (None, 11)
    assert (None, 3) in {day for prefix, day in days.items() if not prefix.startswith("held/.")}
    (cors,) = ours["cors_rules"]
    assert (cors["origins"], cors["methods"]) == (["https://m.example.com"], ["POST", "PUT"])
    assert ours["create"] is True and ours["block_public_access"] is True
    assert (ours["name"], ours["region"]) == ("my-bucket", "cn-shanghai")


def test_block_public_access_goes_off_only_where_setup_switches_it_off(operator):
    text = PROFILES.replace("confirm = true\n[video]", 'acl = "public-read"\n[video]')
    (operator / "profiles.toml").write_text(text)
    for options, blocked in (((), True), (("--allow-public-read",), False)):
        assert terraform.run(arguments_of(operator, *options)) == 0
        found = json.loads((operator / "values.json").read_text("utf-8"))
        assert found["buckets"]["OSS_BUCKET"]["block_public_access"] is blocked


def test_the_function_is_that_of_s_yaml(written):
    (resource,) = yaml.safe_load(page("s.yaml"))["resources"].values()
    props, function = resource["props"], written["function"]
    trigger, timer = props["triggers"]
    same = {"memory_mb": "memorySize", "disk_mb": "diskSize", "timeout_seconds": "timeout"}
    same |= {
        "internet_access": "internetAccess",
        **{name: name for name in "description runtime handler cpu".split()},
    }
    assert {name: function[name] for name in same} == {name: props[of] for name, of in same.items()}
    assert function["initializer"] == props["instanceLifecycleConfig"]["initializer"]["handler"]
    assert function["methods"] == trigger["triggerConfig"]["methods"]
    assert function["auth_type"] == trigger["triggerConfig"]["authType"]
    schedule = timer["triggerConfig"]["cronExpression"]
    assert function["timer"] == {"name": timer["triggerName"], "schedule": schedule, "enabled": True}
    assert set(props) <= KNOWN_PROPS


def test_with_burst_the_function_is_that_of_s_burst_yaml(operator, written):
    assert terraform.run(arguments_of(operator, "--burst")) == 0
    burst = json.loads((operator / "values.json").read_text("utf-8"))
    (resource,) = yaml.safe_load(page("deploy/burst/s.burst.yaml"))["resources"].values()
    props, function, plain_one = resource["props"], burst["function"], written["function"]
    config = props["customRuntimeConfig"]
    assert (plain_one["server"], plain_one["instance_concurrency"]) == (None, None)
    assert function["instance_concurrency"] == props["instanceConcurrency"] > 1
    assert [function["server"][name] for name in ("command", "args", "port")] == [
        config[name] for name in ("command", "args", "port")
    ]
    health = {value for name, value in function["server"].items() if name.startswith("health_")}
    assert health == {*config["healthCheckConfig"].values()}
    assert function["runtime"] == props["runtime"] != plain_one["runtime"]
    assert function["name"] == f"{plain_one['name']}-burst"
    assert f'"{function["name"]}"' in burst["alarms"]["failing"]["dimensions"]
    assert [one["package"] for one in (plain_one, function)] == [
        f"../../build/{name}" for name in ("function", "function-burst")
    ]
    assert (MODULE / function["package"]).resolve() == (ROOT / "deploy/burst" / props["code"]).resolve()
    # Both of them are whom the roles trust, and what the bucket is for.
    same = set(burst) - {"function", "environment", "alarms"}
    assert {name: burst[name] for name in same} == {name: written[name] for name in same}
    assert set(props) <= KNOWN_PROPS


def test_the_outputs_are_the_address_the_names_and_the_roles():
    outputs = {name for block in parsed(MODULE)["output"] for name in block}
    assert outputs == {
        *("url", "function_name", "function_arn", "function_role_arn"),
        *("sts_role_arn", "upload_role_arns", "buckets"),
    }


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
    assert written["upload_roles"]["STS_ROLE_ARN"]["max_session_seconds"] == 7200


def test_the_log_goes_where_s_yaml_sends_it():
    props = {"logConfig": {"project": "p", "logstore": "l", "enableRequestMetrics": True}}
    assert left_out({**props, "vpcConfig": {}, "customDomain": {}}) == ["customDomain", "vpcConfig"]


def test_properties_unknown_to_the_module_are_reported(operator, monkeypatch, capsys):
    real = terraform.function_props
    monkeypatch.setattr(
        terraform, "function_props", lambda *given: {**real(*given), "vpcConfig": {"vpcId": "v"}}
    )
    assert terraform.run(arguments_of(operator)) == 0
    assert "does not know what s.yaml says of vpcConfig" in capsys.readouterr().out


def test_a_missing_setting_is_named_and_nothing_is_written(operator, monkeypatch, capsys):
    monkeypatch.delenv("CALLER_AUTH")
    assert terraform.run(arguments_of(operator)) == 2
    assert "CALLER_AUTH" in capsys.readouterr().err
    assert not (operator / "values.json").exists()


def test_a_missing_folder_is_reported(operator, capsys):
    assert terraform.run(arguments_of(operator, "--into", str(operator / "none" / "x.json"))) == 1
    assert "none" in capsys.readouterr().err


# --- buckets and roles of profiles' own ---


@pytest.fixture
def places(operator):
    (operator / "profiles.toml").write_text(OWN)
    return operator


def write(folder, *options):
    assert terraform.run(arguments_of(folder, "--account", ACCOUNT, *options)) == 0
    return json.loads((folder / "values.json").read_text("utf-8"))


def test_every_role_and_bucket_of_the_account_is_written_and_none_of_another(places, capsys):
    found = write(places)
    assert set(found["upload_roles"]) == {"STS_ROLE_ARN", "my-contracts"}
    assert set(found["buckets"]) == {"OSS_BUCKET", "my-contracts", "near-bucket"}
    rules = found["buckets"]["near-bucket"]["lifecycle_rules"]
    assert [(rule["prefix"], rule["expire_days"]) for rule in rules] == [("", None), ("held/.due/", 8)]
    assert "my-contracts/contracts/" in found["upload_roles"]["my-contracts"]["policy"]
    (statement,) = json.loads(found["function_role"]["policy"])["Statement"]
    assert statement["Resource"] == [
        *(f"acs:ram:*:{ACCOUNT_MARKER}:role/{name}" for name in ("oss-direct-upload", "my-contracts")),
        "acs:ram:*:2222222222222222:role/uploads",
    ]
    said = capsys.readouterr().out
    assert "For the owner of account 2222222222222222" in said and "their-bucket/partner/" in said


def test_a_region_other_than_the_first_has_a_provider_and_a_module_of_its_own(places, capsys):
    write(places)
    written = json.loads((places / "regions.tf.json").read_text("utf-8"))
    assert written["provider"] == {"alicloud": [{"alias": "cn-beijing", "region": "cn-beijing"}]}
    (module,) = written["module"].values()
    assert (module["source"], module["providers"]) == ("./buckets", {"alicloud": "alicloud.cn-beijing"})
    assert 'bucket.region == "cn-beijing" && bucket.region != var.region' in module["buckets"]
    assert "regions.tf.json is written" in capsys.readouterr().out


def test_a_region_stays_in_the_file_until_its_resources_are_destroyed(places):
    write(places)
    (places / "profiles.toml").write_text(OWN.replace("cn-beijing", "cn-shenzhen"))
    write(places)
    written = json.loads((places / "regions.tf.json").read_text("utf-8"))
    assert [one["alias"] for one in written["provider"]["alicloud"]] == ["cn-beijing", "cn-shenzhen"]
    assert list(written["module"]) == ["buckets_cn-beijing", "buckets_cn-shenzhen"]


def test_one_region_needs_no_regions_file(operator, written):
    assert not (operator / "regions.tf.json").exists()


def test_a_regions_file_that_is_not_json_stops_before_any_write(places, capsys):
    (places / "regions.tf.json").write_text("{")
    assert terraform.run(arguments_of(places, "--account", ACCOUNT)) == 2
    assert "regions.tf.json is no JSON: delete it" in capsys.readouterr().err
    assert not (places / "values.json").exists()


def test_roles_of_profiles_require_the_account_option(places, capsys):
    assert terraform.run(arguments_of(places)) == 2
    assert "--account is missing" in capsys.readouterr().err


def test_an_unused_default_role_is_not_created_but_stays_in_the_setting(operator):
    role = f'role = "acs:ram::{ACCOUNT}:role/mine"\n'
    (operator / "profiles.toml").write_text(PROFILES.replace("max_size", f"{role}max_size"))
    found = write(operator)
    assert list(found["upload_roles"]) == ["mine"]
    assert found["sts_role_arn"] == f"acs:ram::{ACCOUNT_MARKER}:role/oss-direct-upload"


def test_generated_files_are_ignored_by_git():
    ignored = page(".gitignore").splitlines()
    names = (".terraform/", "*.auto.tfvars.json", "*.tfstate*", "regions.tf.json")
    assert {f"deploy/terraform/{name}" for name in names} <= set(ignored)


def test_the_lock_file_is_not_ignored_by_git(tmp_path):
    (tmp_path / ".gitignore").write_text(page(".gitignore"))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    lock = "deploy/terraform/.terraform.lock.hcl"
    assert subprocess.run(["git", "check-ignore", "-q", lock], cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("name", both("docs/deploy.md"))
def test_the_deploy_page_names_the_terraform_command(name):
    assert "manage.py terraform" in page(name) and "deploy/terraform" in page(name)
