"""A small RAM and OSS made of stubs, and the documents that a deployment needs there."""

import argparse
import json
import re
from urllib.parse import parse_qs, urlsplit

from ops.account import setup
from tests.support.bucket import StubOss, bucket_info  # noqa: F401
from tests.support.cases import table_beside, text_beside

ACCOUNT = "1234567890123456"


SDK_ADAPTER = "aliyunsdkcore.vendored.requests.adapters.HTTPAdapter.send"


SECRET = "operator-secret-that-must-never-be-printed"


FUNCTION_ROLE, UPLOAD_ROLE = "oss-direct-upload-function", "oss-direct-upload"


BUCKET_HOST = "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"


# A bucket of profiles, in another region.
CONTRACTS_HOST = "https://my-contracts.oss-cn-shanghai.aliyuncs.com"
OTHER_ACCOUNT = "2222222222222222"


PROFILES = text_beside(__file__)


# Two roles for one bucket, one role for two buckets, and a bucket that only another account's role reaches.
PLACES = text_beside(__file__, ".places.toml")


UPLOAD_POLICY = table_beside(__file__)["UPLOAD_POLICY"]


TRUSTED_BY_FC = table_beside(__file__)["TRUSTED_BY_FC"]


TRUSTED_BY_FUNCTION = table_beside(__file__)["TRUSTED_BY_FUNCTION"]


MAY_ASSUME = table_beside(__file__)["MAY_ASSUME"]


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


def run(cloud, *options):
    parser = argparse.ArgumentParser()
    setup.add_arguments(parser)
    given = ["--bucket", "my-bucket", "--region", "cn-hangzhou", "--profiles", str(cloud.profiles)]
    given += ["--env-file", str(cloud.profiles.with_name(".env")), *options]
    return setup.run(parser.parse_args(given))


class StubLogs:
    """A project of SLS that may be empty; ``refuse`` maps a path to (status, code)."""

    def __init__(self):
        self.documents, self.calls, self.refuse = {}, [], {}

    def __call__(self, request):
        path = urlsplit(request.url).path
        self.calls.append((request.method, path))
        if path in self.refuse:
            status, code = self.refuse[path]
            return status, {}, json.dumps({"errorCode": code, "errorMessage": SECRET})
        if request.method == "GET":
            if path in self.documents:
                return 200, {}, json.dumps(self.documents[path])
            return 404, {}, json.dumps({"errorCode": self.absent(path), "errorMessage": "no"})
        body = json.loads(request.body)
        name = body.get("dashboardName") or body.get("name")
        created = request.method == "POST" and name
        self.documents[f"{path}/{name}" if created else path] = body
        return 200, {}, ""

    def absent(self, path):
        kinds = {"dashboards": "DashboardNotExist", "alerts": "AlertNotExist"}
        return kinds.get(path.split("/")[1], "IndexConfigNotExist")

    def changes(self):
        return [path for method, path in self.calls if method != "GET"]


# What CloudMonitor has of acs_fc: Function Compute's page of metrics.
METRICS = frozenset(
    "RegionConcurrentCount RegionConcurrencyLimit FunctionConcurrencyThrottles FunctionResourceThrottles"
    " FunctionFunctionErrors FunctionHTTPStatus5xx".split()
)
FORM_OF_A_RULE = {
    "RuleId": r"[\w-]{1,64}",
    "RuleName": r".{1,64}",
    "Namespace": "acs_fc",
    "MetricName": "|".join(METRICS),
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
    """CloudMonitor in a region; it refuses what its pages do not know. Without data ``limit`` is None."""

    def __init__(self):
        self.rules, self.calls, self.limit, self.refuse = {}, [], 300, {}

    def __call__(self, request):
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        action = query["Action"]
        assert query["Version"] == "2019-01-01"
        self.calls.append(action)
        if action in self.refuse:
            return *self.refuse[action][:1], {}, json.dumps(self.refuse[action][1])
        return 200, {}, json.dumps({"Success": True, "Code": "200", **getattr(self, action)(query)})

    def changes(self):
        return [action for action in self.calls if not action.startswith("Describe")]

    def DescribeMetricLast(self, query):  # noqa: N802
        (place,) = json.loads(query["Dimensions"])
        assert place == {"userId": ACCOUNT, "region": "cn-hangzhou"} and query["Period"] == "60"
        assert (query["Namespace"], query["MetricName"]) == ("acs_fc", "RegionConcurrencyLimit")
        points = [{"timestamp": 2, **place, "Value": self.limit}, {"timestamp": 1, **place, "Value": 7}]
        return {"Datapoints": json.dumps(points if self.limit else [])}

    def DescribeMetricRuleList(self, query):  # noqa: N802
        return {
            "Alarms": {"Alarm": [self.rules[one] for one in query["RuleIds"].split(",") if one in self.rules]}
        }

    def PutResourceMetricRule(self, query):  # noqa: N802
        given = {name: query.pop(name) for name in (*FORM_OF_A_RULE, "Resources")}
        unknown = [name for name in query if name.startswith(("Escalations", "Rule", "Metric"))]
        bad = [name for name, form in FORM_OF_A_RULE.items() if not re.fullmatch(form, given[name])]
        (place,) = json.loads(given["Resources"])
        dimensions = {"userId", "region"} | (
            set() if given["MetricName"].startswith("Region") else {"serviceName", "functionName"}
        )
        if unknown or bad or set(place) != dimensions or place["userId"] != ACCOUNT:
            return {"Success": False, "Code": "ParameterInvalid"}
        levels = {"Critical": {}, "Info": {}, "Warn": {}}
        for name in [one for one in given if one.startswith("Escalations")]:
            levels["Warn"][name.rpartition(".")[2]] = given.pop(name)
        levels["Warn"]["Times"] = int(levels["Warn"]["Times"])
        listed = {
            **given,
            "Escalations": levels,
            "EnableState": True,
            "AlertState": "OK",
            "SilenceTime": 3600,
        }
        del listed["Interval"]
        self.rules[given["RuleId"]] = listed
        return {}
