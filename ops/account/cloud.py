"""
Reading and changing an Alibaba Cloud account through its SDKs, with the operator's own keys.

Nothing of an SDK's exception but codes leaves this module: their texts hold signed addresses.
"""

import base64
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from function.sts.credentials import AccessKeys
from ops.account.bucket import DesiredBucket, FoundBucket
from ops.account.oss_client import CONNECT_SECONDS, READ_SECONDS, oss_client
from ops.account.ram_documents import compact, read_document
from ops.account.role_plan import FoundRole, FoundRoles, Step, WantedRole

if TYPE_CHECKING:
    from alibabacloud_oss_v2 import Client as OssClient
    from aliyunsdkcore.client import AcsClient

RAM = ("https://ram.aliyuncs.com", "Ram", "2015-05-01")
STS = ("https://sts.aliyuncs.com", "Sts", "2015-04-01")
OSS_ATTEMPTS = 2
# What the SDK was seen to raise from one call beside its own errors, parsing odd error bodies.
UNTYPED_ERRORS = (AttributeError, IndexError, TypeError, ValueError, RecursionError)


class CloudError(Exception):
    """
    Raised when a call was refused or not answered.

    Args:
        code: the service's error code; ``NoAnswer`` where there was none.
    """

    def __init__(
        self, action: str, code: str, *, status: int = 0, request_id: str = "", ec: str = ""
    ) -> None:
        super().__init__(f"{action}: {code}")
        self.action = action
        self.code = code
        self.status = status
        self.request_id = request_id
        self.ec = ec


class Account:
    """One account, as the operator's keys see it."""

    def __init__(self, keys: AccessKeys, region: str) -> None:
        self._rpc = _rpc_client(keys, region)
        self._oss = cache(partial(oss_client, keys, attempts=OSS_ATTEMPTS))

    def account_id(self) -> str:
        return str(self.ask(STS, "GetCallerIdentity", {}).get("AccountId", ""))

    def find_roles(self, desired: Iterable[WantedRole]) -> FoundRoles:
        roles, policies = {}, {}
        for name in (wanted.name for wanted in desired):
            if role := self._find("EntityNotExist.Role", "GetRole", {"RoleName": name}):
                roles[name] = self._describe(name, role.get("Role", {}))
            parameters = {"PolicyType": "Custom", "PolicyName": name}
            if policy := self._find("EntityNotExist.Policy", "GetPolicy", parameters):
                version = policy.get("DefaultPolicyVersion", {})
                policies[name] = read_document(version.get("PolicyDocument"))
        return FoundRoles(roles, policies)

    def find_bucket(self, desired: DesiredBucket, *, with_documents: bool = True) -> FoundBucket | None:
        import alibabacloud_oss_v2 as oss

        try:
            answer = self._oss(desired.region).get_bucket_info(oss.GetBucketInfoRequest(bucket=desired.name))
        except oss.exceptions.BaseError as error:
            if _oss_error("", error).code == "NoSuchBucket":
                return None
            raise _oss_error("GetBucketInfo", error) from None
        info = answer.bucket_info
        location, acl, versioning = (str(each or "") for each in (info.location, info.acl, info.versioning))
        found = FoundBucket(location, acl, versioning, bool(info.block_public_access))
        if not with_documents:
            return found
        cors = self._read_document(desired, "GetBucketCors", "cors", "NoSuchCORSConfiguration")
        return replace(found, lifecycle=self.lifecycle(desired), cors=cors)

    def lifecycle(self, desired: DesiredBucket) -> str:
        return self._read_document(desired, "GetBucketLifecycle", "lifecycle", "NoSuchLifecycle")

    def carry_out(self, step: Step) -> None:
        if step.service in ("RAM", "CMS"):
            self.ask(RAM if step.service == "RAM" else metrics_in(step.region), step.action, step.parameters)
        else:
            _put(self._oss(step.region), step.action, step.parameters)

    def _find(self, absent: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        try:
            return self.ask(RAM, action, parameters)
        except CloudError as error:
            if error.code == absent:
                return None
            raise

    def _describe(self, name: str, role: Mapping[str, Any]) -> FoundRole:
        listed = self.ask(RAM, "ListPoliciesForRole", {"RoleName": name})
        policies = listed.get("Policies", {}).get("Policy", [])
        return FoundRole(
            trust=read_document(role.get("AssumeRolePolicyDocument")),
            max_session_seconds=int(role.get("MaxSessionDuration", 3600)),
            attached=frozenset((str(item["PolicyType"]), str(item["PolicyName"])) for item in policies),
        )

    def ask(self, api: tuple[str, str, str], action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
        from aliyunsdkcore.request import RpcRequest

        endpoint, product, version = api
        request = RpcRequest(product, version, action)
        request.set_method("POST")
        request.set_accept_format("JSON")
        # With its scheme: the SDK would otherwise choose plain HTTP, or ask elsewhere for the address.
        request.set_endpoint(endpoint)
        for name, value in parameters.items():
            request.add_query_param(name, parameter_text(value))
        try:
            body = self._rpc.do_action_with_exception(request)
        except ServerException as error:
            raise CloudError(
                action,
                plain(error.error_code),
                status=int(error.http_status or 0),
                request_id=plain(error.request_id),
            ) from None
        except ClientException:
            raise CloudError(action, "NoAnswer") from None
        except UNTYPED_ERRORS:
            raise CloudError(action, "UnreadableAnswer") from None
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise CloudError(action, "UnreadableAnswer")
        # CloudMonitor refuses some calls with HTTP 200.
        if answer.get("Success") is False:
            raise CloudError(action, plain(answer.get("Code")), request_id=plain(answer.get("RequestId", "")))
        return answer

    def _read_document(self, desired: DesiredBucket, action: str, name: str, absent: str) -> str:
        try:
            return _call(self._oss(desired.region), action, bucket=desired.name, parameters={name: ""})
        except CloudError as error:
            if error.code == absent:
                return ""
            raise


def _put(client: "OssClient", action: str, parameters: Mapping[str, str]) -> None:
    """Make a bucket, or replace an XML document of it, whole: the SDK's models drop what they do not know."""
    body = parameters.get("body", "").encode()
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    headers = {"Content-Type": "application/xml", "Content-MD5": base64.b64encode(digest).decode()}
    if acl := parameters.get("acl"):
        headers = {"x-oss-acl": acl}
    query = {part: ""} if (part := action.removeprefix("PutBucket").lower()) else {}
    bucket = parameters["bucket"]
    _call(client, action, method="PUT", bucket=bucket, parameters=query, headers=headers, body=body)


def _call(client: "OssClient", action: str, **operation: Any) -> str:
    """Call OSS; return its answer."""
    import alibabacloud_oss_v2 as oss

    operation = {
        "method": "GET",
        **operation,
        "headers": oss.CaseInsensitiveDict(operation.get("headers", {})),
    }
    try:
        output = client.invoke_operation(oss.OperationInput(op_name=action, **operation))
    except oss.exceptions.BaseError as error:
        raise _oss_error(action, error) from None
    return output.http_response.content.decode() if output.http_response else ""


def metrics_in(region: str) -> tuple[str, str, str]:
    """Return the address, name and version of CloudMonitor."""
    return f"https://metrics.{region}.aliyuncs.com", "Cms", "2019-01-01"


def parameter_text(value: Any) -> str:
    """A parameter as it is sent: documents as compact JSON, truth values as RAM writes them."""
    if isinstance(value, dict):
        return compact(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rpc_client(keys: AccessKeys, region: str) -> "AcsClient":
    import aliyunsdkcore.vendored.requests.packages.urllib3.util.ssl_ as sdk_ssl
    from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
    from aliyunsdkcore.client import AcsClient

    # Its log lines hold signed addresses.
    logging.getLogger("aliyunsdkcore").setLevel(logging.CRITICAL + 1)
    # The vendored urllib3 looks for a function that Python 3.12 removed and then leaves SNI out.
    sdk_ssl.HAS_SNI = True
    if keys.security_token is None:
        credential = AccessKeyCredential(keys.access_key_id, keys.access_key_secret)
    else:
        credential = StsTokenCredential(keys.access_key_id, keys.access_key_secret, keys.security_token)
    return AcsClient(
        region_id=region,
        credential=credential,
        timeout=READ_SECONDS,
        connect_timeout=CONNECT_SECONDS,
        # The SDK takes an empty variable for "check no certificate".
        verify=os.environ.get("ALIBABA_CLOUD_CA_BUNDLE") or True,
    )


def _oss_error(action: str, error: Exception) -> CloudError:
    unwrap = getattr(error, "unwrap", None)
    cause = unwrap() if unwrap else error
    return CloudError(
        action,
        plain(getattr(cause, "code", None) or "NoAnswer"),
        status=int(getattr(cause, "status_code", 0) or 0),
        request_id=plain(getattr(cause, "request_id", "") or ""),
        ec=plain(getattr(cause, "ec", "") or ""),
    )


def plain(value: Any) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "?", str(value))[:80]
