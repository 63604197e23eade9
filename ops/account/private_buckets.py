"""``make deploy``: a bucket that is not private is refused where a profile has ``strip``."""

import os
import sys
from collections.abc import Mapping

from ops.account.bucket_notes import PRIVATE, public_strip
from ops.account.operator_keys import operator_keys
from ops.account.oss_client import client_at, code_of
from ops.deploy.operator_env import ENV_FILE, operator_environment, operator_settings
from ops.terminal.language import Failure, Text, chosen_language
from ops.terminal.screen import Screen

UNREAD = Text(
    "The ACL of bucket {bucket} could not be read ({code}); strip = true needs a private bucket.",
    "读不到桶 {bucket} 的权限（{code}）；strip = true 需要私有的桶。",
)


def public_buckets(environ: Mapping[str, str], screen: Screen, language: str) -> list[Text]:
    """
    Return a sentence for each bucket that must be private and is not; a line says which could not be read.

    Raises:
        Failure: the operator's keys are missing.
    """
    try:
        profiles = [one for one in operator_settings(environ).profiles.values() if one.strip]
    except Failure:
        # ``check-deploy``, which runs before, names each problem.
        return []
    if not profiles:
        return []
    import alibabacloud_oss_v2 as oss

    problems = []
    for location in dict.fromkeys(profile.location for profile in profiles):
        names = [profile.name for profile in profiles if profile.location == location]
        try:
            client = client_at(location, operator_keys(environ))
            acl = client.get_bucket_acl(oss.GetBucketAclRequest(bucket=location.bucket)).acl
        except oss.exceptions.BaseError as error:
            screen.warn(UNREAD.say(language, bucket=location.bucket, code=code_of(error)))
            continue
        if acl != PRIVATE:
            problems.append(public_strip(location.bucket, str(acl), names))
    return problems


def main() -> int:
    language, complaints = chosen_language(None), Screen(sys.stderr)
    try:
        problems = public_buckets(operator_environment(ENV_FILE, os.environ), complaints, language)
    except Failure as error:
        complaints.fail_with(error, language)
        return 2
    for problem in problems:
        complaints.fail(problem.say(language))
    return 2 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
