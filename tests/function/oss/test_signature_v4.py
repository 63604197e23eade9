"""oss.signature_v4: the signing key of a day, and hashing that does not yield to other threads."""

import hashlib
import hmac
import json
import sys
import threading
import time
from base64 import b64encode
from pathlib import Path

import pytest

from function.oss.post_form import sign_v1, sign_v4
from function.oss.signature_v4 import HASHED_AT_ONCE, derive_signing_key

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "post_policy.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["v4"], ids=lambda vector: vector["name"])
def test_signs_v4_as_ali_oss_does(vector):
    key = derive_signing_key(
        vector["access_key_secret"], vector["date_iso"][:10].replace("-", ""), vector["sign_region"]
    )
    assert key.hex() == vector["derived_keys_hex"]["signing_key"]
    assert sign_v4(vector["policy_base64"], key) == vector["x_oss_signature"]


@pytest.mark.parametrize(
    "length", [0, 1, *(HASHED_AT_ONCE + more for more in (-1, 0, 1)), 3 * HASHED_AT_ONCE, 9999]
)
def test_a_policy_of_any_length_is_signed_whole(length):
    policy = ("ab9/+=" * (length // 6 + 1))[:length]
    assert sign_v4(policy, b"key") == hmac.new(b"key", policy.encode(), hashlib.sha256).hexdigest()
    sha1 = hmac.new(b"key", policy.encode(), hashlib.sha1).digest()
    assert sign_v1(policy, "key") == b64encode(sha1).decode()


def others_get_a_turn_during(work):
    """Whether another thread that is ready to run may do so during ``work``, which never has to give way."""
    usual_interval = sys.getswitchinterval()
    start, turns = threading.Event(), []
    other = threading.Thread(target=lambda: (start.wait(), turns.append("mine")))
    sys.setswitchinterval(60)
    try:
        other.start()
        time.sleep(0.02)
        start.set()
        in_line = time.perf_counter() + 0.02
        while time.perf_counter() < in_line:
            pass
        work()
        return bool(turns)
    finally:
        sys.setswitchinterval(usual_interval)
        other.join()


def test_signing_does_not_wait_for_other_threads():
    # So long that another thread would have all the time it needs, if it were let in. That it would be seen
    # is tried with hashing that lets it in, more than once, for a busy machine may not start it in time.
    policy = "x" * 20_000_000
    lets_others_in = (lambda: hmac.digest(b"key", policy.encode(), "sha256") for _ in range(20))
    assert any(others_get_a_turn_during(work) for work in lets_others_in)
    assert not others_get_a_turn_during(lambda: sign_v4(policy, b"key"))
    assert not others_get_a_turn_during(lambda: sign_v1(policy, "key"))


def test_the_signing_key_of_the_day_is_derived_once_per_credentials():
    derive_signing_key.cache_clear()
    for _ in range(5):
        derive_signing_key("secret", "20261124", "cn-hangzhou")
    assert derive_signing_key.cache_info().misses == 1
    derive_signing_key("secret", "20261125", "cn-hangzhou")
    derive_signing_key("other", "20261125", "cn-hangzhou")
    assert derive_signing_key.cache_info().misses == 3
    assert derive_signing_key.cache_info().maxsize == 4
