"""``manage.py setup`` as a whole: which calls, in which order, what it prints and how it ends."""

import json
from types import SimpleNamespace

import pytest

from tests.ops.account.stubs import (
    ACCOUNT,
    FUNCTION_ROLE,
    MAY_ASSUME,
    OTHER_ACCOUNT,
    PLACES,
    SECRET,
    TRUSTED_BY_FC,
    TRUSTED_BY_FUNCTION,
    UPLOAD_POLICY,
    UPLOAD_ROLE,
    bucket_info,
    documents_in,
    run,
)


def test_an_objects_policy_that_sts_would_refuse_is_named_before_anything_is_sent(cloud, capsys):
    folder = "f" * 200
    profile = f'key = "{folder}-%d/{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]\nconfirm = true\n'
    cloud.profiles.write_text("".join(f"[p{number}]\n{profile % number}" for number in range(9)))
    assert run(cloud, "--yes") == 2
    assert capsys.readouterr().err.count("STS takes 2048") == 2
    assert cloud.ram.calls == []


@pytest.mark.parametrize(
    ("answer", "code", "changes"), [("y", 0, 6), ("n", 2, 0), ("", 2, 0), (None, 2, 0)],
    ids=["yes", "no", "Enter", "no terminal"],
)  # fmt: skip
def test_a_terminal_is_prompted_after_the_plan(cloud, capsys, monkeypatch, answer, code, changes):
    shown = []
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: answer is not None))
    monkeypatch.setattr("builtins.input", lambda question: shown.append(capsys.readouterr().out) or answer)
    assert run(cloud) == code
    printed = capsys.readouterr().out
    assert "6. RAM AttachPolicyToRole" in "".join(shown) + printed
    assert (shown == [] and "--yes" in printed) is (answer is None)
    assert len(cloud.ram.changes()) == changes


def test_a_dry_run_prints_every_call_without_keys_or_network(cloud, monkeypatch, capsys):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    options = ("--dry-run", "--bucket-create", "--account", ACCOUNT, "--h5-origin", "https://m.example.com")
    assert run(cloud, *options) == 0
    output = capsys.readouterr().out
    actions = "CreateRole CreatePolicy AttachPolicyToRole PutBucket: PutBucketLifecycle PutBucketCors"
    assert all(action in output for action in actions.split())
    assert f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/{UPLOAD_ROLE}" in output
    assert (cloud.ram.calls, cloud.oss.calls) == ([], [])
    assert documents_in(output) == [TRUSTED_BY_FC, MAY_ASSUME, TRUSTED_BY_FUNCTION, UPLOAD_POLICY]


def test_json_has_the_documents_and_rules_that_setup_makes(cloud, capsys, monkeypatch):
    monkeypatch.setenv("STS_SESSION_SECONDS", "7200")
    options = ("--bucket-create", "--h5-origin", "https://m.example.com")
    assert run(cloud, "--json", "--account", ACCOUNT, *options) == 0
    shown = json.loads(capsys.readouterr().out)
    assert cloud.ram.calls == [] and cloud.oss.calls == []
    assert run(cloud, "--yes", *options) == 0
    made = {(step["action"], tuple(step["parameters"].values())[0]): step for step in shown["steps"]}
    for name, role in cloud.ram.roles.items():
        parameters = made["CreateRole", name]["parameters"]
        assert parameters["AssumeRolePolicyDocument"] == json.loads(role["AssumeRolePolicyDocument"])
        assert parameters["MaxSessionDuration"] == role["MaxSessionDuration"]
        policy = made["CreatePolicy", name]["parameters"]["PolicyDocument"]
        assert policy == json.loads(cloud.ram.policies[name])
    (rule,) = made["PutBucketCors", "my-bucket"]["parameters"]["body"]["CORSRule"]
    assert rule == {
        "AllowedOrigin": ["https://m.example.com"],
        "AllowedMethod": ["POST"],
        "AllowedHeader": ["*"],
        "ExposeHeader": ["ETag", "x-oss-request-id"],
        "MaxAgeSeconds": ["600"],
    }
    assert made["PutBucketLifecycle", "my-bucket"]["parameters"]["body"]["Rule"][0]["Prefix"] == [""]
    assert made["PutBucket", "my-bucket"]["region"] == "cn-hangzhou"
    assert shown["env"]["STS_ROLE_ARN"] == f"acs:ram::{ACCOUNT}:role/{UPLOAD_ROLE}"


def test_json_keeps_notes_and_other_accounts_apart(places, capsys):
    assert run(places, "--dry-run", "--json", "--account", ACCOUNT) == 0
    printed = capsys.readouterr()
    assert OTHER_ACCOUNT in printed.err
    assert "uploads" not in {s["parameters"].get("RoleName") for s in json.loads(printed.out)["steps"]}


def test_an_empty_account_gets_two_roles_with_exactly_these_documents(cloud):
    assert run(cloud, "--yes", "--bucket-create") == 0
    roles = {name: json.loads(r["AssumeRolePolicyDocument"]) for name, r in cloud.ram.roles.items()}
    assert roles == {FUNCTION_ROLE: TRUSTED_BY_FC, UPLOAD_ROLE: TRUSTED_BY_FUNCTION}
    # The role of the function comes before the trust policy that names it.
    assert list(roles) == [FUNCTION_ROLE, UPLOAD_ROLE]
    policies = {name: json.loads(document) for name, document in cloud.ram.policies.items()}
    assert policies == {FUNCTION_ROLE: MAY_ASSUME, UPLOAD_ROLE: UPLOAD_POLICY}
    assert cloud.ram.attached == {name: [("Custom", name)] for name in (FUNCTION_ROLE, UPLOAD_ROLE)}
    assert [(method, document) for method, document, *_ in cloud.oss.calls] == [
        *(("GET", ""), ("PUT", ""), ("PUT", "lifecycle")),
    ]
    # Each is asked for once.
    asked = [action for action, _ in cloud.ram.calls if action not in cloud.ram.changes()]
    assert asked == ["GetCallerIdentity", *["GetRole", "GetPolicy"] * 2] and cloud.contracts.calls == []
    assert cloud.metrics.calls == []


def test_prints_the_lines_for_env_at_the_end_with_the_role_that_is_named_there(cloud, capsys, monkeypatch):
    monkeypatch.setenv("FUNCTION_ROLE_NAME", "mine")
    for role in (UPLOAD_ROLE, "other"):
        monkeypatch.setenv("STS_ROLE_ARN", f"acs:ram::{ACCOUNT}:role/{role}" if role == "other" else "")
        assert run(cloud, "--yes") == 0 and {"mine", role} <= {*cloud.ram.roles}
        lines = capsys.readouterr().out.split("Lines for .env")[1].splitlines()
        arn = f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/{role}"
        assert {"OSS_BUCKET=my-bucket", "OSS_REGION=cn-hangzhou", arn} <= {*lines}


@pytest.mark.parametrize(("status", "body", "advice"), [
    (403, {"Code": "NoPermission", "Message": "no", "RequestId": "R"}, "AliyunRAMFullAccess"),
    (404, {"Code": "InvalidAccessKeyId.NotFound", "Message": "no"}, "ALIBABA_CLOUD_ACCESS_KEY_ID"),
    (503, "<html>busy</html>", "SDK.UnknownServerError"),
    (200, "[]", "Check the network"),
    (200, "not json", "Check the network"),
    (400, {"Code": "SignatureDoesNotMatch", "Message": "no colon here"}, "Check the network"),
    (None, "<Error><Code>AccessDenied</Code><RequestId>R</RequestId></Error>", "AliyunOSSFullAccess"),
])  # fmt: skip
def test_a_refusal_of_ram_or_oss_is_explained_and_stops(cloud, capsys, status, body, advice):
    if status:
        cloud.ram.refuse["GetRole"] = (status, body)
    else:
        cloud.oss.refuse["GET"] = (403, {}, body)
    assert run(cloud, "--yes") == 1
    assert advice in capsys.readouterr().err
    assert cloud.ram.changes() == []


def test_a_failed_run_shows_its_progress_and_can_be_repeated(cloud, capsys):
    cloud.ram.refuse["CreatePolicy"] = (403, {"Code": "NoPermission", "Message": "no", "RequestId": "R"})
    assert run(cloud, "--yes") == 1
    assert "1 of 6" in capsys.readouterr().out
    cloud.ram.refuse.clear()
    assert run(cloud, "--yes") == 0
    created = [query["RoleName"] for action, query in cloud.ram.calls if action == "CreateRole"]
    assert created == [FUNCTION_ROLE, UPLOAD_ROLE]


def test_takes_the_keys_that_the_deployment_tool_reads(cloud, monkeypatch):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    monkeypatch.setenv("AccessKeyID", "LTAIother")
    monkeypatch.setenv("AccessKeySecret", SECRET)
    assert run(cloud, "--yes") == 0
    assert {query["AccessKeyId"] for _, query in cloud.ram.calls} == {"LTAIother"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prints_no_secret_and_no_signature(cloud, capsys, caplog, language):
    cloud.ram.refuse["AttachPolicyToRole"] = (403, {"Code": "NoPermission", "Message": SECRET})
    assert run(cloud, "--yes", "--lang", language) == 1
    output = capsys.readouterr()
    for text in (output.out, output.err, caplog.text):
        assert SECRET not in text
        assert "Signature=" not in text


@pytest.fixture
def places(cloud):
    cloud.profiles.write_text(PLACES)
    return cloud


def allowed(policy):
    """Each action with the folders it is allowed on."""
    statements = json.loads(policy)["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        (action, resource.removeprefix("acs:oss:*:*:"))
        for statement in statements
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_every_upload_role_fits_its_profiles_and_trusts_the_function(places, monkeypatch):
    user = f"acs:ram::{ACCOUNT}:user/me"
    monkeypatch.setenv("STS_SESSION_SECONDS", "7200")
    assert run(places, "--yes", "--also-trust", user) == 0
    assert list(places.ram.roles) == [FUNCTION_ROLE, UPLOAD_ROLE, "my-contracts"]
    put = {"oss:PutObject", "oss:PutObjectAcl"}
    # With hold anywhere the business may discard what any receipt is about.
    told = {"oss:GetObject", "oss:DeleteObject"}
    more = told | {"oss:ListParts", "oss:AbortMultipartUpload"}
    assert allowed(places.ram.policies[UPLOAD_ROLE]) == {
        *((action, "my-bucket/uploads/*") for action in put),
        *((action, "my-contracts/scans/*") for action in put | more),
        ("oss:ListObjects", "my-contracts"),
    }
    assert allowed(places.ram.policies["my-contracts"]) == {
        *((action, "my-contracts/contracts/*") for action in put | told),
        ("oss:ListObjects", "my-contracts"),
    }
    for name in (UPLOAD_ROLE, "my-contracts"):
        role = places.ram.roles[name]
        (statement,) = json.loads(role["AssumeRolePolicyDocument"])["Statement"]
        assert statement["Principal"] == {"RAM": [f"acs:ram::{ACCOUNT}:role/{FUNCTION_ROLE}", user]}
        assert role["MaxSessionDuration"] == 7200
        assert places.ram.attached[name] == [("Custom", name)]
    (statement,) = json.loads(places.ram.policies[FUNCTION_ROLE])["Statement"]
    assert statement["Resource"] == [
        *(f"acs:ram:*:{ACCOUNT}:role/{name}" for name in (UPLOAD_ROLE, "my-contracts")),
        f"acs:ram:*:{OTHER_ACCOUNT}:role/uploads",
    ]


def test_every_bucket_is_made_once_in_its_region_with_the_rules_of_its_profiles(places, capsys):
    options = ("--bucket-create", "--h5-origin", "https://m.example.com")
    assert run(places, "--yes", *options) == 0
    made = [("PUT", ""), ("PUT", "lifecycle"), ("PUT", "cors")]
    assert places.oss.changes() == made and places.contracts.changes() == made
    # Files in parts go to the one, forms alone to the other.
    rules = [stub.documents["cors"].decode() for stub in (places.oss, places.contracts)]
    assert ["<AllowedMethod>PUT" in rule for rule in rules] == [False, True]
    for stub in (places.ram, places.oss, places.contracts):
        stub.calls.clear()
    capsys.readouterr()
    assert run(places, *options) == 0
    assert [stub.changes() for stub in (places.ram, places.oss, places.contracts)] == [[], [], []]
    # The other account cannot be read from here, so its part is repeated each time.
    assert OTHER_ACCOUNT in capsys.readouterr().out


def test_a_wrong_region_of_a_profile_is_reported_by_its_option(places, capsys):
    places.contracts.info = bucket_info("oss-cn-beijing", versioning="Enabled")
    assert run(places, "--yes", "--lang", "en") == 0
    output = capsys.readouterr().out
    assert "region ([contract], [scan])" in output
    assert "my-contracts: Versioning" in output


def test_the_default_role_is_not_created_if_every_profile_has_its_own(cloud):
    first = PLACES.partition("[contract]")[0]
    cloud.profiles.write_text(first + f'role = "acs:ram::{ACCOUNT}:role/mine"')
    assert run(cloud, "--yes", "--lang", "en") == 0
    assert list(cloud.ram.roles) == [FUNCTION_ROLE, "mine"]
