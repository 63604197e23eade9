"""uploads.receipt: receipts of held objects name the published key and the state."""

from functools import partial
from hashlib import sha256

import pytest

from tests.function.uploads.conftest import BUSINESS, business_token, claims_of
from tests.support.cases import profile_toml

pytestmark = pytest.mark.usefixtures("good_sts")
DIGEST = sha256(b"picture").hexdigest()
EARLIER = "an-earlier-upload-s-id"
PROFILES = (
    profile_toml("default", "posts", confirm=True, hold=["commit"], hold_days=7)
    + profile_toml("called", callback=True, hold=["commit"])
    + profile_toml("album", end="{owner}/{sha256}{ext}", confirm=True, hold=["commit"])
)
SETTINGS = {**BUSINESS, "CALLBACK_URL": "https://upload.example.com/callback"}


@pytest.fixture
def function(instance, profiles_file, oss):
    return instance(oss, **SETTINGS, PROFILES_FILE=profiles_file(PROFILES))


@pytest.fixture
def ask(function, clock):
    def ask(**fields):
        answer = function.ask(body={"filename": "a.png", **fields}, headers=business_token(clock))
        assert answer.status == 200, answer.text
        return answer.json

    return ask


@pytest.fixture
def ask_album(ask):
    return partial(ask, profile="album", sha256=DIGEST, size=1024)


@pytest.fixture
def confirm(function):
    return lambda ticket: function.ask(path="/confirm", body={"ticket": ticket})


def with_id(oss, upload_id, **changes):
    return oss.has(**{"x-oss-meta-upload-id": upload_id, **changes})


def test_confirm_of_a_held_upload_reads_the_held_key_and_gives_no_url(ask, confirm, oss, clock, log_lines):
    form = ask()
    with_id(oss, form["uploadId"])
    answer = confirm(form["ticket"])
    [(method, url, *_)] = oss.asked
    assert (method, url) == ("HEAD", f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/held/{form['key']}")
    told = answer.json
    claims = claims_of(told.pop("receipt"), clock)
    expected = {"key": form["key"], "url": None, "uploadId": form["uploadId"], "state": "held"}
    assert told.items() >= expected.items()
    assert claims.items() >= {"key": form["key"], "held": True, "jti": form["uploadId"], "seen": True}.items()
    assert log_lines()[-1]["key"] == form["key"]


def test_a_receipt_lives_as_long_as_its_object_may_wait_and_a_day(ask, confirm, oss, clock):
    form = ask()
    with_id(oss, form["uploadId"])
    first = confirm(form["ticket"])
    clock.tick(seconds=9)
    assert confirm(form["ticket"]).text == first.text
    claims = claims_of(first.json["receipt"], clock)
    assert claims["exp"] - claims["iat"] == (7 + 1) * 86400
    assert claims["heldUntil"] - claims["iat"] == 7 * 86400


def test_the_webhook_is_notified_of_held_uploads_too(instance, function, oss, ask, confirm):
    told = instance(oss, **function.environ, UPLOAD_WEBHOOK_URL="https://business.example/hook")
    form = ask()
    with_id(oss, form["uploadId"])
    assert oss.told == [told.ask(path="/confirm", body={"ticket": form["ticket"]}).json["receipt"]]


def test_confirm_refuses_a_held_object_without_an_upload_id(ask, confirm, oss):
    form = ask()
    oss.has()
    assert confirm(form["ticket"]).outcome == (404, "not_uploaded")


def test_an_object_that_claims_to_be_another_upload_s_gets_no_receipt(ask, confirm, oss, log_lines):
    """Its owner would decide about that one: decisions go by the id."""
    form = ask()
    with_id(oss, EARLIER)
    assert confirm(form["ticket"]).outcome == (403, "forbidden")
    assert log_lines()[-1]["reason"] == "held by another id"


def test_callback_and_confirm_give_the_same_receipt_except_for_seen(
    instance, profiles_file, key_host, upload, call, clock
):
    function = instance(key_host, **SETTINGS, PROFILES_FILE=profiles_file(PROFILES))
    held = upload("called", of=function)
    assert held.key.startswith("held/called/")
    told = call(held.body(), of=function).json
    key = held.key.removeprefix("held/")
    assert (told["key"], told["url"], told["state"]) == (key, None, "held")
    claims = claims_of(told["receipt"], clock)
    assert (claims["key"], claims["held"], claims["seen"]) == (key, True, False)
    assert claims["exp"] - claims["iat"] == 2 * 86400


def test_a_callback_about_the_published_name_is_about_no_upload(
    instance, profiles_file, key_host, upload, call
):
    """The ticket is for what waits; whoever has OSS sign another name gets no receipt for it."""
    function = instance(key_host, **SETTINGS, PROFILES_FILE=profiles_file(PROFILES))
    held = upload("called", of=function)
    assert call(held.body(object=held.key.removeprefix("held/")), of=function).outcome == (403, "forbidden")


def test_held_bytes_get_the_receipt_of_their_own_upload(ask_album, oss, clock):
    there, undecided = with_id(oss, EARLIER), oss.lacks()
    oss.says = lambda url: undecided if "/held/." in url else there
    told = ask_album()
    receipt = claims_of(told.pop("receipt"), clock)
    key = told["key"]
    url = f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/{key}"
    about = {"key": key, "fileUrl": url, "uploadId": EARLIER, "serverTime": "2026-11-24T14:00:00Z"}
    assert told == {"exists": True, "held": True, **about}
    assert key.startswith("album/") and key.endswith(f"/{DIGEST}.png")
    assert (receipt["jti"], receipt["held"], receipt["key"]) == (EARLIER, True, key)
    looked_at = [url for _, url, *_ in oss.asked if "/album/" in url]
    assert [url.rpartition("/album/")[0].rpartition("/")[2] for url in looked_at] == ["held"]


@pytest.mark.parametrize(("kept", "jti"), [({"x-oss-meta-upload-id": EARLIER}, EARLIER), ({}, None)])
def test_published_bytes_get_a_receipt_without_a_hold(ask_album, oss, clock, kept, jti):
    there, absent = oss.has(**kept), oss.lacks()
    oss.says = lambda url: absent if "/held/" in url else there
    told = ask_album()
    assert (told["exists"], "held" in told, told["uploadId"]) == (True, False, jti or told["uploadId"])
    receipt = claims_of(told["receipt"], clock)
    assert ("held" in receipt, receipt["jti"]) == (False, told["uploadId"])
    assert receipt["exp"] - receipt["iat"] == 86400


def test_an_object_published_between_two_lookups_is_found_by_the_second(ask_album, oss):
    """Publishing copies, then deletes; asked the other way round it could be missed at both names."""
    ask_album()
    oss.asked.clear()
    oss.lacks()
    assert "formData" in ask_album()
    assert ["/held/" in url for _, url, *_ in oss.asked] == [True, False]


def test_a_second_form_for_the_same_bytes_is_confirmed_as_the_upload_that_brought_them(
    ask_album, confirm, oss, clock
):
    oss.lacks()
    second = ask_album()
    with_id(oss, EARLIER)
    told = confirm(second["ticket"]).json
    assert told["uploadId"] == claims_of(told["receipt"], clock)["jti"] == EARLIER != second["uploadId"]
