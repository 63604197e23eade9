"""
The floor once more, with the function's own tricks: one encoder for all, each instant written once, a policy
hashed without letting other threads in. What is left between the two is routes, checks, limits and errors.
"""

import hmac
import json
from base64 import b64encode
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import floor
from floor import ROLE, Credentials, document_of, form_of, new_id, signing_key, upload_of
from task import EXPIRES_SECONDS

HASHED_AT_ONCE = 2047
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def sign(wanted: dict[str, Any], now: datetime, upload_id: str = "", credentials: Credentials = ROLE) -> Any:
    """One file's part of the answer."""
    key_id, secret, token = credentials
    upload_id = upload_id or new_id()
    start = now.isoformat()[:19]
    end = (now + timedelta(seconds=EXPIRES_SECONDS)).isoformat()[:19]
    stamp = f"{start.replace('-', '').replace(':', '')}Z"
    day = start[:10].replace("-", "/")
    key = f"uploads/public/{day}/{upload_id}.{wanted['filename'].rpartition('.')[2]}"
    form = form_of(key, wanted, key_id, stamp, token)
    policy = b64encode(_encode(document_of(form, wanted["size"], f"{end}.000Z")).encode())
    mac = hmac.new(signing_key(secret, stamp[:8]), digestmod="sha256")
    for first in range(0, len(policy), HASHED_AT_ONCE):
        mac.update(policy[first : first + HASHED_AT_ONCE])
    form["policy"] = policy.decode()
    form["x-oss-signature"] = mac.hexdigest()
    return upload_of(form, wanted["size"], f"{end}Z", f"{start}Z", upload_id)


answer = partial(floor.answer, sign=sign, encode=_encode)
answer_event = partial(floor.answer_event, sign=sign, encode=_encode)
