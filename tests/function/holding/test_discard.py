"""``POST /discard``: by the owner while it is held, by a backend at any time."""

from datetime import timedelta

import pytest

from function.auth.signed_tokens import RECEIPT, issue_token
from tests.function.holding.conftest import SAME, act_on, later, names, profile, refused
from tests.function.owners.conftest import HOOKS
from tests.support.memory_oss import Part


@pytest.mark.parametrize("profile", ["word", "face"])
@pytest.mark.parametrize(("act", "by"), [("discard", "backend"), ("discard by the owner", "owner")])
def test_owner_and_backend_may_discard_a_held_object(house, profile, act, by):
    stored = house.store(profile)
    answer = act_on(house, act, stored["receipt"])
    assert answer.json == {"key": stored["key"], "state": "gone", "url": None}
    assert names(house, stored) == []
    assert house.oss.records()[f"decided/{stored['uploadId']}"]["by"] == by
    assert house.told == ["gone"]


def test_a_discard_is_final_and_idempotent(house, word):
    first = house.discard(word["receipt"], house.session())
    assert house.oss.post(word["formData"], "bytes") == 200
    assert house.discard(word["receipt"], house.session()).text == first.text
    assert names(house, word) == []
    assert house.status(word["receipt"]) == "gone"
    assert refused(house.commit(word["receipt"])) == (404, "not_uploaded")
    assert refused(house.commit(word["receipt"], decision="publish")) == (404, "not_uploaded")


@pytest.mark.parametrize("act", ["discard", "discard by the owner"])
def test_an_expired_upload_stays_gone_after_a_discard(house, act, word):
    del house.oss.objects[f"held/{word['key']}"]
    assert act_on(house, act, word["receipt"]).json["state"] == "gone"
    assert house.told == ["gone"]
    assert house.oss.post(word["formData"], "bytes") == 200
    assert house.status(word["receipt"]) == "gone"


def test_another_owner_may_not_discard(house, word):
    assert refused(house.discard(word["receipt"], house.session("openid-2"))) == (403, "forbidden")
    assert names(house, word) == ["held"]


@pytest.mark.parametrize("when", ["before", "meanwhile", "long ago"])
def test_an_owner_may_not_discard_what_was_published(house, clock, note, when):
    if when == "meanwhile":
        house.oss.between["PutObject"] = lambda: house.commit(note["receipt"])
    else:
        house.commit(note["receipt"])
    if when == "long ago":
        clock.tick(days=1, seconds=1)
        house.oss.expire(days=1)
        assert house.oss.records() == {}
    refusal = house.discard(note["receipt"], house.session())
    assert refused(refusal) == (409, "already_published")
    assert names(house, note) == ["key"]


# --- a copy that may still finish ---


UNAVAILABLE = (503, "oss_unavailable")


def test_a_discarded_upload_is_gone_once_no_copy_may_finish(house, clock, log_lines, word):
    """The copy ends long after the backend has discarded what it published."""
    house.oss.fail("CopyObject", "late")
    assert refused(house.commit(word["receipt"])) == UNAVAILABLE
    for wait, retry_after in ((0, "60"), (89, "1")):
        clock.tick(seconds=wait)
        (only,) = house.ask("discard", house.backend(), receipts=[word["receipt"]]).json["results"]
        error = only["error"]
        assert (error["code"], error["retryAfter"]) == (UNAVAILABLE[1], int(retry_after))
        for route in ("discard", "status", "commit"):
            answer = house.ask(route, house.backend(), receipt=word["receipt"])
            assert (refused(answer), answer.headers["Retry-After"]) == (UNAVAILABLE, retry_after)
            assert log_lines()[-1]["reason"]
        assert refused(house.ask("confirm", ticket=word["ticket"])) == UNAVAILABLE
    house.oss.land()
    assert names(house, word) == ["key"]
    assert house.told == []
    clock.tick(seconds=1)
    for _ in range(2):
        assert house.resume(word["receipt"]) == "gone"
    assert names(house, word) == []
    assert house.told == ["gone"]


def test_a_copy_that_another_made_meanwhile_counts_as_well(house, word):
    """What was held is deleted by then, so only the record tells of the other copy."""
    house.oss.fail("CopyObject", "unheard", "late")
    house.commit(word["receipt"])
    later(house, seconds=100).commit(word["receipt"])
    assert house.resume(word["receipt"]) == "published"
    assert refused(house.discard(word["receipt"])) == UNAVAILABLE
    house.oss.land()
    assert later(house, seconds=90).resume(word["receipt"]) == "gone"
    assert names(house, word) == []


def test_a_copy_counts_from_its_sending_which_may_be_late_in_its_request(house, clock, word):
    house.oss.fail("CopyObject", "late")
    house.oss.between["CopyObject"] = lambda: clock.tick(seconds=29)
    house.commit(word["receipt"])
    assert refused(later(house, seconds=59).discard(word["receipt"])) == UNAVAILABLE


def test_a_receipt_of_existing_bytes_is_not_gone_while_a_copy_of_them_may_finish(house):
    first = house.store("same", **SAME)
    receipt = first["receipt"]
    house.oss.fail("CopyObject", "late")
    assert refused(house.commit(receipt)) == UNAVAILABLE
    assert house.commit(receipt).json["state"] == "published"
    again = house.form("same", **SAME)["receipt"]
    assert house.status(again) == "published"
    assert refused(house.discard(receipt)) == UNAVAILABLE
    for route in ("status", "commit"):
        assert refused(house.ask(route, house.backend(), receipt=again)) == UNAVAILABLE
    house.oss.land()
    assert later(house, seconds=90).resume(again) == house.resume(receipt) == "gone"
    assert names(house, first) == []


@pytest.mark.parametrize("is_first", [True, False])
def test_a_discard_before_a_copy_is_made_once_more_prevents_it(house, clock, is_first, word):
    """Of the two, one sees the other's record."""
    house.oss.fail("CopyObject", "unheard")
    house.commit(word["receipt"])
    clock.tick(seconds=100)
    discarded = []

    def discard():
        discarded.append(refused(house.discard(word["receipt"])))

    happens = discard if is_first else lambda: house.oss.between.update(GetObject=discard)
    # Of the commit that finds the decision: its due record, its own decision, then the copy's record.
    house.oss.between["PutObject"] = lambda: house.oss.between.update(
        PutObject=lambda: house.oss.between.update(PutObject=happens)
    )
    house.oss.asked.clear()
    answer = house.commit(word["receipt"])
    assert "CopyObject" not in house.oss.asked
    if is_first:
        assert (answer.code, discarded[0][0]) == ("not_uploaded", 200)
    else:
        assert refused(answer) == discarded[0] == UNAVAILABLE
    assert later(house, seconds=90).resume(word["receipt"]) == "gone"


@pytest.mark.parametrize("copies", [["late"], ["unheard", "late"]], ids=len)
def test_a_lost_publication_is_not_gone_while_its_copy_may_finish(house, copies, word):
    house.oss.fail("CopyObject", *copies)
    for _ in copies:
        assert refused(later(house, seconds=100).commit(word["receipt"])) == UNAVAILABLE
    house.oss.objects.pop(f"held/{word['key']}")
    assert refused(later(house, seconds=89).ask("status", receipt=word["receipt"])) == UNAVAILABLE
    assert refused(house.commit(word["receipt"])) == UNAVAILABLE
    house.oss.land()
    assert house.status(word["receipt"]) == "published"


DELETIONS = ("reject", "discard", "discard by the owner", "discard what is published")


@pytest.mark.parametrize("act", ["commit", *DELETIONS])
def test_a_lost_deletion_is_not_repeated_on_a_later_upload_of_the_name(house, act):
    """An honest user takes a picture back and adds it again."""
    first, second = (house.form("same", **SAME) for _ in range(2))

    def store(form):
        assert house.oss.post(form["formData"], "bytes") == 200
        return house.ask("confirm", ticket=form["ticket"]).json["receipt"]

    def store_again():
        receipt = store(second)
        if act.endswith("published"):
            house.commit(receipt)

    receipt = store(first)
    if act.endswith("published"):
        house.commit(receipt)
    house.oss.fail("DeleteObject", "lost")
    house.oss.between["DeleteObject"] = lambda: house.oss.between.update(HeadObject=store_again)
    assert act_on(house, act, receipt).status == 200
    stored = [house.oss.objects.get(key) for key in (f"held/{first['key']}", first["key"])]
    ids = [each.headers["x-oss-meta-upload-id"] for each in stored if each]
    assert second["uploadId"] in ids


@pytest.mark.parametrize("act", DELETIONS)
@pytest.mark.parametrize("failed", [["unheard", "unheard"], ["unheard"] * 4], ids=len)
def test_discarded_bytes_do_not_exist_although_their_deletion_failed(house, act, failed):
    """Either they are deleted now, or they are sent once more."""
    receipt = house.store("same", **SAME)["receipt"]
    is_published = act.endswith("published")
    if is_published:
        house.commit(receipt)
    house.oss.fail("DeleteObject", *failed)
    assert refused(act_on(house, act, receipt)) == UNAVAILABLE
    again = house.form("same", **SAME)
    assert "exists" not in again
    is_deleted = len(failed) == 2 or is_published
    assert house.oss.post(again["formData"], "bytes") == (200 if is_deleted else 409)
    assert house.resume(receipt) == ("rejected" if act == "reject" else "gone")


def test_bytes_stay_held_while_their_publication_waits_for_the_name(house):
    first = house.store("same", **SAME)
    receipt = first["receipt"]
    house.oss.store(first["key"], b"others", content_type="image/png")
    assert house.commit(receipt).code == "already_exists"
    again = house.form("same", **SAME)
    assert (again["exists"], again["held"]) == (True, True)


def test_a_later_form_continues_a_publication_that_was_cut_off(house):
    stored, _ = store_two(house)
    house.oss.fail("CopyObject", "broken")
    assert refused(house.commit(stored["receipt"])) == UNAVAILABLE
    assert exist_again(house) == [True, True]
    assert names(house, stored) == ["key"]


def test_a_key_with_a_folder_of_hooks_is_discarded_or_rejected_while_there_are_hooks(house, tmp_path):
    ready = house.function.ready()
    ready.hooks_file, ready.hooks_seconds = tmp_path / "hooks.py", 10
    ready.hooks_file.write_text(HOOKS, "utf-8")
    *stored, receipt = [house.store("word")["receipt"] for _ in range(3)]
    assert house.discard(stored[0]).json["state"] == "gone"
    assert house.commit(stored[1], decision="reject").json["state"] == "rejected"
    ready.hooks_file = None
    for answer in (house.discard(receipt), house.commit(receipt, decision="reject")):
        assert refused(answer) == (403, "forbidden")
    assert house.commit(receipt, decision="publish").json["state"] == "published"


def store_two(house):
    return [house.store("same", sha256=digest * 64, size=1) for digest in "ab"]


def exist_again(house):
    files = [{"profile": "same", "filename": "a.png", "sha256": digest * 64, "size": 1} for digest in "ab"]
    answer = house.ask("upload-params", house.session(), files=files)
    return [upload.get("exists", False) for upload in answer.json["uploads"]]


def test_a_decision_that_cannot_be_applied_sends_its_own_file_once_more(house, log_lines):
    odd, _ = store_two(house)
    name = f"held/.decided/{odd['uploadId']}"
    house.oss.store(name, b"{}", content_type="application/json")
    assert exist_again(house) == [False, True]
    assert log_lines()[-1]["reason"] == f"not checked for existence: {name}: invalid record"


@pytest.mark.parametrize(
    "changes", [{}, {"x-oss-meta-rules": "x"}, {"x-oss-meta-upload-id": "../a"}], ids=str
)
def test_published_bytes_exist_although_those_that_wait_do_not_count(house, changes):
    odd, _ = store_two(house)
    held = house.oss.objects[f"held/{odd['key']}"]
    house.oss._store(odd["key"], held)
    house.oss.replace_object(odd["key"], headers={**held.headers, "x-oss-meta-upload-id": "B" * 22})
    house.oss.replace_object(f"held/{odd['key']}", headers={**held.headers, **changes})
    if not changes:
        house.oss.fail("DeleteObject", "unheard", "unheard")
        assert refused(house.discard(odd["receipt"])) == UNAVAILABLE
    assert exist_again(house) == [True, True]


@pytest.mark.parametrize("place", ["held/", ""])
def test_an_object_with_an_unusable_upload_id_is_foreign(house, place):
    odd, good = store_two(house)
    stored = house.oss.objects.pop(f"held/{odd['key']}")
    house.oss._store(f"{place}{odd['key']}", stored)
    headers = {**stored.headers, "x-oss-meta-upload-id": "../a"}
    house.oss.replace_object(f"{place}{odd['key']}", headers=headers)
    assert exist_again(house) == [not place, True]
    assert house.ask("confirm", ticket=odd["ticket"]).code == "not_uploaded"
    assert house.status(good["receipt"]) == "held"


FORGED = "words/static/logo.png"


@pytest.mark.parametrize("held", [True, None])
@pytest.mark.parametrize(("route", "more"), [("discard", {}), ("commit", {"decision": "reject"})])
def test_a_receipt_for_a_key_of_no_template_deletes_nothing(house, clock, route, more, held):
    """As whoever has RECEIPT_SECRET may forge one, for a file of the business or a record."""
    house.commit(house.store("word")["receipt"])
    (record,) = (name for name in house.oss.objects if name.startswith("held/.decided/"))
    house.oss.store(FORGED, b"logo", content_type="image/png", x_oss_meta_upload_id="A" * 22)
    house.oss.store(f"held/{FORGED}", b"logo", content_type="image/png", x_oss_meta_upload_id="A" * 22)
    before = dict(house.oss.objects)
    for key in (FORGED, record, record.removeprefix("held/")):
        stored = house.oss.objects.get(key) or house.oss.objects[f"held/{key}"]
        claims = {"key": key, "size": stored.size, "etag": stored.etag, "mimeType": "image/png"}
        claims |= {"sub": "x", "owner": "o", "bucket": "my-bucket", "profile": "word", "jti": "A" * 22}
        claims |= {"held": True} if held else {}
        secrets, life = house.settings.receipt_secrets, timedelta(days=4)
        forged = issue_token(claims, audience=RECEIPT, secrets=secrets, now=clock(), life=life)
        assert refused(house.ask(route, house.backend(), receipt=forged, **more)) == (403, "forbidden")
    assert house.oss.objects == before


def test_the_held_object_is_deleted_before_its_copy_is_looked_for(house, clock, word):
    """Else a copy that ends between the two would stay."""
    house.oss.fail("CopyObject", "late")
    house.commit(word["receipt"])
    clock.tick(seconds=59)
    house.oss.between["DeleteObject"] = house.oss.land
    assert refused(house.discard(word["receipt"])) == UNAVAILABLE
    assert names(house, word) == []


# --- what was never held ---


def test_a_lost_deletion_is_not_repeated_on_the_same_bytes_stored_again(house, clock, plain):
    again = house.oss.objects[plain["key"]]

    def store_again():
        clock.tick(seconds=1)
        house.oss._store(plain["key"], again)

    house.oss.fail("DeleteObject", "lost")
    house.oss.between["DeleteObject"] = lambda: house.oss.between.update(HeadObject=store_again)
    assert house.discard(plain["receipt"]).json["state"] == "gone"
    assert names(house, plain) == ["key"]


def test_only_a_backend_discards_an_object_that_was_never_held(house, plain):
    assert refused(house.discard(plain["receipt"], house.session())) == (403, "forbidden")
    assert names(house, plain) == ["key"]
    for _ in range(2):
        assert house.discard(plain["receipt"]).json["state"] == "gone"
    assert names(house, plain) == []
    assert house.told == ["gone"]
    assert house.oss.records() == {}


def test_a_discard_spares_another_object_of_the_name(house, plain):
    house.oss.replace_object(plain["key"], parts=(Part("others", 1),))
    assert house.discard(plain["receipt"]).json["state"] == "gone"
    assert names(house, plain) == ["key"]


def test_a_receipt_from_before_hold_was_set_still_works(house, house_of):
    before = house_of(profile("word", folder="words"), WECHAT_PUSH_TOKEN=None, WECHAT_PUSH_AES_KEY=None)
    stored = before.store("word")
    assert house.status(stored["receipt"]) == "published"
    assert house.commit(stored["receipt"]).json["state"] == "published"
    assert refused(house.discard(stored["receipt"], house.session())) == (403, "forbidden")
    assert house.discard(stored["receipt"]).json["state"] == "gone"
    assert names(house, stored) == []


def test_a_receipt_of_existing_bytes_discards_their_held_object(house):
    """Where publishing was cut off after the copy, it would be published once more else."""
    stored = house.store("same", **SAME)
    receipt = stored["receipt"]
    house.oss.fail("DeleteObject", "denied")
    assert refused(house.commit(receipt)) == (502, "oss_rejected")
    held = house.oss.objects.pop(f"held/{stored['key']}")
    again = house.form("same", **SAME)
    assert again["exists"]
    house.oss.objects[f"held/{stored['key']}"] = held
    assert later(house, seconds=90).discard(again["receipt"]).json["state"] == "gone"
    house.oss.asked.clear()
    assert house.discard(receipt).json["state"] == "gone"
    # It is decided and told already.
    assert "PutObject" not in house.oss.asked
    assert house.status(receipt) == "gone"
    assert names(house, stored) == []
