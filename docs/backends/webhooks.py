import jwt  # PyJWT
from standardwebhooks.webhooks import Webhook


def verify_webhook(body: bytes, headers: dict, secret: str) -> dict:
    event = Webhook(secret.encode()).verify(body, headers)
    if "receipt" in event:
        event["claims"] = jwt.decode(event["receipt"], options={"verify_signature": False})
    return event
