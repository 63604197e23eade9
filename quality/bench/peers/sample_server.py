"""
The stack of Alibaba's Python samples, until its first form: Flask, credentials, the newer STS SDK.

Source: https://help.aliyun.com/zh/oss/use-cases/obtain-signature-information-from-the-server-and-upload-data-to-oss
"""

import base64
import hashlib
import hmac
import json
import sys
from datetime import UTC, datetime, timedelta

from alibabacloud_credentials.client import Client as CredentialClient
from alibabacloud_credentials.models import Config as CredentialConfig
from alibabacloud_sts20150401 import models
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.models import Config
from flask import Flask, jsonify
from task import BUCKET, HOST, OWN_KEY_ID, OWN_SECRET, OWN_TOKEN, REGION, ROLE_ARN, sts_endpoint

app = Flask(__name__)


@app.get("/get_post_signature_for_oss_upload")
def upload_parameters():
    own = CredentialConfig(
        type="sts", access_key_id=OWN_KEY_ID, access_key_secret=OWN_SECRET, security_token=OWN_TOKEN
    )
    endpoint = sts_endpoint().removeprefix("https://")
    client = StsClient(Config(region_id=REGION, endpoint=endpoint, credential=CredentialClient(own)))
    asked = models.AssumeRoleRequest(role_arn=ROLE_ARN, role_session_name="bench", duration_seconds=3600)
    given = client.assume_role(asked).body.credentials
    now = datetime.now(UTC)
    date = now.strftime("%Y%m%d")
    credential = f"{given.access_key_id}/{date}/{REGION}/oss/aliyun_v4_request"
    policy = {
        "expiration": (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conditions": [
            {"bucket": BUCKET},
            ["starts-with", "$key", "uploads/"],
            {"x-oss-security-token": given.security_token},
            {"x-oss-signature-version": "OSS4-HMAC-SHA256"},
            {"x-oss-credential": credential},
            {"x-oss-date": now.strftime("%Y%m%dT%H%M%SZ")},
        ],
    }
    encoded = base64.b64encode(json.dumps(policy).encode()).decode()
    key = ("aliyun_v4" + given.access_key_secret).encode()
    for part in (date, REGION, "oss", "aliyun_v4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return jsonify(
        policy=encoded,
        security_token=given.security_token,
        x_oss_credential=credential,
        x_oss_date=now.strftime("%Y%m%dT%H%M%SZ"),
        signature=hmac.new(key, encoded.encode(), hashlib.sha256).hexdigest(),
        host=HOST,
        dir="uploads/",
    )


# Through Flask without its server, which would only add to this side.
answer = app.test_client().get("/get_post_signature_for_oss_upload")
print(json.dumps(answer.get_json()), flush=True)
sys.stdin.read()
