"""Content Moderation of Alibaba Cloud: families of labels, and the regions that have it."""

from function.config import types
from function.messages import Message

WECHAT, ALIYUN = "wechat", "aliyun"
# Prefixes of labels. Those of terror, drugs and gambling were seen in no source: check them in the console.
FAMILIES = {
    "porn": ("pornographic_",),
    "violence": ("violent_", "horrific_"),
    "terror": ("terrorism_",),
    "prohibited": ("contraband_", "drug_", "gambling_"),
    "politics": ("political_",),
    "sexual": ("sexual_",),
    "ads": ("pt_", "logo_"),
}
REJECTED = ("porn", "violence", "terror", "prohibited")
# Source: https://help.aliyun.com/zh/document_detail/467829.html
REGIONS = frozenset(
    "cn-shanghai cn-beijing cn-hangzhou cn-shenzhen cn-chengdu"
    " ap-southeast-1 us-east-1 us-west-1 eu-central-1 eu-west-1".split()
)
MAINLAND = "cn-shanghai"


def prefixes_of(families: list[str]) -> tuple[str, ...]:
    """Return the prefixes of these families; any other text is a prefix itself."""
    return tuple(dict.fromkeys(prefix for name in families for prefix in FAMILIES.get(name, (name,))))


def endpoint_of(region: str) -> str | None:
    """Return Green's address for a region; ``None`` abroad where the region has none."""
    if region not in REGIONS:
        if not region.startswith("cn-") or region == "cn-hongkong":
            return None
        region = MAINLAND
    return f"https://green-cip.{region}.aliyuncs.com"


def _checkers_of(names: list[str]) -> tuple[str, ...]:
    """Return the checkers in the order of their calls; Aliyun is first: its rejection ends the check."""
    # A slip for both would leave the check to one.
    if len({*names}) < len(names):
        raise ValueError(names)
    return tuple(sorted(names))


CHECKERS_TYPE = types.list_of(
    f"{ALIYUN}|{WECHAT}", Message('["wechat"], ["aliyun"] or ["aliyun", "wechat"]'), _checkers_of
)
SERVICE_TYPE = types.matching("[A-Za-z0-9_]{1,64}", Message("the name of a service, such as baselineCheck"))
FAMILIES_TYPE = types.list_of(
    f"{'|'.join(FAMILIES)}|[A-Za-z][A-Za-z0-9_]{{0,62}}_",
    Message("a list of {names}, or of prefixes that end in _", names=", ".join(FAMILIES)),
    prefixes_of,
)
