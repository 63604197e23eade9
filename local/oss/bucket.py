"""The one bucket of a local OSS: what it holds, and what decides over it."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from local.common.accounts import Accounts
from local.common.clock import Clock
from local.oss.cors import EVERY_PAGE, CorsRule
from local.oss.errors import OssError
from local.oss.lifecycle import Lifecycle
from local.oss.objects import Objects
from local.oss.refusals import IMMUTABLE, NO_VERSIONS
from local.oss.rules import OssRules
from local.oss.uploads import Uploads
from local.oss.versions import NULL, StoredObject, Version


@dataclass
class Bucket:
    """
    Args:
        region: region id, without ``oss-``.

        accounts: whose keys sign.

        uploads: those in parts that are not over.

        lifecycle: what deletes objects and uploads as days go by.

        cors: which pages may send what; may be replaced while running, as ``rules`` may.

        rules: limits, and how open points of the documentation are read; may be replaced while running.

        acl: of objects whose own ACL is ``default``, such as what image processing stores.
    """

    name: str
    region: str
    accounts: Accounts
    objects: Objects
    now: Clock
    rules: OssRules = field(default_factory=OssRules)
    uploads: Uploads = field(default_factory=Uploads)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    cors: tuple[CorsRule, ...] = EVERY_PAGE
    acl: str = "private"

    def store(self, path: Path, stored: StoredObject, forbid_overwrite: bool) -> StoredObject:
        """
        Make a received file an object.

        Raises:
            OssError: it exists and must not be overwritten, or is under retention.
        """
        if not self.objects.versioning:
            self.check_retention(self.objects.get(stored.key))
        return self.objects.store(path, stored, forbid_overwrite)

    def delete(self, key: str, version: str | None = None) -> Version | None:
        """
        Delete an object or a version of it.

        Returns:
            the version that was deleted, or the delete marker that was made; ``None`` for neither.

        Raises:
            OssError: under retention, or there are no versions in this bucket.
        """
        self.check_deletion(key, version)
        if version is None or not self.objects.versioning:
            return self.objects.delete(key, now=self.now())
        return self.objects.delete_version(key, version)

    def check_deletion(self, key: str, version: str | None) -> None:
        """
        Raises:
            OssError: as ``delete`` does.
        """
        is_known = self.objects.versioning or (version == NULL and self.rules.null_deletes_without_versions)
        if version is not None and not is_known:
            raise OssError(NO_VERSIONS, ArgumentName="versionId", ArgumentValue=version)
        self.check_retention(self.objects.get(key) if version is None else self.objects.version(key, version))

    def check_retention(self, version: Version | None) -> None:
        """
        Raises:
            OssError: too young to be deleted or overwritten.
        """
        if not isinstance(version, StoredObject) or not self.rules.retention_days:
            return
        if self.now() < version.modified + timedelta(days=self.rules.retention_days):
            raise OssError(IMMUTABLE, Key=version.key)

    def forbids(self, forbid_overwrite: bool, key: str) -> bool:
        """Return whether a name is taken; where there are versions OSS ignores ``forbid_overwrite``."""
        return forbid_overwrite and not self.objects.versioning and key in self.objects

    def catch_up(self) -> None:
        """Let the lifecycle rules do what they had done by now."""
        self.lifecycle.catch_up(self.objects, self.uploads, self.now())

    def let_days_pass(self, days: int) -> None:
        """Let the lifecycle rules do, to what there is, what they would do so many days from now."""
        self.lifecycle.run(self.objects, self.uploads, self.now() + timedelta(days=days))

    def empty(self) -> None:
        """Remove every version of every object, and each unfinished upload."""
        for version, _ in list(self.objects.versions("", "")):
            self.objects.delete_version(version.key, version.version)
        for upload in self.uploads:
            self.uploads.end(upload)

    @property
    def host(self) -> str:
        """The default host name of a real bucket of this name, which refusals tell."""
        return f"{self.name}.oss-{self.region}.aliyuncs.com"
