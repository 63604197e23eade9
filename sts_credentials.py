"""
AssumeRole through ``aliyun-python-sdk-sts``: whose keys ask, the question, and what its answer must hold.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from errors import Misconfigured, StsRejected, StsUnavailable
from outgoing_http import ExchangeFailed, within

if TYPE_CHECKING:
    from aliyunsdkcore.client import AcsClient

SESSION_NAME = "oss-direct-upload"
CONNECT_TIMEOUT_SECONDS = 1.5
READ_TIMEOUT_SECONDS = 3
# For the whole of an attempt: the SDK's own timeouts begin anew with every byte that comes.
ATTEMPT_SECONDS = CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS
MAX_ANSWER_BYTES = 64 * 1024
READ_BYTES = 8192
RETRY_PAUSE_SECONDS = 0.2
# What the SDK imports and AssumeRole never calls: RSA key pairs (with all of cryptography), guessing the
# encoding of a text, and looking up timeouts that we give. Left for later, a cold start takes a tenth less
# time and a fifth less memory.
SDK_MODULES_FOR_LATER = (
    "aliyunsdkcore.auth.algorithm.sha_hmac256",
    "aliyunsdkcore.vendored.requests.packages.chardet",
    "jmespath",
)
CREDENTIAL_FIELDS = ("AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration")
# Everything the SDK was seen to raise from one call (its own parsing of odd error bodies included).
UNTYPED_SDK_ERRORS = (AttributeError, IndexError, TypeError, ValueError, RecursionError)


class AccessKeys(NamedTuple):
    """The function's own credentials, which ask STS for the role; a local key pair has no token."""

    access_key_id: str
    access_key_secret: str
    security_token: str | None

    def __repr__(self) -> str:
        return f"AccessKeys({self.access_key_id})"


class StsCredentials(NamedTuple):
    """
    One temporary credential set of the upload role, never half replaced.

    Args:
        expires_at: timezone-aware UTC, compared with wall time.
    """

    access_key_id: str
    access_key_secret: str
    security_token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"StsCredentials({self.access_key_id}, until {self.expires_at})"


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
        raise Misconfigured(
            [
                "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are missing;"
                " Function Compute sets them when the function has a role (s.yaml: role)"
            ]
        )
    # The SDK sends an empty token as an empty parameter, which STS refuses.
    return AccessKeys(str(id_), str(secret), str(token) if token else None)


class StsClient:
    """
    The one question asked of STS: assume this role, narrowed by this session policy.

    Args:
        endpoint: origin of STS, scheme included.

        session_policy: RAM document as JSON text.

        sleep: waits between the two attempts.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        role_arn: str,
        session_policy: str,
        session_life: timedelta,
        sleep: Callable[[float], None],
    ) -> None:
        self._endpoint = endpoint
        self._region = region
        self._role_arn = role_arn
        self._session_policy = session_policy
        self._session_life = session_life
        self._sleep = sleep
        self._client: tuple[AccessKeys, AcsClient] | None = None

    def assume_role(self, own: AccessKeys, now: datetime, *, attempts: int) -> StsCredentials:
        """
        Ask STS, and again after a network failure, throttling or a 503.

        Raises:
            StsRejected: STS answered with a 4xx.

            StsUnavailable: anything else that is not a good answer.
        """
        credentials = parse_answer(self._ask_up_to(attempts, self._client_for(own)))
        # A wrong clock over there must not make us keep a set for longer than we asked for.
        latest = now + self._session_life
        if credentials.expires_at > latest:
            return StsCredentials(
                credentials.access_key_id, credentials.access_key_secret, credentials.security_token, latest
            )
        return credentials

    def _ask_up_to(self, attempts: int, client: "AcsClient") -> bytes:
        for _ in range(attempts - 1):
            try:
                return self._ask(client)
            except _WorthAnotherTry:
                self._sleep(RETRY_PAUSE_SECONDS)
        try:
            return self._ask(client)
        except _WorthAnotherTry as error:
            raise unavailable(str(error)) from None

    def _client_for(self, own: AccessKeys) -> "AcsClient":
        if self._client is None or self._client[0] != own:
            self._client = (own, _new_client(own, self._region))
        return self._client[1]

    def _ask(self, client: "AcsClient") -> bytes:
        from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
        from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest

        # A request object carries its nonce and signature: every attempt needs a new one.
        request = AssumeRoleRequest()
        request.set_RoleArn(self._role_arn)
        request.set_RoleSessionName(SESSION_NAME)
        request.set_DurationSeconds(int(self._session_life.total_seconds()))
        request.set_Policy(self._session_policy)
        # Without it, the SDK may ask another host, signed, where the region's STS is.
        request.set_endpoint(self._endpoint)
        # The texts of these exceptions hold the signed URL, so nothing of them is kept but codes.
        try:
            body: bytes = within(ATTEMPT_SECONDS, lambda: client.do_action_with_exception(request))
        except ExchangeFailed as error:
            raise _WorthAnotherTry(f"STS: {error.kind}") from None
        except ServerException as error:
            raise _server_error(error.http_status, error.error_code, error.request_id) from None
        except ClientException as error:
            if error.error_code == "SDK.HttpError":
                raise _WorthAnotherTry("no answer from STS (refused, reset, timed out or TLS)") from None
            raise unavailable(f"the SDK says {_plain(error.error_code)}") from None
        except UNTYPED_SDK_ERRORS as error:
            raise unavailable(f"STS sent an error the SDK cannot read ({type(error).__name__})") from None
        return body


class _WorthAnotherTry(Exception):
    """Raised for what a second attempt may mend."""


def _new_client(own: AccessKeys, region: str) -> "AcsClient":
    for name in SDK_MODULES_FOR_LATER:
        _import_when_used(name)
    import aliyunsdkcore.vendored.requests.packages.urllib3.util.ssl_ as sdk_ssl
    from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
    from aliyunsdkcore.client import AcsClient

    # Its loggers print signed URLs and whole answers, the secret included.
    logging.getLogger("aliyunsdkcore").setLevel(logging.CRITICAL + 1)
    # The vendored urllib3 looks for a function that Python 3.12 removed and then leaves SNI out.
    sdk_ssl.HAS_SNI = True
    if own.security_token is None:
        credential = AccessKeyCredential(own.access_key_id, own.access_key_secret)
    else:
        credential = StsTokenCredential(own.access_key_id, own.access_key_secret, own.security_token)
    client = AcsClient(
        region_id=region,
        credential=credential,
        auto_retry=False,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        timeout=READ_TIMEOUT_SECONDS,
    )
    bounded = _bounded_adapter()
    client.session.mount("https://", bounded)
    client.session.mount("http://", bounded)
    return client


def _import_when_used(name: str) -> None:
    """Put a stand-in in a module's place, which imports it for whoever asks for something in it."""
    if name in sys.modules:
        return
    stand_in = sys.modules[name] = ModuleType(name)

    def __getattr__(attribute: str) -> Any:
        # Who only looks through all modules asks for such as __file__; who imports a part, for __path__.
        if attribute.startswith("__") and attribute != "__path__":
            raise AttributeError(attribute)
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    stand_in.__getattr__ = __getattr__  # type: ignore[method-assign]


def _bounded_adapter() -> Any:
    """What reads STS's answers for the SDK, which would take one of any size into memory."""
    from aliyunsdkcore.vendored.requests import ConnectionError as ConnectionFailed
    from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter

    class BoundedAdapter(HTTPAdapter):  # type: ignore[misc]  # the SDK has no types
        def send(self, request: Any, **options: Any) -> Any:
            # STS is asked once in most of an hour. A connection that was kept would be dead by then, and
            # after a freeze of the instance nobody may have said so.
            request.headers["Connection"] = "close"
            last_start = time.monotonic() + ATTEMPT_SECONDS
            response = super().send(request, **{**options, "stream": True})
            parts, size = [], 0
            for part in response.iter_content(READ_BYTES):
                size += len(part)
                if size > MAX_ANSWER_BYTES or time.monotonic() > last_start:
                    response.close()
                    raise ConnectionFailed("answer over its bounds")
                parts.append(part)
            # Where the vendored library keeps a body that has been read.
            response._content = b"".join(parts)
            return response

    return BoundedAdapter()


def _server_error(status: Any, code: Any, request_id: Any) -> Exception:
    reason = f"AssumeRole: HTTP {status} {_plain(code)}, STS request {_plain(request_id)}"
    if status == 429 or str(code).startswith("Throttling") or status == 503:
        return _WorthAnotherTry(reason)
    if isinstance(status, int) and 400 <= status < 500:
        return StsRejected("STS refused to issue upload credentials.", reason=reason)
    return unavailable(reason)


def _plain(value: Any) -> str:
    """An upstream's code as it may stand in a log line, whatever the upstream really sent."""
    return re.sub(r"[^A-Za-z0-9._-]", "?", str(value))[:80]


def unavailable(reason: str) -> StsUnavailable:
    """What a caller is told whatever kept STS from answering; the reason is for the log."""
    return StsUnavailable("STS cannot issue upload credentials right now; please try again.", reason=reason)


def parse_answer(body: bytes) -> StsCredentials:
    """
    Read the 200 answer of AssumeRole, which the SDK hands over unchecked.

    Raises:
        StsUnavailable: with the names of what is missing, never the values.

    Source: https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-assumerole
    """
    try:
        answer = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        raise unavailable("STS answered 200 with a body that is not JSON") from None
    given = answer.get("Credentials") if isinstance(answer, dict) else None
    if not isinstance(given, dict):
        raise unavailable("STS answered 200 without Credentials")
    missing = [name for name in CREDENTIAL_FIELDS if not (isinstance(given.get(name), str) and given[name])]
    if missing:
        raise unavailable(f"STS answered 200 without {', '.join(missing)}")
    try:
        expires_at = datetime.fromisoformat(given["Expiration"])
    except ValueError:
        raise unavailable("STS answered 200 with an Expiration that is no date") from None
    if expires_at.tzinfo is None:
        raise unavailable("STS answered 200 with an Expiration without a time zone")
    return StsCredentials(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"], expires_at)
