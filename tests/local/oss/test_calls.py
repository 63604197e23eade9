"""Which call a request is, the XML that goes with it, what policies of a key pair allow, and the rules."""

import io
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from PIL import Image

from local.common.accounts import AccessKey, Accounts
from local.common.rules import change_rules
from local.oss.access import permits
from local.oss.bucket import Bucket
from local.oss.calls import find_call
from local.oss.documents import NAMESPACE, read_document, write_document
from local.oss.objects import Objects
from local.oss.open_points import PAGE, STATES, explained, page, switches
from local.oss.request import read_request
from local.oss.rules import OssRules
from tests.local.oss.conftest import NOT_PERMITTED, OSS_NOW, UNSIGNED, content_md5, refusal_of
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_a_part_number_without_an_upload_is_refused():
    for method, target in (
        ("GET", "/a?partNumber=1"),
        ("PUT", "/a?partNumber=1"),
        ("DELETE", "/?partNumber=1"),
    ):
        assert refusal_of(find_call, read_request(method, target, [])) == "400 InvalidArgument 0017-00000219"


@pytest.fixture
def ask(oss_client, begin, rules):
    """Make a call as a table has it, signed by a key or by nobody; the object ``u/1`` is a picture."""
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    oss_client.call("PUT", "u/1", file.getvalue())
    rules(null_deletes_without_versions=True)

    def ask(call, headers, body, key="account"):
        method, _, target = call.replace("$upload", begin("u/1").id).partition(" ")
        name, _, query = target.partition("?")
        body = None if body is None else body.encode()
        headers = {**headers, **({"Content-MD5": content_md5(body)} if body else {})}
        if not key:
            return oss_client.request(method, f"/{target}", body, headers)
        return oss_client.call(method, name, body, key, headers, **dict(parse_qsl(query, True)))

    return ask


@cases("call", "headers", "body", "rights")
def test_each_call_needs_a_signature_and_its_rights_at_its_resource(call, headers, body, rights, ask, may):
    rights = [f"oss:{right}" for right in rights.split()]
    assert ask(call, headers, body, None).said in (UNSIGNED, "403 0003-00000001")
    elsewhere = may(*rights, resource="acs:oss:*:*:examplebucket/v/*")
    for key in (elsewhere, *(may("oss:*", but=[right], resource="*") for right in rights)):
        assert ask(call, headers, body, key).said in (NOT_PERMITTED, "403 0003-00000301")
    assert ask(call, headers, body, may(*rights, resource="*")).status in (200, 204, 404)


def test_unsupported_calls_are_not_implemented_for_signed_requests(ask):
    assert ask("GET ?bucketInfo", {}, None, None).said == UNSIGNED
    for call in (
        "GET ?bucketInfo",
        "GET u/1?tagging",
        "GET u/1?acl&versionId=null",
        "POST u/1?append&position=0",
    ):
        assert ask(call, {}, None).said.startswith("501 NotImplemented")


@pytest.mark.parametrize("named", [True, False])
def test_a_document_is_written_as_oss_s_samples_are_and_read_again_and_another_is_malformed(named):
    told = [("B", "1 < 2 & \x0b"), ("Part", [("Size", "1"), ("ETag", "x")]), ("Empty", "")]
    text = write_document("A", told, OssRules(answers_name_namespace=named))
    inner = "<B>1 &lt; 2 &amp; \ufffd</B><Part><Size>1</Size><ETag>x</ETag></Part><Empty></Empty>"
    space = f' xmlns="{NAMESPACE}"' if named else ""
    assert text.decode() == f'<?xml version="1.0" encoding="UTF-8"?>\n<A{space}>{inner}</A>\n'
    assert NAMESPACE == "http://doc.oss-cn-hangzhou.aliyuncs.com"
    assert read_document(text, "A").findtext("B") == "1 < 2 & \ufffd"
    entity, encoding = (
        b'<!DOCTYPE A [<!ENTITY b "boom">]><A>&b;</A>',
        b'<?xml version="1.0" encoding="martian"?><A/>',
    )
    for text in (b"", b"<A>", b"<B/>", b"<A/><A/>", b"<A>\xff</A>", entity, encoding):
        assert refusal_of(read_document, text, "A").startswith("400 MalformedXML")


@pytest.fixture
def permitted(tmp_path):
    bucket = Bucket("examplebucket", "cn-hangzhou", Accounts(), Objects(tmp_path), lambda: OSS_NOW)

    def ask(*statements, action="oss:PutObject", key="uploads/a.jpg", acl=None, prefix=None, **rules):
        bucket.rules = OssRules(**rules)
        statements = [{"Effect": "Allow", "Action": "oss:PutObject", **statement} for statement in statements]
        policies = ({"Version": "1", "Statement": statements},)
        return permits(AccessKey("id", "secret", policies=policies), action, bucket, key, acl, prefix)

    return ask


@cases("pattern", "kind")
def test_a_pattern_names_the_object_or_another(pattern, kind, permitted):
    named = pattern if isinstance(pattern, str) else list(pattern)
    assert permitted({"Resource": named}) is (kind == "named")


def test_wildcards_in_a_key_are_only_characters(permitted):
    assert not permitted({"Resource": "acs:oss:*:*:examplebucket/uploads/secret.jpg"}, key="uploads/*")
    assert permitted({"Resource": "acs:oss:*:*:examplebucket/u:p/*"}, key="u:p/[a]\n*")


def listing(action="oss:ListObjects", resource="acs:oss:*:*:examplebucket"):
    condition = {"StringLike": {"oss:Prefix": ["u/42/", "u/42/*"]}}
    return {"Action": action, "Resource": resource, "Condition": condition}


@cases("prefix", "allowed")
def test_a_list_is_allowed_by_its_prefix(prefix, allowed, permitted):
    asked = {"action": "oss:ListObjects", "key": "", "prefix": prefix}
    assert permitted(listing(), **asked) is allowed
    assert not permitted(listing(resource="acs:oss:*:*:examplebucket/*"), **asked)


@pytest.mark.parametrize("action", ["oss:ListObjectVersions", "oss:ListMultipartUploads"])
@pytest.mark.parametrize("binds", [True, False])
def test_other_lists_have_a_prefix_by_a_rule_alone(action, binds, permitted):
    for prefix, is_inside in (("u/42/", True), ("u/43/", False), (None, False)):
        asked = {"action": action, "key": "", "prefix": prefix, "prefix_binds_every_list": binds}
        assert permitted(listing(action), **asked) is (binds and is_inside)
        without = {"Action": action, "Resource": "acs:oss:*:*:examplebucket"}
        assert permitted(without, **asked)


def test_each_kind_of_rule_is_read_the_last_of_two_counts_and_an_unreadable_one_is_named():
    given = ["v1_retired=true", "block_public_access=False", "max_key_bytes=12", "callback_timeout=1"]
    changed = {"v1_retired": True, "block_public_access": False, "max_key_bytes": 12}
    assert change_rules(OssRules(), given) == OssRules(**changed, callback_timeout=timedelta(seconds=1))
    assert change_rules(OssRules(), []) == OssRules()
    assert change_rules(OssRules(), ["v1_retired=true", "v1_retired=false"]) == OssRules()
    wrong = (
        "v2_retired=true v1_retired v1_retired=yes max_key_bytes=-1 max_key_bytes=1.5 callback_timeout=soon"
    )
    for change in (*wrong.split(), "date_life=5"):
        with pytest.raises(ValueError, match=change.partition("=")[0]):
            change_rules(OssRules(), [change])


def test_every_rule_that_can_be_read_in_two_ways_is_explained_on_the_page():
    assert set(switches()) <= set(explained())
    assert set(STATES) < set(switches())
    assert PAGE.read_text("utf-8") == page(), "run: python3 -m local.oss.open_points"
