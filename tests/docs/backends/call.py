"""Commit receipts, then introspect a session: each state or code, and the subject; of an error its id."""

import sys

from calls import FunctionError, commit, introspect

function, receipts, secret, session = sys.argv[1:]
try:
    told = commit(function, receipts.split(","), secret)
    who = introspect(function, session, secret)
except FunctionError as error:
    print(error.code, error.request_id, error.message)  # noqa: T201
    sys.exit(1)
states = [entry.get("state") or entry["error"]["code"] for entry in told]
print(*states, who.get("sub") or "inactive")  # noqa: T201
