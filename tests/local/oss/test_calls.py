"""Which call a request is, and what becomes of those that are not served here."""

import pytest

from local.oss.calls import MANAGEMENT, NAMES, find_call
from local.oss.errors import OssError
from local.oss.request import read_request


@pytest.mark.parametrize(
    ("method", "target", "headers", "name"),
    [
        ("GET", "/a", {}, "GetObject"),
        ("GET", "/a?x-oss-date=1&response-expires=0", {}, "GetObject"),
        ("HEAD", "/a", {}, "HeadObject"),
        ("HEAD", "/a?objectMeta", {}, "HeadObject"),
        ("PUT", "/a", {}, "PutObject"),
        ("PUT", "/a", {"x-oss-copy-source": "/b/c"}, "CopyObject"),
        ("PUT", "/a?acl", {}, "PutObjectACL"),
        ("GET", "/a?acl", {}, "GetObjectACL"),
        ("DELETE", "/a", {}, "DeleteObject"),
        ("POST", "/a?uploads", {}, "InitiateMultipartUpload"),
        ("POST", "/a?sequential&uploads", {}, "InitiateMultipartUpload"),
        ("PUT", "/a?partNumber=1&uploadId=U", {}, "UploadPart"),
        ("GET", "/a?uploadId=U", {}, "ListParts"),
        ("POST", "/a?uploadId=U", {}, "CompleteMultipartUpload"),
        ("DELETE", "/a?uploadId=U", {}, "AbortMultipartUpload"),
        ("GET", "/?uploads", {}, "ListMultipartUploads"),
        ("PUT", "/?lifecycle", {}, "PutBucketLifecycle"),
        ("GET", "/?lifecycle", {}, "GetBucketLifecycle"),
        ("DELETE", "/?lifecycle", {}, "DeleteBucketLifecycle"),
        ("GET", "/a?x-oss-process=image/info", {}, "GetObject"),
        ("PUT", "/a?partNumber=1&uploadId=U", {"x-oss-copy-source": "/b/c"}, ""),
        ("POST", "/a?uploads&uploadId=U", {}, ""),
        ("PUT", "/a?acl", {"x-oss-copy-source": "/b/c"}, ""),
        ("GET", "/", {}, ""),
        ("GET", "/?bucketInfo", {}, ""),
        ("GET", "/a?tagging", {}, ""),
        ("DELETE", "/", {}, ""),
    ],
)
def test_a_request_is_one_call(method, target, headers, name):
    assert find_call(read_request(method, target, headers.items()))[0] == name
    assert name in {*NAMES, ""}


def test_the_default_host_is_never_forbidden_to_who_manages_the_bucket():
    assert {"GetBucketLifecycle"} <= MANAGEMENT <= set(NAMES)
    assert not MANAGEMENT & {"GetObject", "UploadPart", "ListMultipartUploads"}


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/a?partNumber=1"), ("PUT", "/a?partNumber=1"), ("DELETE", "/?partNumber=1")],
)
def test_a_part_number_without_an_upload_is_refused(method, target):
    with pytest.raises(OssError) as refused:
        find_call(read_request(method, target, []))
    assert (refused.value.refusal.status, refused.value.refusal.ec) == (400, "0017-00000219")


def test_what_is_not_served_here_says_so_to_who_signed(oss, oss_client):
    assert oss_client.request("GET", "/?bucketInfo").refusal == (403, "AccessDenied", "0003-00000001")
    assert oss_client.call("GET", "", bucketInfo=None).refusal[:2] == (501, "NotImplemented")
    assert oss_client.call("GET", "u/1", tagging=None).refusal[:2] == (501, "NotImplemented")
    assert oss_client.call("POST", "", b"<Delete/>", delete=None).refusal[:2] == (501, "NotImplemented")
