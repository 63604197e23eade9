"""
Who may do what with an object: the one place that lets a request in that is no form.
"""

from local.ground.accounts import AccessKey
from local.ground.ram_policy import is_allowed
from local.oss import errors
from local.oss.attributes import PUBLIC_ACLS
from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.request import Request
from local.oss.request_signature import authenticate

READ = "oss:GetObject"


def authorize(request: Request, bucket: Bucket, action: str) -> AccessKey | None:
    """
    Let a request pass whose signer may do this with the object, or which needs no signer.

    A signature counts even where none is needed: a wrong one is refused.

    Args:
        action: such as ``oss:GetObject``.

    Returns:
        The signer's key; ``None`` when nobody signed.

    Raises:
        OssError: badly signed, or not allowed.
    """
    access_key = authenticate(request, bucket)
    if access_key is None:
        if not (action == READ and _is_open(request.key, bucket)):
            raise OssError(errors.BUCKET_PRIVATE)
    elif not is_allowed(access_key.policies, action, bucket.name, bucket.region, request.key):
        raise OssError(errors.NOT_PERMITTED)
    return access_key


def _is_open(key: str, bucket: Bucket) -> bool:
    """Whether anybody may read an object; what is not there is private, as the bucket is."""
    if not bucket.rules.private_reads_need_signature:
        return True
    stored = bucket.objects.get(key)
    # Block Public Access also closes what was made public before it was on.
    return stored is not None and stored.acl in PUBLIC_ACLS and not bucket.rules.block_public_access
