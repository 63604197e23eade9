"""Held pictures through the whole local cloud: whatever WeChat does, only what passed is ever seen."""

import io
import time
from dataclasses import replace

import pytest
from PIL import Image

from function.oss.presign import OssRequest, authorize, request_url
from local.cloud import BUCKET, FUNCTION_KEY, REGION
from local.wechat import checks
from local.wechat.check_plan import PlannedCheck
from ops.account.bucket import DesiredBucket, FoundBucket, PartedFolder
from ops.account.bucket_plan import bucket_steps
from tests.end_to_end.conftest import PATIENCE_SECONDS, SUNSET, places, running_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_cloud(tmp_path_factory.mktemp("objects")) as running:
        running.usual = running.start()
        yield running


@pytest.fixture
def settled(here):
    """Wait until WeChat has pushed all that it pushes, and say how each push was answered."""
    return lambda: [each.is_taken for each in here.cloud.idle().wechat.checks.pushed]


def test_a_passed_upload_is_published_and_a_risky_one_deleted(here, held, commit):
    good, bad = held("sunset.png"), held("risky-beach.png")
    assert places(here, good) == places(here, bad) == (True, False)
    assert (good.said["state"], good.said["url"]) == ("held", None)
    assert commit(good)["state"] in ("checking", "published")
    assert commit(bad)["state"] in ("checking", "rejected")
    assert here.becomes(good, "published") == "published" and here.becomes(bad, "rejected") == "rejected"
    assert places(here, good) == (False, True)
    assert places(here, bad) == (False, False)


def test_an_unlisted_picture_format_is_converted_for_the_check(here, held, commit):
    picture = io.BytesIO()
    Image.open(io.BytesIO(SUNSET)).save(picture, "WEBP")
    upload = held("sunset.webp", content=picture.getvalue(), kind="image/webp")
    commit(upload)
    assert here.becomes(upload, "published", "review") == "published"


def test_a_content_encoding_sends_the_upload_to_review(here, held, commit):
    upload = held(also=[("Content-Encoding", "br")])
    assert commit(upload)["state"] == "review"
    assert places(here, upload) == (True, False)


NEVER_SEEN = {
    "review": PlannedCheck("review"),
    "a detail that says risky": PlannedCheck("contradictory"),
    "risky twice": PlannedCheck("risky", timing="twice"),
    "risky before the answer": PlannedCheck("risky", timing="early"),
}


@pytest.mark.parametrize("planned", NEVER_SEEN.values(), ids=NEVER_SEEN)
def test_an_upload_that_did_not_pass_is_never_published(here, held, commit, settled, planned):
    upload = held()
    here.cloud.wechat.checks.plan.add(planned)
    commit(upload)
    assert all(settled())
    wanted = "rejected" if planned.verdict == "risky" else "review"
    assert here.becomes(upload, wanted) == wanted
    assert places(here, upload) == (wanted == "review", False)


def test_silence_never_publishes_and_a_late_verdict_still_counts(here, held, commit):
    silent, late = held("silent-night.png"), held()
    commit(silent)
    here.cloud.wechat.checks.plan.add(PlannedCheck("pass", timing="late"))
    commit(late)
    assert here.state(silent) == here.state(late) == "checking"
    # WeChat may still be reading the picture, and then has nothing to release.
    ends = time.monotonic() + PATIENCE_SECONDS
    while here.state(late) == "checking" and time.monotonic() < ends:
        here.cloud.wechat.checks.delivery.release()
        time.sleep(0.05)
    assert here.state(late) == "published"
    assert here.state(silent) == "checking"


def test_a_refused_check_waits_for_a_human_review(here, held, commit):
    upload = held()
    here.cloud.wechat.faults.plan("not_seen_lately", times=1, on=["media_check_async"])
    assert commit(upload)["state"] == "review"
    answer = here.business("decisions", upload, decision="publish").json()
    assert (answer["state"], places(here, upload)) == ("published", (False, True))


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


def test_a_push_that_could_not_be_carried_out_comes_again(here, held, commit, settled):
    upload = held()
    here.cloud.wechat.checks.plan.add(PlannedCheck("pass", delay=0.2))
    commit(upload)
    here.cloud.oss.faults.plan("status_503", times=3, on=["CopyObject", "PutObject"])
    assert settled() == [True]
    assert here.becomes(upload, "published") == "published"


def test_an_uncommitted_upload_expires_by_the_lifecycle_rule(here, held, commit):
    forgotten, kept = held(), held()
    commit(kept)
    assert here.becomes(kept, "published") == "published"
    here.cloud.oss.bucket.let_days_pass(8)
    assert (places(here, forgotten), places(here, kept)) == ((False, False), (False, True))
    assert (here.state(forgotten), here.state(kept)) == ("gone", "published")
    assert commit(forgotten)["error"]["code"] == "not_uploaded"


def test_the_rule_written_by_setup_is_the_local_one_and_expires_held_objects(here, held):
    bucket = here.cloud.oss.bucket
    own = bucket.lifecycle.rules
    folders = [
        # A rule comes a day after the hold.
        PartedFolder(rule.prefix, rule.days - 1)
        for rule in own
        if rule.days and not rule.prefix.startswith("held/.")
    ]
    wanted = DesiredBucket(BUCKET, REGION, create=True, held_folders=tuple(folders))
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


def test_wechat_s_console_verifies_the_address_of_the_push(here):
    answer = here.session.post(f"{here.cloud.wechat.origin}/-/push", timeout=60)
    assert answer.json() == {"url": f"{here.usual}/wechat-events", "verified": True}


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


def test_both_contracts_return_the_same_bytes(here, held, commit, opened):
    here.cloud.wechat.checks.plan.add(PlannedCheck(times=1))
    here.cloud.wechat.checks.plan.add(PlannedCheck(timing="never"))
    upload = held()
    commit(upload)
    here.becomes(upload, "checking")
    while not opened:
        here.state(upload)
        time.sleep(0.1)  # 60 times a minute may be asked
    (address,) = opened
    query = address.partition("?")[2]
    wsgi = f"{here.usual}/2016-08-15/proxy/service/function/check-source?{query}"
    for url in (address, wsgi):
        answer = here.session.get(url, headers={"Range": "bytes=0-3"}, timeout=60)
        assert (answer.status_code, answer.content) == (200, SUNSET)
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Length"] == str(len(SUNSET))
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert here.session.head(url, timeout=60).status_code == 405
    here.business("decisions", upload, decision="publish")
    assert here.session.get(address, timeout=60).status_code == 401
