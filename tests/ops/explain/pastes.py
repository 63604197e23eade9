"""What a developer pastes into ``explain``, made for its tests."""

import base64
import json
from datetime import UTC, datetime

from ops.explain.explanation import explain
from ops.explain.function_output import NONE
from tests.support.cases import table_beside

NOW = datetime(2026, 11, 24, 14, 2, tzinfo=UTC)
TOKEN = "CAIS" + "Zm9v+/" * 150
CREDENTIAL = "STS.NTxyz/20261124/cn-hangzhou/oss/aliyun_v4_request"
CALLBACK = base64.b64encode(
    json.dumps(
        {"callbackUrl": "https://api.example.com/callback", "callbackBody": '{"ticket":"eyJhbGciOi"}'}
    ).encode()
).decode()
FIELDS = table_beside(__file__)["FIELDS"]


def policy_for(fields, expires="2026-11-24T14:05:00.000Z", extra=()):
    conditions = [["eq", f"${name}", value] for name, value in fields.items()]
    return {
        "expiration": expires,
        "conditions": [{"bucket": "my-bucket"}, *conditions, ["content-length-range", 1, 10485760], *extra],
    }


def encoded(document):
    return base64.b64encode(json.dumps(document).encode()).decode()


def answer(sent=None, policy=None, url="https://my-bucket.oss-cn-hangzhou.aliyuncs.com"):
    form = {
        **(FIELDS if sent is None else sent),
        "policy": encoded(policy or policy_for(FIELDS)),
        "x-oss-signature": "ab" * 32,
    }
    return json.dumps({"url": url, "formData": form})


def error_xml(code, message="", ec="", more=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>{code}</Code>\n'
        f"  <Message>{message}</Message>\n  <RequestId>655F0A</RequestId>"
        f"<HostId>my-bucket.oss-cn-hangzhou.aliyuncs.com</HostId>"
        f"<EC>{ec}</EC>{more}\n</Error>"
    )


def said(text, language="en", now=NOW, secrets=NONE):
    return explain(text, now, language, secrets)
