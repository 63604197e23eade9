"""A profile: what may be uploaded for one purpose, and what becomes of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from function.config.content_types import is_run_by_browsers
from function.config.key_template import KeyTemplate, held_name

# A purpose, a bucket and the ARN of a role.
Session = tuple[str, str, str]
DEFAULT_HOST = "https://{bucket}.oss-{region}.aliyuncs.com"


class BucketLocation(NamedTuple):
    """
    One bucket, and how it is reached.

    Args:
        region: region id such as ``cn-hangzhou``.

        host: origin a form is posted to, without a trailing slash; of ``/read``'s URLs it is
            ``read_origin``, of the function's own calls ``oss_endpoint``.

        role_arn: the role whose temporary credentials sign for it.
    """

    bucket: str
    region: str
    host: str
    oss_endpoint: str
    read_origin: str
    role_arn: str

    def session(self, purpose: str) -> Session:
        """The session that signs here for this purpose: it is of one role and reaches one bucket."""
        return purpose, self.bucket, self.role_arn

    def override(self, values: Mapping[str, Any]) -> "BucketLocation":
        """
        Return the location of a profile; this one is the deployment's.

        Args:
            values: of the options ``bucket``, ``region``, ``host`` and ``role`` that the profile has.
        """
        bucket, region = values.get("bucket") or self.bucket, values.get("region") or self.region
        host, role_arn = values.get("host"), values.get("role") or self.role_arn
        if (bucket, region) == (self.bucket, self.region):
            return self._replace(host=host or self.host, role_arn=role_arn)
        # The deployment's other addresses are of its own bucket.
        host = host or DEFAULT_HOST.format(bucket=bucket, region=region)
        return BucketLocation(bucket, region, host, host, host, role_arn)


# Where nobody has said anything yet.
NOWHERE = BucketLocation("", "", "", "", "", "")


# What a profile is to its folder: a page names what is in it, forms do, or copies of what was held back.
PAGE, FORM, HELD = "page", "form", "held"
# Form fields that options pin, under OSS's names.
ACL_FIELD, STORAGE_CLASS_FIELD, META_PREFIX = "x-oss-object-acl", "x-oss-storage-class", "x-oss-meta-"
# Name of the metadata in which an object of parts, or a held one, keeps its upload id.
UPLOAD_ID_METADATA = "upload-id"
MAX_METADATA_BYTES = 8 * 1024
# The largest object of one form.
MAX_FORM_BYTES = 5 * 1024**3
# What must happen before a held object is published, in this order.
COMMIT, CHECK = "commit", "check"
# A form ends at least this long before its credentials do.
MARGIN = timedelta(seconds=60)
# How long WeChat may take to fetch what it is to check.
CHECK_URL_LIFE = timedelta(hours=1)


def fits_metadata(metadata: Mapping[str, str]) -> bool:
    """Return whether OSS keeps this much metadata with one object."""
    return sum(len(name) + len(text) for name, text in metadata.items()) <= MAX_METADATA_BYTES


def fits(form: timedelta, session: timedelta) -> bool:
    """Return whether a form may live this long, if its credentials are issued at the same time."""
    return form + MARGIN < session


class Profile(NamedTuple):
    """
    What may be uploaded for one purpose.

    Args:
        content_types: ``type/subtype``, ``type/*`` or ``*/*``, lower case.

        expires_in: how long a form lives.

        acl: of the object under its own name.

        pinned: further form fields with their values, under OSS's names, each pinned as it is; what is held
            back is private meanwhile.

        read: to whom ``/read`` gives signed URLs: ``owner``, ``callers``, or nobody (empty).

        read_for: how long such a URL is good at least; it lives two windows of this.

        variants: values of ``x-oss-process`` by name.

        parts: whether a file may be sent in parts, each of ``part_size_bytes`` but the last.

        parts_within: how long an upload in parts may take.

        files_per_day, bytes_per_day: what an owner's forms of one day admit together.

        hold: what must happen before an object gets its name, ``commit`` and ``check``, in this order.

        hold_days: how long it waits for that.

        commit_by: whose word a commit is: ``backend`` or ``owner``.

        check_scene: WeChat's number for where such pictures are shown.

        place: the bucket that its objects are in, and how it is reached.
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
    location: BucketLocation

    @property
    def kind(self) -> str:
        """What it is to its folder."""
        if self.takes_filename:
            return PAGE
        return HELD if self.is_held else FORM

    @property
    def takes_filename(self) -> bool:
        """Whether the page chooses the name under the folder (the shape of the sample servers)."""
        return self.key.takes_filename

    @property
    def is_held(self) -> bool:
        """Whether an object is published later than it is stored."""
        return bool(self.hold)

    @property
    def gives_receipts(self) -> bool:
        return self.confirm or self.parts or self.callback

    @property
    def is_checked(self) -> bool:
        """Whether WeChat looks at it before."""
        return CHECK in self.hold

    @property
    def stored_folder(self) -> str:
        """The folder that uploads go to."""
        folder = self.key.literal_folder
        return held_name(folder) if self.is_held else folder

    @property
    def stored_acl(self) -> str:
        """Of what has been uploaded; of no page, whose forms pin none."""
        return dict(self.pinned)[ACL_FIELD]

    @property
    def read_life(self) -> timedelta:
        """How long a URL of ``/read`` lives: from the start of a window to the end of the next."""
        return 2 * self.read_for

    @property
    def is_read_signed(self) -> bool:
        """Whether a URL of ``/read`` needs a signature: what is public has a plain one."""
        return bool(self.read) and self.acl != "public-read"

    @property
    def has_quota(self) -> bool:
        return bool(self.files_per_day or self.bytes_per_day)

    @property
    def objects_life(self) -> timedelta:
        """How long what the objects session signs for this profile is good: for readers, and for WeChat."""
        return max(
            self.read_life if self.is_read_signed else timedelta(0),
            CHECK_URL_LIFE if self.is_checked else timedelta(0),
        )

    def for_forms(self) -> "Profile":
        """The same, as far as one form can carry it: parts may make a larger object."""
        if self.max_size_bytes <= MAX_FORM_BYTES:
            return self
        return self._replace(max_size_bytes=MAX_FORM_BYTES)

    @property
    def limits(self) -> dict[str, Any]:
        """What a client is told when its file is refused; sizes are bytes."""
        return {
            "maxSize": self.max_size_bytes,
            "minSize": self.min_size_bytes,
            "contentTypes": list(self.content_types),
        }

    def admits(self, content_type: str) -> bool:
        """By its name, or by a wildcard; those cover no type that browsers run."""
        if content_type in self.content_types:
            return True
        main = content_type.partition("/")[0]
        is_covered = "*/*" in self.content_types or f"{main}/*" in self.content_types
        return is_covered and not is_run_by_browsers(content_type)
