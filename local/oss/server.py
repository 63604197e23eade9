"""The local OSS: one bucket, whatever the Host header says."""

from functools import partial
from pathlib import Path

from local.common.accounts import Accounts
from local.common.clock import Clock, utc_now
from local.common.reach import HERE_ONLY, Reach
from local.common.service import Service
from local.oss.bucket import Bucket
from local.oss.callback_delivery import CallbackSigner
from local.oss.handler import OssHandler, new_faults
from local.oss.objects import Objects
from local.oss.rules import OssRules


class OssServer(Service):
    """
    One bucket on localhost.

    Args:
        accounts: whose keys sign.

        folder: where object data is kept; made when missing.

        rules: limits, and how open points of the documentation are read.

        signer: signs callbacks; the buckets of one cloud have the same.

    Attributes:
        objects: what is stored, by key.

        faults: what goes wrong with the next calls.
    """

    def __init__(
        self,
        accounts: Accounts,
        bucket: str,
        region: str,
        folder: Path,
        port: int = 0,
        now: Clock = utc_now,
        rules: OssRules | None = None,
        reach: Reach = HERE_ONLY,
        signer: CallbackSigner | None = None,
    ) -> None:
        self.objects = Objects(folder)
        self.faults = new_faults()
        self.bucket = Bucket(bucket, region, accounts, self.objects, now, rules or OssRules())
        super().__init__(
            partial(OssHandler, self.bucket, self.faults, signer or CallbackSigner()), port, reach
        )

    def reset(self) -> None:
        """Forget what is stored."""
        self.bucket.empty()
