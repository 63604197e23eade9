"""
Refusals of the RPC gateway: status, code and message.

No page gives a status for each (keys, tokens, timestamps, signatures). The choice here is 400, which is what
public reports quote for ``SignatureDoesNotMatch`` and ``SignatureNonceUsed``, except 404 for what is not
found.
"""

import uuid
from typing import NamedTuple


class Refusal(NamedTuple):
    """
    One way to say no.

    Args:
        message: for the client; quotes nothing secret.
    """

    status: int
    code: str
    message: str


class RpcError(Exception):
    """Raised when a request is refused."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.refusal = Refusal(status, code, message)


def refusal_body(refusal: Refusal, origin: str, product: str) -> dict[str, str]:
    """What the gateway answers in place of the service; ``Code`` is text in it."""
    request_id = new_request_id()
    return {
        "RequestId": request_id,
        "HostId": origin.removeprefix("http://"),
        "Code": refusal.code,
        "Message": refusal.message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={refusal.code}&product={product}&requestId={request_id}",
    }


def new_request_id() -> str:
    return str(uuid.uuid4()).upper()


def missing(name: str) -> RpcError:
    return RpcError(400, f"Missing{name}", f"{name} is mandatory for this action.")


def invalid(name: str, message: str = "") -> RpcError:
    return RpcError(400, f"InvalidParameter.{name}", message or f"The parameter {name} is wrongly formed.")


def signature_mismatch(string_to_sign: str) -> RpcError:
    """Official SDKs compare what follows the colon with their own string to tell a wrong secret."""
    sentence = "Specified signature is not matched with our calculation. server string to sign is:"
    return RpcError(400, "SignatureDoesNotMatch", sentence + string_to_sign)


def incomplete_signature(message: str) -> RpcError:
    # No page names the code for an Authorization header that is wrongly formed or signs too little.
    return RpcError(400, "IncompleteSignature", message)


THROTTLED = Refusal(400, "Throttling.User", "Request was denied due to user flow control.")
NO_PERMISSION = Refusal(
    403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM."
)
NO_SUCH_ACTION = Refusal(
    404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."
)
NO_SUCH_KEY = Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
TOKEN_MISMATCH = Refusal(
    400,
    "InvalidSecurityToken.MismatchWithAccessKey",
    "Specified SecurityToken mismatch with the AccessKey.",
)
TOKEN_EXPIRED = Refusal(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
NONCE_USED = Refusal(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
TIMESTAMP_MALFORMED = Refusal(
    400,
    "InvalidTimeStamp.Format",
    "Specified time stamp or date value is not well formatted: use UTC like 2030-01-01T12:00:00Z.",
)
TIMESTAMP_EXPIRED = Refusal(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
