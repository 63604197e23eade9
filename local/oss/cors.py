"""
CORS rules of a bucket: which pages may send what, and what they may read of the answer.

Source: https://help.aliyun.com/zh/oss/developer-reference/putbucketcors
"""

from collections.abc import Iterable
from dataclasses import dataclass

EXPOSED = (
    "ETag, x-oss-request-id, x-oss-ec, x-oss-storage-class, x-oss-server-side-encryption,"
    " x-oss-object-type, x-oss-hash-crc64ecma, Content-MD5, Content-Range"
)
MAX_AGE_SECONDS = "600"
ANY = "*"


@dataclass(frozen=True)
class CorsRule:
    """
    Args:
        origins: of pages; ``*`` is any.

        exposed: headers of the answer that a page may read.
    """

    origins: frozenset[str] = frozenset({ANY})
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT")
    exposed: str = EXPOSED

    def admits(self, origin: str, method: str) -> bool:
        return ANY in self.origins or (origin in self.origins and method in self.methods)


# Of a bucket for whose pages nothing was decided: any may upload and read, and delete nothing.
EVERY_PAGE = (CorsRule(),)


def cors_headers(rules: Iterable[CorsRule], origin: str, method: str) -> dict[str, str]:
    """
    Return the headers of an answer to a page; none where no rule admits it.

    Args:
        method: that a preflight asks for, or that of the request itself.
    """
    rule = next((rule for rule in rules if rule.admits(origin, method)), None)
    if rule is None:
        return {}
    allowed = {"Access-Control-Allow-Origin": ANY if ANY in rule.origins else origin}
    return {
        **allowed,
        **({} if ANY in rule.origins else {"Vary": "Origin"}),
        "Access-Control-Allow-Methods": ", ".join(rule.methods),
        "Access-Control-Expose-Headers": rule.exposed,
        "Access-Control-Max-Age": MAX_AGE_SECONDS,
    }
