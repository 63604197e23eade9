"""
One PostObject from its first field to the stored object, in the order in which things become known.

The documentation gives no order of checks. Here: shape, key, who signed, policy, permission, callback
when the file begins; then the size as it grows; then shape, expiry and overwriting when it is over.
"""

import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from local.oss import errors
from local.oss.access import actions_of_writing, demand
from local.oss.attributes import Attributes
from local.oss.bucket import Bucket
from local.oss.callback import Callback, parse_callback
from local.oss.errors import OssError, invalid_argument
from local.oss.form import Form, Sink
from local.oss.form_fields import Success, conditioned_value, form_attributes, read_success
from local.oss.policy import Policy, parse_policy
from local.oss.post_signature import authenticate
from local.oss.rules import OssRules
from local.oss.storing import new_object
from local.oss.versions import StoredObject


@dataclass(frozen=True)
class Admission:
    """A form that may be uploaded, as far as its fields tell."""

    key: str
    policy: Policy
    attributes: Attributes
    success: Success
    callback: Callback | None


def admit(form: Form, header_acl: str | None, bucket: Bucket) -> Admission:
    """
    Judge a form by its fields.

    Raises:
        OssError: whatever is wrong with it first.
    """
    now, rules = bucket.now(), bucket.rules
    if not form.value("key"):
        raise invalid_argument(errors.FIELD_MISSING_TEXT.format("key"), errors.NO_PUBLIC_EC, "key")
    signer = authenticate(form, bucket.accounts, bucket.region, now, rules)
    policy = parse_policy(form.value("policy") or "", rules.dollar_optional)
    policy.check_expiry(now)
    policy.require(signer.bound_fields)
    policy.check_conditions(
        lambda name: conditioned_value(form, name, bucket.name, rules), rules.absent_field_meets_not_in
    )
    key = _expanded_key(form, rules)
    attributes, success = form_attributes(form, header_acl, rules), read_success(form)
    demand(signer.access_key, bucket, key, *actions_of_writing(attributes.acl, rules), acl=attributes.acl)
    return Admission(key, policy, attributes, success, parse_callback(form.value("callback"), rules))


def _expanded_key(form: Form, rules: OssRules) -> str:
    """
    The object's key. ``${filename}`` is replaced only here, after the policy has been held against the key
    as it was sent; whether OSS strips folders from the file name is not documented, so none are.
    """
    filename = (form.file.filename if form.file else None) or ""
    key = (form.value("key") or "").replace("${filename}", filename)
    if not key or len(key.encode()) > rules.max_key_bytes or key[0] in "/\\":
        raise OssError(errors.INVALID_KEY)
    return key


class Upload:
    """
    The receiving end of one request; ``open_file`` and ``finish`` in this order, ``discard`` always.

    Args:
        header_acl: the request header ``x-oss-object-acl``.
    """

    def __init__(self, bucket: Bucket, header_acl: str | None = None) -> None:
        self._bucket = bucket
        self._header_acl = header_acl
        self._admission: Admission | None = None
        self._file: BinaryIO | None = None
        self._file_name: str | None = None
        self._size = 0

    @property
    def admission(self) -> Admission:
        """
        Raises:
            OssError: no file has begun.
        """
        if self._admission is None:
            raise OssError(errors.FILE_MISSING)
        return self._admission

    def open_file(self, form: Form) -> Sink:
        self._admission = admit(form, self._header_acl, self._bucket)
        self._file = self._bucket.objects.new_file()
        self._file_name = form.file.filename if form.file else None
        return self._take

    def finish(self) -> StoredObject:
        """Check what only the whole request shows, and store it."""
        admission = self.admission
        if self._file is None:
            raise OssError(errors.FILE_MISSING)
        if self._bucket.rules.form_expires_in_flight:
            admission.policy.check_expiry(self._bucket.now())
        admission.policy.check_smallest(self._size)
        self._file.close()
        stored = new_object(
            self._bucket, admission.key, admission.attributes, self._size, uuid.uuid4().hex.upper()
        )
        stored = replace(stored, file_name=self._file_name)
        return self._bucket.store(Path(self._file.name), stored, admission.attributes.forbid_overwrite)

    def discard(self) -> None:
        """Leave nothing of a refused upload behind; nothing to do for a stored one."""
        if self._file is not None:
            self._file.close()
            Path(self._file.name).unlink(missing_ok=True)

    def _take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self.admission.policy.check_largest(self._size)
        if self._file is not None:
            self._file.write(chunk)
