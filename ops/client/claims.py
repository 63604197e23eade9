"""
What a receipt says; whether it may be believed, only a holder of the secret can tell.
"""

import base64
import json
from typing import Any


def read_claims(receipt: str) -> dict[str, Any] | None:
    """The claims of a JWT, unchecked; ``None`` for what is none."""
    payload = receipt.split(".")[1] if receipt.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None
