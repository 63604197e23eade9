"""
Errors of multipart uploads, listings, deletions and versions.

Texts, codes and EC are OSS's own unless a line says otherwise.
Source: https://help.aliyun.com/zh/oss/developer-reference/completemultipartupload
"""

from local.oss.errors import TOO_SMALL, Refusal

NO_UPLOAD = Refusal(
    404,
    "NoSuchUpload",
    "The specified upload does not exist. "
    "The upload ID may be invalid, or the upload may have been aborted or completed.",
    "0042-00000002",
)
NO_UPLOAD_FOR_PART = Refusal(404, NO_UPLOAD.code, NO_UPLOAD.message, "0042-00000104")
NO_UPLOAD_FOR_COPY = Refusal(404, NO_UPLOAD.code, NO_UPLOAD.message, "0042-00000311")
NO_UPLOAD_TO_COMPLETE = Refusal(404, NO_UPLOAD.code, NO_UPLOAD.message, "0017-00000244")
INVALID_PART = Refusal(
    400,
    "InvalidPart",
    "One or more of the specified parts could not be found "
    "or the specified entity tag might not have matched the part's entity tag.",
)
PART_ORDER = Refusal(
    400,
    "InvalidPartOrder",
    "The list of parts was not in ascending order. Parts list must specified in order by part number.",
    "0042-00000209",
)
PART_TOO_SMALL = Refusal(400, TOO_SMALL.code, TOO_SMALL.message, "0042-00000213")
PART_NUMBER = Refusal(
    400,
    "InvalidArgument",
    "Part number must be an integer between 1 and 10000, inclusive.",
    "0017-00000220",
)
PART_NOT_SEQUENTIAL = Refusal(  # status and text ours
    400, "PartNotSequential", "The parts of this upload must come in order."
)
ALL_AND_A_LIST = Refusal(  # the spelling is OSS's
    400, "InvalidArgument", "Should not speficy both complete all header and http body.", "0042-00000216"
)
# Codes are OSS's own; of texts and EC no public page that we read has one.
BAD_TOKEN = Refusal(400, "InvalidArgument", "The continuation token is invalid.")
NO_SUCH_VERSION = Refusal(404, "NoSuchVersion", "The specified version does not exist.")
MARKER_UNREADABLE = Refusal(405, "MethodNotAllowed", "The specified version is a delete marker.")
NO_VERSIONS = Refusal(400, "InvalidArgument", "This bucket has no versions.")
IMMUTABLE = Refusal(409, "FileImmutable", "The object is under a retention policy.")
DIGEST_MISSING = Refusal(400, "InvalidArgument", "Content-MD5 is missing.")
