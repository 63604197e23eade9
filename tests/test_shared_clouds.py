"""Clouds that several tests share: each looks at names that it made, and at a whole list only at rest."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MAKERS = {"LocalCloud", "running_cloud", "start_cloud", "deployment"}
# What requests and pushes of anybody add to.
LISTS = {"objects", "uploads", "calls", "pushed", "billed"}
WHOLE = {"items", "keys", "values", "count", "copy", "total"}


def words_of(node):
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def functions_of(tree):
    return [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]


def lent_by(tree, known=()):
    """Fixtures that give every test of a module the same cloud, and those that hand one of these on."""
    fixtures = {each.name: each for each in functions_of(tree) if "fixture" in decorators_of(each)}
    lent = {*known} - {*fixtures}
    lent |= {
        name for name, each in fixtures.items() if "scope=" in decorators_of(each) and words_of(each) & MAKERS
    }
    for _ in fixtures:
        lent |= {name for name, each in fixtures.items() if handed_on_by(each) & lent}
    return lent


def decorators_of(function):
    return " ".join(ast.unparse(each) for each in function.decorator_list)


def handed_on_by(fixture):
    given = [each.value for each in ast.walk(fixture) if isinstance(each, ast.Yield | ast.Return)]
    return {root_of(each) for each in given if each}


def root_of(node):
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def is_by_name(node, parent):
    """Whether what is looked at is one entry, which the test names."""
    match parent:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[looked_at]):
            return looked_at is node
        case ast.Subscript(slice=index):
            return not isinstance(index, ast.Slice) and getattr(node, "attr", "") != "billed"
        case ast.Attribute(attr=method):
            return method not in WHOLE
        case ast.Assign() | ast.Tuple():
            return True  # another name for it, which is followed
    return False


def whole_lists(tree, lent):
    """The lines of a module that read a whole list of a shared cloud, at whatever time it is."""
    found = set()
    for function in functions_of(tree):
        names, lists = set(lent), set()
        for each in ast.walk(function):
            if isinstance(each, ast.Assign):
                for name, value in pairs_of(each):
                    if root_of(value) in names:
                        (lists if getattr(value, "attr", "") in LISTS else names).add(name)
        for parent in ast.walk(function):
            for node in ast.iter_child_nodes(parent):
                is_list = isinstance(node, ast.Attribute) and node.attr in LISTS and root_of(node) in names
                is_alias = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in lists
                if (is_list or is_alias) and not is_by_name(node, parent):
                    found.add(f"line {node.lineno}: {ast.unparse(node)}")
    return sorted(found)


def pairs_of(assignment):
    target, value = assignment.targets[0], assignment.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [(ast.unparse(one), other) for one, other in zip(target.elts, value.elts, strict=False)]
    return [(ast.unparse(target), value)]


def trees():
    """Files that share a cloud, with the fixtures that lend it, and their text with their conftest's."""
    for path in sorted(TESTS.rglob("*.py")):
        text = path.read_text("utf-8")
        above = path.with_name("conftest.py")
        around = above.read_text("utf-8") if above.exists() and path != above else ""
        if not any(maker in text + around for maker in MAKERS):
            continue
        tree = ast.parse(text)
        if lent := lent_by(tree, lent_by(ast.parse(around))):
            yield path.relative_to(TESTS), tree, lent, text + around


def test_a_whole_list_of_a_shared_cloud_is_read_at_rest_only():
    assert [f"{path} {line}" for path, tree, lent, _ in trees() for line in whole_lists(tree, lent)] == []


def test_where_a_lent_cloud_s_clock_is_moved_no_test_reads_the_machine_s():
    """Moves add up over a module: after 15 minutes OSS refuses what the machine's time signed."""
    clocks = ("datetime.now(", "time.time()")
    moved = [(path, text) for path, _, _, text in trees() if "let_minutes_pass" in text]
    assert [str(path) for path, text in moved if any(clock in text for clock in clocks)] == []


def test_a_lent_cloud_is_reset_before_the_next_test():
    assert [str(path) for path, _, _, text in trees() if ".reset()" not in text] == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("assert list(here.cloud.oss.objects) == []", True),
        ("assert here.cloud.idle().oss.objects == []", False),
        ("assert key in here.cloud.oss.objects", False),
        ("assert here.cloud.oss.objects[key].etag", False),
        ("calls = here.cloud.wechat.calls; assert len(calls) == 4", True),
        ("green = here.cloud.green; assert green.billed['ImageModeration'] == 1", True),
        ("assert [key for key, _ in here.cloud.oss.objects.items()]", True),
        ("assert here.cloud.sts.calls[since:] == []", True),
        ("assert own.oss.objects == []", False),
    ],
)
def test_the_guard_tells_a_whole_list_from_a_name(line, is_found):
    lender = "@pytest.fixture(scope='module')\ndef running():\n    yield LocalCloud()\n"
    here = "@pytest.fixture\ndef here(running):\n    yield running\n"
    tree = ast.parse(f"{lender}{here}def test(here, own):\n    {line}\n")
    assert lent_by(tree) == {"running", "here"}
    assert bool(whole_lists(tree, lent_by(tree))) is is_found
