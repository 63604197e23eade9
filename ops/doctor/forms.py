"""
Forms of ``doctor``: the deployed function signs them, for a caller who logs in there.
"""

from collections.abc import Callable
from typing import Any

from function.config.profile import Profile
from function.uploads.request import UploadRequest
from ops.client.function_client import FunctionAtUrl
from ops.doctor.findings import refusal
from ops.terminal.language import Text

AskForm = Callable[[Profile, UploadRequest], dict[str, Any]]


class FormRefused(Exception):
    """
    Raised when the deployed function gave no form or no token.

    Args:
        said, remedy: what it answered, and what to do.
    """

    def __init__(self, said: Text, remedy: Text) -> None:
        super().__init__(said.en)
        self.said = said
        self.remedy = remedy


def forms_of_function(url: str, token: str) -> AskForm:
    """
    Forms that the deployed function signs for this caller; to ask raises ``FormRefused``, ``FunctionSilent``.

    Args:
        token: of a login; empty where anyone may ask.
    """
    client = FunctionAtUrl(url)

    def ask(profile: Profile, wanted: UploadRequest) -> dict[str, Any]:
        fields = {
            "profile": profile.name,
            "filename": wanted.filename,
            "contentType": wanted.content_type,
            "size": wanted.size_bytes,
            "sha256": wanted.sha256,
        }
        answer = client.ask("upload-params", fields, token)
        if answer.status != 200:
            raise FormRefused(*refusal(answer.status, answer.text))
        return answer.json

    return ask


def log_in_at(url: str, code: str, app: str = "") -> str:
    """
    The token that the deployed function gives for a login code of this app.

    Raises:
        FormRefused, FunctionSilent
    """
    answer = FunctionAtUrl(url).ask("login", {"code": code, "app": app}, "")
    token = answer.json.get("token")
    if answer.status != 200 or not isinstance(token, str):
        raise FormRefused(*refusal(answer.status, answer.text))
    return token
