"""
What the owners of other accounts have to make, where profiles take roles there: this account's keys cannot.
"""

from collections.abc import Iterator

from ops.account.bucket import FoundBucket
from ops.account.bucket_plan import bucket_steps
from ops.account.desired import DesiredState
from ops.account.ram_documents import account_and_name
from ops.account.role_plan import FoundRoles, Step, steps_of, upload_role
from ops.terminal.language import Text


def needed_elsewhere(desired: DesiredState) -> Iterator[tuple[str, list[Step], list[Text]]]:
    """
    For each other account its id, the calls that it would need where nothing is there yet, and what its owner
    should know.
    """
    named = {arn: account_and_name(arn) for arn in desired.roles.elsewhere}
    for account in dict.fromkeys(account for account, _ in named.values()):
        steps: list[Step] = []
        notes: list[Text] = []
        for arn, (theirs, name) in named.items():
            if theirs == account:
                role = upload_role(desired.roles, name, desired.roles.elsewhere[arn])
                steps += steps_of(role, FoundRoles())
        for theirs, bucket in desired.buckets_elsewhere:
            if theirs == account:
                found = None if bucket.create else FoundBucket("", "", "", blocks_public_access=True)
                more, told = bucket_steps(bucket, found)
                steps += more
                notes += told
        yield account, steps, notes
