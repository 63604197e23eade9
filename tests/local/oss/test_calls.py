"""Which call a request is, and what becomes of those that are not served here."""

import pytest

from local.oss.calls import MANAGEMENT, NAMES, find_call
from local.oss.errors import OssError
from local.oss.request import read_request
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("method", "target", "headers", "name")
def test_a_request_is_resolved_to_its_call(method, target, headers, name):
    assert find_call(read_request(method, target, headers.items()))[0] == name
    assert name in {*NAMES, ""}


def test_management_calls_are_allowed_on_the_default_host():
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


def test_unsupported_calls_are_not_implemented_for_signed_requests(oss, oss_client):
    assert oss_client.request("GET", "/?bucketInfo").refusal == (403, "AccessDenied", "0003-00000001")
    assert oss_client.call("GET", "", bucketInfo=None).refusal[:2] == (501, "NotImplemented")
    assert oss_client.call("GET", "u/1", tagging=None).refusal[:2] == (501, "NotImplemented")
    assert oss_client.call("GET", "u/1", acl=None, versionId="null").refusal[:2] == (501, "NotImplemented")
