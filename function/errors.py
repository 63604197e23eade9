"""
Errors of this function, each with its HTTP status and code.

* UploadError
  x CallerError
    + BadRequest, UnknownProfile (400), Unauthorized (401), Forbidden (403), NotFound, NotUploaded (404),
      MethodNotAllowed (405), Incomplete, AlreadyExists, AlreadyComplete, AlreadyPublished,
      AlreadyLabelled (409), UploadGone (410), TooLarge (413), UnsupportedType (415), TooManyRequests,
      QuotaExceeded (429)
  x Misconfigured, InternalError (500), HooksUnavailable (503)
  x UpstreamError
    + StsRejected, LoginRejected, OssRejected (502)
    + StsUnavailable, LoginUnavailable, WechatUnavailable, OssUnavailable, OssKeyUnavailable,
      QuotaUnavailable (503)
"""

from collections.abc import Iterable, Mapping

from function.annotations import Any, ClassVar, NamedTuple
from function.messages import Message


class UploadError(Exception):
    """
    Base of all errors.

    Args:
        message: one English sentence for the caller; never holds a secret or an upstream's text.
        reason: details for the operator; logged, never sent to the caller.
        retry_after: whole seconds before a retry (sent with 429 and 503).
        upstream: error code of another service, such as ``NoPermission``.
        details: further fields of ``error`` in the response.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    default_message: ClassVar[str] = ""
    default_retry_after: ClassVar[int | None] = None
    # Whether it is about this very object, so that another one may succeed at the same service.
    is_own = False

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

    @property
    def item(self) -> dict[str, Any]:
        """Fields of ``error`` in the result of one item of several."""
        after = {} if self.retry_after is None else {"retryAfter": self.retry_after}
        return {"code": self.code, "message": self.message, **after}

    def __copy__(self) -> "UploadError":
        """Return a copy without the traceback, for callers that share one failure."""
        other = type(self).__new__(type(self), *self.args)
        other.__dict__.update(self.__dict__)
        return other


class CallerError(UploadError):
    """Errors that the caller can correct, or that pass."""


class BadRequest(CallerError):
    """Raised when a field or the body is malformed; the message names the field."""

    status, code = 400, "bad_request"


class UnknownProfile(CallerError):
    """Raised when the named profile is not in ``profiles.toml``."""

    status, code = 400, "unknown_profile"


class Unauthorized(CallerError):
    """Raised when a token or login code is missing, invalid, used or expired."""

    status, code = 401, "unauthorized"


class Forbidden(CallerError):
    """Raised when a known caller lacks the right."""

    status, code = 403, "forbidden"


class NotFound(CallerError):
    """Raised when there is no such route."""

    status, code = 404, "not_found"


class NotUploaded(CallerError):
    """Raised when OSS has no such object, or not yet."""

    status, code = 404, "not_uploaded"
    default_message = "OSS has no such upload, or not yet."


class MethodNotAllowed(CallerError):
    """Raised when a route exists, but not for this method; ``allowed`` is sent as ``Allow``."""

    status, code = 405, "method_not_allowed"

    def __init__(self, message: str, *, allowed: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class Incomplete(CallerError):
    """Raised when parts are lacking or of another size; ``details`` say which."""

    status, code = 409, "incomplete"


class AlreadyExists(CallerError):
    """Raised when an object of this name exists and must not be overwritten."""

    status, code = 409, "already_exists"
    default_message = "An object of this name exists already."


class AlreadyComplete(CallerError):
    """Raised when the parts of an upload have been completed already."""

    status, code = 409, "already_complete"
    default_message = "This upload is complete already."


class AlreadyPublished(CallerError):
    """Raised when an object that may be discarded only while it is held is published."""

    status, code = 409, "already_published"
    default_message = "This object is published already."


class AlreadyLabelled(CallerError):
    """Raised when a reviewer labels as AI-made what its file or its uploader labelled."""

    status, code = 409, "already_labelled"
    default_message = "This upload has a label of AI-made content already."


class UploadGone(CallerError):
    """Raised when OSS no longer has the upload, and it left no object."""

    status, code = 410, "upload_gone"
    default_message = "This upload no longer exists; start a new one."


class TooLarge(CallerError):
    """Raised when the body, or the file announced, is over its limit."""

    status, code = 413, "too_large"


class UnsupportedType(CallerError):
    """Raised when the profile does not admit the content type."""

    status, code = 415, "unsupported_type"


class TooManyRequests(CallerError):
    """Raised when a caller exceeds its rate, or WeChat says that a user does."""

    status, code = 429, "too_many_requests"
    default_retry_after = 60


class QuotaExceeded(CallerError):
    """Raised when a daily quota is exceeded; ``details`` hold the rest of it."""

    status, code = 429, "quota_exceeded"


class Problem(NamedTuple):
    """
    Fault in the configuration.

    Args:
        setting: name of the environment variable, or ``profiles.toml``.
        sentence: begins with the setting and says what is allowed; never holds a secret.
        needs: another setting that is missing.
    """

    setting: str
    sentence: Message
    needs: str = ""


class Misconfigured(UploadError):
    """Raised when the configuration is invalid; the caller learns only that."""

    status, code = 500, "misconfigured"
    default_message = "This function is not configured correctly; its log says what to change."

    def __init__(self, problems: Iterable[Problem], *, upstream: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__(reason="; ".join(each.sentence for each in self.problems), upstream=upstream)


class InternalError(UploadError):
    """Raised at the edge for any unexpected exception."""

    status, code = 500, "internal_error"


class HooksUnavailable(UploadError):
    """Raised when a call of ``hooks.py`` is late, or too many late ones have not ended."""

    status, code = 503, "hooks_unavailable"
    default_message = "This service's rules are not responding; please try again."
    default_retry_after = 2


class UpstreamError(UploadError):
    """Failures of STS, WeChat, OSS, the host of its public keys or the quota store."""


class StsRejected(UpstreamError):
    """Raised when STS responds to AssumeRole with a 4xx: a permission, a trust policy, a parameter."""

    status, code = 502, "sts_rejected"


class LoginRejected(UpstreamError):
    """Raised when the platform of a login refuses it, and neither the caller nor a retry can help."""

    status, code = 502, "login_rejected"


class OssRejected(UpstreamError):
    """Raised when OSS refuses a call of the function for an unexpected reason."""

    status, code = 502, "oss_rejected"
    default_message = "OSS rejected a request of the function."


class StsUnavailable(UpstreamError):
    """Raised when STS throttles, fails, times out, or its response is malformed or lives too short."""

    status, code = 503, "sts_unavailable"
    default_message = "STS cannot issue upload credentials right now; please try again."
    default_retry_after = 2


class LoginUnavailable(UpstreamError):
    """Raised when the platform of a login is busy or times out."""

    status, code = 503, "login_unavailable"
    default_retry_after = 2


class WechatUnavailable(UpstreamError):
    """Raised when WeChat, or ``WECHAT_PUSH_FORWARD_URL``, is busy, times out or its response is malformed."""

    status, code = 503, "wechat_unavailable"
    default_retry_after = 2


class OssUnavailable(UpstreamError):
    """Raised when OSS fails, times out or its response is malformed; or a record of ours is invalid."""

    status, code = 503, "oss_unavailable"
    is_own = True
    default_message = "OSS is not responding; please try again."
    default_retry_after = 2


class OssKeyUnavailable(UpstreamError):
    """Raised when the public key that an upload callback names cannot be fetched."""

    status, code = 503, "oss_key_unavailable"
    default_retry_after = 2


class QuotaUnavailable(UpstreamError):
    """Raised when the quota store is down and ``QUOTA_WHEN_DOWN`` is ``deny``."""

    status, code = 503, "quota_unavailable"
    default_message = "Quotas cannot be counted right now; please try again."
    default_retry_after = 2
