"""Held pictures through the whole local cloud: one that passed is seen, another is gone, none is stranded."""

from dataclasses import replace

import pytest

from function.oss.presign import OssRequest, authorize, request_url
from local.cloud import BUCKET, FUNCTION_KEY, REGION
from local.wechat import checks
from ops.account.bucket import DesiredBucket, FoundBucket
from ops.account.bucket_plan import bucket_steps
from tests.end_to_end.conftest import places, running_cloud
from tests.ops.account.stubs import folder


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("objects")) as running:
        running.usual = running.start()
        yield running


def test_a_passed_upload_is_published_and_a_risky_one_deleted(here, held, commit):
    good, bad = held("sunset.png"), held("risky-beach.png")
    assert places(here, good) == places(here, bad) == (True, False)
    assert (good.said["state"], good.said["url"]) == ("held", None)
    assert commit(good)["state"] in ("checking", "published")
    assert commit(bad)["state"] in ("checking", "rejected")
    assert here.becomes(good, "published") == "published" and here.becomes(bad, "rejected") == "rejected"
    assert places(here, good) == (False, True)
    assert places(here, bad) == (False, False)


def test_a_content_encoding_sends_the_upload_to_review(here, held, commit):
    upload = held(also=[("Content-Encoding", "br")])
    assert commit(upload)["state"] == "review"
    assert places(here, upload) == (True, False)


@pytest.mark.parametrize(("kind", "call"), [("busy", "stable_token"), ("drop", "media_check_async")])
def test_an_outage_of_wechat_strands_nothing(here, held, commit, kind, call):
    upload = held()
    here.cloud.wechat.tokens.replace()
    here.cloud.wechat.faults.plan(kind, on=[call])
    assert commit(upload).get("state") in ("held", "checking", None)
    here.cloud.wechat.faults.clear()
    assert places(here, upload) == (True, False)
    # A tick asks again once the lease is over.
    here.cloud.let_minutes_pass(2)
    assert here.becomes(upload, "published") == "published"


def test_the_rule_written_by_setup_is_the_local_one_and_expires_held_objects(here, held, commit):
    bucket = here.cloud.oss.bucket
    own = bucket.lifecycle.rules
    folders = [
        # A rule comes a day after the hold.
        folder(rule.prefix, rule.days - 1, held=True)
        for rule in own
        if rule.days and not rule.prefix.startswith("held/.")
    ]
    wanted = DesiredBucket(BUCKET, REGION, create=True, profiles=tuple(folders))
    steps, _ = bucket_steps(wanted, FoundBucket(f"oss-{REGION}", "private", "", True))
    (document,) = [step.parameters["body"] for step in steps if step.action == "PutBucketLifecycle"]
    bucket.lifecycle.replace((), bucket.now())
    forgotten = held()
    bucket.let_days_pass(9)
    assert places(here, forgotten) == (True, False)
    asked = OssRequest(
        "PUT", BUCKET, REGION, "", query={"lifecycle": ""}, headers={"content-type": "text/xml"}
    )
    headers = authorize(asked, FUNCTION_KEY, here.cloud.clock())
    address = request_url(asked, here.cloud.oss.origin)
    assert here.session.put(address, data=document, headers=headers, timeout=60).status_code == 200
    written = {(rule.prefix, rule.days, rule.abort_days) for rule in bucket.lifecycle.rules}
    assert written >= {(rule.prefix, rule.days, rule.abort_days) for rule in own}
    bucket.let_days_pass(7)
    assert places(here, forgotten) == (True, False)
    bucket.let_days_pass(8)
    assert places(here, forgotten) == (False, False)
    assert here.state(forgotten) == "gone"
    assert commit(forgotten)["error"]["code"] == "not_uploaded"


# --- a WeChat that opens no presigned URL of OSS ---


@pytest.fixture
def opened(here, monkeypatch):
    """The addresses that WeChat opened; presigned ones are closed to it."""
    rules, addresses = here.cloud.wechat.checks.rules, []
    monkeypatch.setattr(here.cloud.wechat.checks, "rules", replace(rules, check_opens_presigned=False))
    real = checks.can_be_looked_at

    def look(url, *options):
        addresses.append(url)
        return real(url, *options)

    monkeypatch.setattr(checks, "can_be_looked_at", look)
    return addresses


@pytest.mark.parametrize(("name", "state"), [("sunset.png", "published"), ("risky-beach.png", "rejected")])
def test_the_verdict_is_about_the_picture_that_the_function_hands_out(
    here, held, commit, opened, name, state
):
    upload = held(name)
    commit(upload)
    assert here.becomes(upload, "published", "rejected", "review") == state
    (address,) = opened
    assert address.startswith(f"{here.usual}/check-source?t=")
    assert places(here, upload) == (state == "review", state == "published")
