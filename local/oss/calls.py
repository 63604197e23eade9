"""Name of the OSS call of a request, by its method, object name and query."""

from local.oss import errors
from local.oss.answer import Answer
from local.oss.bucket_calls import (
    delete_lifecycle,
    get_lifecycle,
    get_versioning,
    put_lifecycle,
    put_versioning,
)
from local.oss.deleting import delete_many
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call, Serve
from local.oss.listing import list_parts, list_uploads
from local.oss.multipart import abort, complete, copy_part, initiate, upload_part
from local.oss.object_list import list_objects, list_objects_v2, list_versions
from local.oss.process import PROCESS, read_object
from local.oss.reading import head_object
from local.oss.request import Request
from local.oss.request_signature import authenticate
from local.oss.saving import save_processed
from local.oss.writing import COPY_SOURCE, copy_object, delete_object, get_acl, put_acl, put_object

# Parameters that make another call of a request: all that OSS's pages name.
MARKS = frozenset(
    "accessPoint accessPointPolicy acl append asyncFetch bucketInfo callback cors delete encryption"
    " httpsWithPublicAccess inventory lifecycle list-type live logging metaQuery objectInfo objectMeta"
    " location overwriteConfig policy policyStatus position publicAccessBlock qos qosInfo referer replication"
    " requestPayment resourceGroup responseVod restore sequential stat status style styleName symlink tagging"
    " transferAcceleration uploadId uploads versionId versioning versions vod website worm wormExtend wormId"
    " x-oss-async-process".split()
) - {"callback", "sequential", "objectMeta"}

OBJECT_CALLS: dict[tuple[str, str], tuple[str, Serve]] = {
    ("GET", ""): ("GetObject", read_object),
    ("HEAD", ""): ("HeadObject", head_object),
    ("PUT", ""): ("PutObject", put_object),
    ("PUT", COPY_SOURCE): ("CopyObject", copy_object),
    ("DELETE", ""): ("DeleteObject", delete_object),
    ("GET", "versionId"): ("GetObject", read_object),
    ("HEAD", "versionId"): ("HeadObject", head_object),
    ("DELETE", "versionId"): ("DeleteObject", delete_object),
    ("PUT", "acl"): ("PutObjectACL", put_acl),
    ("GET", "acl"): ("GetObjectACL", get_acl),
    ("POST", PROCESS): ("PostProcessTask", save_processed),
    ("POST", "uploads"): ("InitiateMultipartUpload", initiate),
    ("PUT", "uploadId"): ("UploadPart", upload_part),
    ("PUT", "uploadId" + COPY_SOURCE): ("UploadPartCopy", copy_part),
    ("GET", "uploadId"): ("ListParts", list_parts),
    ("POST", "uploadId"): ("CompleteMultipartUpload", complete),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", abort),
}
BUCKET_CALLS: dict[tuple[str, str], tuple[str, Serve]] = {
    ("GET", ""): ("ListObjects", list_objects),
    ("GET", "list-type"): ("ListObjectsV2", list_objects_v2),
    ("GET", "versions"): ("ListObjectVersions", list_versions),
    ("GET", "uploads"): ("ListMultipartUploads", list_uploads),
    ("POST", "delete"): ("DeleteMultipleObjects", delete_many),
    ("PUT", "versioning"): ("PutBucketVersioning", put_versioning),
    ("GET", "versioning"): ("GetBucketVersioning", get_versioning),
    ("PUT", "lifecycle"): ("PutBucketLifecycle", put_lifecycle),
    ("GET", "lifecycle"): ("GetBucketLifecycle", get_lifecycle),
    ("DELETE", "lifecycle"): ("DeleteBucketLifecycle", delete_lifecycle),
}
NAMES = list(dict.fromkeys(name for name, _ in (*OBJECT_CALLS.values(), *BUCKET_CALLS.values())))
# What the default host is not forbidden for.
MANAGEMENT = frozenset(name for name in NAMES if name.endswith(("Lifecycle", "Versioning")))


def find_call(request: Request) -> tuple[str, Serve]:
    """
    Returns:
        The name of the call in OSS's API, empty for what is not served here, and what serves it.

    Raises:
        OssError: the parameters of one call with the method of another.
    """
    marks = sorted(MARKS & set(request.query))
    if "partNumber" in request.query and not (request.method == "PUT" and "uploadId" in marks):
        raise invalid_argument(
            "Unexpected query string parameter", "0017-00000219", "ResourceType", "partNumber"
        )
    if request.method == "PUT" and "uploadId" in marks and "partNumber" not in request.query:
        raise invalid_argument("The part number is missing.", errors.NO_PUBLIC_EC, "partNumber")
    # With GET it changes what is read.
    if request.method == "POST" and PROCESS in request.query:
        marks.append(PROCESS)
    if request.method == "PUT" and COPY_SOURCE in request.headers:
        marks.append(COPY_SOURCE)
    calls = OBJECT_CALLS if request.key else BUCKET_CALLS
    return calls.get((request.method, "".join(marks)), ("", _not_here))


def _not_here(call: Call) -> Answer:
    """A stranger is told what OSS would tell, and nothing of the local OSS."""
    if authenticate(call.request, call.bucket) is None:
        raise OssError(errors.BUCKET_PRIVATE)
    raise OssError(errors.NOT_IMPLEMENTED)
