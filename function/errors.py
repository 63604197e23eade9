"""
Every failure this function raises on purpose, each with its HTTP status and code.

* UploadError
  x CallerError
    + BadRequest, UnknownProfile (400), Unauthorized (401), Forbidden (403), NotFound (404),
      MethodNotAllowed (405), TooLarge (413), UnsupportedType (415), TooManyRequests (429)
  x Misconfigured, InternalError (500)
  x UpstreamError
    + StsRejected, WechatRejected (502)
    + StsUnavailable, WechatUnavailable, OssKeyUnavailable (503)
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple


class UploadError(Exception):
    """
    The root of them all.

    Args:
        message: one English sentence for the caller; never holds a secret or an upstream's text.

        reason: what the operator should know; goes to the log, never into a response.

        retry_after: whole seconds after which trying again makes sense (sent with 429 and 503).

        upstream: the code with which another service refused, such as ``NoPermission``; for programs.

        details: further fields of the answer's ``error``, for programs.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    default_message: ClassVar[str] = ""
    default_retry_after: ClassVar[int | None] = None

    def __init__(
        self,
        message: str = "",
        *,
        reason: str = "",
        retry_after: int | None = None,
        upstream: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.default_message
        super().__init__(self.message)
        self.reason = reason
        self.retry_after = retry_after or self.default_retry_after
        self.upstream = upstream
        self.details = details or {}

    def __copy__(self) -> "UploadError":
        """Another of the same without this one's traceback, for each of those that share one failure."""
        other = type(self).__new__(type(self), *self.args)
        other.__dict__.update(self.__dict__)
        return other


class CallerError(UploadError):
    """The caller can mend it by asking differently, or later."""


class BadRequest(CallerError):
    """Raised when a field or the body is malformed; the message names the field."""

    status = 400
    code = "bad_request"


class UnknownProfile(CallerError):
    """Raised when the named profile is not in ``profiles.toml``."""

    status = 400
    code = "unknown_profile"


class Unauthorized(CallerError):
    """Raised when a token or login code is missing, invalid, used or expired."""

    status = 401
    code = "unauthorized"


class Forbidden(CallerError):
    """Raised when we know who or what it is, and the answer is still no."""

    status = 403
    code = "forbidden"


class NotFound(CallerError):
    """Raised when the last segment of the path is no route of ours."""

    status = 404
    code = "not_found"


class MethodNotAllowed(CallerError):
    """
    Raised when a route exists, but not for this method.

    Args:
        allowed: the methods it does take, for the ``Allow`` header.
    """

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class TooLarge(CallerError):
    """Raised when the body, or the file announced, is over its limit."""

    status = 413
    code = "too_large"


class UnsupportedType(CallerError):
    """Raised when the profile does not admit the content type."""

    status = 415
    code = "unsupported_type"


class TooManyRequests(CallerError):
    """Raised when a caller exceeds its rate, or WeChat says that a user does."""

    status = 429
    code = "too_many_requests"
    default_retry_after = 60


class Problem(NamedTuple):
    """
    One thing the operator must change.

    Args:
        setting: name of the environment variable, or ``profiles.toml``.

        sentence: whole, beginning with the setting, and with what is allowed; never holds a secret.

        needs: another setting whose absence is the problem.
    """

    setting: str
    sentence: str
    needs: str = ""


class Misconfigured(UploadError):
    """Raised when the operator must change something; the caller is only told that much."""

    status = 500
    code = "misconfigured"

    def __init__(self, problems: Iterable[Problem], *, upstream: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__(
            "This function is not configured correctly; its log says what to change.",
            reason="; ".join(problem.sentence for problem in self.problems),
            upstream=upstream,
        )


class InternalError(UploadError):
    """Raised at the edge for what nobody foresaw."""

    status = 500
    code = "internal_error"


class UpstreamError(UploadError):
    """STS, WeChat or the host of OSS's public keys did not do its part."""


class StsRejected(UpstreamError):
    """Raised when STS answers AssumeRole with a 4xx: a permission, a trust policy, a parameter."""

    status = 502
    code = "sts_rejected"


class WechatRejected(UpstreamError):
    """Raised when code2Session answers with an error no caller and no retry can mend."""

    status = 502
    code = "wechat_rejected"


class StsUnavailable(UpstreamError):
    """Raised when STS throttles, fails, is silent, malformed, or hands out too short a life."""

    status = 503
    code = "sts_unavailable"
    default_message = "STS cannot issue upload credentials right now; please try again."
    default_retry_after = 2


class WechatUnavailable(UpstreamError):
    """Raised when code2Session is busy, silent or malformed."""

    status = 503
    code = "wechat_unavailable"
    default_retry_after = 2


class OssKeyUnavailable(UpstreamError):
    """Raised when the public key that an upload callback names cannot be fetched."""

    status = 503
    code = "oss_key_unavailable"
    default_retry_after = 2
