"""
Small wrong versions of a module: each differs from it in one operator, constant, condition or statement.
"""

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OPPOSITES = {"max": "min", "min": "max", "any": "all", "all": "any"}
SHOWN_CHARACTERS = 90


# A path is a row of (field, index) from the module down; the index is None for a single child.
Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Mutant:
    """
    One wrong version.

    Args:
        name: where and what, without line numbers, so that it outlives edits elsewhere.

        where: the function or class around it.
    """

    name: str
    where: str
    module: ast.Module
    path: Path
    wrong: ast.AST

    def tree(self) -> ast.Module:
        """The module with the mistake; what it does not change is the module's own."""
        wrong = copy.deepcopy(self.wrong)
        before = _at(self.module, self.path)
        tree: ast.Module = _replaced(self.module, self.path, ast.copy_location(wrong, before))
        ast.fix_missing_locations(wrong)
        return tree

    def statement(self) -> ast.Module:
        """Of the tree the statement of the module that has the mistake, alone."""
        place = self.path[0][1]
        assert place is not None
        return ast.Module([self.tree().body[place]], [])

    def nodes(self) -> Iterator[ast.AST]:
        """From the module down to what is changed."""
        return (_at(self.module, self.path[:length]) for length in range(len(self.path) + 1))

    def is_in_a_body(self) -> bool:
        """Return whether the code of a function changes, not what importing the module makes."""
        nodes = zip(self.nodes(), self.path, strict=False)
        return any(isinstance(node, ast.FunctionDef) and field == "body" for node, (field, _) in nodes)

    def lines(self) -> range:
        """Lines of the innermost statement, of one that holds others only those before them."""
        kinds = (ast.stmt, ast.ExceptHandler, ast.pattern)
        node = [node for node in self.nodes() if isinstance(node, kinds)][-1]
        inner = [*getattr(node, "body", ()), *getattr(node, "cases", ())]
        end = getattr(inner[0], "pattern", inner[0]).lineno - 1 if inner else node.end_lineno
        return range(node.lineno, max(node.lineno, end or 0) + 1)


def mutants_of(source: str) -> Iterator[Mutant]:
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for path, where in _walk(tree, (), "module"):
        node = _at(tree, path)
        for wrong in _changes(node):
            name = f"{where}: {_context(tree, path)}{_difference(node, wrong)}"
            seen[name] += 1
            if seen[name] > 1:
                name += f" ({seen[name]})"
            yield Mutant(name, where, tree, path, wrong)


def _walk(node: ast.AST, path: Path, where: str) -> Iterator[tuple[Path, str]]:
    if path:
        yield path, where
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        where = node.name if where == "module" else f"{where}.{node.name}"
    for field, value in ast.iter_fields(node):
        if _is_no_behaviour(node, field):
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if isinstance(child, ast.AST) and not _is_skipped(child, node, index):
                yield from _walk(child, (*path, (field, index if isinstance(value, list) else None)), where)


def _is_no_behaviour(node: ast.AST, field: str) -> bool:
    """Annotations, decorators, and the imports that only a type checker reads."""
    if field in ("annotation", "returns", "decorator_list", "type_params"):
        return True
    return field == "body" and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_skipped(child: ast.AST, parent: ast.AST, index: int) -> bool:
    if isinstance(child, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(child, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in child.bases):
        return True
    # What others may import by name is for the type checker too.
    if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__all__":
        return True
    is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    return is_docstring or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    for make in (_of_expression, _of_constant, _of_statement, _of_parts):
        yield from make(node)


def _of_expression(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in COMPARISONS:
                other = copy.deepcopy(node)
                other.ops[index] = COMPARISONS[type(operator)]()
                yield other
    elif isinstance(node, ast.BoolOp):
        swapped: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(swapped, node.values)
        yield from _without_each(node, "values")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
        yield node.left
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in OPPOSITES:
        yield ast.Name(OPPOSITES[node.id], node.ctx)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield from _without_each(node, "ifs", least=0)


def _of_constant(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)
    # Sentences are for people; names, patterns and protocol words are behaviour.
    elif isinstance(node.value, (str, bytes)) and b" " not in _bytes(node.value):
        yield ast.Constant(f"{node.value}~" if isinstance(node.value, str) else node.value + b"~")


def _bytes(value: str | bytes) -> bytes:
    return value.encode(errors="surrogatepass") if isinstance(value, str) else value


def _of_statement(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.If, ast.While)):
        for always in (True, False):
            other = copy.deepcopy(node)
            other.test = ast.Constant(always)
            # An endless loop is caught by its time limit only, so it is not made.
            if not (isinstance(node, ast.While) and always):
                yield other
    elif isinstance(node, (ast.Expr, ast.Raise, ast.AugAssign, ast.Assert)) or _changes_something(node):
        yield ast.Pass()
    elif isinstance(node, ast.Return) and not _is_none(node.value):
        yield ast.Return(None)
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
        yield ast.Continue()


def _changes_something(node: ast.AST) -> bool:
    """An assignment that could be left out; without one to a plain name, the next line would fail."""
    return isinstance(node, ast.Assign) and not any(isinstance(target, ast.Name) for target in node.targets)


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _of_parts(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Dict) and node.keys:
        for index in range(len(node.keys)):
            other = copy.deepcopy(node)
            del other.keys[index], other.values[index]
            yield other
    elif isinstance(node, ast.Call):
        yield from _without_each(node, "keywords", least=0)
    elif isinstance(node, (ast.Tuple, ast.List, ast.Set)) and isinstance(
        getattr(node, "ctx", ast.Load()), ast.Load
    ):
        yield from _without_each(node, "elts")
    elif isinstance(node, ast.MatchOr):
        yield from _without_each(node, "patterns", least=2)


def _without_each(node: ast.AST, field: str, least: int = 1) -> Iterator[ast.AST]:
    for index in range(len(getattr(node, field))):
        other = copy.deepcopy(node)
        parts = getattr(other, field)
        del parts[index]
        if len(parts) < least:
            continue
        yield parts[0] if isinstance(other, ast.BoolOp) and len(parts) == 1 else other


def _at(tree: ast.AST, path: Path) -> ast.AST:
    node: ast.AST = tree
    for field, index in path:
        child = getattr(node, field)
        node = child if index is None else child[index]
    return node


def _replaced(tree: Any, path: Path, wrong: ast.AST) -> Any:
    """A copy of the nodes down to the wrong one, which shares all others."""
    if not path:
        return wrong
    (field, index), rest = path[0], path[1:]
    other, value = copy.copy(tree), getattr(tree, field)
    if index is None:
        setattr(other, field, _replaced(value, rest, wrong))
    else:
        setattr(other, field, [*value[:index], _replaced(value[index], rest, wrong), *value[index + 1 :]])
    return other


def _context(tree: ast.Module, path: Path) -> str:
    """The statement around a constant, which by itself says little."""
    if not isinstance(_at(tree, path), ast.Constant):
        return ""
    around = [_at(tree, path[:length]) for length in range(1, len(path) + 1)]
    simple = [node for node in around if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    return f"[{_shown(simple[-1])}] " if simple else ""


def _difference(node: ast.AST, wrong: ast.AST) -> str:
    """Both versions, cut to where they differ when they are long."""
    before, after = (" ".join(ast.unparse(one).split()) for one in (node, wrong))
    if max(len(before), len(after)) <= SHOWN_CHARACTERS:
        return f"{before} -> {after}"
    same = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = max(0, same - SHOWN_CHARACTERS // 2)
    lead = "…" if start else ""
    return f"{lead}{_cut(before[start:])} -> {lead}{_cut(after[start:])}"


def _shown(node: ast.AST) -> str:
    return _cut(" ".join(ast.unparse(node).split()))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
