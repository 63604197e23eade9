"""A small RAM and OSS made of stubs, and the documents that a deployment needs there."""

import argparse
import json
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
