"""``replaces``: the old object is deleted once the new one exists, always then and never before."""

import json
from datetime import timedelta
from functools import partial

import jwt
import pytest

from function.holding.replaced_deletion import continue_replacement
from function.oss.client import oss_client
from function.oss.due import Due, Unreadable, name_of
from tests.function.owners.conftest import (
    BAD,
    ELSEWHERE,
    FORBIDDEN,
    HOOKS,
    MINE,
    PROFILES,
    THEIRS,
    claims_of,
    key,
    number,
    one_more,
    store,
)
from tests.function.uploads.conftest import FORM_TYPE, KEY_ADDRESS, KeyHost, base64, read_upload, sign
from tests.support.cases import profile_toml
from tests.support.memory_oss import BROKEN, DENIED, LOST, UNHEARD
from tests.support.world import PART

PICTURE = key("picture")
DIGEST = "0" * 64
CONFIRMED = 'confirm = true\ndelete = "owner"\n'
PARTS = profile_toml(
    "video",
    "videos",
    max_size="900MiB",
    content_types=["video/mp4"],
    parts=True,
    part_size="100KiB",
    delete="owner",
)


def old_of(oss, clock, old=PICTURE):
    """The old object, stored a minute before anything else."""
    store(oss, old)
    clock.tick(minutes=1)
    return old


def confirm(house, form, status=200):
    answer = house.ask("confirm", ticket=form["ticket"])
    assert answer.status == status, answer.text
    return answer.json


def replaced(house, oss, profile, old):
    """The key of a new upload that replaces the old object."""
    form = house.form(profile, replaces=old)
    assert oss.post(form["formData"], "bytes") == 200
    confirm(house, form)
    return form["key"]


def held_upload(house, oss, clock):
    old = old_of(oss, clock, key("held"))
    return old, house.store("held", replaces=old)


def test_the_old_object_is_deleted_when_the_new_one_is_confirmed_and_not_before(house, oss, clock):
    old = old_of(oss, clock)
    form = house.form("picture", replaces=old)
    confirm(house, form, 404)
    assert oss.post(form["formData"], "bytes") == 200
    assert old in oss.objects
    for _ in range(2):
        answer = confirm(house, form)
    assert oss.names() == {form["key"]}
    assert claims_of(form["ticket"])["replaces"] == claims_of(answer["receipt"])["replaces"] == old
    assert house.told == ["uploaded"]


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_without_holds_the_session_for_deletions_replaces_a_key_of_one_profile_or_two(
    house_of, oss, clock, names
):
    """The other session may delete only where objects are held; each of two permits it."""
    house = house_of("".join(one_more(name, CONFIRMED, "both") for name in names))
    new = replaced(house, oss, "one", old_of(oss, clock, f"both/{MINE}/{number(0)}"))
    assert oss.names() == {new}


def test_a_key_with_a_folder_of_hooks_is_replaced(house, oss, clock, tmp_path):
    ready = house.function.ready()
    ready.hooks_file, ready.hooks_seconds = tmp_path / "hooks.py", 10
    ready.hooks_file.write_text(HOOKS, "utf-8")
    old = house.store("picture")["key"]
    clock.tick(minutes=1)
    new = replaced(house, oss, "picture", old)
    assert oss.names() == {new}


def test_get_and_each_of_several_files_may_replace(house, oss, clock):
    olds = [old_of(oss, clock, key("picture", count)) for count in range(3)]
    query = {"profile": "picture", "filename": "a.png", "replaces": olds[0]}
    token = {"Authorization": f"Bearer {house.session()}"}
    forms = [house.ask_event(method="GET", query=query, headers=token).json]
    files = [{"profile": "picture", "filename": "a.png", "replaces": old} for old in olds[1:]]
    forms += house.ask("upload-params", house.session(), files=files).json["uploads"]
    for form, old in zip(forms, olds, strict=True):
        assert oss.post(form["formData"], form["uploadId"]) == 200
        assert old in oss.objects
        confirm(house, form)
        assert old not in oss.objects


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        *(({"replaces": replaced}, BAD) for replaced in (7, ["x"], {}, "x" * 1024)),
        *(({"replaces": replaced}, FORBIDDEN) for replaced in ("x", f"held/{key('picture')}", "\ud800")),
        ({"replaces": key("picture", owner=THEIRS)}, FORBIDDEN),
        # Of another profile, and of one that another forbids.
        ({"replaces": key("held")}, FORBIDDEN),
        ({"replaces": key("picture"), "profile": "held"}, FORBIDDEN),
        ({"replaces": key("tight"), "profile": "tighta"}, FORBIDDEN),
        ({"replaces": key("shared"), "profile": "shared"}, FORBIDDEN),
        # Without delete, without a receipt, and where the page chooses the name.
        ({"replaces": key("closed"), "profile": "closed"}, BAD),
        ({"replaces": key("plain"), "profile": "plain"}, BAD),
        ({"replaces": key("page"), "profile": "page"}, BAD),
        ({"replaces": f"videos/{MINE}/{number(0)}.mp4", "profile": "video", "filename": "a.mp4"}, BAD),
    ],
    ids=ascii,
)
def test_a_replacement_that_may_not_be_refuses_the_whole_request(house_of, oss, log_lines, fields, expected):
    house = house_of(PROFILES + PARTS)
    file = {"profile": "picture", "filename": "a.png", **fields}
    assert house.ask("upload-params", house.session(), **file).outcome == expected
    assert log_lines()[-1].get("reason") or expected == BAD
    several = [{"profile": "picture", "filename": "a.png"}, file]
    if file["profile"] != "page":
        assert house.ask("upload-params", house.session(), files=several).outcome == expected
    assert oss.asked == []


@pytest.mark.parametrize("stored", [timedelta(0), timedelta(seconds=-1), timedelta(days=1)])
def test_an_object_that_is_not_older_stays(house, oss, clock, stored):
    """Somebody may have stored it again under that name since."""
    old = key("picture")
    form = house.form("picture", replaces=old)
    assert oss.post(form["formData"], "bytes") == 200
    store(oss, old)
    oss.stored_at[old] = oss.stored_at[form["key"]] + stored
    confirm(house, form)
    assert (old in oss.objects) is (stored >= timedelta(0))


def test_an_object_never_replaces_itself(house, oss, clock):
    same = {"profile": "same", "size": 5, "sha256": DIGEST}
    stored = house.form(**same, replaces=key("same"))
    assert stored["key"] == key("same")
    assert oss.post(stored["formData"], "bytes", 5) == 200
    clock.tick(minutes=1)
    confirm(house, stored)
    assert house.form(**same, replaces=key("same"))["exists"]
    assert oss.names() == {key("same")}


@pytest.mark.parametrize("seconds", [59, 60])
def test_with_bytes_that_exist_the_clocks_may_differ_by_a_minute(house, oss, clock, seconds):
    old = key("same", 1)
    store(oss, old)
    oss.store(key("same"), b"12345", content_type="image/png")
    oss.stored_at[old] = clock() + timedelta(seconds=seconds)
    assert house.form("same", size=5, sha256=DIGEST, replaces=old)["exists"]
    assert (old in oss.objects) is (seconds >= 60)


def test_one_refused_file_keeps_what_another_would_have_replaced(house_of, oss, clock):
    house = house_of(PROFILES.replace("[same]", "[same]\nfiles_per_day = 1"), QUOTA_URL="memory:")
    old = old_of(oss, clock, key("same", 1))
    oss.store(key("same"), b"12345", content_type="image/png")
    there = {"profile": "same", "filename": "a.png", "size": 5, "sha256": DIGEST, "replaces": old}
    new = [{"profile": "same", "filename": "a.png", "size": 5, "sha256": f"{count:064}"} for count in (7, 8)]
    assert house.ask("upload-params", house.session(), files=[there, *new]).status in (400, 429)
    assert old in oss.objects


def test_files_of_one_request_do_not_replace_each_other(house, oss, clock):
    """Two digests that change places would both be told to exist, and both be deleted."""
    store(oss, *(f"same/{MINE}/{each * 64}.png" for each in "ab"))
    clock.tick(minutes=5)
    same = {"profile": "same", "filename": "a.png", "size": 1}
    swapped = [(new * 64, f"same/{MINE}/{old * 64}.png") for new, old in ("ab", "ba")]
    files = [{**same, "sha256": new, "replaces": old} for new, old in swapped]
    refused = house.ask("upload-params", house.session(), files=files)
    assert refused.outcome == BAD
    assert refused.json["error"]["message"].split()[0] == "files[0].replaces"
    assert len(oss.names()) == 2
    itself = [{**files[0], "replaces": f"same/{MINE}/{'a' * 64}.png"}, {**same, "sha256": "c" * 64}]
    assert house.ask("upload-params", house.session(), files=itself).status == 200
    assert len(oss.names()) == 2


HEAP = profile_toml(
    "heap",
    end="{owner}/{sha256}{ext}",
    max_size=9,
    confirm=True,
    callback=True,
    hold=["commit"],
    delete="owner",
)


@pytest.mark.parametrize("how", ["commit", "decision"])
def test_a_held_upload_replaces_when_it_is_published_and_not_before(house, oss, clock, how):
    old, new = held_upload(house, oss, clock)
    assert house.status(new["receipt"]) == "held" and old in oss.objects
    clock.tick(minutes=1)
    fields = {"decision": "publish"} if how == "decision" else {}
    assert house.commit(new["receipt"], **fields).json["state"] == "published"
    assert oss.names() == {new["key"]}


@pytest.mark.parametrize("ending", ["reject", "discard", "expire"])
def test_an_upload_that_is_not_published_replaces_nothing(house, oss, clock, ending):
    old, new = held_upload(house, oss, clock)
    if ending == "reject":
        assert house.commit(new["receipt"], decision="reject").json["state"] == "rejected"
    elif ending == "discard":
        assert house.discard(new["receipt"]).json["state"] == "gone"
    clock.tick(days=1, hours=1)
    assert house.ask("status", receipt=new["receipt"]).json["state"] in ("rejected", "gone")
    assert old in oss.objects


def test_a_publication_that_was_cut_off_replaces_when_it_is_continued(house, oss, clock):
    old, new = held_upload(house, oss, clock)
    clock.tick(minutes=1)
    oss.fail("CopyObject", LOST)
    assert house.commit(new["receipt"]).status == 503
    assert old in oss.objects
    assert house.resume(new["receipt"]) == "published"
    assert oss.names() == {new["key"]}


def begun(house, old, profile="video"):
    fields = {"profile": profile, "filename": "a.mp4", "size": PART, "replaces": old}
    answer = house.ask("multipart", house.session(), **fields)
    assert answer.status == 200, answer.text
    return answer.json


def test_a_completed_upload_in_parts_replaces_and_an_aborted_one_does_not(house_of, oss, clock):
    house, old = house_of(PROFILES + PARTS), f"videos/{MINE}/{number(0)}.mp4"
    oss.store(old, b"x", content_type="video/mp4")
    clock.tick(minutes=1)
    upload = begun(house, old)
    assert house.abort(upload["ticket"]).status == 200
    assert old in oss.objects
    upload = begun(house, old)
    assert set(house.send(upload)) == {200}
    assert old in oss.objects
    done = house.complete(upload["ticket"]).json
    assert oss.names() == {upload["key"]}
    assert claims_of(done["receipt"])["replaces"] == old


@pytest.mark.parametrize(
    ("profile", "replaced", "expected"),
    [
        ("video", key("picture"), FORBIDDEN),
        ("video", f"videos/{THEIRS}/{number(0)}.mp4", FORBIDDEN),
        ("open", "x", BAD),
    ],
)
def test_parts_replace_only_what_they_may(house_of, oss, profile, replaced, expected):
    open_one = PARTS.replace("video]", "open]").replace("videos/", "open/").replace('delete = "owner"', "")
    house = house_of(PROFILES + PARTS + open_one)
    fields = {"profile": profile, "filename": "a.mp4", "size": 9, "replaces": replaced}
    assert house.ask("multipart", house.session(), **fields).outcome == expected
    assert oss.asked == []


# --- a deletion that fails ---


def due(oss):
    return {name: fields for name, fields in oss.records().items() if name.startswith("due/")}


def confirmed_with(house, oss, clock, **faults):
    old = old_of(oss, clock)
    form = house.form("picture", replaces=old)
    assert oss.post(form["formData"], "bytes") == 200
    clock.tick(minutes=1)
    for call, planned in faults.items():
        oss.fail(call, *planned)
    return old, form


@pytest.mark.parametrize("fault", [UNHEARD, LOST, BROKEN, DENIED])
def test_a_failed_deletion_leaves_a_due_record_and_the_confirmation_is_200(
    house, oss, clock, log_lines, fault
):
    old, form = confirmed_with(house, oss, clock, DeleteObject=(fault,))
    confirm(house, form)
    assert "DeleteObject" in log_lines()[-1]["reason"]
    ((name, fields),) = due(oss).items()
    assert name == f"due/202611241402/replace-{form['key'].split('/')[1]}-{form['uploadId']}"
    expected = {"profile": "picture", "owner": MINE, "key": old, "before": "2026-11-24T14:01:00Z"}
    assert fields == {**expected, "at": "2026-11-24T14:02:00Z"}
    record = Due(f"held/.{name}", clock(), "replace", "", form["uploadId"])
    context = house.call()
    # A second tick finds it done.
    for _ in range(2):
        assert continue_replacement(context, oss_client(context, context.settings.home), record)
        assert old not in oss.objects and due(oss) == {}


def test_a_replacement_that_cannot_even_become_due_fails_the_confirmation(house, oss, clock):
    old, form = confirmed_with(house, oss, clock, DeleteObject=(DENIED,), PutObject=(UNHEARD, UNHEARD))
    confirm(house, form, 503)
    assert old in oss.objects and house.told == []
    confirm(house, form)
    assert old not in oss.objects and due(oss) == {}


def continued(house, **changes):
    context = house.call()
    fields = {"profile": "picture", "owner": MINE, "key": key("picture"), "before": "2026-11-24T15:00:00Z"}
    record = Due(name_of("replace", "", "id", house.now()), house.now(), "replace", "", "id")
    house.oss.store(record.name, json.dumps({**fields, **changes}).encode(), content_type="application/json")
    return continue_replacement(context, oss_client(context, context.settings.home), record)


@pytest.mark.parametrize(
    "changes",
    [
        *({"profile": "none"}, {"profile": "closed", "key": key("closed")}, {"owner": THEIRS}),
        *({"key": other} for other in (key("picture", owner=THEIRS), key("held"), "held/.decided/x")),
        {"before": "2026-11-24T14:00:00Z"},
    ],
    ids=str,
)
def test_a_due_record_deletes_only_what_its_owner_might(house, oss, changes):
    keys = [key("picture"), key("picture", owner=THEIRS), key("held"), key("closed"), "held/.decided/x"]
    store(oss, *keys)
    continued(house, **changes)
    assert set(keys) == set(oss.objects)
    continued(house)
    assert set(keys) - set(oss.objects) == {key("picture")}


@pytest.mark.parametrize(
    "changes",
    [{"profile": None}, {"owner": 7}, {"key": None}, {"before": "2026-11-24"}],
    ids=str,
)
def test_an_odd_due_record_is_unreadable(house, oss, changes):
    with pytest.raises(Unreadable):
        continued(house, **changes)
    assert oss.asked == ["GetObject"]


def test_a_due_record_of_another_bucket_deletes_nothing(house_of):
    house = house_of(PROFILES + one_more("there", f'confirm = true\ndelete = "owner"\n{ELSEWHERE}'))
    other, old = house.add_bucket("other-bucket", "cn-hangzhou"), f"there/{MINE}/{number(0)}"
    store(other, old)
    assert continued(house, profile="there", key=old)
    assert other.names() == {old}


def forged(house, **changes):
    """The receipt of a held upload, as a business could sign it with these claims."""
    claims = {**claims_of(house.store("held")["receipt"]), **changes}
    return jwt.encode(claims, house.settings.receipt_secrets[0], "HS256", {"typ": "JWT"})


def test_a_receipt_that_the_business_forged_replaces_no_other_owner_s_object(house, oss, clock):
    """It is held to its own owner and profile once more when it is published."""
    other = old_of(oss, clock, key("held", owner=THEIRS))
    assert house.commit(forged(house, replaces=other)).json["state"] == "published"
    assert other in oss.objects


@pytest.fixture
def house_with_heap(house_of):
    house = house_of(PROFILES + HEAP, CALLBACK_URL="https://upload.example.com/callback")
    house.others["gosspublic.alicdn.com"] = KeyHost()
    return house


def test_bytes_published_before_replace_nothing_for_a_held_or_rejected_upload(house_with_heap, oss, clock):
    """The name is that of the bytes, so an object is under it already."""
    house, old, new = house_with_heap, f"heap/{MINE}/{1:064}.png", f"heap/{MINE}/{DIGEST}.png"
    old_of(oss, clock, old)
    form = house.form("heap", size=5, sha256=DIGEST, replaces=old)
    assert oss.post(form["formData"], "bytes", 5) == 200
    store(oss, new)
    stored = f"held/{new}"
    receipt = called_back(house, form, size="5", object=stored, etag=oss.objects[stored].etag).json["receipt"]
    assert old in oss.objects
    assert house.commit(receipt, decision="reject").json["state"] == "rejected"
    assert old in oss.objects


def test_a_slow_replacement_leaves_time_to_make_it_due(house, oss, clock):
    old, form = confirmed_with(house, oss, clock)
    elapsed = [0.0]
    house.monotonic = lambda: elapsed[0]
    # The first is about the new object.
    oss.between["HeadObject"] = lambda: oss.between.update(
        HeadObject=lambda: elapsed.append(elapsed.pop() + 2)
    )
    confirm(house, form)
    assert old in oss.objects and len(due(oss)) == 1


# --- callbacks ---

CALLED = profile_toml("called", callback=True, delete="owner")


def called_back(house, form, **changes):
    body = read_upload(form).body(**{"size": "1", **changes})
    headers = {
        "authorization": sign("/callback", "", body),
        "x-oss-pub-key-url": base64(KEY_ADDRESS),
        "content-type": FORM_TYPE,
    }
    return house.ask_event(path="/callback", base64=base64(body), headers=headers)


@pytest.fixture
def house_with_callback(house_of):
    def build(lines=""):
        house = house_of(PROFILES + CALLED + lines, CALLBACK_URL="https://upload.example.com/callback")
        house.others["gosspublic.alicdn.com"] = KeyHost()
        return house

    return build


def test_a_callback_replaces_what_is_older_than_the_object_in_oss(house_with_callback, oss, clock):
    house = house_with_callback()
    old = old_of(oss, clock, key("called"))
    form = house.form("called", replaces=old)
    # OSS signs whatever callback a form names, so the function looks for the object itself.
    assert called_back(house, form).status == 200
    assert old in oss.objects
    assert oss.post(form["formData"], "bytes") == 200
    answer = called_back(house, form)
    assert claims_of(answer.json["receipt"])["replaces"] == old
    assert oss.names() == {form["key"]}


@pytest.mark.parametrize("call", ["HeadObject", "DeleteObject"])
def test_a_callback_is_200_and_leaves_a_due_record_when_the_replacement_fails(
    house_with_callback, oss, clock, call
):
    house = house_with_callback()
    old = old_of(oss, clock, key("called"))
    form = house.form("called", replaces=old)
    assert oss.post(form["formData"], "bytes") == 200
    oss.fail(call, DENIED)
    assert called_back(house, form).status == 200
    ((_, fields),) = due(oss).items()
    assert (fields["key"], old in oss.objects) == (old, True)


def test_a_replaced_key_that_leaves_no_room_in_the_ticket_is_named(house_with_callback, oss):
    long = CALLED.replace("called]", "long]").replace("called/", "图" * 300 + "/")
    parts = long.replace("long]", "parts]").replace("callback", "parts").replace("图", "书")
    house = house_with_callback(long + parts)
    for route, profile, folder in (("upload-params", "long", "图"), ("multipart", "parts", "书")):
        old = f"{folder * 300}/{MINE}/{number(0)}.png"
        fields = {"profile": profile, "filename": "a.png", "size": 5}
        assert house.ask(route, house.session(), **fields).status == 200
        assert house.ask(route, house.session(), **fields, replaces=old).outcome == BAD
        crowded = house.ask(route, house.session(), **fields, replaces=old, context={"a": "x" * 200})
        assert crowded.outcome == BAD


@pytest.mark.parametrize("is_older", [True, False])
def test_with_bytes_that_exist_the_old_object_is_deleted_before_the_response(house, oss, clock, is_older):
    """Back to an earlier avatar, or on to one that another profile page uploaded since."""
    old = key("same", 1)
    stores = [partial(store, oss, old), partial(oss.store, key("same"), b"12345", content_type="image/png")]
    for stored in stores if is_older else reversed(stores):
        stored()
        clock.tick(minutes=1)
    answer = house.form("same", size=5, sha256=DIGEST, replaces=old)
    assert answer["exists"]
    assert oss.names() == {key("same")}


def test_held_bytes_that_exist_replace_once_they_are_published(house_with_heap, oss, clock):
    house = house_with_heap
    old = old_of(oss, clock, f"heap/{MINE}/{1:064}.png")
    same = {"profile": "heap", "size": 5, "sha256": DIGEST}
    form = house.form(**same)
    assert oss.post(form["formData"], "bytes", 5) == 200
    confirm(house, form)
    answer = house.form(**same, replaces=old)
    assert answer["exists"] and answer["held"] and old in oss.objects
    assert house.commit(answer["receipt"]).json["state"] == "published"
    assert old not in oss.objects
