"""For each line "receipt secret" of standard input the receipt's key, or "refused"."""

import sys

import jwt
from receipts import verify_receipt

for line in sys.stdin:
    receipt, _, secret = line.rstrip("\n").partition(" ")
    try:
        print(verify_receipt(receipt, secret)["key"])  # noqa: T201
    except jwt.InvalidTokenError:
        print("refused")  # noqa: T201
