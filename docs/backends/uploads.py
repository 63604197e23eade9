# What a backend needs: verify receipts and webhooks, call the function.

import json
import time
from urllib.request import Request, urlopen

import jwt  # PyJWT
from standardwebhooks.webhooks import Webhook


def verify_receipt(receipt: str, secret: str) -> dict:
    options = {"require": ["exp"]}
    return jwt.decode(
        receipt, secret, algorithms=["HS256"], audience="oss-direct-upload/receipt", options=options
    )


def verify_webhook(body: bytes, headers: dict, secret: str) -> dict:
    event = Webhook(secret.encode()).verify(body, headers)
    if "receipt" in event:
        event["claims"] = jwt.decode(event["receipt"], options={"verify_signature": False})
    return event


class FunctionError(Exception):
    def __init__(self, message: str, code: str = "", requestId: str = "", status: int = 502, **_):
        super().__init__(f"{message} {code} {requestId}".strip())
        self.message, self.code, self.request_id, self.status = message, code, requestId, status


def call(function: str, route: str, body: dict, secret: str) -> dict:
    claims = {"aud": "oss-direct-upload/backend", "exp": int(time.time()) + 300}
    headers = {
        "Authorization": f"Bearer {jwt.encode(claims, secret, algorithm='HS256')}",
        "Content-Type": "application/json",
    }
    request = Request(f"{function}/{route}", json.dumps(body).encode(), headers)
    try:
        with urlopen(request, timeout=15) as answer:
            return json.load(answer)
    except OSError as error:
        try:
            said = json.load(error)["error"]
        except (AttributeError, KeyError, ValueError):
            said = {"message": f"{route}: {error}"}
        raise FunctionError(**said) from None


# For each receipt, in order, its state, or an error: repeat those later.
def commit(function: str, receipts: list[str], secret: str) -> list[dict]:
    return call(function, "commit", {"receipts": receipts}, secret)["results"]


# Whose session it is: sub, owner, exp; or active: false.
def introspect(function: str, session: str, secret: str) -> dict:
    return call(function, "introspect", {"token": session}, secret)
