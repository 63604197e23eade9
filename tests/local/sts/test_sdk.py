"""Other people's clients get credentials from the local STS: the SDK the function uses, and the newer one."""

import json

import pytest
from alibabacloud_sts20150401.client import Client as TeaClient
from alibabacloud_sts20150401.models import AssumeRoleRequest as TeaAssumeRole
from alibabacloud_tea_openapi.exceptions import ClientException as TeaException
from alibabacloud_tea_openapi.utils_models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest
from aliyunsdksts.request.v20150401.GetCallerIdentityRequest import GetCallerIdentityRequest

from local.sts.server import StsServer
from tests.local.sts.conftest import StsCaller

ROLE = StsCaller.role_arn
UPLOADS = {"Effect": "Allow", "Action": ["oss:PutObject"], "Resource": ["acs:oss:*:*:b/it's (1) + ~上传!/*"]}
ASSUMES = {"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["*"]}
POLICY = {"Version": "1", "Statement": [UPLOADS, ASSUMES]}


@pytest.fixture
def live(sts_accounts):
    """A local STS on the wall clock, for SDKs that read that themselves."""
    server = StsServer(sts_accounts, ROLE).start()
    yield server
    server.stop()


@pytest.fixture
def sdk(live):
    """Send one request with a credential through ``aliyun-python-sdk-core``; close its connections after."""
    clients = []

    def send(request, *credential):
        kind = StsTokenCredential if credential[2:] else AccessKeyCredential
        clients.append(AcsClient(region_id="cn-hangzhou", credential=kind(*credential)))
        request.set_endpoint(live.origin)
        request.set_accept_format("json")
        return json.loads(clients[-1].do_action_with_exception(request))

    yield send
    for client in clients:
        client.session.close()


def assume_role():
    request = AssumeRoleRequest()
    request.set_RoleArn(ROLE)
    request.set_RoleSessionName("uploads@sdk")
    request.set_DurationSeconds(900)
    request.set_Policy(json.dumps(POLICY))
    return request


def test_the_python_sdk_gets_temporary_credentials_and_uses_them(sdk, live, sts_accounts):
    given = sdk(assume_role(), "LTAIlong", "long-secret")["Credentials"]
    key = sts_accounts.find(given["AccessKeyId"])
    assert (key.security_token, key.policies) == (given["SecurityToken"], (POLICY,))
    temporary = given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]
    assert sdk(GetCallerIdentityRequest(), *temporary)["Arn"] == ROLE + "/uploads@sdk"
    assert sdk(assume_role(), *temporary)["AssumedRoleUser"]["Arn"] == ROLE + "/uploads@sdk"
    assert [call.action for call in live.calls] == ["AssumeRole", "GetCallerIdentity", "AssumeRole"]


@pytest.mark.parametrize(
    ("fault", "secret", "status", "code"),
    [
        # It compares the string to sign in the message with its own: only an equal one has this code.
        (None, "wrong", 400, "InvalidAccessKeySecret"),
        ("status_429", "long-secret", 429, "Throttling.User"),
    ],
)
def test_the_python_sdk_reads_a_refusal(sdk, live, fault, secret, status, code):
    if fault:
        live.faults.plan(fault, times=1)
    with pytest.raises(ServerException) as caught:
        sdk(assume_role(), "LTAIlong", secret)
    assert (caught.value.get_http_status(), caught.value.get_error_code()) == (status, code)
    assert caught.value.get_request_id()


# The Tea SDK reads the clock in a way that Python 3.12 deprecates. It signs with ACS3-HMAC-SHA256.
@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_the_tea_sdk_gets_credentials_and_uses_them_and_reads_refusals(live, sts_accounts):
    def tea(secret, key_id="LTAIlong", token=None):
        where = {
            "endpoint": live.origin.removeprefix("http://"),
            "protocol": "http",
            "region_id": "cn-hangzhou",
        }
        keys = {"access_key_id": key_id, "access_key_secret": secret, "security_token": token}
        return TeaClient(Config(**keys, **where))

    asked = TeaAssumeRole(
        role_arn=ROLE, role_session_name="tea", duration_seconds=900, policy=json.dumps(POLICY)
    )
    given = tea("long-secret").assume_role(asked).body.credentials
    assert sts_accounts.find(given.access_key_id).policies == (POLICY,)
    session = given.access_key_secret, given.access_key_id
    assert tea(*session, given.security_token).get_caller_identity().body.arn == ROLE + "/tea"
    assert [call.action for call in live.calls] == ["AssumeRole", "GetCallerIdentity"]
    for call, code in (
        (lambda: tea("wrong").assume_role(asked), "SignatureDoesNotMatch"),
        (lambda: tea(*session, "x").get_caller_identity(), "InvalidSecurityToken.MismatchWithAccessKey"),
        (lambda: tea(*session).get_caller_identity(), "MissingSecurityToken"),
    ):
        with pytest.raises(TeaException) as caught:
            call()
        assert caught.value.code == code
