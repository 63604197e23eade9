"""Lifecycle rules: what they delete and when, and how they are set over HTTP."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local.oss.attributes import Attributes
from local.oss.lifecycle import Lifecycle, LifecycleRule
from local.oss.objects import Objects
from local.oss.uploads import Uploads
from tests.local.site import put_object
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

EVENING = datetime(2026, 11, 24, 23, tzinfo=UTC)
DAY = timedelta(days=1)
VIDEO = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)
HELD = LifecycleRule("held", "held/", True, days=1, abort_days=2)
ACTIONS = "<Expiration><Days>1</Days></Expiration><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>"
RULE = f"<Rule><ID>pending</ID><Prefix>pending/</Prefix><Status>Enabled</Status>{ACTIONS}</Rule>"


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path)


@pytest.fixture
def store(objects):
    return lambda key, modified: put_object(objects, key, modified)


def lifecycle_of(*rules, now=EVENING):
    lifecycle = Lifecycle()
    lifecycle.replace(rules, now)
    return lifecycle


@pytest.mark.parametrize("rule", [LifecycleRule("r", "", False, 1, 1), LifecycleRule("r", "held/", True)])
def test_a_rule_that_is_off_or_has_no_action_does_nothing(rule, objects, store):
    uploads = Uploads()
    store("held/a", EVENING)
    uploads.begin("held/b", VIDEO, EVENING, is_sequential=False)
    lifecycle = lifecycle_of(rule)
    lifecycle.run(objects, uploads, EVENING + 99 * DAY)
    assert (len(objects), len(list(uploads))) == (1, 1)
    assert lifecycle.expiration_of(objects["held/a"]) is None


def test_an_object_tells_when_it_will_be_deleted_and_another_at_its_name_is_spared(objects, store):
    lifecycle = lifecycle_of(LifecycleRule("parts", "", True, abort_days=1), HELD)
    assert lifecycle.expiration_of(store("other/a", EVENING)) is None
    told = 'expiry-date="Thu, 26 Nov 2026 00:00:00 GMT", rule-id="held"'
    old = store("held/a", EVENING)
    midnight = store("held/a", EVENING.replace(hour=0) + DAY)
    assert [lifecycle.expiration_of(each) for each in (old, midnight)] == [told] * 2
    objects.delete("held/a", only=old)
    assert "held/a" in objects


def document(*rules):
    return f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>".encode()


@pytest.fixture
def put(oss, oss_client):
    return lambda *rules, **more: oss_client.call("PUT", "", document(*rules), lifecycle=None, **more)


def let_days_pass(oss_client, days):
    return oss_client.request("PUT", "/-/lifecycle", json.dumps({"days": days}))


def test_rules_replace_all_others_and_are_deleted_together(put, oss_client, rules):
    # These calls need no domain of their own.
    rules(public_endpoint_forbidden=True)
    assert put(RULE).status == 200
    put(RULE.replace("pending", "held").replace("Enabled", "Disabled"))
    answer = oss_client.call("GET", "", lifecycle=None)
    [rule] = answer.xml.findall("Rule")
    assert answer.headers["Content-Type"] == "application/xml"
    assert [rule.findtext(name) for name in ("ID", "Prefix", "Status")] == ["held", "held/", "Disabled"]
    assert rule.findtext("Expiration/Days") == rule.findtext("AbortMultipartUpload/Days") == "1"
    assert [oss_client.call("DELETE", "", lifecycle=None).status for _ in range(2)] == [204, 204]
    assert oss_client.call("GET", "", lifecycle=None).said.startswith("404 NoSuchLifecycle")


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
def test_days_are_a_whole_number_and_pass_for_no_page_of_another_origin(days, oss_client):
    assert let_days_pass(oss_client, days).status == 400
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert oss_client.request("PUT", "/-/lifecycle", b'{"days": 1}', headers).status == 403
    for body, status in ((b"no json", 400), (b"x" * 9000, 413)):
        assert oss_client.request("PUT", "/-/lifecycle", body).status == status


@cases("change", "refusal")
def test_each_wrong_rule_has_its_refusal(change, refusal, put, oss):
    """Of texts in the rule and what they become; of ``+`` in a second rule beside the first."""
    wrong = RULE
    for text, other in change.items():
        wrong = wrong.replace(text.removeprefix("+"), other)
    first = [RULE] if any(text.startswith("+") for text in change) else []
    assert put(*first, wrong).said.startswith(refusal)
    assert oss.bucket.lifecycle.rules == ()


def test_overlapping_prefixes_need_the_header_or_different_actions(put):
    other = RULE.replace("<ID>pending", "<ID>other")
    assert put(RULE, other, headers={"x-oss-allow-same-action-overlap": "true"}).status == 200
    rule = "<Rule><Prefix/><Status>Enabled</Status><{0}><Days>9</Days></{0}></Rule>"
    expires, aborts = map(rule.format, ("Expiration", "AbortMultipartUpload"))
    assert put(expires, aborts).status == put(RULE, other.replace("pending/", "held/")).status == 200
    for one in (expires, aborts):
        assert put(one, one).said.startswith("400 InvalidArgument")
