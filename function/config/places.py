"""Where the objects of a profile are: in the deployment's bucket, or in one of the profile's own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

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

    def with_own(self, values: Mapping[str, Any]) -> "BucketLocation":
        """
        The place of a profile, where this is the deployment's.

        Args:
            values: of the options ``bucket``, ``region``, ``host`` and ``role``, as far as there are any.
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
