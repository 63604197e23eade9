"""For each line "receipt secret" of standard input the receipt's key, seen and order, or "refused"."""

import sys

import jwt
from receipts import verify_receipt

for line in sys.stdin:
    receipt, _, secret = line.rstrip("\n").partition(" ")
    try:
        claims = verify_receipt(receipt, secret)
        print(claims["key"], str(claims["seen"]).lower(), claims["context"]["order"])  # noqa: T201
    except jwt.InvalidTokenError:
        print("refused")  # noqa: T201
