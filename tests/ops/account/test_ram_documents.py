"""Documents of RAM, compared by what they say."""

import json

from ops.account.ram_documents import same_document
from tests.ops.account.stubs import FUNCTION_ROLE, run
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("one", "other", "same")
def test_policy_documents_are_compared_by_meaning(one, other, same):
    assert same_document(one, other) is same


def test_documents_that_differ_in_layout_only_are_the_same(cloud):
    assert run(cloud, "--yes") == 0
    for name, document in cloud.ram.policies.items():
        cloud.ram.policies[name] = json.dumps(dict(reversed(json.loads(document).items())), indent=4)
    one = json.loads(cloud.ram.policies[FUNCTION_ROLE])
    one["Statement"][0]["Action"] = "sts:AssumeRole"
    cloud.ram.policies[FUNCTION_ROLE] = one  # some answers carry the object itself
    cloud.ram.calls.clear()
    assert run(cloud) == 0
    assert cloud.ram.changes() == []
