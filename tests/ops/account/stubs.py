"""A small RAM and OSS made of stubs, and the documents that a deployment needs there."""

import argparse
import json
import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

from ops.account import setup
from ops.terminal.command_line import run_command
from tests.support.bucket import StubOss, bucket_info  # noqa: F401
from tests.support.cases import profile_toml, table_beside

ACCOUNT = "1234567890123456"
SDK_ADAPTER = "aliyunsdkcore.vendored.requests.adapters.HTTPAdapter.send"
SECRET = "operator-secret-that-must-never-be-printed"
FUNCTION_ROLE, UPLOAD_ROLE = "oss-direct-upload-function", "oss-direct-upload"
BUCKET_HOST = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
# A bucket of profiles, in another region.
CONTRACTS_HOST = "https://my-contracts.oss-cn-shanghai.aliyuncs.com"
OTHER_ACCOUNT = "2222222222222222"
PROFILES = (
    profile_toml("default", "uploads", max_size="10MiB")
    + profile_toml("avatar", "avatars", max_size="2MiB", content_types=["image/png"], acl="public-read")
    + profile_toml("legacy", "test", "{filename}", content_types=["*/*"])
)
# Two roles for one bucket, one role for two buckets, and a bucket that only another account's role reaches.
CONTRACTS = {"bucket": "my-contracts", "region": "cn-shanghai"}
OWN_ROLE, THEIR_ROLE = "acs:ram::1234567890123456:role/my-contracts", "acs:ram::2222222222222222:role/uploads"
THEIRS = {"bucket": "their-bucket", "region": "ap-southeast-1", "role": THEIR_ROLE}
PLACES = (
    profile_toml("default", "uploads")
    + profile_toml("contract", "contracts", confirm=True, **CONTRACTS, role=OWN_ROLE)
    + profile_toml("scan", "scans", parts=True, **CONTRACTS)
    + profile_toml("partner", confirm=True, hold=["commit"], **THEIRS)
)
UPLOAD_POLICY, TRUSTED_BY_FC, TRUSTED_BY_FUNCTION, MAY_ASSUME = table_beside(__file__).values()


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
        answer = getattr(self, action)(query)
        if answer is None:
            missing = {"Code": f"EntityNotExist.{action.removeprefix('Get')}", "Message": "no"}
            return 404, {}, json.dumps({**missing, "RequestId": "R"})
        return 200, {}, json.dumps(answer)

    def changes(self):
        return [action for action, _ in self.calls if not action.startswith(("Get", "List"))]

    def GetCallerIdentity(self, query):  # noqa: N802
        return {"AccountId": ACCOUNT, "RequestId": "R"}

    def GetRole(self, query):  # noqa: N802
        role = self.roles.get(query["RoleName"])
        return role and {"Role": role}

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
        policy = self.policies.get(query["PolicyName"])
        return policy and {"DefaultPolicyVersion": {"PolicyDocument": policy}}

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


def run(cloud, *options):
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    given = ["--env-file", str(cloud.profiles.with_name(".env")), *options]
    return run_command(setup.run, parser.parse_args(given))


def documents_in(text):
    """The documents that are printed, each below the name of its parameter."""
    return [json.loads(found) for found in re.findall(r"^   \w+Document = (\{.*?^   \})", text, re.M | re.S)]


# What the pages of CloudMonitor demand of a rule, with metrics that Function Compute and OSS document.
OF_FC = (
    "RegionConcurrentCount|Function(ConcurrencyThrottles|ResourceThrottles|FunctionErrors|HTTPStatus5xx"
    "|TotalInvocations)"
)
FORM_OF_A_RULE = {
    "RuleId": r"[\w-]{1,64}",
    "RuleName": r".{1,64}",
    "Namespace": "acs_fc|acs_oss_dashboard",
    "MetricName": f"{OF_FC}|InternetSend",
    "ContactGroups": "ops",
    "Period": "60",
    "Interval": "60",
    "SilenceTime": "3600",
    "NoDataPolicy": "OK|KEEP_LAST_STATE|INSUFFICIENT_DATA",
    "Escalations.Warn.Statistics": "Value",
    "Escalations.Warn.ComparisonOperator": "GreaterThanThreshold",
    "Escalations.Warn.Threshold": r"\d+",
    "Escalations.Warn.Times": "[1-9]",
}


class StubMetrics:
    """CloudMonitor of each region; it refuses what its pages do not know. Without data ``limit`` is None."""

    def __init__(self):
        self.rules, self.calls, self.limit, self.refuse = {}, [], 300, {}

    def __call__(self, request):
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        action, region = query["Action"], url.netloc.split(".")[1]
        assert query["Version"] == "2019-01-01"
        self.calls.append(action)
        if action in self.refuse:
            return self.refuse[action][0], {}, json.dumps(self.refuse[action][1])
        answer = getattr(self, action)(query, region)
        return 200, {}, json.dumps({"Success": True, "Code": "200", **answer})

    def changes(self):
        return [action for action in self.calls if not action.startswith("Describe")]

    def DescribeMetricLast(self, query, region):  # noqa: N802
        (place,) = json.loads(query["Dimensions"])
        assert place == {"userId": ACCOUNT, "region": region} and query["Period"] == "60"
        assert (query["Namespace"], query["MetricName"]) == ("acs_fc", "RegionConcurrencyLimit")
        points = [{"timestamp": 2, **place, "Value": self.limit}, {"timestamp": 1, **place, "Value": 7}]
        return {"Datapoints": json.dumps(points if self.limit else [])}

    def PutResourceMetricRule(self, query, region):  # noqa: N802
        given = {name: query.pop(name) for name in (*FORM_OF_A_RULE, "Resources")}
        unknown = [name for name in query if name.startswith(("Escalations", "Rule", "Metric"))]
        bad = [name for name, form in FORM_OF_A_RULE.items() if not re.fullmatch(form, given[name])]
        (place,) = json.loads(given["Resources"])
        metric, dimensions = given["MetricName"], {"BucketName"}
        if given["Namespace"] == "acs_fc":
            of_function = {"serviceName", "functionName"} if metric.startswith("Function") else set()
            dimensions = {"userId", "region"} | of_function
        is_ours = place.get("userId", ACCOUNT) == ACCOUNT and place.get("region", region) == region
        has_metric = (metric == "InternetSend") == (dimensions == {"BucketName"})
        if unknown or bad or set(place) != dimensions or not (is_ours and has_metric):
            return {"Success": False, "Code": "ParameterInvalid"}
        self.rules[given["RuleId"]] = {**given, "region": region}
        return {}


def folder(name, days, *, held=False, receipts=False):
    """A profile that stores there, in parts or held back; without days neither."""
    life = timedelta(days=days)
    stored = {"stored_folder": name, "parts": bool(days) and not held, "parts_within": life}
    of_held = {"is_held": held, "hold_days": days, "gives_receipts": receipts or held}
    return SimpleNamespace(name="photo", acl="", takes_filename=False, strip=False, **stored, **of_held)
