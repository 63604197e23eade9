"""
The calls to Simple Log Service (SLS), signed with the operator's own keys.

Source: https://help.aliyun.com/zh/sls/developer-reference/request-signatures
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import requests

from function.credentials import AccessKeys
from ops.account.cloud import CONNECT_SECONDS, READ_SECONDS, CloudError, plain
from ops.account.log_plan import ALARM_PREFIX, DASHBOARD, DesiredLogs, FoundLogs
from ops.account.log_queries import ALARMS
from ops.account.role_plan import Step

API_VERSION = "0.6.0"
# Which method an action takes.
METHODS = {"Create": "POST", "Update": "PUT", "Get": "GET"}
ABSENT = ("IndexConfigNotExist", "DashboardNotExist", "AlertNotExist", "JobNotExist")


class LogService:
    """
    One project of SLS.

    Args:
        now: timezone-aware UTC; SLS refuses a date that is 15 minutes off.
    """

    def __init__(
        self,
        keys: AccessKeys,
        region: str,
        project: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._origin = f"https://{project}.{region}.log.aliyuncs.com"
        self._now = now

    def find(self, desired: DesiredLogs) -> FoundLogs:
        """
        Raises:
            CloudError
        """
        index = self._get("GetIndex", f"/logstores/{desired.logstore}/index")
        dashboard = self._get("GetDashboard", f"/dashboards/{DASHBOARD}")
        alarms = {}
        for name in (ALARM_PREFIX + alarm.name for alarm in ALARMS):
            if (found := self._get("GetAlert", f"/alerts/{name}")) is not None:
                alarms[name] = found
        return FoundLogs(index, dashboard, alarms)

    def carry_out(self, step: Step) -> None:
        """
        Raises:
            CloudError
        """
        self._ask(step.action, step.parameters["path"], step.parameters["body"])

    def rows(self, logstore: str, query: str, since: int, until: int) -> list[dict[str, Any]]:
        """
        The rows of a query; SLS writes every figure as text.

        Args:
            since, until: Unix seconds.

        Raises:
            CloudError
        """
        asked = {"type": "log", "from": str(since), "to": str(until), "query": query}
        found = self._ask("GetLogs", f"/logstores/{logstore}", None, asked).get("rows")
        return found if isinstance(found, list) else []

    def _get(self, action: str, path: str) -> dict[str, Any] | None:
        try:
            return self._ask(action, path, None)
        except CloudError as error:
            if error.code in ABSENT:
                return None
            raise

    def _ask(
        self,
        action: str,
        path: str,
        document: Mapping[str, Any] | None,
        params: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
        method = next(METHODS[verb] for verb in METHODS if action.startswith(verb))
        try:
            answer = requests.request(
                method,
                self._origin + path,
                data=body,
                params=params,
                headers=signed_headers(self._keys, method, path, body, self._now(), params),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException:
            raise CloudError(action, "NoAnswer") from None
        told = _object_in(answer.text, is_list=params is not None)
        if answer.status_code >= 300:
            code = plain((told or {}).get("errorCode") or "UnreadableAnswer")
            request_id = plain(answer.headers.get("x-log-requestid", ""))
            raise CloudError(action, code, status=answer.status_code, request_id=request_id)
        if told is None and answer.text:
            raise CloudError(action, "UnreadableAnswer", status=answer.status_code)
        return told or {}


def signed_headers(
    keys: AccessKeys,
    method: str,
    path: str,
    body: bytes,
    now: datetime,
    params: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """
    All that a request needs, ``Authorization`` included.

    Args:
        path: decoded, without a query.

        params: the query, decoded.
    """
    resource = path
    if params:
        resource += "?" + "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    headers = {
        "Content-Type": "application/json" if body else "",
        "Content-MD5": hashlib.md5(body, usedforsecurity=False).hexdigest().upper() if body else "",
        "Date": format_datetime(now, usegmt=True),
        "x-log-apiversion": API_VERSION,
        "x-log-bodyrawsize": str(len(body)),
        "x-log-signaturemethod": "hmac-sha1",
    }
    if keys.security_token:
        headers["x-acs-security-token"] = keys.security_token
    lines = [method, headers["Content-MD5"], headers["Content-Type"], headers["Date"]]
    lines += [f"{name}:{value}" for name, value in sorted(headers.items()) if name.startswith("x-")]
    digest = hmac.new(keys.access_key_secret.encode(), "\n".join([*lines, resource]).encode(), hashlib.sha1)
    proof = base64.b64encode(digest.digest()).decode()
    sent = {name: value for name, value in headers.items() if value}
    return {**sent, "Authorization": f"LOG {keys.access_key_id}:{proof}"}


def _object_in(text: str, *, is_list: bool = False) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if is_list and isinstance(value, list):
        return {"rows": value}
    return value if isinstance(value, dict) else None
