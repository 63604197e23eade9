"""A call of an actor, and the names that it reads and writes."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from tests.support.memory_oss import CLEAN


class Call(NamedTuple):
    """
    A call that an actor is about to make.

    Args:
        kind: ``oss``, ``webhook``, ``wechat``, ``green``, ``quota``, ``keys``; of what is no call of the
            function ``phone``, ``checker`` or ``clock``.
        name, key: of the operation, and what it is about.
        do: makes it.
        reads, writes: names that it depends on, and that it changes; one that ends with ``*`` is a prefix.
        identity: the same for a call that is made once more.
        is_ready: whether it can be made now; ``None`` for always.
    """

    kind: str
    name: str
    key: str
    do: Callable[[], Any]
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    identity: object = None
    is_ready: Callable[[], bool] | None = None

    @property
    def is_the_functions(self) -> bool:
        return self.kind in ("oss", "webhook", "wechat", "green", "quota", "keys")

    @property
    def footprint(self) -> "Footprint":
        return Footprint(self.reads, self.writes)

    def __str__(self) -> str:
        return f"{self.name} {self.key}".strip()


class Footprint(NamedTuple):
    """What calls read and write."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()

    def __or__(self, other: "Footprint") -> "Footprint":
        return Footprint(self.reads | other.reads, self.writes | other.writes)


@cache
def meet(some: Footprint, others: Footprint) -> bool:
    """Whether the order of some calls and of others may matter."""
    return (
        _meet(some.writes, others.writes)
        or _meet(some.writes, others.reads)
        or _meet(others.writes, some.reads)
    )


def _meet(some: frozenset[str], others: frozenset[str]) -> bool:
    if not some.isdisjoint(others):
        return True
    return _is_below(some, others) or _is_below(others, some)


def _is_below(some: frozenset[str], others: frozenset[str]) -> bool:
    prefixes = [name[:-1] for name in others if name.endswith("*")]
    return any(name.startswith(prefix) for prefix in prefixes for name in some)


def footprint_of(
    name: str, key: str, url: str, headers: Mapping[str, str]
) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a call to OSS reads and writes."""
    nothing: frozenset[str] = frozenset()
    parts = f"{key} parts"
    match name:
        case "HeadObject" | "GetObject":
            return frozenset({key}), nothing
        case "PutObject" | "DeleteObject":
            return nothing, frozenset({key})
        case "CopyObject":
            source = headers["x-oss-copy-source"].split("/", 2)[2]
            return frozenset({source}), frozenset({key})
        case "PostProcessTask":
            return frozenset({key}), frozenset({f"{CLEAN}*"})
        case "ListParts":
            return frozenset({parts}), nothing
        case "CompleteMultipartUpload":
            return nothing, frozenset({key, parts})
        case "InitiateMultipartUpload" | "UploadPart" | "AbortMultipartUpload":
            return nothing, frozenset({parts})
    if name == "DeleteMultipleObjects":
        return nothing, frozenset({"*"})
    prefix = dict(parse_qsl(urlsplit(url).query)).get("prefix", "")
    return frozenset({f"{prefix}*"}), nothing
