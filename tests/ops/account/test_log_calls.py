"""log_calls: signed as SLS's own SDK signs, told apart, and nothing of a key in what is said."""

import json
from datetime import UTC, datetime

import pytest
import requests
import responses

from function.credentials import AccessKeys
from ops.account.cloud import CloudError
from ops.account.log_calls import LogService, signed_headers
from ops.account.log_plan import DesiredLogs, FoundLogs, log_steps
from ops.account.log_queries import ALARMS

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
HOST = "https://my-logs.cn-hangzhou.log.aliyuncs.com"
KEYS = AccessKeys("LTAIvector", "vector-secret", None)
DESIRED = DesiredLogs("cn-hangzhou", "my-logs", "fc")

# Made by AuthV1 of aliyun-log-python-sdk 0.9.52 at this instant.
VECTORS = {
    "a read with a plain key": ("", "GET", "/logstores/fc/index", "", "vBZmM4Gdly0VF3CZMvPt8oVZUVY="),
    "a change with a temporary one": (
        *("CAISvector", "PUT", "/alerts/oss-direct-upload-slow", '{"displayName":"慢"}'),
        "WhOVVUeSRDBinGIfvu+EZ+kvgVs=",
    ),
}


@pytest.mark.parametrize(("token", "method", "path", "body", "proof"), VECTORS.values(), ids=VECTORS)
def test_the_signature_is_the_sdk_s(token, method, path, body, proof):
    keys = KEYS._replace(security_token=token or None)
    headers = signed_headers(keys, method, path, body.encode(), NOW)
    assert headers["Authorization"] == f"LOG LTAIvector:{proof}"
    assert headers["Date"] == "Tue, 24 Nov 2026 14:00:00 GMT"
    assert headers.get("x-acs-security-token", "") == token
    assert "" not in headers.values()


def test_a_query_is_signed_decoded_as_the_sdk_does():
    params = {"type": "log", "from": "1", "to": "2", "query": "a: b | SELECT 1+1 AS x"}
    headers = signed_headers(KEYS, "GET", "/logstores/fc", b"", NOW, params)
    assert headers["Authorization"] == "LOG LTAIvector:CK81I8H8bsXGOX2Ai3Qw80+8nKw="


def test_a_query_returns_its_rows(service, network):
    rows = [{"functionName": "f", "colds": "3"}]
    asked = network.get(f"{HOST}/logstores/fc", json=rows)
    assert service.rows("fc", "isColdStart: true | SELECT 1", 10, 20) == rows
    (call,) = asked.calls
    expected = {"type": "log", "from": "10", "to": "20", "query": "isColdStart: true | SELECT 1"}
    assert call.request.params == expected


@pytest.fixture
def service():
    return LogService(KEYS, "cn-hangzhou", "my-logs", now=lambda: NOW)


@pytest.fixture
def network():
    with responses.RequestsMock() as stub:
        yield stub


def refusal(code):
    return {"errorCode": code, "errorMessage": "LTAIvector may not, says vector-secret"}


def test_existing_log_resources_are_distinguished_from_missing_ones(service, network):
    index = {"keys": {}}
    network.get(f"{HOST}/logstores/fc/index", json=index)
    network.get(f"{HOST}/dashboards/oss-direct-upload", status=404, json=refusal("DashboardNotExist"))
    for alarm in ALARMS[1:]:
        network.get(f"{HOST}/alerts/oss-direct-upload-{alarm.name}", status=404, json=refusal("JobNotExist"))
    first = f"oss-direct-upload-{ALARMS[0].name}"
    network.get(f"{HOST}/alerts/{first}", json={"name": first})
    assert service.find(DESIRED) == FoundLogs(index, None, {first: {"name": first}})


def test_a_step_is_carried_out_as_it_was_shown(service, network):
    changed = network.post(f"{HOST}/logstores/fc/index", body="")
    step = log_steps(DESIRED, FoundLogs())[0]
    service.carry_out(step)
    (call,) = changed.calls
    assert json.loads(call.request.body) == step.parameters["body"]
    assert call.request.headers["Content-Type"] == "application/json"
    assert call.request.headers["Authorization"].startswith("LOG LTAIvector:")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 401, "json": refusal("Unauthorized")}, "Unauthorized"),
        ({"status": 500, "body": "<html>"}, "UnreadableAnswer"),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, "UnreadableAnswer"),
        ({"status": 200, "body": "[1]"}, "UnreadableAnswer"),
        ({"body": requests.ConnectionError("vector-secret")}, "NoAnswer"),
    ],
    ids=["no right", "a page", "elsewhere", "no object", "silence"],
)
def test_a_failure_has_its_code_but_no_text_of_the_service(service, network, answer, code):
    network.get(f"{HOST}/logstores/fc/index", **answer)
    with pytest.raises(CloudError) as caught:
        service.find(DESIRED)
    assert (caught.value.code, caught.value.action) == (code, "GetIndex")
    assert "vector" not in str(caught.value) and caught.value.__cause__ is None
