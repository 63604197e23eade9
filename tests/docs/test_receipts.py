"""The lines that a backend pastes to verify a receipt take a good one and nothing else."""

import json
import os
import shutil
import subprocess
from datetime import timedelta

import pytest

from tests.docs.markdown import code_blocks, page
from tokens import RECEIPT, issue_token

SECRET = "receipt-secret-0123456789abcdefghij"


def receipt_of(clock, **changes):
    claims = {"sub": "openid", "jti": "id", "key": "a/图.png", **changes}
    return issue_token(claims, audience=RECEIPT, secrets=[SECRET], now=clock(), life=timedelta(days=36500))


def snippet(language):
    (found,) = [code for kind, code in code_blocks(page("docs/receipts.md")) if kind == language]
    return found


def node_verifies(receipt, secret=SECRET):
    script = (
        snippet("js")
        + "process.stdout.write(JSON.stringify(verifyReceipt(process.env.RECEIPT, process.env.SECRET)))"
    )
    environ = {"PATH": os.environ["PATH"], "RECEIPT": receipt, "SECRET": secret}
    return subprocess.run(
        ["node", "-e", script], env=environ, capture_output=True, text=True, timeout=30, check=False
    )


def test_the_node_snippet_takes_a_receipt_and_nothing_else(clock):
    assert shutil.which("node"), "Node >= 18 is needed"
    good = receipt_of(clock)
    shown = node_verifies(good)
    assert json.loads(shown.stdout)["key"] == "a/图.png", shown.stderr
    head, body, signature = good.split(".")
    other = issue_token({"sub": "x"}, audience="other", secrets=[SECRET], now=clock(), life=timedelta(days=1))
    for bad in (f"{head}.{body}x.{signature}", f"{head}.{body}.", f"{head}.{body}", "", other):
        assert node_verifies(bad).returncode != 0
    assert node_verifies(good, "another-secret-0123456789abcdefghij").returncode != 0


def test_the_python_snippet_takes_a_receipt_and_nothing_else(clock):
    import jwt

    names: dict = {}
    exec(snippet("python"), names)
    assert names["verify_receipt"](receipt_of(clock), SECRET)["sub"] == "openid"
    with pytest.raises(jwt.InvalidTokenError):
        names["verify_receipt"](receipt_of(clock), "another-secret-0123456789abcdefghij")
