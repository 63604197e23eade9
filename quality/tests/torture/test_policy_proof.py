"""The policy proof in short, and that it would notice a signer that promises too much or too little."""

from base64 import b64decode, b64encode
from json import dumps, loads

import pytest

from function.oss.post_form import sign_object, sign_v1, sign_v4
from function.oss.signature_v4 import derive_signing_key
from quality.torture import policy_proof

PAIRS = 600


def test_rule_and_local_oss_agree():
    result = policy_proof.run(PAIRS, seed=1)
    assert result.problems == []
    assert result.secrets == []
    assert result.totals["disagreements"] == 0


def is_detected(**wrong):
    """Return whether some pair shows it; a run ends with the lot that does."""
    lots = (policy_proof.run(PAIRS // 20, seed=seed, **wrong) for seed in range(20))
    return any(lot.totals["disagreements"] for lot in lots)


def without(dropped):
    """A signer that forgets one condition."""

    def sign(rule, credentials, now):
        form = sign_object(rule, credentials, now)
        policy = loads(b64decode(form["policy"]))
        policy["conditions"] = [item for item in policy["conditions"] if dropped not in item]
        form["policy"] = b64encode(dumps(policy).encode()).decode()
        if rule.signature_version == "v1":
            form["signature"] = sign_v1(form["policy"], credentials.access_key_secret)
        else:
            key = derive_signing_key(credentials.access_key_secret, f"{now:%Y%m%d}", rule.region)
            form["x-oss-signature"] = sign_v4(form["policy"], key)
        return form

    return sign


@pytest.mark.parametrize(
    "dropped",
    [
        *("key", "content-length-range", "bucket", "x-oss-object-acl", "x-oss-content-type"),
        *("Cache-Control", "Content-Disposition", "x-oss-storage-class"),
    ],
)
def test_a_signer_that_omits_a_condition_is_detected(dropped):
    assert is_detected(sign_object=without(dropped))
