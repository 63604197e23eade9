"""
The second argument of a function, in the two shapes Function Compute gives it.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/context-1
"""

import logging
from collections.abc import Mapping
from typing import Any

from local.fc.event import ACCOUNT_ID

FUNCTION_NAME = "oss-direct-upload"


class Context:
    """Attributes and nothing else; its ``repr`` shows none of them, so no secret either."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def make_context(
    request_id: str,
    region: str,
    credentials: Mapping[str, str] | None = None,
) -> Context:
    """
    Make the context of one call.

    Args:
        credentials: ``access_key_id``, ``access_key_secret`` and perhaps ``security_token`` for the
            shape of python3.10 and older, which also has ``service``; ``None`` for that of python3.12.
    """
    function = {"name": FUNCTION_NAME, "handler": "handler.handler", "memory": 512, "timeout": 10}
    if credentials is None:
        return Context(
            request_id=request_id,
            function=Context(**function, version_id="LATEST", qualifier="LATEST"),
            logger=logging.getLogger(),
            log_project="",
            log_store="",
            region=region,
            account_id=ACCOUNT_ID,
        )
    return Context(
        request_id=request_id,
        credentials=Context(
            access_key_id=credentials["access_key_id"],
            access_key_secret=credentials["access_key_secret"],
            security_token=credentials.get("security_token", ""),
        ),
        function=Context(**function),
        service=Context(log_project="", log_store="", qualifier="LATEST", version_id="LATEST"),
        region=region,
        account_id=ACCOUNT_ID,
    )
