"""
Random rules and random uploads: what the rule promises, and what the local OSS does with the form.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from function.config.profiles import read_profiles
from function.oss.post_form import UploadRule, prepare, sign_folder, sign_object
from function.sts.credentials import StsCredentials
from function.sts.session_policy import grants_for_uploads, policy_of
from local.common.accounts import AccessKey, Accounts
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.form import FormReader
from local.oss.objects import Objects
from local.oss.post import Upload
from local.oss.rules import OssRules
from quality.torture.report import Result, compare
from tests.support.canaries import Watch

PAIRS = 120_000
UPLOADS_PER_RULE = 24
BOUNDARY = b"torture"
REGION = "cn-hangzhou"
BUCKETS = ("photos", "other-photos")
PROFILES = """
[default]
key = "uploads/{id}"
max_size = 1
content_types = ["*/*"]
[avatar]
key = "avatars/{id}"
max_size = 1
content_types = ["*/*"]
[page]
key = "test/{filename}"
max_size = 1
"""
START = datetime(2026, 2, 28, 23, 50, tzinfo=UTC)
TYPES = ("image/png", "image/svg+xml", "video/mp4", "text/html")
NAMES = ("a.png", "猫.jpg", "x y+z.png", "q\"uo'te", "a/b/c", "..", "%2e%2e", "é\u202egnp.exe", "{id}")
PINNABLE = {
    "success_action_status": ("200", "201", "204"),
    "x-oss-content-type": TYPES,
    "x-oss-forbid-overwrite": ("true", "false"),
    "x-oss-object-acl": ("default", "private", "public-read"),
    "Cache-Control": ("no-cache", "max-age=1, public"),
    "Content-Disposition": ("inline", 'attachment; filename="WeChatSetup.exe"'),
    "x-oss-storage-class": ("Standard", "IA", "ColdArchive"),
    "x-oss-meta-source": ("mini", "wäre \\ gut"),
}
# Fields that no condition names; OSS takes them, so a rule does not speak of them.
FREE = (("x-oss-meta-extra", "1"), ("submit", "Upload"), ("Expires", "0"), ("x:var", "y"), ("name", "n"))

Signer = Callable[[UploadRule, StsCredentials, datetime], dict[str, str]]
SessionPolicy = Callable[[str], str]


def session_policy(bucket: str) -> str:
    """What the function sends with AssumeRole for these profiles, as JSON text."""
    profiles, _ = read_profiles(PROFILES, default_signature="v4")
    return policy_of(bucket, grants_for_uploads(profiles.values()))


@dataclass(frozen=True)
class Post:
    """
    One request: the fields before the file in order, and the file's size.

    Args:
        arrived: when the last byte did.
    """

    bucket: str
    pairs: tuple[tuple[str, str], ...]
    size: int
    arrived: datetime


@dataclass(frozen=True)
class Signed:
    """A rule and the fields of its form; a folder's form is filled in as a page would."""

    rule: UploadRule
    pairs: tuple[tuple[str, str], ...]
    is_folder: bool


class Sessions:
    """
    Two sessions of one role, and two buckets of the local OSS.

    Args:
        sign_object: the signer under proof.

        session_policy: the narrowing of the sessions under proof, by bucket.
    """

    def __init__(
        self,
        chance: random.Random,
        folder: Path,
        watch: Watch,
        sign_object: Signer = sign_object,
        session_policy: SessionPolicy = session_policy,
    ) -> None:
        self.chance = chance
        self.watch = watch
        self.sign_object = sign_object
        self.now = START
        self.acl_needs_right = True
        self.credentials = [
            StsCredentials(
                f"STS.key{i}", watch.plant(f"role{i}"), f"token{i}+/=", START + timedelta(hours=2 * i)
            )
            for i in (1, 2)
        ]
        statements = [
            statement for name in BUCKETS for statement in json.loads(session_policy(name))["Statement"]
        ]
        policy = {"Version": "1", "Statement": statements}
        accounts = Accounts(
            *(
                AccessKey(
                    one.access_key_id, one.access_key_secret, one.security_token, one.expires_at, (policy,)
                )
                for one in self.credentials
            )
        )
        objects = Objects(folder)
        # It must be the form and the session that keep an object from being public, not the bucket.
        rules = OssRules(block_public_access=False)
        self.buckets = {
            name: Bucket(name, REGION, accounts, objects, lambda: self.now, rules) for name in BUCKETS
        }

    def _pinned(self) -> dict[str, str]:
        chance = self.chance
        return {name: chance.choice(values) for name, values in PINNABLE.items() if chance.random() < 0.6}

    def sign(self) -> Signed:
        """A random rule, signed at a random time of the first hour."""
        chance = self.chance
        signed_at = START + timedelta(seconds=chance.randrange(3600))
        is_folder = chance.random() < 0.25
        least = chance.randrange(64)
        folder = "test/" if is_folder else chance.choice(("uploads/", "avatars/"))
        rule = UploadRule(
            bucket=chance.choice(BUCKETS),
            region=REGION,
            signature_version=chance.choice(("v4", "v1")),
            key=folder if is_folder else f"{folder}{chance.choice(NAMES)}",
            min_size_bytes=least,
            max_size_bytes=least + chance.choice((0, 1, 100)),
            expires_at=signed_at + timedelta(seconds=chance.choice((1, 60, 900, 3000))),
            form=prepare({} if is_folder else self._pinned()),
        )
        credentials = chance.choice(self.credentials)
        if not is_folder:
            return Signed(rule, tuple(self.sign_object(rule, credentials, signed_at).items()), False)
        form = sign_folder(rule, credentials, signed_at)
        fields = {"key": f"test/{chance.choice(NAMES)}", **form.pinned, "policy": form.policy}
        if rule.signature_version == "v1":
            fields |= {"OSSAccessKeyId": credentials.access_key_id, "Signature": form.signature}
        else:
            fields["x-oss-signature"] = form.signature
        return Signed(rule, tuple(fields.items()), True)

    def upload(self, signed: Signed) -> Post:
        """A random upload with this form: good, with one lie, or spoilt in up to three ways."""
        chance, rule = self.chance, signed.rule
        self.acl_needs_right = chance.random() < 0.5
        if chance.random() < 0.2:
            return self._with_one_lie(signed)
        pairs = list(signed.pairs)
        for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
            self._spoil(pairs)
        low, high = rule.min_size_bytes, rule.max_size_bytes
        size = chance.choice((low, high, chance.randint(low, high), max(0, low - 1), high + 1))
        early = rule.expires_at - timedelta(seconds=1)
        arrived = chance.choice((early, early, early, rule.expires_at, rule.expires_at + timedelta(hours=1)))
        bucket = rule.bucket if chance.random() < 0.9 else chance.choice(BUCKETS)
        return Post(bucket, tuple(pairs), size, arrived)

    def _with_one_lie(self, signed: Signed) -> Post:
        """Nothing wrong but one field, which says what OSS would take if no condition were against it."""
        fields, rule = dict(signed.pairs), signed.rule
        known = {"key": (f"{fields['key']}.other",), **PINNABLE}
        name = self.chance.choice([name for name in (*fields, "x-oss-object-acl") if name in known])
        fields[name] = self.chance.choice(known[name])
        early = rule.expires_at - timedelta(seconds=1)
        return Post(rule.bucket, tuple(fields.items()), rule.max_size_bytes, early)

    def _spoil(self, pairs: list[tuple[str, str]]) -> None:
        chance = self.chance
        index = chance.randrange(len(pairs))
        name, value = pairs[index]
        match chance.randrange(8):
            case 0:
                del pairs[index]
            case 1:
                pairs[index] = (name, self._other_value(name, value))
            case 2:
                pairs[index] = (name.upper() if chance.random() < 0.5 else name.title(), value)
            case 3:
                pairs.insert(chance.randrange(len(pairs)), (name, chance.choice((value, f"{value}x"))))
            case 4:
                pairs.append(chance.choice(FREE))
            case 5:
                pairs.append(self._unpinned())
            case 6:
                chance.shuffle(pairs)
            case 7:
                one, other = chance.sample(self.credentials, 2)
                pairs[index] = (
                    name,
                    value.replace(one.security_token, other.security_token).replace(
                        one.access_key_id, other.access_key_id
                    ),
                )

    def _unpinned(self) -> tuple[str, str]:
        name = self.chance.choice(
            ("x-oss-object-acl", "x-oss-object-acl", "x-oss-storage-class", "Content-Disposition")
        )
        return name, self.chance.choice(PINNABLE[name])

    def _other_value(self, name: str, value: str) -> str:
        chance = self.chance
        ways = [value + "x", "x" + value, value[:-1], value.swapcase(), "", *PINNABLE.get(name, ())]
        if name == "key":
            ways += ["uploads/", "test/other", "elsewhere/a.png", "/uploads/a.png", "uploads/../a", "测/a"]
        return chance.choice(ways)


def rule_admits(signed: Signed, post: Post, world: Sessions) -> bool:
    """What the rule promises: these fields as they were signed, this size, until then, this bucket."""
    sent: dict[str, str] = {}
    for name, value in post.pairs:
        if sent.setdefault(name.lower(), value) != value:
            return False
    wanted = {name.lower(): value for name, value in signed.pairs}
    rule = signed.rule
    if signed.is_folder:
        harmless = {None} if world.acl_needs_right else {None, "default", "private"}
        if not sent.get("key", "").startswith(rule.key) or sent.get("x-oss-object-acl") not in harmless:
            return False
        wanted.pop("key")
    used = next(one for one in world.credentials if one.security_token == wanted["x-oss-security-token"])
    return (
        all(sent.get(name) == value for name, value in wanted.items())
        and rule.min_size_bytes <= post.size <= rule.max_size_bytes
        and post.arrived < min(rule.expires_at, used.expires_at)
        and post.bucket == rule.bucket
        # A form without a pinned ACL or class leaves these to the sender, within what exists.
        and sent.get("x-oss-object-acl", "default") in ("default", "private", "public-read")
        and sent.get("x-oss-storage-class", "IA") in PINNABLE["x-oss-storage-class"]
        and not (rule.signature_version == "v1" and any(name in _V4_FIELDS for name in sent))
    )


_V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature")


def local_oss_admits(post: Post, world: Sessions) -> bool:
    """The local OSS's own code from the multipart body to the stored object, without its socket."""
    world.now, bucket = post.arrived, world.buckets[post.bucket]
    bucket.rules = replace(bucket.rules, acl_needs_permission=world.acl_needs_right)
    upload = Upload(bucket)
    try:
        reader = FormReader(BOUNDARY, bucket.rules, upload.open_file)
        reader.feed(multipart(post))
        reader.finish()
        stored = upload.finish()
        world.watch.search(f"{stored}{stored.path.read_bytes()!r}", "stored object")
        bucket.objects.delete(stored.key)
    except OssError:
        return False
    finally:
        upload.discard()
    return True


def multipart(post: Post) -> bytes:
    lines = b"".join(
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (BOUNDARY, name.encode(), value.encode())
        for name, value in post.pairs
    )
    head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="f.png"\r\n' % BOUNDARY
    return lines + head + b"Content-Type: image/x\r\n\r\n" + bytes(post.size) + b"\r\n--%s--\r\n" % BOUNDARY


def run(
    pairs: int = PAIRS,
    seed: int | None = None,
    sign_object: Signer = sign_object,
    session_policy: SessionPolicy = session_policy,
) -> Result:
    seed, watch = random.SystemRandom().randrange(2**32) if seed is None else seed, Watch()
    with TemporaryDirectory() as folder:
        world = Sessions(random.Random(seed), Path(folder), watch, sign_object, session_policy)
        signed = world.sign()

        def judge(number: int) -> tuple[bool, bool, object]:
            nonlocal signed
            if number % UPLOADS_PER_RULE == 0:
                signed = world.sign()
            post = world.upload(signed)
            return rule_admits(signed, post, world), local_oss_admits(post, world), (seed, post, signed)

        result = compare("pairs of rule and upload", pairs, judge)
    result.totals["pairs of rule and upload"] = pairs
    result.searched, result.secrets = watch.searched, watch.found
    return result
