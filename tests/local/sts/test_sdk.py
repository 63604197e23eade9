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

from tests.support.cases import table_beside

ROLE = "acs:ram::1234567890123456:role/uploader"
POLICY = table_beside(__file__)["POLICY"]


@pytest.fixture
def sts_sdk(sts_live_server):
    """Send one request with a credential through ``aliyun-python-sdk-core``; close its connections after."""
    clients = []

    def send(request, credential):
        client = AcsClient(region_id="cn-hangzhou", credential=credential)
        clients.append(client)
        request.set_endpoint(sts_live_server.origin)
        request.set_accept_format("json")
        return json.loads(client.do_action_with_exception(request))

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


def test_the_python_sdk_gets_credentials(sts_sdk, sts_live_server, sts_accounts):
    answer = sts_sdk(assume_role(), AccessKeyCredential("LTAIlong", "long-secret"))
    key = sts_accounts.find(answer["Credentials"]["AccessKeyId"])
    assert key.security_token == answer["Credentials"]["SecurityToken"]
    assert key.policies == (POLICY,)
    assert [call.action for call in sts_live_server.calls] == ["AssumeRole"]


def test_the_python_sdk_uses_temporary_credentials(sts_sdk):
    given = sts_sdk(assume_role(), AccessKeyCredential("LTAIlong", "long-secret"))["Credentials"]
    temporary = StsTokenCredential(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])
    assert sts_sdk(GetCallerIdentityRequest(), temporary)["Arn"] == ROLE + "/uploads@sdk"
    assert sts_sdk(assume_role(), temporary)["AssumedRoleUser"]["Arn"] == ROLE + "/uploads@sdk"


def test_the_python_sdk_recognises_a_wrong_secret(sts_sdk):
    """It compares the string to sign in the message with its own: only an equal one has this code."""
    with pytest.raises(ServerException) as caught:
        sts_sdk(assume_role(), AccessKeyCredential("LTAIlong", "wrong"))
    assert caught.value.get_error_code() == "InvalidAccessKeySecret"
    assert caught.value.get_http_status() == 400
    assert caught.value.get_request_id()


def test_the_python_sdk_reads_a_refusal(sts_sdk, sts_live_server):
    sts_live_server.faults.plan("status_429", times=1)
    with pytest.raises(ServerException) as caught:
        sts_sdk(assume_role(), AccessKeyCredential("LTAIlong", "long-secret"))
    assert (caught.value.get_http_status(), caught.value.get_error_code()) == (429, "Throttling.User")


# The Tea SDK reads the clock in a way that Python 3.12 deprecates.
tea_clock = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def tea(server, secret, key_id="LTAIlong", token=None):
    """The newer official SDK signs with ACS3-HMAC-SHA256."""
    return TeaClient(
        Config(
            access_key_id=key_id,
            access_key_secret=secret,
            security_token=token,
            endpoint=server.origin.removeprefix("http://"),
            protocol="http",
            region_id="cn-hangzhou",
        )
    )


def tea_assume_role():
    return TeaAssumeRole(
        role_arn=ROLE, role_session_name="tea", duration_seconds=900, policy=json.dumps(POLICY)
    )


@tea_clock
def test_the_tea_sdk_gets_credentials_and_uses_them(sts_live_server, sts_accounts):
    given = tea(sts_live_server, "long-secret").assume_role(tea_assume_role()).body.credentials
    key = sts_accounts.find(given.access_key_id)
    assert key.policies == (POLICY,)
    again = tea(sts_live_server, given.access_key_secret, given.access_key_id, given.security_token)
    assert again.get_caller_identity().body.arn == ROLE + "/tea"
    assert [call.action for call in sts_live_server.calls] == ["AssumeRole", "GetCallerIdentity"]


@tea_clock
def test_the_tea_sdk_is_refused_with_a_wrong_secret_or_token(sts_live_server):
    given = tea(sts_live_server, "long-secret").assume_role(tea_assume_role()).body.credentials
    with pytest.raises(TeaException) as caught:
        tea(sts_live_server, "wrong").assume_role(tea_assume_role())
    assert (caught.value.code, caught.value.status_code) == ("SignatureDoesNotMatch", 400)
    with pytest.raises(TeaException) as caught:
        tea(sts_live_server, given.access_key_secret, given.access_key_id, "x").get_caller_identity()
    assert caught.value.code == "InvalidSecurityToken.MismatchWithAccessKey"
    with pytest.raises(TeaException) as caught:
        tea(sts_live_server, given.access_key_secret, given.access_key_id).get_caller_identity()
    assert caught.value.code == "MissingSecurityToken"
