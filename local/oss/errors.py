"""
Documented errors of OSS and their XML.

Texts and codes are OSS's own; where no public page gives a text or an EC, the line says "ours".
Source: https://help.aliyun.com/zh/oss/developer-reference/error-handling
"""

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

# OSS numbers every refusal; for a few the number is in no public page. A made-up one could be mistaken for
# the real one, so those carry zeros.
NO_PUBLIC_EC = "0000-00000000"
RECOMMENDATION = "https://api.aliyun.com/troubleshoot?q="
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Refusal:
    """One row of OSS's error tables."""

    status: int
    code: str
    message: str
    ec: str = NO_PUBLIC_EC


class OssError(Exception):
    """
    A request that OSS refuses.

    Args:
        message: replaces the row's text where that depends on the request.

        details: further XML elements, such as ``ArgumentName``.
    """

    def __init__(self, refusal: Refusal, message: str | None = None, **details: str) -> None:
        super().__init__(message or refusal.message)
        self.refusal, self.details = refusal, details
        self.message = message or refusal.message
        self.headers: dict[str, str] = {}


def error_xml(error: OssError, request_id: str, host_id: str) -> bytes:
    """The ``application/xml`` body of a refusal, UTF-8."""
    elements = {
        "Code": error.refusal.code,
        "Message": error.message,
        "RequestId": request_id,
        "HostId": host_id,
        **error.details,
        "EC": error.refusal.ec,
        "RecommendDoc": RECOMMENDATION + error.refusal.ec,
    }
    inner = "".join(f"  <{name}>{xml_text(value)}</{name}>\n" for name, value in elements.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n{inner}</Error>\n'.encode()


def xml_text(value: str) -> str:
    """Escape a text; characters that XML 1.0 cannot hold become U+FFFD."""
    return escape(NOT_XML.sub("\ufffd", value))


def invalid_argument(message: str, ec: str, name: str, value: str = "") -> OssError:
    """``InvalidArgument``, which names the argument."""
    return OssError(Refusal(400, "InvalidArgument", message, ec), ArgumentName=name, ArgumentValue=value)


# The request and its body
NOT_MULTIPART = Refusal(
    400, "RequestIsNotMultiPartContent", "Bucket POST must be of the enclosure-type multipart/form-data."
)
MALFORMED = Refusal(
    400,
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
    "0006-00000104",
)
FILE_MISSING = Refusal(400, MALFORMED.code, MALFORMED.message, "0006-00000107")
NOT_ONE_FILE = Refusal(
    400, "IncorrectNumberOfFilesInPOSTRequest", "POST requires exactly one file upload per request."
)
UNKNOWN_FILE_HEADER = Refusal(400, "InvalidArgument", "The bucket POST contains unrecognized field name.")
FIELD_NAME_TOO_LONG = Refusal(
    400, "FieldItemTooLong", "Your name of form field is too long.", "0006-00000110"
)
FIELDS_TOO_LARGE = Refusal(
    400,
    "MaxPOSTPreDataLengthExceededError",
    "Your POST request fields preceding the upload file were too large.",
    "0006-00000112",
)
TOO_LARGE = Refusal(
    400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.", "0006-00000003"
)
TOO_SMALL = Refusal(
    400,
    "EntityTooSmall",
    "Your proposed upload smaller than the minimum allowed size.",
    "0006-00000004",
)
INVALID_DIGEST = Refusal(400, "InvalidDigest", "The Content-MD5 you specified was invalid.", "0017-00000502")
NO_LENGTH = Refusal(  # text and status as OSS has them for PutObject
    411, "MissingContentLength", "You must provide the Content-Length HTTP header."
)
WAITED_TOO_LONG = Refusal(
    400,
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
)
UPLOAD_TOOK_TOO_LONG = Refusal(400, "RequestTimeout", "The upload times out.", "0017-00000703")
MALFORMED_XML = Refusal(
    400,
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema.",
)
FIELD_MISSING_TEXT = (
    "The bucket POST must contain the specified '{}'. "
    "If it is specified, please check the order of the fields"
)
BAD_QUERY = Refusal(400, "InvalidArgument", "The query is not percent-encoded UTF-8.")  # ours
SAID_TWICE = Refusal(400, "InvalidArgument", "A header or parameter has two values.")  # ours
INVALID_KEY = Refusal(400, "InvalidObjectName", "The specified object is not valid.")

# Who signed it
POLICY_FIELD_MISSING = Refusal(  # text by analogy with the two documented ones
    400,
    "InvalidArgument",
    FIELD_MISSING_TEXT.format("policy"),
    "0002-00000702",
)
KEY_ID_MISSING = Refusal(
    400,
    "InvalidArgument",
    FIELD_MISSING_TEXT.format("OSSAccessKeyId"),
    "0002-00000706",
)
KEY_ID_BLANK = Refusal(400, "InvalidArgument", "Post request accessKeyId is empty.", "0002-00000707")
SIGNATURE_MISSING = Refusal(400, "InvalidArgument", "Post request signature is empty.", "0002-00000703")
SIGNATURE_BLANK = Refusal(400, "InvalidArgument", "Post request signature is empty.", "0002-00000704")
SIGNATURE_VERSION = Refusal(  # text ours
    400, "InvalidArgument", "The signature version is invalid.", "0002-00000701"
)
CREDENTIAL_MALFORMED = Refusal(  # text ours
    400, "InvalidArgument", "The credential is malformed.", "0002-00000710"
)
CREDENTIAL_DATE = Refusal(  # text ours
    400,
    "InvalidArgument",
    "The date is malformed or too far from the server's.",
    "0002-00000709",
)
CREDENTIAL_REGION = Refusal(
    400, "InvalidArgument", "The signing region in credential is invalid.", "0002-00000715"
)
UNKNOWN_KEY_ID = Refusal(
    403,
    "InvalidAccessKeyId",
    "The OSS Access Key Id you provided does not exist in our records.",
    "0002-00000902",
)
TOKEN_MISSING = Refusal(403, UNKNOWN_KEY_ID.code, UNKNOWN_KEY_ID.message, "0002-00000003")
TOKEN_INVALID = Refusal(
    403, "InvalidSecurityToken", "The security token you provided is invalid.", "0002-00000006"
)
TOKEN_OF_ANOTHER_KEY = Refusal(
    403,
    "AccessKeyIdAndSecurityTokenNotMatch",
    "The OSS access key id and security token you provided does not match.",
    "0002-00000004",
)
TOKEN_EXPIRED = Refusal(
    403, "SecurityTokenExpired", "The security token you provided has expired.", "0002-00000007"
)
SIGNATURE_WRONG = Refusal(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method.",
    "0002-00000040",
)
V1_RETIRED = Refusal(  # code and text ours; status and EC documented
    403, "AccessDenied", "Signature version 1 is no longer supported, use version 4.", "0002-00000080"
)

SIGNED_TWICE = Refusal(400, "InvalidArgument", "Sign in the header or in the query, not in both.")  # ours
AUTHORIZATION_MALFORMED = Refusal(400, "InvalidArgument", "The Authorization header is malformed.")  # ours
PAYLOAD_SIGNED = Refusal(  # text ours
    400, "InvalidArgument", "x-oss-content-sha256 must be UNSIGNED-PAYLOAD, and signed."
)
HEADERS_EMPTY_TEXT = "The list of additional headers is empty."  # like the next three ours
HEADERS_EMPTY_IN_QUERY = Refusal(400, "InvalidArgument", HEADERS_EMPTY_TEXT, "0002-00000076")
HEADERS_EMPTY_IN_HEADER = Refusal(400, "InvalidArgument", HEADERS_EMPTY_TEXT, "0002-00000209")
HEADERS_MALFORMED = Refusal(
    400, "InvalidArgument", "The list of additional headers is malformed.", "0002-00000077"
)
HEADER_ABSENT_TEXT = "A header that is named as signed was not sent."
HEADER_ABSENT_IN_QUERY = Refusal(400, "InvalidArgument", HEADER_ABSENT_TEXT, "0002-00000078")
HEADER_ABSENT_IN_HEADER = Refusal(400, "InvalidArgument", HEADER_ABSENT_TEXT, "0002-00000211")
# The numbers of these three are documented; their status, code and text are ours.
EXPIRES_MISSING = Refusal(400, "InvalidArgument", "x-oss-expires is missing.", "0002-00000215")
EXPIRES_EMPTY = Refusal(400, "InvalidArgument", "x-oss-expires is empty.", "0002-00000216")
EXPIRES_RANGE = Refusal(
    400, "InvalidArgument", "x-oss-expires is no number of seconds within its limits.", "0002-00000232"
)
URL_EXPIRED = Refusal(403, "AccessDenied", "Request has expired.", "0002-00000236")  # code and text ours
TIME_SKEWED = Refusal(  # text ours
    403, "RequestTimeTooSkewed", "The request's time is more than 15 minutes off the server's."
)

# What it may do
PUBLIC_ENDPOINT = Refusal(
    400,
    "PublicEndpointForbidden",
    "Not allowed using the OSS public endpoint, please use CNAME instead.",
    "0048-00000401",
)
POLICY_EXPIRED = Refusal(403, "AccessDenied", "Invalid according to Policy: Policy expired.", "0006-00000213")
CONDITION_TEXT = "Invalid according to Policy: Policy Condition failed: "
CONDITION_FAILED = Refusal(403, "AccessDenied", CONDITION_TEXT, "0006-00000227")
CONDITION_FIELD_ABSENT = Refusal(403, "AccessDenied", CONDITION_TEXT, "0006-00000226")
BUCKET_PRIVATE = Refusal(
    403,
    "AccessDenied",
    "You have no right to access this object because of bucket acl.",
    "0003-00000001",
)
NOT_PERMITTED = Refusal(403, "AccessDenied", "Access denied by authorizer's policy.", "0003-00000301")
PUBLIC_ACL_BLOCKED = Refusal(403, "AccessDenied", "Put public object acl is not allowed", "0016-00000901")
ALREADY_EXISTS = Refusal(
    409,
    "FileAlreadyExists",
    "The object you specified already exists and can not be overwritten.",
    "0026-00000002",
)
TYPE_NOT_REPLACEABLE = Refusal(
    400, "InvalidRequest", "Can not override response header on content-type", "0017-00000902"
)
ANONYMOUS_REPLACES = Refusal(  # text ours
    400, "InvalidRequest", "Response headers can be overridden in signed requests only."
)
CORS_REFUSES = Refusal(
    403,
    "AccessForbidden",
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request"
    " method / Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by the"
    " resource's CORS spec.",
)
CORS_FORBIDS = Refusal(403, "AccessDenied", "No page of another origin deletes objects here.")  # ours
NO_SUCH_KEY = Refusal(404, "NoSuchKey", "The specified key does not exist.", "0026-00000001")
# OSS's own text is in no page that we read.
NOT_RESTORED = Refusal(403, "InvalidObjectState", "The operation is not valid for the object's state.")
NO_SUCH_BUCKET = Refusal(404, "NoSuchBucket", "The specified bucket does not exist.", "0015-00000101")
PRECONDITION_FAILED = Refusal(
    412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold."
)
NOT_MODIFIED = Refusal(304, "NotModified", "Not Modified")
RANGE_NOT_SATISFIABLE = Refusal(416, "InvalidRange", "The requested range cannot be satisfied.")
NOT_IMPLEMENTED = Refusal(
    501, "NotImplemented", "A header or parameter you provided implies functionality that is not implemented."
)
METHOD_NOT_ALLOWED = Refusal(
    405, "MethodNotAllowed", "The specified method is not allowed against this resource."
)

# Our side
INTERNAL = Refusal(500, "InternalError", "Please contact the server administrator, oss@service.aliyun.com.")
BUSY = Refusal(503, "ServiceUnavailable", "Please reduce your request rate.")
