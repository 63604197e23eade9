"""``hooks.py`` is imported by the check as the function will import it."""

import pytest

from ops.deploy.hooks import hooks_problems
from tests.ops.words import in_english

GOOD = "def before_sign(caller, wanted, profile):\n    return None\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, []),
        (GOOD, []),
        ("before_sign = lambda *told: None", []),
        (
            "def before_sign(caller):\n    pass",
            ["before_sign must take three arguments"],
        ),
        ("1 / 0", ["hooks.py cannot be used: importing it raised ZeroDivisionError"]),
        ("", ["hooks.py cannot be used: it has no function before_sign(caller, wanted, profile)"]),
    ],
)
def test_a_file_that_the_function_could_not_use_is_named_before_it_is_deployed(tmp_path, text, said):
    if text is not None:
        (tmp_path / "hooks.py").write_text(text, "utf-8")
    problems = list(hooks_problems(tmp_path))
    assert in_english(problem.sentence for problem in problems) == said
    assert {problem.place for problem in problems} <= {("hooks.py",)}
