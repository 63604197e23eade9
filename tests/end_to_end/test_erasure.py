"""An erasure through the local STS and two local buckets, one with versions, in each reading of OSS."""

from pathlib import Path

import jwt
import pytest

from function.app import Function
from function.auth import owner_of
from function.context import Dependencies
from local.oss.attributes import Attributes
from local.oss.rules import OssRules
from local.oss.server import OssServer
from local.oss.storing import new_object
from local.oss.versions import ENABLED, SUSPENDED
from tests.end_to_end.conftest import ROLE, SECRET
from tests.support import stage
from tests.support.cases import profile_toml

ARCHIVE, REGION, ARCHIVE_ROLE = "local-archive", "cn-shanghai", "acs:ram::1234567890123456:role/archive"
OWNER_SECRET = "owner-secret-canary-0123456789abcdef"
MINE, THEIRS = (owner_of(subject, OWNER_SECRET) for subject in ("openid-1", "openid-2"))
ATTRIBUTES = Attributes("image/png", None, "Standard", forbid_overwrite=False)
LISTINGS = {"longest_page": 7, "lists_are_late": True, "last_page_names_markers": False}
# The other way of each rule that a list or a deletion goes by.
OTHER_READINGS = {
    **LISTINGS,
    "keys_in_utf16_order": True,
    "listed_class_in_capitals": True,
    "prefix_binds_every_list": True,
    "absent_version_is_null": True,
    "null_deletes_without_versions": True,
    "missing_md5_is_invalid_digest": True,
    "one_key_refuses_all": False,
    "failed_deletions_named": True,
    "repeated_keys_told_once": True,
    "answers_name_namespace": True,
    "absence_told_to_listers_only": True,
}
# A version called null that cannot be deleted by that name, one key at a time.
NULL_REFUSED = {"absent_version_is_null": True, "one_key_refuses_all": False}
ODD = ("a&<b>.png", "照片 +%41.png", "\x01\U0001f600.png", "plain.png")


@pytest.fixture
def archive(services, clock, tmp_path):
    services.sts.roles |= {ARCHIVE_ROLE: services.sts.roles[ROLE]}
    server = OssServer(services.accounts, ARCHIVE, REGION, tmp_path / "archive", now=clock).start()
    yield server
    server.stop()


@pytest.fixture
def function(services, archive, clock, environment, profiles_file):
    profiles = profile_toml("photos", confirm=True, parts=True) + profile_toml(
        "posts", confirm=True, hold=["commit"]
    )
    profiles += profile_toml("tight", end="{owner}-{id}{ext}", confirm=True, parts=True)
    place = f'bucket = "{ARCHIVE}"\nregion = "{REGION}"\nrole = "{ARCHIVE_ROLE}"\nhost = "{archive.origin}"\n'
    settings = {
        **environment,
        **services.settings,
        "CALLER_AUTH": "wechat",
        "WECHAT_APPID": "wx0123456789abcdef",
        "WECHAT_SECRET": "WechatSecretCanary0001",
        "OWNER_SECRET": OWNER_SECRET,
        "ERASE": "true",
        "PROFILES_FILE": profiles_file(profiles + place),
    }
    environ = {name: value for name, value in settings.items() if value is not None}
    return Function(Dependencies(environ, now=clock))


def put(oss, key, count=1):
    for _ in range(count):
        file = oss.objects.new_file()
        file.write(b"abc")
        file.close()
        oss.bucket.store(Path(file.name), new_object(oss.bucket, key, ATTRIBUTES, 3, "E" * 32), False)


def fill(oss, *prefixes):
    """Objects, versions where there are any, delete markers and unfinished parts."""
    for prefix in prefixes:
        for name in ODD:
            put(oss, f"{prefix}{name}", 2)
            oss.bucket.uploads.begin(f"{prefix}{name}", ATTRIBUTES, oss.bucket.now(), False)
        if oss.objects.versioning:
            oss.objects.delete(f"{prefix}{ODD[0]}")


def places(owner):
    return [f"photos/{owner}/", f"posts/{owner}/", f"held/posts/{owner}/"], [f"tight/{owner}-"]


def left(*stores):
    """Keys of everything stored, with the number of their versions and uploads, but for records."""
    found = {}
    for oss in stores:
        keys = [version.key for version, _ in oss.objects.versions("", "")]
        for key in [*keys, *(upload.key for upload in oss.bucket.uploads)]:
            if not key.startswith("held/."):
                found[oss.bucket.name, key] = found.get((oss.bucket.name, key), 0) + 1
    return found


def erase(function, clock, rounds=40):
    """Ask until it is done, an hour later each time; the last answer."""
    for _ in range(rounds):
        ends = int(clock().timestamp()) + 300
        token = jwt.encode({"aud": "oss-direct-upload/erasure", "exp": ends}, SECRET, "HS256")
        event = stage.make_event(
            {"sub": "openid-1"}, path="/erase", headers={"Authorization": f"Bearer {token}"}
        )
        reply = stage.ask_event(function, event)
        assert reply.status == 200, reply.text
        if reply.json["state"] == "done":
            return reply.json
        clock.tick(hours=1)
    raise AssertionError(reply.json)


@pytest.mark.parametrize(
    ("rules", "status"),
    [({}, ""), (LISTINGS, ENABLED), (OTHER_READINGS, SUSPENDED), (NULL_REFUSED, SUSPENDED)],
    ids=["one bucket", "late lists", "other readings", "null refused"],
)
def test_everything_of_an_owner_is_erased_and_nothing_else(rules, status, services, archive, function, clock):
    home, tight = places(MINE)
    for oss, mine in ((services.oss, home), (archive, tight)):
        oss.bucket.rules = OssRules(**rules)
        theirs = places(THEIRS)[oss is archive]
        near = [f"photos/{MINE}x/", f"tight/{MINE}a-", f"tight/{MINE}/", f"other/{MINE}/"]
        fill(oss, *mine, *theirs, *near)
        if oss is archive and status:
            oss.objects.versioning = ENABLED
            fill(oss, *mine, *theirs)
            oss.objects.versioning = status
            fill(oss, *mine)
    everything, mine = left(services.oss, archive), tuple(home + tight)
    of_others = {place: count for place, count in everything.items() if not place[1].startswith(mine)}
    last = erase(function, clock)
    assert left(services.oss, archive) == of_others
    assert last["deleted"] + last["aborted"] == sum(everything.values()) - sum(of_others.values())
    assert last["aborted"] == len(ODD) * (6 if status else 4)
    assert last["profiles"] == ["photos", "posts", "tight"] and last["record"]
