"""Clouds that several tests share: one test leaves nothing to the next."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
MAKERS = {"LocalCloud", "running_cloud", "start_cloud", "deployment"}


def lends_a_cloud(text):
    """Whether a fixture gives every test of a module the same one."""
    fixtures = (each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef))
    return any(
        "scope=" in " ".join(ast.unparse(each) for each in fixture.decorator_list)
        and MAKERS & {each.id for each in ast.walk(fixture) if isinstance(each, ast.Name)}
        for fixture in fixtures
    )


def sharing():
    """Files that share a cloud, and their text with their conftest's."""
    for path in sorted(TESTS.rglob("*.py")):
        texts = [path.read_text("utf-8")]
        above = path.with_name("conftest.py")
        if above.exists() and path != above:
            texts.append(above.read_text("utf-8"))
        if any(maker in "".join(texts) for maker in MAKERS) and any(map(lends_a_cloud, texts)):
            yield str(path.relative_to(TESTS)), "".join(texts)


def test_where_a_lent_cloud_s_clock_is_moved_no_test_reads_the_machine_s():
    """Moves add up over a module: after 15 minutes OSS refuses what the machine's time signed."""
    clocks = ("datetime.now(", "time.time()")
    moved = [(path, text) for path, text in sharing() if "let_minutes_pass" in text]
    assert [path for path, text in moved if any(clock in text for clock in clocks)] == []


def test_a_lent_cloud_is_reset_before_the_next_test():
    assert [path for path, text in sharing() if ".reset()" not in text] == []
