"""Access control of requests that are no forms."""

from local.common.accounts import AccessKey
from local.common.ram_policy import fits, is_allowed
from local.oss import errors
from local.oss.attributes import PUBLIC_ACLS
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.request import Request
from local.oss.request_signature import authenticate
from local.oss.rules import OssRules

READ, WRITE, WRITE_ACL = "oss:GetObject", "oss:PutObject", "oss:PutObjectAcl"
READ_ACL = "oss:GetObjectAcl"
PROCESS_TASK = "oss:PostProcessTask"
DELETE, LIST = "oss:DeleteObject", "oss:ListObjects"
READ_VERSION, DELETE_VERSION = "oss:GetObjectVersion", "oss:DeleteObjectVersion"
LIST_VERSIONS = "oss:ListObjectVersions"
LIST_PARTS, ABORT, LIST_UPLOADS = (
    "oss:ListParts",
    "oss:AbortMultipartUpload",
    "oss:ListMultipartUploads",
)
# What a condition may be held against.
ACL_FACT, PREFIX_FACT = "oss:x-oss-object-acl", "oss:prefix"


def authorize(request: Request, bucket: Bucket, *actions: str, acl: str | None = None) -> AccessKey:
    """
    Let a request pass whose signer may do all of this with what it names.

    Args:
        actions: such as ``oss:PutObject``.

        acl: the ACL that the request names.

    Raises:
        OssError: not signed, badly signed, or not allowed.
    """
    access_key = authenticate(request, bucket)
    if access_key is None:
        raise OssError(errors.BUCKET_PRIVATE)
    demand(access_key, bucket, request.key, *actions, acl=acl, prefix=request.query.get("prefix"))
    return access_key


def authorize_reading(request: Request, bucket: Bucket) -> AccessKey | None:
    """
    Let a request pass whose signer may read the object, or anybody's where the object is public.

    A signature counts even where none is needed: a wrong one is refused.

    Returns:
        The signer's key; ``None`` when nobody signed.

    Raises:
        OssError: badly signed, or not allowed.
    """
    access_key = authenticate(request, bucket)
    is_version = "versionId" in request.query
    if access_key is not None:
        demand(access_key, bucket, request.key, READ_VERSION if is_version else READ)
    elif is_version or not _is_open(request.key, bucket):
        raise OssError(errors.BUCKET_PRIVATE)
    return access_key


def demand(
    access_key: AccessKey,
    bucket: Bucket,
    key: str,
    *actions: str,
    acl: str | None = None,
    prefix: str | None = None,
) -> None:
    """
    Raises:
        OssError: the policies of a key pair do not allow one of the actions.
    """
    if not all(permits(access_key, action, bucket, key, acl, prefix) for action in actions):
        raise OssError(errors.NOT_PERMITTED)


def actions_of_writing(acl: str | None, rules: OssRules) -> tuple[str, ...]:
    """Return the actions that a writing request needs; naming an ACL needs one more."""
    return (WRITE, WRITE_ACL) if rules.acl_needs_permission and acl is not None else (WRITE,)


def permits(
    access_key: AccessKey,
    action: str,
    bucket: Bucket,
    key: str,
    acl: str | None = None,
    prefix: str | None = None,
) -> bool:
    """
    Return whether the policies of a key pair allow an action on an object.

    Args:
        key: the object's name; empty for the bucket itself.

        acl: the ACL that the request names.

        prefix: of the keys that the request lists.
    """
    # oss:Prefix is documented for ListObjects alone.
    has_prefix = action == LIST or bucket.rules.prefix_binds_every_list
    return is_allowed(
        access_key.policies,
        action,
        lambda pattern: _names_object(pattern, bucket, key),
        {ACL_FACT: acl, PREFIX_FACT: prefix if has_prefix else None},
    )


def _names_object(pattern: str, bucket: Bucket, key: str) -> bool:
    """``acs:oss:{region}:{account}:{bucket}/{key}``; the local cloud has one account, so any id fits."""
    if pattern == "*":
        return True
    parts = pattern.split(":", 4)
    if len(parts) != 5:
        return False
    scheme, service, region, _account, path = parts
    return (
        scheme == "acs"
        and fits(service, "oss")
        and (fits(region, bucket.region) or fits(region, f"oss-{bucket.region}"))
        and fits(path, f"{bucket.name}/{key}" if key else bucket.name)
    )


def _is_open(key: str, bucket: Bucket) -> bool:
    """Return whether anybody may read an object; what is not there is private, as the bucket is."""
    if not bucket.rules.private_reads_need_signature:
        return True
    stored = bucket.objects.get(key)
    # Block Public Access also closes what was made public before it was on.
    acl = "private" if stored is None else bucket.acl if stored.acl == "default" else stored.acl
    return acl in PUBLIC_ACLS and not bucket.rules.block_public_access
