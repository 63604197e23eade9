"""
A URL that lets whoever has it read one object for a while: for the tools that show a picture.

Source: https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls
"""

from urllib.parse import quote

from local.common.accounts import AccessKey
from local.oss.bucket import Bucket
from local.oss.credentials import TOKEN_FIELD, V4, sign_v4
from local.oss.request import Request
from local.oss.request_signature import canonical_query, canonical_request, string_to_sign


def presigned_url(origin: str, bucket: Bucket, access_key: AccessKey, key: str, seconds: int = 900) -> str:
    """
    Args:
        origin: of the local OSS.

        key: the object's name; whether it exists is not asked.
    """
    now = bucket.now()
    date, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    query = {
        "x-oss-signature-version": V4,
        "x-oss-credential": f"{access_key.access_key_id}/{day}/{bucket.region}/oss/aliyun_v4_request",
        "x-oss-date": date,
        "x-oss-expires": str(seconds),
    }
    if access_key.security_token is not None:
        query[TOKEN_FIELD] = access_key.security_token
    request = Request("GET", key, query, {})
    to_sign = string_to_sign(date, bucket.region, canonical_request(request, bucket.name, ()))
    signature = sign_v4(access_key.access_key_secret, day, bucket.region, to_sign)
    return f"{origin}/{quote(key)}?{canonical_query(query)}&x-oss-signature={signature}"
