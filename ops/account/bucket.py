"""A bucket as it should be and as OSS describes it, and what the operator should know about it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from function.config.profile import Profile
from ops.terminal.language import Text

PRIVATE = "private"


@dataclass(frozen=True)
class PartedFolder:
    """
    Args:
        name: a prefix of keys that ends in ``/``; empty for every key.
        days: after which an upload in parts, or a held object, there can be nobody's any more.
    """

    name: str
    days: int


def outermost(folders: Iterable[PartedFolder]) -> list[PartedFolder]:
    """Return those that are in no other one, which gets the longer of the two times."""
    found: dict[str, int] = {}
    for folder in sorted(folders, key=lambda folder: folder.name):
        outer = next((name for name in found if folder.name.startswith(name)), folder.name)
        found[outer] = max(folder.days, found.get(outer, 0))
    return [PartedFolder(name, days) for name, days in found.items()]


@dataclass(frozen=True)
class DesiredBucket:
    """
    Args:
        region: region id such as ``cn-hangzhou``.
        account: whose it is to make.
        profiles: those that store there.
        is_named: whether they name it, as nobody need name ``OSS_BUCKET``.
        create: whether a missing bucket is made, and one that is there ends stale uploads of any key.
        h5_origins: origins whose pages post forms from a browser.
        erases: whether users may be erased, which leaves evidence.
    """

    name: str
    region: str
    account: str = ""
    profiles: tuple[Profile, ...] = ()
    is_named: bool = False
    create: bool = False
    h5_origins: tuple[str, ...] = ()
    erases: bool = False

    @property
    def parted_folders(self) -> list[PartedFolder]:
        """Return where profiles with ``parts`` put their objects, in whole days from the beginning."""
        parted = (each for each in self.profiles if each.parts)
        return [
            PartedFolder(each.stored_folder, -(-each.parts_within // timedelta(days=1))) for each in parted
        ]

    @property
    def held_folders(self) -> list[PartedFolder]:
        """Return where profiles with ``hold`` put what waits, and how long it may."""
        return [PartedFolder(each.stored_folder, each.hold_days) for each in self.profiles if each.is_held]

    @property
    def keeps_erasures(self) -> bool:
        return self.erases and bool(self.profiles)

    @property
    def has_due_records(self) -> bool:
        return self.keeps_erasures or any(each.gives_receipts for each in self.profiles)

    @property
    def h5_methods(self) -> tuple[str, ...]:
        """Return the HTTP methods that browser pages send files with."""
        return ("POST", "PUT") if self.parted_folders else ("POST",)

    def names_of(self, is_one: Callable[[Profile], bool]) -> str:
        """Return the profiles of a kind as ``[a], [b]``."""
        return ", ".join(f"[{each.name}]" for each in self.profiles if is_one(each))


@dataclass(frozen=True)
class FoundBucket:
    """
    A bucket as OSS describes it.

    Args:
        location: region id with the prefix ``oss-``.
        lifecycle, cors: the XML documents, empty where there is none.
    """

    location: str
    acl: str
    versioning: str
    blocks_public_access: bool
    lifecycle: str = ""
    cors: str = ""


def public_strip(desired: DesiredBucket, found: FoundBucket) -> Iterator[Text]:
    """Yield why a bucket is refused that is not private, where a profile has ``strip``."""
    names = desired.names_of(lambda each: each.strip)
    if names and found.acl not in ("", PRIVATE):
        yield PUBLIC_STRIP.filled(bucket=desired.name, acl=found.acl, names=names)


def bucket_notes(desired: DesiredBucket, found: FoundBucket | None) -> Iterator[Text]:
    """A sentence or two for each thing that may surprise later."""
    if found is not None:
        yield from notes_on_what_is_there(desired, found)
    # What OSS makes through its API begins with the block (since 13 October 2025).
    is_blocked = found is None or found.blocks_public_access
    public = desired.names_of(lambda each: each.acl == "public-read")
    open_ = desired.names_of(lambda each: each.takes_filename)
    if is_blocked and public:
        yield PUBLIC_READ.filled(bucket=desired.name, names=public)
    if open_ and not is_blocked:
        yield OPEN_NAMES.filled(bucket=desired.name, names=open_)


def named(notes: Iterable[Text], bucket: DesiredBucket) -> Iterator[Text]:
    """The same, each with the bucket that it is about."""
    for note in notes:
        is_named = bucket.name in note.en
        yield note if is_named else Text(f"{bucket.name}: {note.en}", f"{bucket.name}：{note.zh}")


def notes_on_what_is_there(desired: DesiredBucket, found: FoundBucket) -> Iterator[Text]:
    there = found.location.removeprefix("oss-")
    if there and there != desired.region:
        setting = f"region ({desired.names_of(lambda _: True)})" if desired.is_named else "OSS_REGION"
        values = {"bucket": desired.name, "there": there, "region": desired.region}
        yield OTHER_REGION.filled(**values, setting=setting)
    if found.acl not in ("", PRIVATE):
        yield PUBLIC.filled(bucket=desired.name, acl=found.acl)
    if found.versioning in ("Enabled", "Suspended"):
        yield VERSIONS.filled(versioning=found.versioning)
        if desired.held_folders:
            yield VERSIONS_OF_WHAT_IS_HELD


PUBLIC_STRIP = Text(
    "Bucket {bucket} is {acl}, and {names} has strip = true: a clean copy has the ACL of the bucket until the"
    " function makes it private. Make the bucket private.",
    "桶 {bucket} 的权限是 {acl}，而 {names} 写了 strip = true：副本在函数把它改为私有之前，权限随桶。"
    "请把桶设为私有。",
)
OTHER_REGION = Text(
    "Bucket {bucket} is in {there}, not in {region}: set {setting} to that, or forms will be refused.",
    "桶 {bucket} 在 {there}，不在 {region}：请把 {setting} 改为前者，否则表单会被拒绝。",
)
PUBLIC = Text(
    "Bucket {bucket} is {acl}: everybody reads what is uploaded. It is left as it is.",
    "桶 {bucket} 的权限是 {acl}：任何人都能读取上传的文件。此处不做更改。",
)
VERSIONS = Text(
    "Versioning is {versioning}: OSS then ignores x-oss-forbid-overwrite, and a second upload of a key"
    " becomes its newest version. It is left as it is.",
    "版本控制为 {versioning}：此时 OSS 会忽略 x-oss-forbid-overwrite，同名再次上传会成为最新版本。"
    "此处不做更改。",
)
VERSIONS_OF_WHAT_IS_HELD = Text(
    "Profiles with hold need a bucket without versioning: only x-oss-forbid-overwrite makes one decision out"
    " of two at once, and what was rejected would stay as an old version.",
    "有 hold 的用途需要没有版本控制的桶：同时到来的两个决定，只有 x-oss-forbid-overwrite 能让其中一个算数；"
    "而且未通过的内容会作为旧版本留下。",
)
PUBLIC_READ = Text(
    "Block Public Access is on for bucket {bucket}, as for every new one: uploads of {names}"
    ' (acl = "public-read") are refused. Use acl = "default" and signed addresses or a CDN, or'
    " switch the block off in the console.",
    '桶 {bucket} 开启了“阻止公共访问”（新建的桶都是如此）：{names}（acl = "public-read"）的上传会被拒绝。'
    '请改用 acl = "default" 加预签名 URL 或 CDN；确实要公开，请在控制台关闭它。',
)
OPEN_NAMES = Text(
    "Nothing blocks public access to bucket {bucket}, and no condition of {names} pins an ACL: a form of it"
    " may store what everybody reads. Switch Block Public Access on, or let the function choose the name.",
    "桶 {bucket} 没有开启“阻止公共访问”，而 {names} 的条件没有固定 ACL："
    "它的表单可能存入任何人都可读取的文件。请开启“阻止公共访问”，或改由函数决定文件名。",
)
