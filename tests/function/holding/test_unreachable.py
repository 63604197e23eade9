"""/check-source: where WeChat cannot open a presigned URL, it gets the object from the function."""

import json
from base64 import b64decode
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.auth import signed_tokens
from function.moderation.finding import UNREACHABLE, Finding, Outcome, read_finding
from function.moderation.source_token import SourceToken
from function.moderation.wechat import AS_JPEG, MAX_BYTES
from tests.function.holding.conftest import PROFILES, TOKEN_SECRET, act_on, amend, later, names
from tests.support.memory_oss import BROKEN, DENIED, Part, Stored

FIRST, SECOND = "60f96f1d-1", "60f96f1d-2"
CANNOT_OPEN = {"errcode": -1008}
ADDRESS = "https://fn.example.com/api"
# WeChat takes the format that begins so as it is; any other is converted.
BITMAP = "BM and so on"


@pytest.fixture
def house(house_of):
    return house_of(PUBLIC_URL=ADDRESS)


@pytest.fixture
def checking(house):
    """An upload whose first submission was accepted."""
    stored = house.store("face", BITMAP)
    assert house.status(stored["receipt"]) == "checking"
    return stored


@pytest.fixture
def second(house, checking):
    """An upload whose second submission was accepted, because the first URL was not readable."""
    house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert list(house.wechat.submitted) == [FIRST, SECOND]
    return checking


def token_in(house, trace_id=SECOND):
    return dict(parse_qsl(urlsplit(house.wechat.submitted[trace_id]).query))["t"]


def fetch(house, token=None, instance=0, **event):
    """What WeChat gets: status, code, bytes and headers."""
    query = {} if token is False else {"t": token or token_in(house)}
    reply = house.ask_event(instance, method="GET", path="/api/check-source", query=query, **event)
    if reply.status == 200:
        return reply.status, "", b64decode(reply.text), reply.headers
    return reply.status, reply.code, b"", reply.headers


def status_of(house, *arguments, **options):
    return fetch(house, *arguments, **options)[:2]


GONE, GOOD = (401, "unauthorized"), (200, "")


def finding_of(house, stored):
    return read_finding(house.oss.records()[f"review/{stored['uploadId']}"])


# --- the second submission ---


def test_a_second_submission_with_our_own_url_follows_at_once(house, checking):
    house.monotonic, house.call_seconds = lambda: 0.0, 2.5
    assert house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN) is True
    presigned, own = house.wechat.submitted.values()
    assert presigned.startswith("https://my-bucket.oss-cn-hangzhou.aliyuncs.com/held/")
    assert own.startswith(f"{ADDRESS}/check-source?t=")
    assert house.status(checking["receipt"]) == "checking"
    assert (house.events, names(house, checking)) == ([], ["held"])
    kept = house.oss.records()[f"accepted/{checking['uploadId']}"]
    assert (kept["trace"], kept["is_unreachable"], kept["number"]) == (SECOND, True, 2)


def test_a_second_failure_is_left_to_a_human(house, second):
    house.verdict(Outcome.ERROR, SECOND, **CANNOT_OPEN)
    assert house.status(second["receipt"]) == "review"
    assert finding_of(house, second) == Finding(UNREACHABLE, "wechat", errcode=-1008)
    assert list(house.wechat.submitted) == [FIRST, SECOND]


def test_the_event_of_either_version_means_the_same(house):
    for number, said in enumerate(({"errcode": -1008}, {"status_code": 4294966288}, {"errcode": 4294966288})):
        stored = house.store("face", BITMAP)
        trace_id = f"60f96f1d-{2 * number + 1}"
        event = {"Event": "wxa_media_check", "appid": "wx0123456789abcdef", "trace_id": trace_id, **said}
        assert house.push(event).text == "success"
        assert "/check-source?" in house.wechat.submitted[f"60f96f1d-{2 * number + 2}"]
        assert house.status(stored["receipt"]) == "checking"


def test_an_event_that_is_repeated_submits_nothing_more(house, second):
    for _ in range(3):
        house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert list(house.wechat.submitted) == [FIRST, SECOND]
    assert house.status(second["receipt"]) == "checking"


@pytest.mark.parametrize("errcode", [-1008, 4294966288])
def test_a_refused_submission_means_the_same(house, errcode):
    house.wechat.answers = [errcode]
    stored = house.store("face", BITMAP)
    ((_, url),) = house.wechat.submitted.items()
    assert "/check-source?" in url
    house.verdict(Outcome.PASS, FIRST, label=100)
    assert house.status(stored["receipt"]) == "published"


def test_a_tick_leaves_one_record_of_an_upload_that_it_submits_twice(house):
    house.wechat.answers = [None]
    house.store("face", BITMAP)
    house.wechat.answers = [-1008]
    later(house, minutes=1).tick()
    assert (list(house.wechat.submitted), len(house.due("check"))) == ([FIRST], 1)


def test_a_second_refusal_is_left_to_a_human(house):
    house.wechat.answers = [-1008, -1008]
    stored = house.store("face", BITMAP)
    assert house.status(stored["receipt"]) == "review"
    assert finding_of(house, stored).reason == UNREACHABLE
    assert len(house.wechat.checks) == 2


def test_an_early_event_means_the_same(house):
    """WeChat may say so before the submission is recorded."""

    def early(trace_id):
        house.wechat.happens = lambda _trace: None
        house.verdict(Outcome.ERROR, trace_id, **CANNOT_OPEN)

    house.wechat.happens = early
    stored = house.store("face", BITMAP)
    assert list(house.wechat.submitted) == [FIRST, SECOND]
    assert house.status(stored["receipt"]) == "checking"


def between_the_records(house, happens):
    """Something that happens when WeChat's trace id has its record, and the submission has none yet."""
    real = house.oss._put_object

    def put(request, body, size):
        if request.key.startswith("held/.accepted/") and b'"trace"' in body:
            house.oss._put_object = real
            happens()
        return real(request, body, size)

    house.oss._put_object = put


@pytest.mark.parametrize("was_accepted", [False, True])
def test_an_event_before_the_submission_is_recorded_is_repeated_by_wechat(house, log_lines, was_accepted):
    """Acted on at once, it would be overwritten by the request that submitted."""
    event = {"Event": "wxa_media_check", "appid": "wx0123456789abcdef", "trace_id": FIRST, **CANNOT_OPEN}
    answers, stored = [], [house.store("post", BITMAP)["receipt"] for _ in range(2)]
    if was_accepted:
        # WeChat fails for the first, so it is not asked about the second.
        house.wechat.answers = [None]
        house.commit(None, receipts=stored)
    between_the_records(house, lambda: answers.append(house.push(event).outcome))
    assert house.commit(stored[1]).json["state"] == "checking"
    assert answers == [(503, "oss_unavailable")]
    assert [line for line in log_lines() if line["route"] == "wechat-events"][-1]["reason"]
    assert list(house.wechat.submitted) == [FIRST]
    assert house.push(event).text == "success"
    assert fetch(house)[:2] == GOOD
    assert house.status(stored[1]) == "checking"


def test_a_failed_second_submission_is_made_by_the_next_tick(house, checking):
    house.wechat.answers = [None]
    for _ in range(2):
        house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert list(house.wechat.submitted) == [FIRST]
    later(house, minutes=2).tick()
    assert list(house.wechat.submitted) == [FIRST, SECOND]
    assert fetch(house)[:2] == GOOD


def test_with_too_little_time_the_next_call_submits(house, checking, clock):
    clock.tick(minutes=2)
    # What continues it moves to the end of the silence.
    house.tick()
    house.monotonic, house.call_seconds = lambda: 0.0, 2.0
    for _ in range(2):
        house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert list(house.wechat.submitted) == [FIRST]
    assert len(house.due("check")) == 2
    assert "trace" not in house.oss.records()[f"accepted/{checking['uploadId']}"]
    assert house.resume(checking["receipt"]) == "checking"
    assert list(house.wechat.submitted) == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("settings", "begins"),
    [
        ({"PUBLIC_URL": "https://fn.example.com/"}, "https://fn.example.com"),
        ({"CALLBACK_URL": "https://cb.example.com/a/callback"}, "https://cb.example.com/a"),
        ({"PUBLIC_URL": ADDRESS, "CALLBACK_URL": "https://cb.example.com/callback"}, ADDRESS),
    ],
)
def test_the_address_is_the_public_one_or_beside_the_callback(house_of, settings, begins):
    house = house_of(**settings)
    house.store("face", BITMAP)
    house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert house.wechat.submitted[SECOND].startswith(f"{begins}/check-source?t=")


@pytest.mark.parametrize("how", ["event", "refusal"])
def test_without_an_address_it_is_left_to_a_human(house_of, how):
    house = house_of()
    house.wechat.answers = [-1008] if how == "refusal" else []
    stored = house.store("face", BITMAP)
    if how == "event":
        house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert house.status(stored["receipt"]) == "review"
    assert finding_of(house, stored).reason == UNREACHABLE
    assert status_of(house, "a.b.c") == (404, "not_found")


def test_other_errors_are_left_to_a_human_as_before(house, checking):
    house.verdict(Outcome.ERROR, FIRST, errcode=43104)
    house.wechat.answers = [61010]
    refused = house.store("face", BITMAP)
    assert list(house.wechat.submitted) == [FIRST]
    assert [finding_of(house, each).reason for each in (checking, refused)] == ["errcode"] * 2


def test_an_event_about_what_was_not_committed_is_left_to_a_human(house_of, checking):
    later = house_of(PROFILES.replace('hold = ["check"]', 'hold = ["commit", "check"]'), PUBLIC_URL=ADDRESS)
    later.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert (later.wechat.submitted, finding_of(later, checking).reason) == ({}, UNREACHABLE)


# --- the bytes ---


def test_wechat_gets_the_same_processing_as_in_the_presigned_url(house):
    house.store("face", "what WeChat does not take")
    house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    first = dict(parse_qsl(urlsplit(house.wechat.submitted[FIRST]).query))
    assert first["x-oss-process"] == AS_JPEG
    _, _, body, headers = fetch(house)
    assert body == f"{AS_JPEG}what WeChat does not take".encode()
    assert headers["Content-Type"] == "image/jpeg"


def replace(house, stored, body):
    """Other bytes under the name of the held object, of the same upload."""
    key = f"held/{stored['key']}"
    before = house.oss.objects[key]
    house.oss._store(key, Stored((Part("other", len(body)),), before.headers, "private", "Normal", body))


def test_ten_million_bytes_are_read_and_not_one_more(house, second):
    house.wechat.answers = []
    big = b"BM" + bytes(MAX_BYTES - 2)
    key = f"held/{second['key']}"
    before = house.oss.objects[key]

    def swap(body):
        # The object keeps its etag: only the limit stands between it and the memory of the instance.
        class Large(Stored):
            etag = before.etag

        house.oss.objects[key] = Large(before.parts, before.headers, before.acl, "Normal", body)

    swap(big)
    assert len(fetch(house)[2]) == MAX_BYTES
    swap(big + b"0")
    assert status_of(house) == (503, "oss_unavailable")


# --- who may get them, and how long ---


def test_a_token_ends_60_seconds_after_its_first_response_on_all_instances(house, second, clock):
    house.functions.append(house.new_instance())
    assert status_of(house) == GOOD
    clock.tick(seconds=59)
    assert status_of(house, instance=1) == GOOD
    clock.tick(seconds=1)
    assert status_of(house, instance=1) == GONE
    assert status_of(house) == GONE
    assert house.oss.records()[f"fetched/{second['uploadId']}"] == {"at": "2026-11-24T14:00:00Z"}


def test_nothing_is_returned_when_the_fetch_cannot_be_recorded(house, second):
    house.oss.fail("PutObject", DENIED)
    assert status_of(house) == (502, "oss_rejected")
    assert "fetched" not in {name.partition("/")[0] for name in house.oss.records()}


def test_an_expired_token_is_refused(house, second):
    """It lives for an hour."""
    token = SourceToken(second["uploadId"], "face", "", house.settings.only.app)
    for seconds, expected in ((3599, GOOD), (3600, GONE)):
        issued = token.issue(house.settings, house.now() - timedelta(seconds=seconds))
        assert status_of(house, issued) == expected


@pytest.mark.parametrize("ending", ["PASS", "RISKY", "REVIEW", "reject", "publish", "discard", "silence"])
def test_a_token_ends_when_its_object_no_longer_waits(house, second, clock, ending):
    if ending == "silence":
        clock.tick(minutes=35)
    elif ending in ("PASS", "RISKY", "REVIEW"):
        house.verdict(Outcome[ending], SECOND)
    else:
        act_on(house, ending, second["receipt"])
    assert status_of(house) == GONE


def test_a_token_is_good_while_the_submission_that_has_it_is_made(house, checking):
    house.wechat.happens = lambda _trace: answers.append(status_of(house))
    answers = []
    house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    assert answers == [GOOD]


def test_a_token_is_not_good_while_only_the_first_submission_waits(house, checking):
    assert status_of(house, forged(house, checking)) == GONE
    assert status_of(house, forged(house, checking, upload="Z" * 22)) == GONE


def test_other_bytes_under_the_name_are_not_returned(house, second):
    replace(house, second, b"BM other bytes")
    assert status_of(house) == GONE
    house.oss.objects.pop(f"held/{second['key']}")
    assert status_of(house) == GONE


def test_an_object_that_goes_while_it_is_read_is_absent(house, second):
    real = house.oss._get_object

    def get(request, *rest):
        if not request.key.startswith("held/."):
            house.oss.objects.pop(request.key)
        return real(request, *rest)

    house.oss._get_object = get
    assert status_of(house) == (404, "not_uploaded")


def test_a_record_about_another_upload_opens_nothing(house, second):
    """Records are the function's own; a forged one must not lead to another object."""
    other = house.store("face", "BM of another user")
    amend(house.oss, f"held/.accepted/{second['uploadId']}", receipt=other["receipt"])
    assert status_of(house) == GONE


@pytest.mark.parametrize("kind", ["session", "receipt", "ticket", "backend", "erasure"])
def test_no_other_token_opens_an_object(house, second, kind):
    other = {
        "session": house.session(),
        "receipt": second["receipt"],
        "ticket": second["ticket"],
        "backend": house.backend(secret=TOKEN_SECRET),
        "erasure": house.backend(secret=TOKEN_SECRET, aud="oss-direct-upload/erasure"),
    }[kind]
    assert status_of(house, other) == GONE


def test_a_source_token_opens_nothing_else(house, second):
    token = token_in(house)
    for route, fields in (
        ("upload-params", {"profile": "face", "filename": "a.png"}),
        ("commit", {"receipt": second["receipt"]}),
        ("discard", {"receipt": second["receipt"]}),
        ("status", {"receipt": token}),
        ("confirm", {"ticket": token}),
        ("commit", {"receipt": token}),
    ):
        assert house.ask(route, token, **fields).status in (401, 403), route
    assert house.status(second["receipt"]) == "checking"


def forged(house, stored, **changes):
    """A token as ours but for these claims or this secret."""
    secret = changes.pop("secret", TOKEN_SECRET)
    audience = changes.pop("audience", signed_tokens.SOURCE)
    scope = {"app": "wx0123456789abcdef", "bucket": "my-bucket"}
    claims = {"upload": stored["uploadId"], "profile": "face", "process": "", **scope, **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return signed_tokens.issue_token(
        claims, audience=audience, secrets=(secret,), now=house.now(), life=timedelta(hours=1)
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another-secret-of-at-least-32-bytes-0001"},
        {"secret": "receipt-SecretCanary-0123456789abcdef"},
        {"audience": "oss-direct-upload/receipt"},
        {"audience": "oss-direct-upload/backend"},
        {"app": "wx0000000000000000"},
        {"app": None},
        {"bucket": "another-bucket"},
        {"profile": "gone"},
        {"profile": None},
        {"upload": None},
        {"upload": "../decided/x"},
        {"process": None},
    ],
    ids=str,
)
def test_a_forged_token_is_refused(house, second, changes):
    assert status_of(house, forged(house, second)) == GOOD
    assert status_of(house, forged(house, second, **changes)) == GONE


# --- floods ---


def test_an_address_has_30_requests_a_minute_before_any_token_is_read(house, second, clock):
    for _ in range(30):
        assert status_of(house, "a.b.c") == GONE
    house.oss.asked.clear()
    assert status_of(house) == (429, "too_many_requests")
    assert house.oss.asked == []
    clock.tick(seconds=59)
    assert status_of(house)[0] == 429
    assert status_of(house, source_ip="203.0.113.8") == GOOD
    clock.tick(seconds=1)
    assert status_of(house) == GOOD


def test_a_token_has_6_requests_a_minute_from_all_addresses(house, second, clock):
    for number in range(6):
        assert status_of(house, source_ip=f"203.0.113.{number}") == GOOD
    house.oss.asked.clear()
    assert status_of(house, source_ip="203.0.113.99") == (429, "too_many_requests")
    clock.tick(seconds=59)
    assert status_of(house, source_ip="203.0.113.99") == (429, "too_many_requests")
    assert house.oss.asked == []
    clock.tick(seconds=1)
    assert status_of(house, source_ip="203.0.113.99") == GONE


def test_no_log_line_has_the_token_or_the_url(house, second, log_lines, caplog):
    token = token_in(house)
    fetch(house)
    status_of(house, token[:-1])
    house.ask_event(method="GET", path="/check-source/", query={"t": token, "x": token})
    served = log_lines()[-3]
    assert (served["route"], served["status"], served["profile"]) == ("check-source", 200, "face")
    assert (served["uploadId"], served["key"]) == (second["uploadId"], second["key"])
    assert served["owner"] == second["key"].split("/")[1]
    shown = caplog.text + json.dumps(log_lines())
    assert token not in shown
    assert token.split(".")[2] not in shown
    assert "t=" not in json.dumps([line.get("reason") for line in log_lines()])


@pytest.mark.parametrize("asked", [{}, {"range": "bytes=0-1"}], ids=["whole", "range"])
def test_wechat_gets_the_whole_object_as_it_is(house, second, asked):
    status, _, body, headers = fetch(house, headers=asked)
    assert (status, body) == (200, BITMAP.encode())
    wanted = {"Content-Type": "image/png", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    assert headers.items() >= wanted.items()
    assert "Content-Range" not in headers


def test_a_decision_that_was_not_applied_yet_ends_a_token(house, second):
    house.oss.fail("CopyObject", BROKEN)
    assert house.commit(second["receipt"], decision="publish").status == 503
    assert names(house, second) == ["held"]
    assert status_of(house) == GONE


@pytest.mark.parametrize(("hours", "expected"), [(22, GOOD), (23, GONE)])
def test_a_token_of_a_submission_that_failed_ends_when_the_check_is_given_up(
    house, checking, clock, hours, expected
):
    """WeChat may have heard of it; an hour before the end of its hold the object is left to a human."""
    house.wechat.answers = [None]
    house.verdict(Outcome.ERROR, FIRST, **CANNOT_OPEN)
    clock.tick(hours=hours)
    assert status_of(house, forged(house, checking)) == expected
