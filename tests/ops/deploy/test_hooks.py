"""``hooks.py`` is imported by the check as the function will import it."""

import pytest

from tests.ops.deploy.project import CONFIGURED, check

GOOD = "def before_sign(caller, wanted, profile):\n    return None\n"


@pytest.mark.parametrize(("text", "problems"), [
    (None, 0), ("\ufeff" + GOOD, 0), ("before_sign = lambda *told: None", 0), (f"import re\n{GOOD}", 0),
    ("def before_sign(caller):\n    pass", 1), ("1 / 0", 1), ("def before_sign(:", 1),
])  # fmt: skip
def test_unusable_hooks_are_named(project, text, problems):
    if text is not None:
        (project / "hooks.py").write_text(text, "utf-8")
    found = check(project / "s.yaml", CONFIGURED).problems
    assert ["hooks.py" in each for each in found] == [True] * problems
