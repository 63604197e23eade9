"""Which call a request is, what becomes of those not served here, and the XML that goes with them."""

import pytest

from local.oss.calls import MANAGEMENT, NAMES, find_call
from local.oss.documents import NAMESPACE, read_document, write_document
from local.oss.request import read_request
from local.oss.rules import OssRules
from tests.local.oss.conftest import UNSIGNED, refusal_of
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
    refusal = refusal_of(find_call, read_request(method, target, []))
    assert refusal == "400 InvalidArgument 0017-00000219"


def test_unsupported_calls_are_not_implemented_for_signed_requests(oss_client):
    assert oss_client.request("GET", "/?bucketInfo").said == UNSIGNED
    for method, name, query in (
        ("GET", "", {"bucketInfo": None}),
        ("GET", "u/1", {"tagging": None}),
        ("GET", "u/1", {"acl": None, "versionId": "null"}),
        ("POST", "u/1", {"append": None, "position": "0"}),
    ):
        assert oss_client.call(method, name, **query).said.startswith("501 NotImplemented")


@pytest.mark.parametrize("named", [True, False])
def test_a_document_is_written_as_oss_s_samples_are_and_read_again(named):
    told = [("B", "1 < 2 & \x0b"), ("Part", [("Size", "1"), ("ETag", "x")]), ("Empty", "")]
    text = write_document("A", told, OssRules(answers_name_namespace=named))
    inner = "<B>1 &lt; 2 &amp; \ufffd</B><Part><Size>1</Size><ETag>x</ETag></Part><Empty></Empty>"
    space = f' xmlns="{NAMESPACE}"' if named else ""
    assert text.decode() == f'<?xml version="1.0" encoding="UTF-8"?>\n<A{space}>{inner}</A>\n'
    assert NAMESPACE == "http://doc.oss-cn-hangzhou.aliyuncs.com"
    assert read_document(text, "A").findtext("B") == "1 < 2 & \ufffd"


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"<A>", b"<B/>", b"<A/><A/>", b'<!DOCTYPE A [<!ENTITY b "boom">]><A>&b;</A>'),
        *(b'<?xml version="1.0" encoding="martian"?><A/>', b"<A>\xff</A>"),
    ],
)
def test_another_document_is_malformed_xml(text):
    assert refusal_of(read_document, text, "A").startswith("400 MalformedXML")
