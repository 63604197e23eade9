"""
Objects of the local OSS: data on disk, everything else in memory.
"""

import hashlib
import os
import secrets
import shutil
import tempfile
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from local.oss.errors import ALREADY_EXISTS, NO_SUCH_KEY, OssError


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


class Objects(Mapping[str, StoredObject]):
    """The objects of one bucket by key, safe to use from several server threads."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._stored: dict[str, StoredObject] = {}
        self._order: list[str] = []
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

    def after(self, last: str, prefix: str, in_utf16: bool = False) -> Iterator[StoredObject]:
        """
        The objects below a prefix in the order of their keys' bytes, as they are now.

        Args:
            last: this key and those before it are left out.

            in_utf16: order keys by UTF-16, which differs for characters beyond U+FFFF.
        """
        with self._lock:
            if in_utf16:
                keys = sorted(self._stored, key=_utf16)
                keys = [key for key in keys if _utf16(key) > _utf16(last) and key.startswith(prefix)]
            else:
                # The code points of Python's order are in the order of UTF-8's bytes.
                begin = max(bisect_left(self._order, prefix), bisect_right(self._order, last))
                keys = self._order[begin:]
        for key in keys:
            if not key.startswith(prefix):
                return
            if stored := self._stored.get(key):
                yield stored

    def path_of(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()

    def new_file(self) -> BinaryIO:
        """A file of its own for bytes on their way in; its ``name`` is its path."""
        return cast(
            BinaryIO,
            tempfile.NamedTemporaryFile(dir=self._folder, prefix="incoming-", delete=False),  # noqa: SIM115
        )

    def store(self, incoming: Path, stored: StoredObject, forbid_overwrite: bool) -> None:
        """
        Make a received file an object, at once or not at all.

        Raises:
            OssError: it exists and must not be overwritten.
        """
        with self._lock:
            if forbid_overwrite and stored.key in self._stored:
                raise OssError(ALREADY_EXISTS)
            incoming.replace(stored.path)
            if stored.key not in self._stored:
                insort(self._order, stored.key)
            self._stored[stored.key] = stored

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

    def open(self, key: str) -> tuple[StoredObject, BinaryIO]:
        """An object and its data, which belong together even while it is being overwritten."""
        with self._lock:
            if key not in self._stored:
                raise OssError(NO_SUCH_KEY, Key=key)
            return self._stored[key], self._stored[key].path.open("rb")

    def duplicate(self, key: str) -> tuple[StoredObject, Path]:
        """An object, and its data in a file of its own. Data is never changed in place, so a link will do."""
        with self._lock:
            if key not in self._stored:
                raise OssError(NO_SUCH_KEY, Key=key)
            stored, incoming = self._stored[key], self._folder / f"incoming-{secrets.token_hex(8)}"
            try:
                os.link(stored.path, incoming)
            except OSError:  # a file system without links
                shutil.copyfile(stored.path, incoming)
            return stored, incoming

    def delete(self, key: str, only: StoredObject | None = None) -> None:
        """
        Deleting what is not there is no error, as in OSS.

        Args:
            only: spare another object that has come to the name meanwhile.
        """
        with self._lock:
            stored = self._stored.get(key)
            if stored is not None and only in (None, stored):
                del self._stored[key]
                del self._order[bisect_left(self._order, key)]
                stored.path.unlink()


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")
