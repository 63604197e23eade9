"""
Codes of Content Moderation's own answers: numbers, with a text of their own.

Sources: https://help.aliyun.com/zh/document_detail/467829.html, https://help.aliyun.com/zh/document_detail/2669854.html
"""

from local.green.rules import GreenRules

DONE = 200
RUNNING = 280
EMPTY = 400
WRONG = 401
TOO_LONG = 402
TOO_OFTEN = 403
NOT_DOWNLOADED = 404
DOWNLOAD_TIMEOUT = 405
TOO_LARGE = 406
NOT_SUPPORTED = 407
NO_PERMISSION = 408
NO_SUCH_TASK = 409

# Those of the old edition by those of this one.
OLD = {NOT_DOWNLOADED: 480, DOWNLOAD_TIMEOUT: 592, TOO_LARGE: 589, NOT_SUPPORTED: 590}

# The words are ours, but for 200, 408 and 411.
TEXTS = {
    DONE: "OK",
    RUNNING: "the task is running",
    EMPTY: "a parameter is empty",
    WRONG: "a parameter is wrong",
    TOO_LONG: "a parameter is too long",
    TOO_OFTEN: "the calls exceed the limit",
    NOT_DOWNLOADED: "the file could not be downloaded",
    DOWNLOAD_TIMEOUT: "the download timed out",
    TOO_LARGE: "the file is too large",
    NOT_SUPPORTED: "the format is not supported",
    NO_PERMISSION: "No permissions.",
    NO_SUCH_TASK: "there is no such task",
    411: "You don't have permission.",
    500: "a system error",
}


class GreenError(Exception):
    """
    Raised when the service answers with another Code than 200.

    Args:
        code: of this edition.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def code_by(self, rules: GreenRules) -> int:
        return OLD.get(self.code, self.code) if rules.moderation_old_codes else self.code


def text_of(code: int) -> str:
    return TEXTS.get(code, f"code {code}")
