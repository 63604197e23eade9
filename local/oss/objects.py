"""
Objects of the local OSS and their versions: data on disk, everything else in memory.
"""

import hashlib
import itertools
import os
import secrets
import shutil
import tempfile
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from local.oss.errors import ALREADY_EXISTS, MARKER_UNREADABLE, NO_SUCH_KEY, NO_SUCH_VERSION, OssError

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


class Objects(Mapping[str, StoredObject]):
    """
    The objects of one bucket by key, safe to use from several server threads.

    Attributes:
        versioning: empty while there never was any, or ``ENABLED`` or ``SUSPENDED``.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.versioning = ""
        self._folder = folder
        self._stored: dict[str, StoredObject] = {}
        # Of each key, newest first, what is not the object: a delete marker comes first or not at all.
        self._past: dict[str, list[Version]] = {}
        self._order: list[str] = []
        self._numbers = itertools.count(1)
        self._latest: tuple[str, StoredObject | None] | None = None
        self._lock = threading.Lock()

    def __getitem__(self, key: str) -> StoredObject:
        with self._lock:
            return self._stored[key]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._stored))

    def __len__(self) -> int:
        with self._lock:
            return len(self._stored)

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

    def path_of(self, key: str, version: str = NULL) -> Path:
        name = key if version == NULL else f"{key}\0{version}"
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def new_file(self) -> BinaryIO:
        """A file of its own for bytes on their way in; its ``name`` is its path."""
        return cast(
            BinaryIO,
            tempfile.NamedTemporaryFile(dir=self._folder, prefix="incoming-", delete=False),  # noqa: SIM115
        )

    def store(self, incoming: Path, stored: StoredObject, forbid_overwrite: bool) -> StoredObject:
        """
        Make a received file an object, at once or not at all.

        Returns:
            with its version.

        Raises:
            OssError: it exists and must not be overwritten.
        """
        with self._lock:
            if forbid_overwrite and not self.versioning and stored.key in self._stored:
                raise OssError(ALREADY_EXISTS)
            version = self._make_past(stored.key)
            stored = replace(stored, version=version, path=self.path_of(stored.key, version))
            incoming.replace(stored.path)
            self._stored[stored.key] = stored
            self._file(stored.key)
            return stored

    def replace(self, key: str, **changes: Any) -> None:
        """Change what is known of an object, not its data."""
        with self._lock:
            if key not in self._stored:
                raise OssError(NO_SUCH_KEY, Key=key)
            self._stored[key] = replace(self._stored[key], **changes)

    def file_name_of(self, key: str) -> str | None:
        """Return the file name that the form gave the object now at this key."""
        with self._lock:
            stored = self._stored.get(key)
        return stored.file_name if stored else None

    def open(self, key: str, version: str | None = None) -> tuple[StoredObject, BinaryIO]:
        """
        An object and its data, which belong together even while it is being overwritten.

        Raises:
            OssError: there is no such object, or version, or it is a delete marker.
        """
        with self._lock:
            found = self._find(key, version)
            return found, found.path.open("rb")

    def duplicate(self, key: str) -> tuple[StoredObject, Path]:
        """An object, and its data in a file of its own. Data is never changed in place, so a link will do."""
        with self._lock:
            stored, incoming = self._find(key), self._folder / f"incoming-{secrets.token_hex(8)}"
            try:
                os.link(stored.path, incoming)
            except OSError:  # a file system without links
                shutil.copyfile(stored.path, incoming)
            return stored, incoming

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
        raise OssError(refusal, Key=key).with_headers(**headers)

    def delete(
        self, key: str, only: StoredObject | None = None, now: datetime | None = None
    ) -> DeleteMarker | None:
        """
        Delete an object, or hide it where there are versions. Without an object it is no error, as in OSS.

        Args:
            only: spare another object that has come to the name meanwhile.

            now: when a delete marker is made.
        """
        with self._lock:
            stored = self._stored.get(key)
            if only not in (None, stored):
                return None
            if not self.versioning:
                self._make_past(key)
                self._remove(stored)
                self._file(key)
                return None
            marker = DeleteMarker(key, self._make_past(key), now or datetime.now(UTC))
            self._past[key] = [marker, *self._past.get(key, [])]
            if marker.version == NULL:
                self.path_of(key).unlink(missing_ok=True)
            self._file(key)
            return marker

    def delete_version(self, key: str, version: str) -> Version | None:
        """
        Delete a version or delete marker for good; what is newest then is the object.

        Returns:
            what was deleted; ``None`` if there is no such version.
        """
        with self._lock:
            versions = self._versions_of(key)
            found = next((each for each in versions if each.version == version), None)
            left = [each for each in versions if each is not found]
            self._note(key)
            self._stored.pop(key, None)
            newest = left[0] if left else None
            if isinstance(newest, StoredObject):
                self._stored[key], left = newest, left[1:]
            self._past[key] = left
            self._remove(found)
            self._file(key)
            return found

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

    @staticmethod
    def _remove(version: Version | None) -> None:
        if isinstance(version, StoredObject):
            version.path.unlink()


def _place_behind(version: str, found: list[Version]) -> int:
    for at, each in enumerate(found):
        if each.version == version:
            return at + 1
        if NULL not in (version, each.version) and each.version < version:
            return at
    return len(found)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
