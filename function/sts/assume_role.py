"""The operation AssumeRole: request, retries and response; and the function's own keys for it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from function.annotations import NamedTuple
from function.errors import Misconfigured, Problem, StsRejected, StsUnavailable
from function.http.json_body import object_in
from function.messages import Message
from function.sts import aliyun_sdk
from function.sts.credentials import AccessKeys, StsCredentials

SESSION_NAME = "oss-direct-upload"
RETRY_PAUSE_SECONDS = 0.2
# An instance may outlive its keys, which its environment never renews.
OWN_KEYS_ENDED = "InvalidSecurityToken.Expired"
CREDENTIAL_FIELDS = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")


def own_access_keys(environ: Mapping[str, str], context: object | None) -> AccessKeys:
    """
    Return the function's own credentials: ``context.credentials``, else those of the environment.

    Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/context-1
    """
    own = getattr(context, "credentials", None)
    id_, secret, token = (
        getattr(own, name, None) for name in ("access_key_id", "access_key_secret", "security_token")
    )
    if not (id_ and secret):
        id_, secret, token = (
            environ.get(f"ALIBABA_CLOUD_{name}")
            for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
        )
    if not (id_ and secret):
        sentence = Message(
            "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are missing;"
            " Function Compute sets them when the function has a role (s.yaml: role)"
        )
        raise Misconfigured([Problem("ALIBABA_CLOUD_ACCESS_KEY_ID", sentence)])
    # The SDK sends an empty token as an empty parameter, which STS refuses.
    return AccessKeys(str(id_), str(secret), str(token) if token else None)


class StsClient(NamedTuple):
    """A client of one operation of STS: assume this role, narrowed by a session policy."""

    endpoint: str
    region: str
    role_arn: str
    session_life: timedelta
    sleep: Callable[[float], None]

    def assume_role(
        self, session_policy: str, own: AccessKeys, now: datetime, *, attempts: int
    ) -> StsCredentials:
        """
        Call AssumeRole, and retry after a network failure, throttling or a 503.

        Raises:
            StsRejected: a 4xx.
            StsUnavailable: any other failure.
        """
        credentials = parse_response(self._call(session_policy, own, attempts))
        # A wrong clock at STS must not extend the life that we requested.
        return credentials._replace(expires_at=min(credentials.expires_at, now + self.session_life))

    def _call(self, session_policy: str, own: AccessKeys, attempts: int) -> bytes:
        aliyun_sdk.prepare()
        from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest

        while True:
            request = AssumeRoleRequest()
            request.set_RoleArn(self.role_arn)
            request.set_RoleSessionName(SESSION_NAME)
            request.set_DurationSeconds(int(self.session_life.total_seconds()))
            request.set_Policy(session_policy)
            attempts -= 1
            try:
                return aliyun_sdk.call(request, endpoint=self.endpoint, region=self.region, own=own)
            except aliyun_sdk.SdkFailed as error:
                if not (error.is_transient and attempts):
                    raise _failure(error) from None
            self.sleep(RETRY_PAUSE_SECONDS)


def _failure(error: aliyun_sdk.SdkFailed) -> StsRejected | StsUnavailable:
    reason = f"AssumeRole: {error.reason}"
    if error.code == OWN_KEYS_ENDED:
        reason += "; the function's own keys have expired, and a new instance gets new ones: deploy once more"
    if not error.is_transient and error.status is not None and 400 <= error.status < 500:
        return StsRejected("STS refused to issue upload credentials.", reason=reason, upstream=error.code)
    return StsUnavailable(reason=reason, upstream=error.code)


def parse_response(body: bytes) -> StsCredentials:
    """
    Read a 200 response of AssumeRole, which the SDK does not check; errors name fields, never their values.

    Source: https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-assumerole
    """
    response = object_in(body)
    if response is None:
        raise StsUnavailable(reason="STS: HTTP 200 without a JSON object")
    fields = response.get("Credentials")
    if not isinstance(fields, dict):
        raise StsUnavailable(reason="STS: HTTP 200 without Credentials")
    missing = [name for name in CREDENTIAL_FIELDS if not (isinstance(fields.get(name), str) and fields[name])]
    if missing:
        raise StsUnavailable(reason=f"STS: HTTP 200 without {', '.join(missing)}")
    try:
        expires_at = datetime.fromisoformat(fields["Expiration"])
    except ValueError:
        raise StsUnavailable(reason="STS: HTTP 200 with an invalid Expiration") from None
    if expires_at.tzinfo is None:
        raise StsUnavailable(reason="STS: HTTP 200 with an Expiration without a time zone")
    return StsCredentials(
        fields["AccessKeyId"], fields["AccessKeySecret"], fields["SecurityToken"], expires_at
    )
