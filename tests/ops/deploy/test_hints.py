"""hints: what a deployment needs of others, which no file shows."""

import pytest

from tests.ops.deploy.project import CONFIGURED, check

PLAIN = (
    '[default]\nkey = "uploads/{owner}/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\nconfirm = true\n'
)
POST = PLAIN.replace("default", "post").replace("uploads/", "posts/")
HELD, TWO = 'hold = ["commit"]\nhold_days = 9\n', f"{'b' * 40},{'c' * 40}"
OF_HELD = [["hold_days", "[post] 9", "`expired`"]]
CODE = {"AI_LABEL_CODE": "001191330100MA0000000X20001"}
WEEK = "parts = true\nparts_within = 604800\n"
# Lines of [post], settings, and pieces of each hint that they bring.
HINTS = {
    "none": ("", {}, []),
    "held": (HELD, {}, OF_HELD),
    "checked by WeChat": (
        'hold = ["commit", "check"]\nhold_days = 9\n',
        {"WECHAT_PUSH_TOKEN": "t" * 32, "WECHAT_PUSH_AES_KEY": "k" * 43},
        [*OF_HELD, ["[post]: ", "/wechat-events"]],
    ),
    "checked by Aliyun": (
        'hold = ["commit", "check"]\ncheck_by = ["aliyun"]\nhold_days = 9\n',
        {},
        [*OF_HELD, ["[post]: ", "Content Moderation", "manage.py doctor"]],
    ),
    "a code that nobody writes": ("ai_label = true\n", CODE, [["AI_LABEL_CODE"]]),
    "labels that are removed": (f"{HELD}strip = true\n", {}, [*OF_HELD, ["[post]: strip"]]),
    "labels that are kept": (f"{HELD}strip = true\nai_label = true\n", CODE, OF_HELD),
    "an old secret": ("", {"TOKEN_SECRET": TWO}, [["TOKEN_SECRET", " 2 days"]]),
    "an old secret of held": (HELD, {"TOKEN_SECRET": TWO}, [["TOKEN_SECRET", " 11 days"], *OF_HELD]),
    "an old secret of receipts": (WEEK, {"RECEIPT_SECRET": TWO}, [["RECEIPT_SECRET", " 2 days"]]),
    "an old secret beside receipts": (
        HELD,
        {"RECEIPT_SECRET": "a" * 40, "TOKEN_SECRET": TWO},
        [["TOKEN_SECRET", " 2 days"], *OF_HELD],
    ),
    "erasing on events": ("", {"ERASE_ON": "user_authorization_revoke"}, [["ERASE_ON", "/wechat-events"]]),
}  # fmt: skip


@pytest.mark.parametrize("case", HINTS.values(), ids=HINTS)
def test_a_profile_or_setting_brings_the_hints_that_it_needs(project, case):
    more, variables, wanted = case
    (project / "profiles.toml").write_text(PLAIN + POST + more, "utf-8")
    report = check(project / "s.yaml", {**CONFIGURED, **variables})
    found = [hint for hint in report.hints if not hint.startswith("costs: ")]
    assert [all(piece in hint for piece in each) for hint, each in zip(found, wanted, strict=True)] == [
        True
    ] * len(wanted)
    assert sum("/wechat-events" in hint for hint in found) == ("/wechat-events" in str(wanted))
