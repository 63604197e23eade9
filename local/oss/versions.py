"""
What is known of objects and their versions, in the order of their keys.

Source: https://help.aliyun.com/zh/oss/user-guide/versioning
"""

import itertools
import secrets
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from local.oss.errors import NO_SUCH_KEY, OssError
from local.oss.refusals import MARKER_UNREADABLE, NO_SUCH_VERSION

ENABLED, SUSPENDED, NULL = "Enabled", "Suspended", "null"


@dataclass(frozen=True)
class StoredObject:
    """
    One object.

    Args:
        size: bytes.

        etag: upper-case hexadecimal, without quotes; the MD5 after PutObject, a UUID after PostObject.

        headers: sent back on GET, such as ``Cache-Control``.

        metadata: ``x-oss-meta-*`` without that prefix.

        path: where the data lies; never derived from the key's own characters.

        kind: ``Normal`` or ``Multipart``.

        content_md5: base64, where OSS keeps it.

        file_name: what the form's file part was called. OSS forgets it; here the local WeChat may ask, and no
            answer tells it.

        version: ``null`` for what was stored without versioning.
    """

    key: str
    size: int
    etag: str
    content_type: str
    modified: datetime
    path: Path
    acl: str = "default"
    storage_class: str = "Standard"
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: str = "Normal"
    content_md5: str | None = None
    file_name: str | None = None
    version: str = NULL


@dataclass(frozen=True)
class DeleteMarker:
    """What hides the versions of a key that are older."""

    key: str
    version: str
    modified: datetime


Version = StoredObject | DeleteMarker


class Versions:
    """
    The current object of each key, and what came before it.

    Attributes:
        versioning: empty while there never was any, or ``ENABLED`` or ``SUSPENDED``.
    """

    def __init__(self) -> None:
        self.versioning = ""
        self._stored: dict[str, StoredObject] = {}
        # Of each key, newest first, what is not the object: a delete marker comes first or not at all.
        self._past: dict[str, list[Version]] = {}
        self._order: list[str] = []
        self._numbers = itertools.count(1)
        self._latest: tuple[str, StoredObject | None] | None = None
        self._lock = threading.Lock()

    def after(
        self, last: str, prefix: str, *, in_utf16: bool = False, is_late: bool = False
    ) -> Iterator[StoredObject]:
        """
        The objects below a prefix in the order of their keys' bytes, as they are now.

        Args:
            last: this key and those before it are left out.

            in_utf16: order keys by UTF-16, which differs for characters beyond U+FFFF.

            is_late: tell the latest change from the next time on.
        """
        with self._lock:
            changed = dict([self._latest] if self._latest and is_late else [])
            self._latest = None
        for key in self._keys_after(last, prefix, in_utf16, more=changed):
            stored = changed[key] if key in changed else self._stored.get(key)
            if stored is not None:
                yield stored

    def versions(
        self, last: str, prefix: str, *, from_version: str = "", in_utf16: bool = False
    ) -> Iterator[tuple[Version, bool]]:
        """
        All versions and delete markers in the order of keys, of a key newest first, and which is the latest.

        Args:
            from_version: go on behind this version of ``last``, which may be gone.
        """
        keys = self._keys_after(last, prefix, in_utf16)
        for key in itertools.chain([last] if from_version else [], keys):
            with self._lock:
                found = self._versions_of(key)
            begin = _place_behind(from_version, found) if from_version and key == last else 0
            yield from [(version, at == 0) for at, version in enumerate(found) if at >= begin]

    def _keys_after(
        self, last: str, prefix: str, in_utf16: bool, more: Mapping[str, Any] = MappingProxyType({})
    ) -> list[str]:
        with self._lock:
            if in_utf16 or more:
                order: Callable[[str], Any] = _utf16 if in_utf16 else str
                keys = sorted({*self._order, *more}, key=order)
                return [key for key in keys if order(key) > order(last) and key.startswith(prefix)]
            # The code points of Python's order are in the order of UTF-8's bytes.
            begin = max(bisect_left(self._order, prefix), bisect_right(self._order, last))
            end = bisect_left(self._order, True, begin, key=lambda key: not key.startswith(prefix))
            return self._order[begin:end]

    def _versions_of(self, key: str) -> list[Version]:
        current = self._stored.get(key)
        return [*([current] if current else []), *self._past.get(key, [])]

    def version(self, key: str, version: str) -> Version | None:
        with self._lock:
            return next((each for each in self._versions_of(key) if each.version == version), None)

    def _find(self, key: str, version: str | None = None) -> StoredObject:
        versions = self._versions_of(key)
        if version is not None:
            found = next((each for each in versions if each.version == version), None)
            if found is None:
                raise OssError(NO_SUCH_VERSION, Key=key, VersionId=version)
        else:
            found = versions[0] if versions else None
        if isinstance(found, StoredObject):
            return found
        headers = {"x_oss_delete_marker": "true", "x_oss_version_id": found.version} if found else {}
        refusal = NO_SUCH_KEY if version is None else MARKER_UNREADABLE
        error = OssError(refusal, Key=key)
        error.headers = headers
        raise error

    def _make_past(self, key: str) -> str:
        """Make the object of a key an earlier version, where there are any; the version that comes now."""
        self._note(key)
        is_new = self.versioning == ENABLED
        # Older versions have smaller numbers.
        version = f"CAEQ{next(self._numbers):012X}{secrets.token_hex(8).upper()}" if is_new else NULL
        current, past = self._stored.pop(key, None), self._past.get(key, [])
        # There is one version at most that is called null.
        past = [each for each in past if version != NULL or each.version != NULL]
        if current is not None and current.version != version:
            past = [current, *past]
        self._past[key] = past
        return version

    def _note(self, key: str) -> None:
        self._latest = (key, self._stored.get(key))

    def _file(self, key: str) -> None:
        """Keep the order of keys after a change of one."""
        if not self._past.get(key):
            self._past.pop(key, None)
        at = bisect_left(self._order, key)
        is_there = self._order[at : at + 1] == [key]
        if (key in self._stored or key in self._past) and not is_there:
            self._order.insert(at, key)
        elif is_there and key not in self._stored and key not in self._past:
            del self._order[at]


def _place_behind(version: str, found: list[Version]) -> int:
    for at, each in enumerate(found):
        if each.version == version:
            return at + 1
        if NULL not in (version, each.version) and each.version < version:
            return at
    return len(found)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
