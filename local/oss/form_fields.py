"""
Fields of a PostObject form: attributes, success response, values for conditions.

Source: https://help.aliyun.com/zh/oss/developer-reference/postobject
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from local.oss import errors
from local.oss.attributes import ACL_FIELD, DEFAULT_TYPE, Attributes, header_value, read_attributes
from local.oss.errors import invalid_argument
from local.oss.form import Form
from local.oss.rules import OssRules

DEFAULT_SUCCESS_STATUS = 204


@dataclass(frozen=True)
class Success:
    """
    Response to a stored form.

    Args:
        redirect: where a browser is sent.
    """

    status: int
    redirect: str | None


def form_attributes(form: Form, header_acl: str | None, rules: OssRules) -> Attributes:
    """
    Args:
        header_acl: the request header ``x-oss-object-acl``, which counts when the form has none.
    """
    values = {**({ACL_FIELD: header_acl} if header_acl is not None else {}), **form.fields}
    return read_attributes(values, _content_type(form), rules)


def read_success(form: Form) -> Success:
    """
    Raises:
        OssError: the redirect is no http or https URL.
    """
    status = form.value("success_action_status")
    return Success(
        int(status) if status in ("200", "201", "204") else DEFAULT_SUCCESS_STATUS, _redirect(form)
    )


def conditioned_value(form: Form, field_name: str, bucket: str, rules: OssRules) -> str | None:
    """
    Return the value that a condition compares; ``None`` for an absent field.

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
