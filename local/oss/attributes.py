"""
What a PostObject form says about the object beside its bytes: type, ACL, class, headers, metadata.

Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.oss import errors
from local.oss.errors import OssError, invalid_argument
from local.oss.form import Form
from local.oss.rules import OssRules

ACL_FIELD = "x-oss-object-acl"
META_PREFIX = "x-oss-meta-"
PUBLIC_ACLS = ("public-read", "public-read-write")
META_NAME = re.compile(r"x-oss-meta-[a-z0-9!#$%&'*+.^_`|~-]+")  # what HTTP allows in a header's name
DEFAULT_TYPE = "application/octet-stream"
DEFAULT_SUCCESS_STATUS = 204

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

        redirect: where a browser is sent after success.
    """

    content_type: str
    acl: str | None
    storage_class: str
    forbid_overwrite: bool
    success_status: int
    redirect: str | None
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def read_attributes(form: Form, header_acl: str | None, rules: OssRules) -> Attributes:
    """
    Args:
        header_acl: the request header ``x-oss-object-acl``, which counts when the form has none.
    """
    values = {**({ACL_FIELD: header_acl} if header_acl is not None else {}), **form.fields}
    for name, choices in CHOICES.items():
        if name in values and values[name] not in choices:
            # OSS's own text is in no public page.
            message = f"The {name} in the form must be one of {', '.join(choices)}."
            raise invalid_argument(message, errors.NO_PUBLIC_EC, name, values[name])
    if rules.block_public_access and values.get(ACL_FIELD) in PUBLIC_ACLS:
        raise OssError(errors.PUBLIC_ACL_BLOCKED)
    status = values.get("success_action_status")
    headers = {
        name: header_value(name, values[name.lower()]) for name in STORED_HEADERS if name.lower() in values
    }
    return Attributes(
        content_type=header_value("Content-Type", _content_type(form)),
        acl=values.get(ACL_FIELD),
        storage_class=values.get("x-oss-storage-class", "Standard"),
        forbid_overwrite=values.get("x-oss-forbid-overwrite", "").lower() == "true",
        success_status=int(status) if status in ("200", "201", "204") else DEFAULT_SUCCESS_STATUS,
        redirect=_redirect(form),
        headers=headers,
        metadata=_metadata(form, rules),
    )


def conditioned_value(form: Form, field_name: str, bucket: str, rules: OssRules) -> str | None:
    """
    What a condition on a field is compared with; ``None`` when the form does not have it.

    The bucket is the one addressed, not a field. ``$content-type`` is also met by the file part's type.
    """
    if field_name == "bucket":
        return bucket
    value = form.value(field_name)
    if field_name == "content-type":
        if rules.content_type_sees_override and form.has("x-oss-content-type"):
            return form.value("x-oss-content-type")
        if value is None and form.file is not None:
            return form.file.content_type
    return value


def _content_type(form: Form) -> str:
    part_type = form.file.content_type if form.file else None
    return form.value("x-oss-content-type") or part_type or form.value("content-type") or DEFAULT_TYPE


def _metadata(form: Form, rules: OssRules) -> dict[str, str]:
    names = [name for name in form.fields if name.startswith(META_PREFIX)]
    for name in names:
        if not META_NAME.fullmatch(name):
            raise invalid_argument(
                "A metadata name must be a header name.", errors.NO_PUBLIC_EC, META_PREFIX, name
            )
    metadata = {name.removeprefix(META_PREFIX): header_value(name, form.fields[name]) for name in names}
    if (
        sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
        > rules.max_metadata_bytes
    ):
        # OSS's own text is in no public page.
        raise invalid_argument("The user metadata is larger than 8 KB.", errors.NO_PUBLIC_EC, META_PREFIX)
    return metadata


def _redirect(form: Form) -> str | None:
    name = "success_action_redirect"
    url = form.value(name)
    if not url:
        return None
    header_value(name, url)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid_argument("The redirect must be an http or https URL.", errors.NO_PUBLIC_EC, name, url)
    return url


def header_value(name: str, value: str) -> str:
    """A control character would let an upload write headers of its own into later answers."""
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in value):
        raise invalid_argument("A header value must be one line.", errors.NO_PUBLIC_EC, name, value)
    return value
