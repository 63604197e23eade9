"""
The one bucket of a local OSS: what it holds, and what decides over it.
"""

from dataclasses import dataclass, field

from local.ground.accounts import Accounts
from local.ground.clock import Clock
from local.oss.objects import Objects
from local.oss.rules import OssRules


@dataclass
class Bucket:
    """
    Args:
        region: region id, without ``oss-``.

        accounts: whose keys sign.

        rules: limits, and how open points of the documentation are read; may be replaced while running.
    """

    name: str
    region: str
    accounts: Accounts
    objects: Objects
    now: Clock
    rules: OssRules = field(default_factory=OssRules)

    @property
    def host(self) -> str:
        """The default host name of a real bucket of this name, which refusals tell."""
        return f"{self.name}.oss-{self.region}.aliyuncs.com"
