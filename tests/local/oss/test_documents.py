"""The XML that goes with calls."""

import pytest

from local.oss.documents import NAMESPACE, read_document, write_document
from local.oss.errors import OssError
from local.oss.rules import OssRules
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_a_written_document_is_read_with_and_without_a_namespace():
    for named in (True, False):
        text = write_document("A", [("B", [("C", "1 < 2 & \x0b")])], OssRules(answers_name_namespace=named))
        assert (f'xmlns="{NAMESPACE}"'.encode() in text) is named
        assert read_document(text, "A").findtext("B/C") == "1 < 2 & \ufffd"


def test_a_document_is_written_as_oss_s_samples_are():
    told = [("Bucket", "b"), ("Part", [("Size", "1"), ("ETag", "x")]), ("Empty", "")]
    inner = "<Bucket>b</Bucket><Part><Size>1</Size><ETag>x</ETag></Part><Empty></Empty>"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    assert write_document("R", told, OssRules()).decode() == f"{head}<R>{inner}</R>\n"
    named = write_document("R", [], OssRules(answers_name_namespace=True)).decode()
    assert named == f'{head}<R xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"></R>\n'


@cases("text")
def test_another_document_is_malformed_xml(text):
    with pytest.raises(OssError) as refused:
        read_document(text, "A")
    assert (refused.value.refusal.status, refused.value.refusal.code) == (400, "MalformedXML")
