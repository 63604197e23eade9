"""``manage.py setup`` against a small RAM and OSS made of stubs: which calls, with which documents."""

import argparse
import json
import re
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import responses

from ops.account import setup
from ops.account.bucket import FoundBucket, WantedBucket
from ops.account.bucket_plan import bucket_steps
from ops.account.ram_documents import same_document
from ops.account.role_plan import FoundRole, FoundRoles, WantedRoles, role_steps

ACCOUNT = "1234567890123456"
SDK_ADAPTER = "aliyunsdkcore.vendored.requests.adapters.HTTPAdapter.send"
SECRET = "operator-secret-that-must-never-be-printed"
FUNCTION_ROLE, UPLOAD_ROLE = "oss-direct-upload-function", "oss-direct-upload"
BUCKET_HOST = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]

[avatar]
key = "avatars/{owner}/{id}{ext}"
max_size = "2MiB"
content_types = ["image/png"]
acl = "public-read"

[legacy]
key = "test/{filename}"
max_size = "1MiB"
content_types = ["*/*"]
"""
UPLOAD_POLICY = {
    "Version": "1",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["oss:PutObject", "oss:PutObjectAcl"],
            "Resource": ["acs:oss:*:*:my-bucket/avatars/*", "acs:oss:*:*:my-bucket/uploads/*"],
        },
        {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:my-bucket/test/*"]},
    ],
}
TRUSTED_BY_FC = {
    "Version": "1",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["fc.aliyuncs.com"]}}
    ],
}
TRUSTED_BY_FUNCTION = {
    "Version": "1",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"RAM": [f"acs:ram::{ACCOUNT}:role/{FUNCTION_ROLE}"]},
        }
    ],
}
MAY_ASSUME = {
    "Version": "1",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Resource": [f"acs:ram:*:{ACCOUNT}:role/{UPLOAD_ROLE}"],
        }
    ],
}


class StubRam:
    """RAM and GetCallerIdentity, in memory; ``refuse`` maps an action to (status, body)."""

    def __init__(self):
        self.roles, self.policies, self.attached = {}, {}, {}
        self.calls, self.refuse = [], {}

    def __call__(self, request):
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        action = query["Action"]
        self.calls.append((action, query))
        if action in self.refuse:
            status, body = self.refuse[action]
            return status, {}, body if isinstance(body, str) else json.dumps(body)
        try:
            return 200, {}, json.dumps(getattr(self, action)(query))
        except KeyError as error:
            kind = "Role" if error.args[0] in ("role",) else "Policy"
            return 404, {}, json.dumps({"Code": f"EntityNotExist.{kind}", "Message": "no", "RequestId": "R"})

    def changes(self):
        return [action for action, _ in self.calls if not action.startswith(("Get", "List"))]

    def GetCallerIdentity(self, query):  # noqa: N802
        return {"AccountId": ACCOUNT, "RequestId": "R"}

    def GetRole(self, query):  # noqa: N802
        if query["RoleName"] not in self.roles:
            raise KeyError("role")
        return {"Role": self.roles[query["RoleName"]]}

    def CreateRole(self, query):  # noqa: N802
        self.roles[query["RoleName"]] = {
            "AssumeRolePolicyDocument": query["AssumeRolePolicyDocument"],
            "MaxSessionDuration": int(query["MaxSessionDuration"]),
        }
        return {}

    def UpdateRole(self, query):  # noqa: N802
        role = self.roles[query["RoleName"]]
        if "NewAssumeRolePolicyDocument" in query:
            role["AssumeRolePolicyDocument"] = query["NewAssumeRolePolicyDocument"]
        if "NewMaxSessionDuration" in query:
            role["MaxSessionDuration"] = int(query["NewMaxSessionDuration"])
        return {}

    def GetPolicy(self, query):  # noqa: N802
        assert query["PolicyType"] == "Custom"
        if query["PolicyName"] not in self.policies:
            raise KeyError("policy")
        return {"DefaultPolicyVersion": {"PolicyDocument": self.policies[query["PolicyName"]]}}

    def CreatePolicy(self, query):  # noqa: N802
        self.policies[query["PolicyName"]] = query["PolicyDocument"]
        return {}

    def CreatePolicyVersion(self, query):  # noqa: N802
        assert query["SetAsDefault"] == "true"
        assert query["RotateStrategy"] == "DeleteOldestNonDefaultVersionWhenLimitExceeded"
        return self.CreatePolicy(query)

    def ListPoliciesForRole(self, query):  # noqa: N802
        names = self.attached.get(query["RoleName"], [])
        return {"Policies": {"Policy": [{"PolicyType": kind, "PolicyName": name} for kind, name in names]}}

    def AttachPolicyToRole(self, query):  # noqa: N802
        self.attached.setdefault(query["RoleName"], []).append((query["PolicyType"], query["PolicyName"]))
        return {}


class StubOss:
    """One bucket that may not be there yet."""

    def __init__(self):
        self.info, self.documents, self.calls = None, {}, []
        self.refuse = {}

    def __call__(self, request):
        status, headers, body = self.answer(request)
        return status, {"Date": "Tue, 24 Nov 2026 14:00:00 GMT", **headers}, body

    def answer(self, request):
        query = urlsplit(request.url).query
        parts = ("lifecycle", "cors", "publicAccessBlock")
        document = next((part for part in parts if part in query), "")
        self.calls.append((request.method, document, request.headers, request.body))
        if request.method in self.refuse:
            return self.refuse[request.method]
        if request.method == "PUT":
            return self.put(document, request)
        if "bucketInfo" in query:
            return (200, {}, self.info) if self.info else self.error(404, "NoSuchBucket")
        if document in self.documents:
            return 200, {}, self.documents[document]
        return self.error(404, {"lifecycle": "NoSuchLifecycle", "cors": "NoSuchCORSConfiguration"}[document])

    def put(self, document, request):
        if document:
            self.documents[document] = (
                request.body if isinstance(request.body, bytes) else request.body.read()
            )
        else:
            self.info = bucket_info()
        return 200, {}, ""

    def error(self, status, code):
        return status, {}, f"<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId></Error>"

    def changes(self):
        return [(method, document) for method, document, _, _ in self.calls if method != "GET"]


def bucket_info(location="oss-cn-hangzhou", acl="private", versioning="", block="false"):
    return (
        f"<BucketInfo><Bucket><Name>my-bucket</Name><Location>{location}</Location>"
        f"<AccessControlList><Grant>{acl}</Grant></AccessControlList><Versioning>{versioning}</Versioning>"
        f"<BlockPublicAccess>{block}</BlockPublicAccess></Bucket></BucketInfo>"
    )


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """Stubs of both services, the operator's keys in the environment, and a profiles file."""
    for name in ("ALIYUN_ACCESS_KEY_ID", "ALIYUN_ACCESS_KEY_SECRET", "DEBUG", "STS_ROLE_ARN", "LANG",
                 "LC_ALL", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "OSS_BUCKET",
                 "OSS_REGION", "STS_SESSION_SECONDS", "FUNCTION_ROLE_NAME", "PROFILES_FILE", "AccessKeyID",
                 "AccessKeySecret", "ALIBABA_CLOUD_SECURITY_TOKEN"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAItest")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET)
    monkeypatch.setattr("sys.stdin", None)
    (tmp_path / "profiles.toml").write_text(PROFILES)
    ram, oss = StubRam(), StubOss()
    with ExitStack() as stack:
        rpc = responses.RequestsMock(target=SDK_ADAPTER, assert_all_requests_are_fired=False)
        http = responses.RequestsMock(assert_all_requests_are_fired=False)
        for stub in (rpc, http):
            stack.enter_context(stub)
        rpc.add_callback("POST", re.compile(r"https://(ram|sts)\.aliyuncs\.com/"), ram)
        for method in ("GET", "PUT"):
            http.add_callback(method, re.compile(re.escape(BUCKET_HOST)), oss)
        yield argparse.Namespace(ram=ram, oss=oss, profiles=tmp_path / "profiles.toml")


def run(cloud, *options):
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    given = ["--bucket", "my-bucket", "--region", "cn-hangzhou", "--profiles", str(cloud.profiles)]
    given += ["--env-file", str(cloud.profiles.with_name(".env")), *options]
    return setup.run(parser.parse_args(given))


def test_an_empty_account_gets_two_roles_with_exactly_these_documents(cloud):
    assert run(cloud, "--yes", "--bucket-create") == 0
    roles = {name: json.loads(r["AssumeRolePolicyDocument"]) for name, r in cloud.ram.roles.items()}
    assert roles == {FUNCTION_ROLE: TRUSTED_BY_FC, UPLOAD_ROLE: TRUSTED_BY_FUNCTION}
    policies = {name: json.loads(document) for name, document in cloud.ram.policies.items()}
    assert policies == {FUNCTION_ROLE: MAY_ASSUME, UPLOAD_ROLE: UPLOAD_POLICY}
    assert cloud.ram.attached == {
        FUNCTION_ROLE: [("Custom", FUNCTION_ROLE)],
        UPLOAD_ROLE: [("Custom", UPLOAD_ROLE)],
    }
    assert cloud.oss.changes() == [("PUT", ""), ("PUT", "lifecycle")]


def test_the_upload_role_may_do_exactly_what_the_functions_session_policy_grants(cloud, monkeypatch):
    from function.settings import read_settings

    assert run(cloud, "--yes") == 0
    environ = {
        "OSS_BUCKET": "my-bucket",
        "OSS_REGION": "cn-hangzhou",
        "STS_ROLE_ARN": f"acs:ram::{ACCOUNT}:role/{UPLOAD_ROLE}",
        "CALLER_AUTH": "anonymous",
        "PROFILES_FILE": str(cloud.profiles),
    }
    session_policy = json.loads(read_settings(environ).session_policies["uploads"])
    assert json.loads(cloud.ram.policies[UPLOAD_ROLE]) == session_policy


def test_the_functions_role_is_made_before_the_trust_policy_that_names_it(cloud):
    assert run(cloud, "--yes") == 0
    created = [query["RoleName"] for action, query in cloud.ram.calls if action == "CreateRole"]
    assert created == [FUNCTION_ROLE, UPLOAD_ROLE]


def test_a_second_run_reads_compares_and_changes_nothing(cloud, capsys):
    assert run(cloud, "--yes", "--bucket-create", "--h5-origin", "https://m.example.com") == 0
    cloud.ram.calls.clear()
    cloud.oss.calls.clear()
    capsys.readouterr()
    assert run(cloud, "--bucket-create", "--h5-origin", "https://m.example.com") == 0
    assert cloud.ram.changes() == []
    assert cloud.oss.changes() == []
    assert "Nothing to change" in capsys.readouterr().out


def test_documents_that_differ_in_layout_only_are_the_same(cloud):
    assert run(cloud, "--yes") == 0
    for name, document in cloud.ram.policies.items():
        cloud.ram.policies[name] = json.dumps(dict(reversed(json.loads(document).items())), indent=4)
    one = json.loads(cloud.ram.policies[FUNCTION_ROLE])
    one["Statement"][0]["Action"] = "sts:AssumeRole"
    cloud.ram.policies[FUNCTION_ROLE] = one  # some answers carry the object itself
    cloud.ram.calls.clear()
    assert run(cloud) == 0
    assert cloud.ram.changes() == []


def test_nothing_changes_without_a_yes_and_the_plan_is_shown(cloud, capsys, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run(cloud) == 2
    output = capsys.readouterr().out
    assert "1. RAM CreateRole" in output
    assert "add --yes" in output
    assert cloud.ram.changes() == []


@pytest.mark.parametrize(("answer", "code", "changes"), [("y", 0, 6), ("n", 2, 0), ("", 2, 0)])
def test_a_terminal_is_asked_after_the_plan(cloud, capsys, monkeypatch, answer, code, changes):
    class Terminal:
        def isatty(self):
            return True

    shown = []
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda question: shown.append(capsys.readouterr().out) or answer)
    assert run(cloud) == code
    assert "6. RAM AttachPolicyToRole" in shown[0]
    assert len(cloud.ram.changes()) == changes


def test_a_dry_run_prints_every_call_without_keys_or_network(cloud, monkeypatch, capsys):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    options = ("--dry-run", "--bucket-create", "--account", ACCOUNT, "--h5-origin", "https://m.example.com")
    assert run(cloud, *options) == 0
    output = capsys.readouterr().out
    for action in ("CreateRole", "CreatePolicy", "AttachPolicyToRole", "PutBucket:", "PutBucketLifecycle",
                   "PutBucketCors"):  # fmt: skip
        assert action in output
    assert f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/{UPLOAD_ROLE}" in output
    assert cloud.ram.calls == []
    assert cloud.oss.calls == []
    documents = [
        json.loads(text) for text in re.findall(r"^   \w+Document = (\{.*?^   \})", output, re.M | re.S)
    ]
    assert documents == [TRUSTED_BY_FC, MAY_ASSUME, TRUSTED_BY_FUNCTION, UPLOAD_POLICY]


def test_a_dry_run_without_an_account_leaves_a_gap_that_shows(cloud, capsys):
    assert run(cloud, "--dry-run") == 0
    assert "STS_ROLE_ARN=acs:ram::<account-id>:role/oss-direct-upload" in capsys.readouterr().out


def test_prints_the_lines_for_env_at_the_end(cloud, capsys):
    assert run(cloud, "--yes", "--function-role", "mine", "--session-seconds", "7200") == 0
    tail = capsys.readouterr().out.split("Lines for .env")[1]
    for line in (
        "OSS_BUCKET=my-bucket",
        "OSS_REGION=cn-hangzhou",
        f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/{UPLOAD_ROLE}",
        "FUNCTION_ROLE_NAME=mine",
        "STS_SESSION_SECONDS=7200",
    ):
        assert line in tail.splitlines()


def test_a_widened_policy_is_narrowed_again(cloud):
    assert run(cloud, "--yes") == 0
    cloud.ram.policies[UPLOAD_ROLE] = json.dumps(
        {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": "*"}]}
    )
    cloud.ram.calls.clear()
    assert run(cloud, "--yes") == 0
    assert cloud.ram.changes() == ["CreatePolicyVersion"]
    assert json.loads(cloud.ram.policies[UPLOAD_ROLE]) == UPLOAD_POLICY


def test_a_trust_policy_that_lets_the_whole_account_in_is_narrowed_again(cloud):
    assert run(cloud, "--yes") == 0
    loose = json.dumps(TRUSTED_BY_FUNCTION).replace(f"role/{FUNCTION_ROLE}", "root")
    cloud.ram.roles[UPLOAD_ROLE]["AssumeRolePolicyDocument"] = loose
    cloud.ram.calls.clear()
    assert run(cloud, "--yes") == 0
    assert cloud.ram.changes() == ["UpdateRole"]
    assert json.loads(cloud.ram.roles[UPLOAD_ROLE]["AssumeRolePolicyDocument"]) == TRUSTED_BY_FUNCTION


def test_a_longer_session_raises_the_roles_limit_and_a_shorter_one_leaves_it(cloud):
    assert run(cloud, "--yes", "--session-seconds", "43200") == 0
    assert cloud.ram.roles[UPLOAD_ROLE]["MaxSessionDuration"] == 43200
    cloud.ram.calls.clear()
    assert run(cloud, "--yes", "--session-seconds", "900") == 0
    assert cloud.ram.changes() == []


def test_further_policies_of_a_role_are_named_and_left(cloud, capsys):
    assert run(cloud, "--yes") == 0
    cloud.ram.attached[UPLOAD_ROLE].append(("System", "AliyunOSSFullAccess"))
    cloud.ram.calls.clear()
    assert run(cloud) == 0
    assert "AliyunOSSFullAccess (System)" in capsys.readouterr().out
    assert cloud.ram.changes() == []


def test_options_add_a_trusted_user_and_a_logstore_and_nothing_else(cloud):
    user = f"acs:ram::{ACCOUNT}:user/me"
    assert run(cloud, "--yes", "--also-trust", user, "--logs", "my-project/my-store") == 0
    trust = json.loads(cloud.ram.roles[UPLOAD_ROLE]["AssumeRolePolicyDocument"])
    assert trust["Statement"][0]["Principal"] == {"RAM": [f"acs:ram::{ACCOUNT}:role/{FUNCTION_ROLE}", user]}
    may = json.loads(cloud.ram.policies[FUNCTION_ROLE])
    assert may["Statement"][1:] == [
        {
            "Effect": "Allow",
            "Action": ["log:PostLogStoreLogs"],
            "Resource": [f"acs:log:*:{ACCOUNT}:project/my-project/logstore/my-store"],
        }
    ]


def test_a_missing_bucket_is_only_made_when_asked_for(cloud, capsys):
    assert run(cloud, "--yes") == 0
    assert cloud.oss.changes() == []
    assert "--bucket-create" in capsys.readouterr().out


def test_a_new_bucket_is_private(cloud):
    assert run(cloud, "--yes", "--bucket-create") == 0
    method, document, headers, _ = next(call for call in cloud.oss.calls if call[0] == "PUT")
    assert (method, document, headers["x-oss-acl"]) == ("PUT", "", "private")


def test_a_bucket_that_is_there_keeps_its_acl_versioning_and_block(cloud, capsys):
    cloud.oss.info = bucket_info(acl="public-read", versioning="Enabled", block="true")
    assert run(cloud, "--yes", "--bucket-create") == 0
    assert cloud.oss.changes() == [("PUT", "lifecycle")]
    output = capsys.readouterr().out
    assert "is public-read: everybody reads" in output
    assert "ignores x-oss-forbid-overwrite" in output
    assert "Block Public Access is on for bucket my-bucket" in output


def test_public_access_stays_blocked_unless_it_is_asked_for(cloud, capsys):
    cloud.oss.info = bucket_info(block="true")
    assert run(cloud, "--yes") == 0
    assert cloud.oss.changes() == []
    assert "--allow-public-read" in capsys.readouterr().out
    assert run(cloud, "--yes", "--allow-public-read") == 0
    assert cloud.oss.changes() == [("PUT", "publicAccessBlock")]
    assert "Block Public Access goes off" in capsys.readouterr().out


def test_a_bucket_that_blocks_nothing_is_not_asked_to_stop(cloud):
    cloud.oss.info = bucket_info(block="false")
    assert run(cloud, "--yes", "--allow-public-read") == 0
    assert cloud.oss.changes() == []


def test_nobody_is_asked_to_unblock_what_no_profile_needs():
    wanted = WantedBucket("my-bucket", "cn-hongkong", create=True, allow_public_read=True)
    steps, notes = bucket_steps(wanted, FoundBucket("oss-cn-hongkong", "private", "", True))
    assert [step.action for step in steps] == ["PutBucketLifecycle"]
    assert notes == []


@pytest.mark.parametrize(
    ("region", "may_refuse"),
    [("cn-hangzhou", True), ("cn-hongkong", False), ("ap-southeast-1", False)],
)
def test_a_new_account_hears_where_the_default_host_refuses_it(region, may_refuse):
    _, notes = bucket_steps(WantedBucket("my-bucket", region), FoundBucket("", "private", "", False))
    assert any("PublicEndpointForbidden" in note.en for note in notes) is may_refuse


@pytest.mark.parametrize(
    ("blocks", "options", "warned"),
    [("false", [], True), ("true", [], False), ("true", ["--allow-public-read"], True)],
)
def test_a_page_that_chooses_the_name_is_warned_of_where_nothing_blocks_public_access(
    cloud, capsys, blocks, options, warned
):
    cloud.oss.info = bucket_info(block=blocks)
    assert run(cloud, "--yes", "--lang", "en", *options) == 0
    assert ("no condition of [legacy] pins an ACL" in capsys.readouterr().out) is warned


def test_a_bucket_in_another_region_is_said_to_be_there(cloud, capsys):
    cloud.oss.info = bucket_info(location="oss-cn-beijing")
    assert run(cloud, "--yes") == 0
    assert "is in cn-beijing, not in cn-hangzhou" in capsys.readouterr().out


def test_a_bucket_without_the_option_gets_no_lifecycle_rule(cloud):
    cloud.oss.info = bucket_info()
    assert run(cloud, "--yes") == 0
    assert cloud.oss.changes() == []


def test_rules_that_are_there_stay_whole_beside_ours(cloud):
    cloud.oss.info = bucket_info()
    theirs = (
        "<Rule><ID>theirs</ID><Prefix>tmp/</Prefix><Status>Enabled</Status>"
        "<NewFeature><X>1</X></NewFeature></Rule>"
    )
    cloud.oss.documents["lifecycle"] = f"<LifecycleConfiguration>{theirs}</LifecycleConfiguration>".encode()
    page = (
        "<CORSRule><AllowedOrigin>https://a.example.com</AllowedOrigin>"
        "<AllowedMethod>GET</AllowedMethod></CORSRule>"
    )
    cloud.oss.documents["cors"] = (
        f"<CORSConfiguration>{page}<ResponseVary>true</ResponseVary></CORSConfiguration>".encode()
    )
    assert run(cloud, "--yes", "--bucket-create", "--h5-origin", "https://m.example.com") == 0
    lifecycle = cloud.oss.documents["lifecycle"].decode()
    assert theirs in lifecycle
    assert "<AbortMultipartUpload><Days>7</Days></AbortMultipartUpload>" in lifecycle
    cors = ElementTree.fromstring(cloud.oss.documents["cors"])
    assert [child.tag for child in cors] == ["CORSRule", "CORSRule", "ResponseVary"]
    assert page in cloud.oss.documents["cors"].decode()
    assert cors[1].findtext("AllowedOrigin") == "https://m.example.com"
    assert [method.text for method in cors[1].findall("AllowedMethod")] == ["POST"]


def test_documents_go_to_oss_with_their_digest(cloud):
    import base64
    import hashlib

    cloud.oss.info = bucket_info()
    assert run(cloud, "--yes", "--bucket-create") == 0
    _, _, headers, body = next(call for call in cloud.oss.calls if call[:2] == ("PUT", "lifecycle"))
    body = body if isinstance(body, bytes) else cloud.oss.documents["lifecycle"]
    assert headers["Content-MD5"] == base64.b64encode(hashlib.md5(body).digest()).decode()


ABORTING = (
    "<Rule><Prefix>{}</Prefix><Status>{}</Status>"
    "<AbortMultipartUpload><Days>3</Days></AbortMultipartUpload></Rule>"
)


@pytest.mark.parametrize(
    ("rule", "changes", "noted"),
    [
        (ABORTING.format("", "Enabled"), 0, False),
        (ABORTING.format("tmp/", "Enabled"), 0, True),
        (ABORTING.format("", "Disabled"), 1, False),
    ],
)
def test_a_rule_that_aborts_already_is_not_doubled(rule, changes, noted):
    wanted = WantedBucket("my-bucket", "cn-hangzhou", create=True)
    document = f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>"
    steps, notes = bucket_steps(wanted, FoundBucket("oss-cn-hangzhou", "private", "", False, document))
    assert len(steps) == changes
    assert any("lifecycle rule" in note.en for note in notes) is noted


@pytest.mark.parametrize(
    ("origins", "methods", "changes"),
    [
        (["https://m.example.com"], ["POST"], 0),
        (["*"], ["GET", "POST"], 0),
        (["https://m.example.com"], ["GET"], 1),
        (["https://other.example.com"], ["POST"], 1),
    ],
)
def test_cors_is_added_for_a_page_that_cannot_post_yet(origins, methods, changes):
    rule = "".join(f"<AllowedOrigin>{origin}</AllowedOrigin>" for origin in origins)
    rule += "".join(f"<AllowedMethod>{method}</AllowedMethod>" for method in methods)
    document = f"<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>"
    wanted = WantedBucket("my-bucket", "cn-hangzhou", h5_origins=("https://m.example.com",))
    steps, _ = bucket_steps(wanted, FoundBucket("oss-cn-hangzhou", "private", "", False, "", document))
    assert len(steps) == changes


WANTED = WantedRoles(ACCOUNT, FUNCTION_ROLE, UPLOAD_ROLE, UPLOAD_POLICY, 3600)
IN_PLACE = FoundRoles(
    {
        FUNCTION_ROLE: FoundRole(TRUSTED_BY_FC, 3600, frozenset({("Custom", FUNCTION_ROLE)})),
        UPLOAD_ROLE: FoundRole(TRUSTED_BY_FUNCTION, 3600, frozenset({("Custom", UPLOAD_ROLE)})),
    },
    {FUNCTION_ROLE: MAY_ASSUME, UPLOAD_ROLE: UPLOAD_POLICY},
)


def test_what_is_in_place_needs_no_step():
    assert role_steps(WANTED, IN_PLACE) == ([], [])


@pytest.mark.parametrize(
    ("change", "action"),
    [
        (lambda role: replace(role, attached=frozenset()), "AttachPolicyToRole"),
        (lambda role: replace(role, trust=None), "UpdateRole"),
        (lambda role: replace(role, trust={**TRUSTED_BY_FUNCTION, "Version": "2"}), "UpdateRole"),
        (lambda role: replace(role, max_session_seconds=900), "UpdateRole"),
    ],
)
def test_each_difference_of_a_role_is_one_step(change, action):
    found = FoundRoles(
        {**IN_PLACE.roles, UPLOAD_ROLE: change(IN_PLACE.roles[UPLOAD_ROLE])}, IN_PLACE.policies
    )
    steps, _ = role_steps(WANTED, found)
    assert [step.action for step in steps] == [action]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"Action": "a"}, {"Action": ["a"]}, True),
        ({"Action": ["a", "b"]}, {"Action": ["b", "a"]}, True),
        ({"Action": ["a", "b"]}, {"Action": ["a"]}, False),
        ({"Action": "a"}, {"Action": "a", "Condition": {}}, False),
        (None, {}, False),
    ],
)
def test_documents_are_compared_by_what_they_say(one, other, same):
    assert same_document(one, other) is same


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (403, {"Code": "NoPermission", "Message": "no", "RequestId": "R"}, "AliyunRAMFullAccess"),
        (404, {"Code": "InvalidAccessKeyId.NotFound", "Message": "no"}, "ALIBABA_CLOUD_ACCESS_KEY_ID"),
        (503, "<html>busy</html>", "SDK.UnknownServerError"),
        (200, "[]", "Check the network"),
        (200, "not json", "Check the network"),
        (400, {"Code": "SignatureDoesNotMatch", "Message": "no colon here"}, "Check the network"),
    ],
)
def test_a_refusal_of_ram_is_explained_and_stops(cloud, capsys, status, body, advice):
    cloud.ram.refuse["GetRole"] = (status, body)
    assert run(cloud, "--yes") == 1
    assert advice in capsys.readouterr().err
    assert cloud.ram.changes() == []


def test_a_refusal_of_oss_is_explained_and_stops(cloud, capsys):
    cloud.oss.refuse["GET"] = (403, {}, "<Error><Code>AccessDenied</Code><RequestId>R</RequestId></Error>")
    assert run(cloud, "--yes") == 1
    assert "AliyunOSSFullAccess" in capsys.readouterr().err
    assert cloud.ram.changes() == []


def test_a_failure_half_way_says_how_far_it_came_and_can_be_run_again(cloud, capsys):
    cloud.ram.refuse["CreatePolicy"] = (403, {"Code": "NoPermission", "Message": "no", "RequestId": "R"})
    assert run(cloud, "--yes") == 1
    assert "1 of 6 changes were made" in capsys.readouterr().out
    cloud.ram.refuse.clear()
    assert run(cloud, "--yes") == 0
    assert [query["RoleName"] for action, query in cloud.ram.calls if action == "CreateRole"] == [
        FUNCTION_ROLE,
        UPLOAD_ROLE,
    ]


def test_a_key_of_another_account_is_refused(cloud, capsys):
    assert run(cloud, "--yes", "--account", "9999999999") == 2
    assert f"belongs to account {ACCOUNT}" in capsys.readouterr().err
    assert cloud.ram.changes() == []


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


def test_without_keys_it_says_which_to_set(cloud, monkeypatch, capsys):
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert run(cloud, "--yes") == 2
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in capsys.readouterr().err


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


def test_speaks_chinese_when_asked(cloud, capsys):
    assert run(cloud, "--dry-run", "--lang", "zh") == 0
    output = capsys.readouterr().out
    assert "演练" in output
    assert "函数计算以此角色运行函数" in output
    assert "Dry run" not in output


def test_reads_the_settings_of_env_under_those_of_the_environment(cloud, capsys, monkeypatch):
    cloud.profiles.with_name(".env").write_text(
        f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/from-env-file\nFUNCTION_ROLE_NAME=from-env-file-too\n"
    )
    monkeypatch.setenv("FUNCTION_ROLE_NAME", "from-environment")
    assert run(cloud, "--dry-run") == 0
    output = capsys.readouterr().out
    assert f"STS_ROLE_ARN=acs:ram::{ACCOUNT}:role/from-env-file" in output
    assert "FUNCTION_ROLE_NAME=from-environment" in output
