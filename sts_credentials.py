"""AssumeRole through ``aliyun-python-sdk-sts``: whose keys ask, and what the answer must hold."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from function import aliyun_sdk
from function.config.messages import Message
from function.credentials import AccessKeys, StsCredentials
from function.errors import Misconfigured, Problem, StsRejected, StsUnavailable
from function.http.json_body import object_in

SESSION_NAME = "oss-direct-upload"
RETRY_PAUSE_SECONDS = 0.2
# The keys of an instance that lives longer than they do; in its environment nobody renews them.
OWN_KEYS_ENDED = "InvalidSecurityToken.Expired"
CREDENTIAL_FIELDS = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")


def own_access_keys(environ: Mapping[str, str], context: object | None) -> AccessKeys:
    """
    The function's own credentials: ``context.credentials`` where a runtime has it, else the environment.

    Raises:
        Misconfigured: when neither holds a key pair (on FC: the function has no role).

    Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/context-1
    """
    given = getattr(context, "credentials", None)
    id_, secret, token = (
        getattr(given, name, None) for name in ("access_key_id", "access_key_secret", "security_token")
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
    """
    The one question asked of STS: assume this role, narrowed by a session policy.

    Args:
        endpoint: origin of STS, scheme included.

        sleep: waits between the two attempts.
    """

    endpoint: str
    region: str
    role_arn: str
    session_life: timedelta
    sleep: Callable[[float], None]

    def assume_role(
        self, session_policy: str, own: AccessKeys, now: datetime, *, attempts: int
    ) -> StsCredentials:
        """
        Ask STS, and again after a network failure, throttling or a 503.

        Args:
            session_policy: RAM document as JSON text.

        Raises:
            StsRejected: STS answered with a 4xx.

            StsUnavailable: anything else that is not a good answer.
        """
        credentials = parse_answer(self._ask(session_policy, own, attempts))
        # A wrong clock over there must not make us keep a set for longer than we asked for.
        return credentials._replace(expires_at=min(credentials.expires_at, now + self.session_life))

    def _ask(self, session_policy: str, own: AccessKeys, attempts: int) -> bytes:
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


def parse_answer(body: bytes) -> StsCredentials:
    """
    Read the 200 answer of AssumeRole, which the SDK hands over unchecked.

    Raises:
        StsUnavailable: with the names of what is missing, never the values.

    Source: https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-assumerole
    """
    answer = object_in(body)
    if answer is None:
        raise StsUnavailable(reason="STS answered 200 with a body that is no JSON object")
    given = answer.get("Credentials")
    if not isinstance(given, dict):
        raise StsUnavailable(reason="STS answered 200 without Credentials")
    missing = [name for name in CREDENTIAL_FIELDS if not (isinstance(given.get(name), str) and given[name])]
    if missing:
        raise StsUnavailable(reason=f"STS answered 200 without {', '.join(missing)}")
    try:
        expires_at = datetime.fromisoformat(given["Expiration"])
    except ValueError:
        raise StsUnavailable(reason="STS answered 200 with an Expiration that is no date") from None
    if expires_at.tzinfo is None:
        raise StsUnavailable(reason="STS answered 200 with an Expiration without a time zone")
    return StsCredentials(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"], expires_at)
