"""Profiles of two buckets in two regions: what is good for one is refused by the other."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest

from function.oss.post_form import UploadRule, prepare, sign_object
from function.oss.presign import OssRequest, authorize, request_url
from local.buckets import ARCHIVE, HOME
from local.common.accounts import AccessKey
from tests.end_to_end.conftest import SUNSET, running_cloud

PART = 100 * 1024

# (name, the folder of its key, its bucket, further options)
PROFILES = (
    ("home", "home/{owner}/{id}{ext}", HOME, 'read = "owner"\ncallback = true'),
    ("paper", "papers/{owner}/{id}{ext}", ARCHIVE, 'read = "owner"\nparts = true\npart_size = "100KiB"'),
    ("told", "told/{owner}/{id}{ext}", ARCHIVE, "callback = true"),
    # The same names in both, for as long as nobody reads them by name.
    ("kept_home", "kept/{owner}/{id}{ext}", HOME, 'hold = ["commit"]'),
    ("kept", "kept/{owner}/{id}{ext}", ARCHIVE, 'hold = ["commit"]'),
)
PAGE = '[page]\nkey = "pages/{owner}/{filename}"\nmax_size = "1MiB"\ncontent_types = ["*/*"]\n'


def text_of(archive, swapped=False):
    """A profiles file; swapped, each profile is in the other bucket."""
    bucket, region, role_arn = ARCHIVE
    own = f'bucket = "{bucket}"\nregion = "{region}"\nrole = "{role_arn}"\nhost = "{archive}"\n'
    tables = [
        f'[{name}]\nkey = "{key}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\nconfirm = true\n{more}\n'
        + own * ((place is ARCHIVE) != swapped)
        for name, key, place, more in PROFILES
    ]
    return "\n".join([*tables, PAGE + own * (not swapped)])


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    with running_cloud(folder / "objects") as running:

        def function(name="usual", swapped=False):
            """The address of one more instance."""
            path = folder / f"{name}.toml"
            path.write_text(text_of(running.cloud.archive.origin, swapped))
            return running.start(name, PROFILES_FILE=str(path))

        running.function, running.usual = function, function()
        yield running


@pytest.fixture
def ask(here):
    return here.ask


@pytest.fixture
def user(here):
    """A session of a user who has just logged in, good at every instance."""
    return here.log_in()


@pytest.fixture
def form_of(ask, user):
    def form_of(profile):
        wanted = {"profile": profile, "filename": "a.png", "size": len(SUNSET)}
        answer = ask("upload-params", wanted, user)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return form_of


@pytest.fixture
def uploaded(here, form_of, ask):
    """A form that was used, and what confirming it answered."""

    def uploaded(profile):
        form = form_of(profile)
        assert here.post(form, SUNSET).status_code == 200
        answer = ask("confirm", {"ticket": form["ticket"]})
        assert answer.status_code == 200, answer.text
        return SimpleNamespace(form=form, **answer.json())

    return uploaded


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def where(here, key):
    """In which of the two buckets there is an object of this name."""
    return [key in store.objects for store in here.cloud.stores]


AT_HOME, IN_THE_ARCHIVE, NOWHERE, IN_BOTH = [True, False], [False, True], [False, False], [True, True]


def plant(store, like, key):
    """Put a copy of an object into a bucket under some name, as whoever owns the account may."""
    incoming = store.objects.new_file()
    with incoming:
        incoming.write(like.path.read_bytes())
    facts = replace(like, key=key, path=store.objects.path_of(key))
    store.objects.store(Path(incoming.name), facts, forbid_overwrite=False)


@pytest.mark.parametrize(
    ("profile", "place", "found"), [("home", HOME, AT_HOME), ("paper", ARCHIVE, IN_THE_ARCHIVE)]
)
def test_a_form_goes_to_the_bucket_of_its_profile_and_so_does_all_that_follows(
    here, ask, user, uploaded, profile, place, found
):
    store = here.cloud.stores[found.index(True)]
    upload = uploaded(profile)
    assert upload.form["url"] == store.origin
    assert upload.form["formData"]["x-oss-credential"].split("/")[2] == place.region
    assert where(here, upload.key) == found
    assert store.objects[upload.key].path.read_bytes() == SUNSET
    assert upload.url == upload.form["fileUrl"] == f"{store.origin}/{upload.key}"
    claims = claims_of(upload.receipt)
    assert (claims["bucket"], claims["key"], claims["seen"]) == (place.bucket, upload.key, True)
    read = ask("read", {"key": upload.key}, user).json()
    assert read["url"].startswith(f"{store.origin}/{upload.key}?")
    assert here.session.get(read["url"], timeout=60).content == SUNSET
    assert here.session.get(upload.url, timeout=60).status_code == 403


def sessions(here):
    """The keys that the function has been given, by role; of those that may do the same, one."""
    found = {
        repr((session.arn.split("/")[1], session.key.policies)): session
        for session in here.cloud.sts._sessions.values()
    }.values()
    return [
        (session.key, HOME if "archive" not in session.arn.split("/")[1] else ARCHIVE) for session in found
    ]


def attempts(here, key, place, folders):
    """What OSS answers to each call with these keys in one of the buckets."""
    store, now = here.cloud.stores[(HOME, ARCHIVE).index(place)], datetime.now(UTC)
    for folder in folders:
        for method in ("PUT", "GET", "HEAD", "DELETE"):
            request = OssRequest(
                method, place.bucket, place.region, f"{folder}/someone/{secrets.token_hex(8)}.png"
            )
            headers = authorize(request, key, now)
            answer = here.session.request(
                method, request_url(request, store.origin), headers=headers, timeout=60
            )
            yield answer.status_code


FOLDERS = {f"{held}{key.partition('/')[0]}" for _, key, *_ in PROFILES for held in ("", "held/")}


@pytest.mark.parametrize("limited_by", ["its role and its policy", "its role", "its policy"])
def test_the_keys_of_one_bucket_s_sessions_do_nothing_in_the_other(here, ask, uploaded, limited_by):
    """What somebody could do who had got hold of the secret of a session; either limit is enough."""
    for profile in ("home", "kept_home", "paper", "kept"):
        upload = uploaded(profile)
    assert {place for _, place in sessions(here)} == {HOME, ARCHIVE}
    for key, place in sessions(here):
        of_role, of_session = key.policies
        policies = {"its role": (of_role,), "its policy": (of_session,)}.get(limited_by, key.policies)
        tried = replace(key, access_key_id=f"STS.N{secrets.token_hex(8)}", policies=policies)
        here.cloud.sts._accounts.add(tried)
        other = ARCHIVE if place is HOME else HOME
        assert set(attempts(here, tried, other, FOLDERS)) == {403}
        # And in its own it does what it is for.
        assert any(status in {200, 204, 404} for status in attempts(here, tried, place, FOLDERS))
    assert where(here, upload.key) == NOWHERE  # held


@pytest.mark.parametrize(("profile", "to"), [("paper", "oss"), ("home", "archive")])
@pytest.mark.parametrize("alike", ["as they are", "regions alike", "regions and roles alike"])
def test_a_form_for_one_bucket_posted_to_the_other_is_refused(here, form_of, profile, to, alike):
    """By the region in its signature, by its role and by its policy: each of them alone."""
    form, store = form_of(profile), getattr(here.cloud, to)
    region, key = (
        store.bucket.region,
        here.cloud.sts._accounts.find(form["formData"]["x-oss-credential"].split("/")[0]),
    )
    if alike != "as they are":
        store.bucket.region = form["formData"]["x-oss-credential"].split("/")[2]
    if alike == "regions and roles alike":
        here.cloud.sts._accounts.add(replace(key, policies=()))
    try:
        answer = here.post(form, SUNSET, to=store.origin)
    finally:
        store.bucket.region = region
        here.cloud.sts._accounts.add(key)
    assert answer.status_code in (400, 403)
    if alike == "regions and roles alike":
        assert "$bucket" in answer.text
    assert where(here, form["formData"]["key"]) == NOWHERE


@pytest.mark.parametrize("profile", ["home", "paper"])
def test_tokens_from_before_a_profile_moved_are_refused_in_its_new_bucket(here, ask, user, uploaded, profile):
    """Nor where two deployments share a TOKEN_SECRET and have profiles of the same name."""
    moved = here.function("moved", swapped=True)
    upload = uploaded(profile)
    refused = [ask("confirm", {"ticket": upload.form["ticket"]}, at=moved)]
    for route in ("status", "discard"):
        refused.append(ask(route, {"receipt": upload.receipt}, user, moved))
    if profile == "paper":
        wanted = {"profile": "paper", "filename": "a.png", "size": 2 * PART}
        ticket = ask("multipart", wanted, user).json()["ticket"]
        for route in ("multipart-parts", "multipart-complete", "multipart-abort"):
            refused.append(ask(route, {"ticket": ticket}, at=moved))
        assert ask("multipart-abort", {"ticket": ticket}).status_code == 200
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in refused} == {
        (403, "forbidden")
    }


def test_a_commit_reaches_the_bucket_of_its_receipt_though_the_other_holds_the_same_name(
    here, commit, uploaded
):
    for profile, other in (("kept", here.cloud.oss), ("kept_home", here.cloud.archive)):
        own = here.cloud.archive if other is here.cloud.oss else here.cloud.oss
        upload = uploaded(profile)
        held = f"held/{upload.key}"
        plant(other, own.objects[held], held)
        assert commit(upload)["state"] == "published"
        assert (held in own.objects, upload.key in own.objects) == (False, True)
        assert (held in other.objects, upload.key in other.objects) == (True, False)


@pytest.mark.parametrize("changed", [{"bucket": HOME.bucket}, {"profile": "kept_home"}])
def test_a_receipt_with_another_bucket_than_its_profile_commits_nothing(here, ask, uploaded, changed):
    """As a backend could write one, which has the secret: the function holds it to its own profiles."""
    upload = uploaded("kept")
    held = f"held/{upload.key}"
    plant(here.cloud.oss, here.cloud.archive.objects[held], held)
    secret = here.cloud.environment()["TOKEN_SECRET"]
    forged = jwt.encode({**claims_of(upload.receipt), **changed}, secret, algorithm="HS256")
    ends = datetime.now(UTC) + timedelta(minutes=5)
    backend = jwt.encode(
        {"aud": "oss-direct-upload/backend", "exp": ends, "iat": datetime.now(UTC)}, secret, algorithm="HS256"
    )
    for route in ("commit", "discard"):
        answer = ask(route, {"receipt": forged}, backend)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert (where(here, held), where(here, upload.key)) == (IN_BOTH, NOWHERE)


@pytest.mark.parametrize(("profile", "reported"), [("told", HOME), ("home", ARCHIVE)])
def test_a_callback_about_an_object_in_the_other_bucket_gets_no_receipt(
    here, form_of, log_lines, profile, reported
):
    """OSS signs whatever callback a form names, and somebody may put ours into a form of their own bucket."""
    own = AccessKey("LTAIstranger", secrets.token_hex(16), secrets.token_hex(16))
    here.cloud.sts._accounts.add(own)
    form, now = form_of(profile), datetime.now(UTC)
    rule = UploadRule(
        *(reported.bucket, reported.region, "v4", form["key"], 1, 2**20, now + timedelta(minutes=5)),
        prepare({name: form["formData"][name] for name in ("callback", "x-oss-content-type")}),
    )
    theirs = {"formData": sign_object(rule, own, now)}
    store = here.cloud.stores[(HOME, ARCHIVE).index(reported)]
    answer = here.post(theirs, SUNSET, to=store.origin)
    # Stored in their bucket, and OSS says that the callback failed.
    assert (answer.status_code, "CallbackFailed" in answer.text) == (203, True)
    assert form["key"] in store.objects
    assert "receipt" not in answer.text
    [line] = [line for line in log_lines() if line["route"] == "callback"]
    assert (line["status"], line["reason"]) == (403, "the object is in another bucket")
