"""The proof about lists and deletions in short, and that it would notice a policy that reaches further."""

import json

import pytest

from function.sts.session_policy import session_policies
from quality.torture import reach_proof

REQUESTS = 3000


def test_options_and_local_oss_agree():
    result = reach_proof.run(REQUESTS, seed=1)
    assert result.problems == []
    assert result.totals["disagreements"] == 0


def without_condition(statement):
    return {name: said for name, said in statement.items() if name != "Condition"}


def without_slash(statement):
    return json.loads(json.dumps(statement).replace("/*", "*")) if "Condition" in statement else statement


@pytest.mark.parametrize("wrong", [without_condition, without_slash])
def test_a_wider_policy_is_detected(wrong):
    def widened(profiles, erases):
        policies = session_policies(profiles, erases=erases)
        documents = {session: json.loads(policy) for session, policy in policies.items()}
        return {
            session: json.dumps({**document, "Statement": [*map(wrong, document["Statement"])]})
            for session, document in documents.items()
        }

    assert reach_proof.run(REQUESTS, seed=1, session_policies=widened).problems
