"""
PutBucketVersioning and GetBucketVersioning.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketversioning
"""

from local.oss import errors
from local.oss.access import authorize
from local.oss.answer import XML, Answer
from local.oss.documents import Children, read_document, write_document
from local.oss.errors import OssError
from local.oss.exchange import Call
from local.oss.storing import read_body
from local.oss.versions import ENABLED, SUSPENDED


def put_versioning(call: Call) -> Answer:
    """PutBucketVersioning: once it was on, it can only be suspended."""
    authorize(call.request, call.bucket, "oss:PutBucketVersioning")
    document = read_document(read_body(call), "VersioningConfiguration")
    status = document.findtext("Status")
    if [child.tag for child in document] != ["Status"] or status not in (ENABLED, SUSPENDED):
        raise OssError(errors.MALFORMED_XML)
    call.bucket.objects.versioning = str(status)
    return Answer()


def get_versioning(call: Call) -> Answer:
    """GetBucketVersioning: without a status while there never was any."""
    authorize(call.request, call.bucket, "oss:GetBucketVersioning")
    status = call.bucket.objects.versioning
    told: Children = [("Status", status)] if status else []
    body = write_document("VersioningConfiguration", told, call.bucket.rules)
    return Answer(headers={"Content-Type": XML}, body=body)
