"""
Attributes of an object (type, ACL, class, headers, metadata), read from a form or from headers.

Sources: https://help.aliyun.com/zh/oss/developer-reference/postobject (a form),
https://help.aliyun.com/zh/oss/developer-reference/putobject (headers)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.oss import errors
from local.oss.errors import OssError, invalid_argument
from local.oss.rules import OssRules

ACL_FIELD = "x-oss-object-acl"
META_PREFIX = "x-oss-meta-"
PUBLIC_ACLS = ("public-read", "public-read-write")
META_NAME = re.compile(r"x-oss-meta-[a-z0-9!#$%&'*+.^_`|~-]+")  # what HTTP allows in a header's name
DEFAULT_TYPE = "application/octet-stream"

CHOICES = {
    ACL_FIELD: ("default", "private", *PUBLIC_ACLS),
    "x-oss-storage-class": ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"),
    "x-oss-server-side-encryption": ("AES256", "KMS", "SM4"),
}
STORED_HEADERS = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Expires",
    "x-oss-server-side-encryption",
)


@dataclass(frozen=True)
class Attributes:
    """
    Args:
        acl: ``None`` when the request names none, which leaves the bucket's.
    """

    content_type: str
    acl: str | None
    storage_class: str
    forbid_overwrite: bool
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def read_attributes(values: Mapping[str, str], content_type: str, rules: OssRules) -> Attributes:
    """
    Args:
        values: fields of a form or headers of a request, by lower-case name.
    """
    check_choices(values, rules)
    return Attributes(
        content_type=header_value("Content-Type", content_type),
        acl=values.get(ACL_FIELD),
        storage_class=values.get("x-oss-storage-class", "Standard"),
        forbid_overwrite=values.get("x-oss-forbid-overwrite", "").lower() == "true",
        headers={
            name: header_value(name, values[name.lower()])
            for name in STORED_HEADERS
            if name.lower() in values
        },
        metadata=_metadata(values, rules),
    )


def check_choices(values: Mapping[str, str], rules: OssRules) -> None:
    """
    Raises:
        OssError: an ACL, class or encryption that there is none of, or a public ACL where those are blocked.
    """
    for name, choices in CHOICES.items():
        if name in values and values[name] not in choices:
            # OSS's own text is in no public page.
            message = f"{name} must be one of {', '.join(choices)}."
            raise invalid_argument(message, errors.NO_PUBLIC_EC, name, values[name])
    if rules.block_public_access and values.get(ACL_FIELD) in PUBLIC_ACLS:
        raise OssError(errors.PUBLIC_ACL_BLOCKED)


def _metadata(values: Mapping[str, str], rules: OssRules) -> dict[str, str]:
    names = [name for name in values if name.startswith(META_PREFIX)]
    for name in names:
        if not META_NAME.fullmatch(name):
            raise invalid_argument(
                "A metadata name must be a header name.", errors.NO_PUBLIC_EC, META_PREFIX, name
            )
    metadata = {name.removeprefix(META_PREFIX): header_value(name, values[name]) for name in names}
    if (
        sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
        > rules.max_metadata_bytes
    ):
        # OSS's own text is in no public page.
        raise invalid_argument("The user metadata is larger than 8 KB.", errors.NO_PUBLIC_EC, META_PREFIX)
    return metadata


def header_value(name: str, value: str) -> str:
    """A control character would let an upload write headers of its own into later answers."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):
        raise invalid_argument("A header value must be one line.", errors.NO_PUBLIC_EC, name, value)
    return value
