"""The check of ``doctor`` on the account: what its roles and buckets lack of what ``setup`` makes."""

from collections.abc import Iterator, Mapping

from function.config.settings import Settings
from ops.account.before_deploy import ACCOUNT, BUCKET, ROLES, UNREAD, desired_state, lacking_rights
from ops.account.bucket import (
    PRIVATE,
    VERSIONS_OF_WHAT_IS_HELD,
    DesiredBucket,
    notes_on_what_is_there,
    public_strip,
)
from ops.account.cloud import Account, CloudError
from ops.account.lifecycle import lifecycle_steps
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


def check_account(environ: Mapping[str, str], settings: Settings) -> Iterator[Finding]:
    """Compare roles and buckets with what the profiles need, as far as the keys here may read them."""
    if not settings.sts_endpoint.endswith(OFFICIAL):
        return
    try:
        desired, account = desired_state(environ)
    except CloudError as error:
        yield _unread(ACCOUNT, error)
        return
    except Failure as error:
        yield Finding(CHECK, State.UNSURE, error.sentences[0], READERS)
        return
    found = []
    try:
        found += [Finding(CHECK, State.BAD, what, RUN_SETUP) for what in lacking_rights(desired, account)]
    except CloudError as error:
        found.append(_unread(ROLES, error))
    for bucket in (*desired.buckets, *(each for _, each in desired.buckets_elsewhere)):
        try:
            found += _of_bucket(bucket, account)
        except CloudError as error:
            found.append(_unread(BUCKET.filled(name=bucket.name), error))
    yield from found or [Finding(CHECK, State.GOOD, COMPLETE)]


def _of_bucket(desired: DesiredBucket, account: Account) -> Iterator[Finding]:
    found = account.find_bucket(desired)
    if found is None:
        # The bucket's own check says so.
        return
    if desired.strips and found.acl not in ("", PRIVATE):
        yield Finding(CHECK, State.BAD, public_strip(desired.name, found.acl, desired.strips))
    notes = [*notes_on_what_is_there(desired, found)]
    for step in lifecycle_steps(desired, found.lifecycle, notes):
        yield Finding(CHECK, State.BAD, Text(*(f"{desired.name}: {why}" for why in step.why)), RUN_SETUP)
    for note in notes:
        state = State.BAD if note is VERSIONS_OF_WHAT_IS_HELD else State.UNSURE
        yield Finding(CHECK, state, note)


def _unread(what: Text, error: CloudError) -> Finding:
    said = UNREAD.filled(what=what, code=error.code)
    return Finding(CHECK, State.UNSURE, said, READERS)
