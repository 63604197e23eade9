"""Profile: the rules for uploads of one purpose, and the bucket they go to."""

from collections.abc import Mapping
from datetime import timedelta

from function.annotations import Any, NamedTuple
from function.config.content_types import is_run_by_browsers
from function.config.green import ALIYUN, WECHAT
from function.config.key_template import KeyTemplate, held_name

# Purpose, bucket and role ARN of an STS session.
SessionKey = tuple[str, str, str]
DEFAULT_HOST = "https://{bucket}.oss-{region}.aliyuncs.com"


class BucketLocation(NamedTuple):
    """
    Bucket with its addresses and role.

    Args:
        host: origin that forms are posted to, without a trailing slash; ``/read`` signs URLs of
            ``read_origin``, the function itself calls ``oss_endpoint``.
        role_arn: role whose temporary credentials sign for this bucket.
    """

    bucket: str
    region: str
    host: str
    oss_endpoint: str
    read_origin: str
    role_arn: str

    def session(self, purpose: str) -> SessionKey:
        """Return the session that signs for this purpose; it has one role and reaches one bucket."""
        return purpose, self.bucket, self.role_arn

    def override(self, values: Mapping[str, Any]) -> "BucketLocation":
        """Return the location of a profile with these options; this one is the deployment's."""
        bucket, region = values.get("bucket") or self.bucket, values.get("region") or self.region
        host, role_arn = values.get("host"), values.get("role") or self.role_arn
        if (bucket, region) == (self.bucket, self.region):
            return self._replace(host=host or self.host, role_arn=role_arn)
        # The deployment's other addresses belong to its own bucket.
        host = host or DEFAULT_HOST.format(bucket=bucket, region=region)
        return BucketLocation(bucket, region, host, host, host, role_arn)


# Placeholder while profiles are read without settings.
NOWHERE = BucketLocation("", "", "", "", "", "")

# How a profile names objects in its folder: the page does, the form does, or publishing does.
PAGE, FORM, HELD = "page", "form", "held"
# Form fields that options pin, under OSS's names.
ACL_FIELD, STORAGE_CLASS_FIELD, META_PREFIX = "x-oss-object-acl", "x-oss-storage-class", "x-oss-meta-"
# Name of the metadata in which an object of parts, or a held one, keeps its upload id.
UPLOAD_ID_METADATA = "upload-id"
# Name of the metadata in which a held object keeps the hash of the rules that it was stored under.
RULES_METADATA = "rules"
# Options that decide who publishes an object; a change of one must not loosen the hold of what is stored.
RULES = (
    "hold",
    "commit_by",
    "check_scene",
    "check_by",
    "check_service",
    "check_reject",
    "check_animated",
    "strip",
)
MAX_METADATA_BYTES = 8 * 1024
MAX_FORM_BYTES = 5 * 1024**3
# Of one multipart upload, as OSS allows.
MAX_PARTS = 10_000
# What must happen before a held object is published, in this order.
COMMIT, CHECK = "commit", "check"
# A check may leave an object to a human, who is away for a weekend or a holiday.
CHECKED_HOLD_DAYS = 7
# A form ends at least this long before its credentials do.
CREDENTIALS_MARGIN = timedelta(seconds=60)
# Life of the URL from which WeChat fetches an object to check.
CHECK_URL_LIFE = timedelta(hours=1)


def fits_metadata(metadata: Mapping[str, str]) -> bool:
    """Return whether OSS keeps this much metadata with one object."""
    return sum(len(name) + len(text) for name, text in metadata.items()) <= MAX_METADATA_BYTES


def fits(form: timedelta, session: timedelta) -> bool:
    """Return whether a form may live this long, if its credentials are issued at the same time."""
    return form + CREDENTIALS_MARGIN < session


class Profile(NamedTuple):
    """
    Rules for uploads of one purpose.

    Args:
        expires_in: life of a form.
        acl: of the object under its own name.
        pinned: further form fields, each fixed to its value; a held object is private.
        read: callers who get signed URLs from ``/read``: ``owner``, ``callers`` or none (empty).
        read_for: least time that such a URL is valid; its life is twice this window.
        variants: values of ``x-oss-process`` by name.
        parts: whether a file may be sent in parts, each of ``part_size_bytes`` but the last.
        parts_within: time limit of an upload in parts.
        files_per_day, bytes_per_day: daily quota of an owner.
        hold: steps before an object is published: ``commit`` and ``check``, in this order.
        hold_days: time limit of these steps; by default longer with a check.
        commit_by: caller who may commit: ``backend`` or ``owner``.
        check_scene: WeChat's number for the place where such pictures are shown.
        check_by: checkers that must all pass an object, in the order of their calls: ``aliyun``, ``wechat``.
        check_service: Aliyun's name of its rules for pictures.
        check_reject: prefixes of Aliyun's labels that reject; other risks are left to a human.
        check_animated: ``review`` leaves animated pictures to a human, ``first-frame`` checks one frame.
        strip: whether publishing makes a copy without metadata.
        ai_label: whether the label of AI-made content is read, and may be declared.
        list: whether callers may list their own objects.
        delete: caller who may delete, beside a backend: ``owner`` or none (empty).
        callers: names of the entries of ``callers.toml`` that may use it; empty for all but ``anonymous``.
    """

    name: str
    key: KeyTemplate
    max_size_bytes: int
    min_size_bytes: int
    content_types: tuple[str, ...]
    expires_in: timedelta
    overwrite: bool
    callback: bool
    signature_version: str
    acl: str
    pinned: tuple[tuple[str, str], ...]
    confirm: bool
    read: str
    read_for: timedelta
    variants: Mapping[str, str]
    parts: bool
    part_size_bytes: int
    parts_within: timedelta
    files_per_day: int | None
    bytes_per_day: int | None
    hold: tuple[str, ...]
    hold_days: int
    commit_by: str
    check_scene: int
    check_by: tuple[str, ...]
    check_service: str
    check_reject: tuple[str, ...]
    check_animated: str
    strip: bool
    ai_label: bool
    list: bool
    delete: str
    callers: tuple[str, ...]
    location: BucketLocation

    @property
    def kind(self) -> str:
        """Return ``PAGE``, ``FORM`` or ``HELD``."""
        return PAGE if self.takes_filename else HELD if self.is_held else FORM

    @property
    def takes_filename(self) -> bool:
        """Return whether the page chooses the name in the folder, as in Aliyun's sample servers."""
        return self.key.takes_filename

    @property
    def is_held(self) -> bool:
        """Return whether an object is published after it is stored."""
        return bool(self.hold)

    @property
    def gives_receipts(self) -> bool:
        return self.confirm or self.parts or self.callback

    @property
    def is_deletable(self) -> bool:
        """Return whether a backend may delete an object by its key, where any profile has ``delete``."""
        return "{owner}" in self.key.text or self.gives_receipts

    @property
    def is_checked(self) -> bool:
        """Return whether an object is checked before it is published."""
        return CHECK in self.hold

    @property
    def is_checked_by_wechat(self) -> bool:
        return self.is_checked and WECHAT in self.check_by

    @property
    def is_checked_by_aliyun(self) -> bool:
        return self.is_checked and ALIYUN in self.check_by

    @property
    def rules(self) -> str:
        """Hash of the rules of the hold; empty without one."""
        return dict(self.pinned).get(f"{META_PREFIX}{RULES_METADATA}", "") if self.is_held else ""

    def has_other_rules(self, metadata: Mapping[str, str]) -> bool:
        """Return whether an object with this metadata was stored under other rules of a hold than these."""
        return self.is_held and metadata.get(RULES_METADATA, self.rules) != self.rules

    @property
    def is_reviewed(self) -> bool:
        """Return whether a human may have to decide about an object."""
        return self.is_checked or self.strip

    @property
    def stored_folder(self) -> str:
        """Folder of new uploads."""
        folder = self.key.literal_folder
        return held_name(folder) if self.is_held else folder

    @property
    def read_life(self) -> timedelta:
        """Life of a URL of ``/read``: from the start of a window to the end of the next."""
        return 2 * self.read_for

    @property
    def is_read_signed(self) -> bool:
        """Return whether URLs of ``/read`` are signed; public objects have plain ones."""
        return bool(self.read) and self.acl != "public-read"

    @property
    def has_quota(self) -> bool:
        return bool(self.files_per_day or self.bytes_per_day)

    @property
    def objects_life(self) -> timedelta:
        """Longest life of a URL that the objects session signs for this profile."""
        read_life = self.read_life if self.is_read_signed else timedelta(0)
        return max(read_life, CHECK_URL_LIFE) if self.is_checked_by_wechat else read_life

    def for_forms(self) -> "Profile":
        """Return this profile with the size limit of one form; parts may make a larger object."""
        is_larger = self.max_size_bytes > MAX_FORM_BYTES
        return self._replace(max_size_bytes=MAX_FORM_BYTES) if is_larger else self

    @property
    def limits(self) -> dict[str, Any]:
        """Limits that a client gets with a refusal; sizes in bytes."""
        return {
            "maxSize": self.max_size_bytes,
            "minSize": self.min_size_bytes,
            "contentTypes": list(self.content_types),
        }

    def admits(self, content_type: str) -> bool:
        """Return whether a type is allowed by name, or by a wildcard and browsers do not run it."""
        if content_type in self.content_types:
            return True
        main = content_type.partition("/")[0]
        is_covered = "*/*" in self.content_types or f"{main}/*" in self.content_types
        return is_covered and not is_run_by_browsers(content_type)
