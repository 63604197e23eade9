"""
A bucket as it should be, and as OSS describes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass


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
        create: whether a missing bucket is made, and one that is there ends stale uploads of any key.
        h5_origins: origins whose pages post forms from a browser.
        wants_public_read: names of profiles with ``acl = "public-read"``.
        allow_public_read: whether Block Public Access may be switched off for them.
        open_names: profiles whose pages choose the name, so that no condition of their forms pins an ACL.
        parted_folders: where profiles with ``parts`` put their objects.
        held_folders: where profiles with ``hold`` put what waits, and how long it may.
        strips: names of profiles with ``strip``, whose copies have the bucket's ACL for a moment.
        has_due_records: whether records of work that is due may be there.
        keeps_erasures: whether the evidence of erasures is there.
        named_by: profiles whose ``bucket`` it is; none name ``OSS_BUCKET``.
        has_domain: whether all of those send to another host than the bucket's own.
    """

    name: str
    region: str
    create: bool = False
    h5_origins: tuple[str, ...] = ()
    wants_public_read: tuple[str, ...] = ()
    allow_public_read: bool = False
    open_names: tuple[str, ...] = ()
    parted_folders: tuple[PartedFolder, ...] = ()
    held_folders: tuple[PartedFolder, ...] = ()
    strips: tuple[str, ...] = ()
    has_due_records: bool = False
    keeps_erasures: bool = False
    named_by: tuple[str, ...] = ()
    has_domain: bool = False

    @property
    def h5_methods(self) -> tuple[str, ...]:
        """Return the HTTP methods that browser pages send files with."""
        return ("POST", "PUT") if self.parted_folders else ("POST",)


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
