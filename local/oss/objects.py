"""Objects of the local OSS: data on disk, everything else in memory."""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from local.oss.errors import ALREADY_EXISTS, NO_SUCH_KEY, OssError
from local.oss.versions import NULL, DeleteMarker, StoredObject, Version, Versions


class Objects(Versions, Mapping[str, StoredObject]):
    """The objects of one bucket by key, safe to use from several server threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def __getitem__(self, key: str) -> StoredObject:
        with self._lock:
            return self._stored[key]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._stored))

    def __len__(self) -> int:
        with self._lock:
            return len(self._stored)

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

    @staticmethod
    def _remove(version: Version | None) -> None:
        if isinstance(version, StoredObject):
            version.path.unlink()
