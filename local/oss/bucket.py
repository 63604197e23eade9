"""
The one bucket of a local OSS: what it holds, and what decides over it.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from local.common.accounts import Accounts
from local.common.clock import Clock
from local.oss.cors import EVERY_PAGE, CorsRule
from local.oss.lifecycle import Lifecycle
from local.oss.objects import Objects
from local.oss.rules import OssRules
from local.oss.uploads import Uploads


@dataclass
class Bucket:
    """
    Args:
        region: region id, without ``oss-``.

        accounts: whose keys sign.

        uploads: those in parts that are not over.

        lifecycle: what deletes objects and uploads as days go by.

        cors: which pages may send what; may be replaced while running, as ``rules`` may.

        rules: limits, and how open points of the documentation are read; may be replaced while running.
    """

    name: str
    region: str
    accounts: Accounts
    objects: Objects
    now: Clock
    rules: OssRules = field(default_factory=OssRules)
    uploads: Uploads = field(default_factory=Uploads)
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    cors: tuple[CorsRule, ...] = EVERY_PAGE

    def catch_up(self) -> None:
        """Let the lifecycle rules do what they had done by now."""
        self.lifecycle.catch_up(self.objects, self.uploads, self.now())

    def let_days_pass(self, days: int) -> None:
        """Let the lifecycle rules do, to what there is, what they would do so many days from now."""
        self.lifecycle.run(self.objects, self.uploads, self.now() + timedelta(days=days))

    @property
    def host(self) -> str:
        """The default host name of a real bucket of this name, which refusals tell."""
        return f"{self.name}.oss-{self.region}.aliyuncs.com"
