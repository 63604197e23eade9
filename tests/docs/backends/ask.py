"""
Asks a backend's lines; of each line of standard input, fields with tabs, what they say.

    receipt RECEIPT SECRET: its key, seen and order
    webhook ID TIMESTAMP SIGNATURE SECRET BODY: its event and key
    call ORIGIN RECEIPTS SECRET SESSION: state or code of each, and the subject; or an error's code and id
"""

import sys

from uploads import FunctionError, commit, introspect, verify_receipt, verify_webhook


def receipt(receipt, secret):
    claims = verify_receipt(receipt, secret)
    return [claims["key"], str(claims["seen"]).lower(), claims["context"]["order"]]


def webhook(id, timestamp, signature, secret, body):
    headers = {"Webhook-Id": id, "Webhook-Timestamp": timestamp, "Webhook-Signature": signature}
    event = verify_webhook(body.encode(), headers, secret)
    return [event["event"], event["claims"]["key"]]


def call(function, receipts, secret, session):
    told = commit(function, receipts.split(","), secret)
    states = [entry.get("state") or entry["error"]["code"] for entry in told]
    return [*states, introspect(function, session, secret).get("sub") or "inactive"]


for line in sys.stdin:
    kind, *fields = line.rstrip("\n").split("\t")
    try:
        print(*globals()[kind](*fields))  # noqa: T201
    except FunctionError as error:
        print(error.code, error.request_id, error.message)  # noqa: T201
    except Exception:  # noqa: BLE001
        print("refused")  # noqa: T201
