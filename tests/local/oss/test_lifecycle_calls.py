"""The lifecycle of a bucket over HTTP, and days that pass."""

import json
from dataclasses import replace

import pytest

from local.common.accounts import AccessKey
from ops.account.bucket import DesiredBucket, FoundBucket, PartedFolder
from ops.account.bucket_plan import bucket_steps
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

RULE = (
    "<Rule><ID>pending</ID><Prefix>pending/</Prefix><Status>Enabled</Status>"
    "<Expiration><Days>1</Days></Expiration><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule>"
)


def document(*rules):
    return f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>".encode()


@pytest.fixture
def put(oss, oss_client):
    return lambda *rules, **more: oss_client.call("PUT", "", document(*rules), lifecycle=None, **more)


def let_days_pass(oss_client, days):
    return oss_client.request("PUT", "/-/lifecycle", json.dumps({"days": days}))


def test_rules_come_back_as_they_were_set(put, oss_client):
    assert put(RULE).status == 200
    [rule] = oss_client.call("GET", "", lifecycle=None).xml.findall("Rule")
    texts = [rule.findtext(name) for name in ("ID", "Prefix", "Status")]
    assert texts == ["pending", "pending/", "Enabled"]
    assert rule.findtext("Expiration/Days") == rule.findtext("AbortMultipartUpload/Days") == "1"


def test_rules_replace_all_others_and_are_deleted_together(put, oss_client):
    put(RULE)
    put(RULE.replace("pending", "held").replace("Enabled", "Disabled"))
    told = oss_client.call("GET", "", lifecycle=None)
    assert told.headers["Content-Type"] == "application/xml"
    assert told.element("Rule/Status") == "Disabled"
    assert [rule.id for rule in oss_client.server.bucket.lifecycle.rules] == ["held"]
    assert [oss_client.call("DELETE", "", lifecycle=None).status for _ in range(2)] == [204, 204]
    assert oss_client.call("GET", "", lifecycle=None).refusal[:2] == (404, "NoSuchLifecycle")


def test_days_pass_without_any_clock_moving(put, begin, oss, oss_client):
    put(RULE)
    for name in ("pending/a", "kept/a"):
        oss_client.call("PUT", name, b"x")
        begin(name).part(1, b"x")
    head = oss_client.call("HEAD", "pending/a").headers
    assert head["x-oss-expiration"] == 'expiry-date="Thu, 26 Nov 2026 00:00:00 GMT", rule-id="pending"'
    assert json.loads(let_days_pass(oss_client, 0).body) == {"objects": 2, "uploads": 2}
    assert json.loads(let_days_pass(oss_client, 1).body) == {"objects": 1, "uploads": 1}
    assert ([*oss.objects], [upload.key for upload in oss.bucket.uploads]) == (["kept/a"], ["kept/a"])


def test_the_rules_of_setup_end_what_is_held_and_due_and_leave_the_evidence(oss, oss_client):
    held = (PartedFolder("held/posts/", 3), PartedFolder("held/clips/", 1))
    desired = DesiredBucket("b", "cn-hangzhou", held_folders=held, has_due_records=True)
    steps, _ = bucket_steps(desired, FoundBucket("oss-cn-hangzhou", "private", "", True))
    (body,) = [step.parameters["body"] for step in steps if step.action == "PutBucketLifecycle"]
    assert oss_client.call("PUT", "", body.encode(), lifecycle=None).status == 200
    days = {"clips/a": 1, "posts/a": 3, ".doctor/a": 8, ".due/209912310000/webhook-a": 11}
    for name in (*days, ".rejected/a", ".erasures/a"):
        oss_client.call("PUT", f"held/{name}", b"x")
    for name, life in days.items():
        let_days_pass(oss_client, life - 1)
        assert f"held/{name}" in oss.objects
        let_days_pass(oss_client, life)
        assert f"held/{name}" not in oss.objects
    let_days_pass(oss_client, 3000)
    assert {*oss.objects} == {"held/.rejected/a", "held/.erasures/a"}


@pytest.mark.parametrize("comes", ["a reader", "a form"])
def test_lifecycle_rules_are_applied_on_the_first_request_after_midnight(
    put, oss, oss_client, oss_clock, comes
):
    put(RULE)
    oss_client.call("PUT", "pending/a", b"x")
    oss_clock.tick(days=2)
    answer = oss_client.request("GET", "/kept/a") if comes == "a reader" else oss_client.post({"key": "u/a"})
    assert (answer.status, list(oss.objects)) == (403, [])


@pytest.mark.parametrize("days", [-1, 1.5, True, "1", None, 36_501])
def test_days_are_a_whole_number(days, oss_client):
    assert let_days_pass(oss_client, days).status == 400


def test_no_page_of_another_origin_lets_days_pass(oss, oss_client):
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert oss_client.request("PUT", "/-/lifecycle", b'{"days": 1}', headers).status == 403
    assert oss_client.request("PUT", "/-/lifecycle", b"no json").status == 400
    assert oss_client.request("PUT", "/-/lifecycle", b"x" * 9000).status == 413


@cases("rules", "refusal")
def test_each_wrong_rule_has_its_refusal(rules, refusal, put, oss):
    assert put(*rules).refusal[:2] == refusal
    assert oss.bucket.lifecycle.rules == ()


def test_parts_are_matched_by_prefix_only(put):
    assert put(RULE.replace("<Status>", "<Tag/><Status>")).refusal[2] == "0014-00000027"


def test_overlapping_prefixes_need_the_header_or_different_actions(put):
    other = RULE.replace("<ID>pending", "<ID>other")
    assert put(RULE, other, headers={"x-oss-allow-same-action-overlap": "true"}).status == 200
    expires, aborts = (
        "<Rule><Prefix/><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>",
        "<Rule><Prefix/><Status>Enabled</Status><AbortMultipartUpload><Days>9</Days></AbortMultipartUpload></Rule>",
    )
    assert put(expires, aborts).status == 200
    assert put(RULE, other.replace("pending/", "held/")).status == 200
    for one in (expires, aborts):
        assert put(one, one).refusal[:2] == (400, "InvalidArgument")


def test_a_bucket_has_a_thousand_rules_at_most(put, oss):
    many = [RULE.replace("pending", f"p{number:04}") for number in range(1001)]
    assert put(*many).refusal[:2] == (400, "MalformedXML")
    assert put(*many[:1000]).status == 200
    assert len(oss.bucket.lifecycle.rules) == 1000


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_each_call_needs_its_own_right(method, put, oss, oss_client):
    put(RULE)
    name = {"PUT": "Put", "GET": "Get", "DELETE": "Delete"}[method]
    for allowed in ("Put", "Get", "Delete"):
        action, resource = f"oss:{allowed}BucketLifecycle", "acs:oss:*:*:examplebucket"
        policy = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
        oss_client.keys = {**oss_client.keys, allowed: AccessKey(allowed, "secret", policies=(policy,))}
        oss.bucket.accounts.add(oss_client.keys[allowed])
        status = oss_client.call(method, "", document(RULE), key=allowed, lifecycle=None).status
        assert (status in (200, 204)) is (allowed == name)


def test_rules_need_rights_on_the_bucket_and_no_domain_of_their_own(put, oss, oss_client):
    for method in ("PUT", "GET", "DELETE"):
        answer = oss_client.call(method, "", document(RULE), key="sts", lifecycle=None)
        assert answer.refusal == (403, "AccessDenied", "0003-00000301")
    oss.bucket.rules = replace(oss.bucket.rules, public_endpoint_forbidden=True)
    assert put(RULE).status == 200
