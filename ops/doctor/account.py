"""The check of ``doctor`` on the account: what its roles and buckets lack of what ``setup`` makes."""

from collections.abc import Iterator, Mapping

from function.config.settings import Settings
from ops.account.before_deploy import Kind, differences
from ops.account.bucket import VERSIONS_OF_WHAT_IS_HELD
from ops.doctor.findings import Finding, State
from ops.terminal.language import Failure, Text

# A local cloud has no RAM.
OFFICIAL = ".aliyuncs.com"
CHECK = Text("Roles and buckets", "角色与桶")
COMPLETE = Text("rights and rules are those that the profiles need", "权限和规则符合用途的需要")
RUN_SETUP = Text(
    "Run manage.py setup again: it adds only what is missing (with Terraform: --dry-run --json, then apply).",
    "请再运行一次 manage.py setup：只补上缺少的（用 Terraform 的，加 --dry-run --json 写出文件后再 apply）。",
)
READERS = Text(
    "The key of make deploy may read them (AliyunRAMFullAccess, AliyunOSSFullAccess); make deploy and setup"
    " compare them, too.",
    "make deploy 用的密钥（AliyunRAMFullAccess、AliyunOSSFullAccess）可以读取；"
    "make deploy 和 setup 也会比较。",
)


STATES = {
    Kind.UNREAD: State.UNSURE,
    Kind.LACKING: State.BAD,
    Kind.PUBLIC: State.BAD,
    Kind.DOUBT: State.UNSURE,
}
REMEDIES = {Kind.UNREAD: READERS, Kind.LACKING: RUN_SETUP}


def check_account(environ: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    """Compare roles and buckets with what the profiles need, as far as the keys here may read them."""
    if not settings.sts_endpoint.endswith(OFFICIAL):
        return
    try:
        # What a rule removes too soon, the rule that setup would write says as well.
        found = [(kind, said) for kind, said in differences(environ) if kind in STATES]
    except Failure as error:
        yield Finding(CHECK, State.UNSURE, error.sentences[0], READERS)
        return
    for kind, said in found:
        state = State.BAD if said is VERSIONS_OF_WHAT_IS_HELD else STATES[kind]
        yield Finding(CHECK, state, said, REMEDIES.get(kind))
    if not found:
        yield Finding(CHECK, State.GOOD, COMPLETE)
