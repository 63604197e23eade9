"""Tables of ARCHITECTURE, and the list of files: ``python -m quality.house --files [FOLDER ...]``."""

import ast
from collections.abc import Container, Mapping, Sequence
from functools import cache
from importlib import import_module

from quality.house import ROOT, modules, tracked

BESIDE_THE_FUNCTION = ("handler.py", "bytecode.py", "sts_credentials.py")
# Contents of each layer.
SENTENCES = (
    "Errors, settings and profiles: read once, validated, frozen.",
    "HTTP in and out, the log line, STS, rate limits and quotas.",
    "The context of a request; calls to OSS and WeChat.",
    "Callers, and our own tokens.",
    "Upload requests, tickets and receipts; the webhook; the checkers of content.",
    "Multipart uploads, held objects, reading, the objects of an owner; what several routes share.",
    "Due work; one module for each resource of the API.",
    "The edge, and the entry points of Function Compute.",
)


@cache
def imports() -> dict[str, set[str]]:
    """The modules of the tree that each imports, also inside functions; not those for annotations alone."""
    paths = [path for path in tracked("*.py") if not path.startswith(("tests/", "quality/tests/"))]
    named = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in paths}
    return {module: _imported_by(path, named) - {module} for module, path in named.items()}


def _imported_by(path: str, modules: Container[str]) -> set[str]:
    tree, found = ast.parse((ROOT / path).read_text("utf-8")), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            package = getattr(node, "module", None) or ""
            whole = f"{package}.{alias.name}".lstrip(".")
            found.add(whole if whole in modules else package)
    return {name for name in found if name in modules}


def circles(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that import themselves by way of others."""
    found = []
    for module in graph:
        reached, waiting = set[str](), list(graph[module])
        while waiting:
            if (name := waiting.pop()) not in reached:
                reached.add(name)
                waiting += graph[name]
        found += [module] * (module in reached)
    return found


def upward() -> list[str]:
    """Imports of the function that do not go down its layers."""
    house = import_module("tests.test_house")
    return [
        f"{module} {name}"
        for module, names in imports().items()
        for name in names & set(house.MODULES)
        if module in house.MODULES and not house.is_below(name, module)
    ]


def floor_table(floors: Sequence[Sequence[str]]) -> str:
    """Return ARCHITECTURE's table of layers, from the top down, in Markdown."""
    rows = [
        f"| {number} | {', '.join(map(_shown, names))} | {sentence} |"
        for number, (names, sentence) in enumerate(zip(floors, SENTENCES, strict=True), 1)
    ]
    return "\n".join(["| layer | modules | contents |", "|---|---|---|", *reversed(rows)])


def _shown(name: str) -> str:
    path = name.replace(".", "/")
    if path.endswith("/"):
        return f"`{path}`"
    places = (f"{path}.py", f"{path}/__init__.py", f"deploy/burst/{path}.py")
    return next(f"`{place}`" for place in places if (ROOT / place).is_file())


def by_option(options: Mapping[str, str]) -> dict[str, list[str]]:
    """The modules of the function under the first option that names them; under "" those of every request."""
    found: dict[str, list[str]] = {"": [], **{option: [] for option in options}}
    for path in (*BESIDE_THE_FUNCTION, *modules()):
        name = path.removeprefix("function/")
        first = (option for option, names in options.items() if name.startswith(tuple(names.split())))
        found[next(first, "")].append(path)
    return found


def option_table(options: Mapping[str, str]) -> str:
    """Return ARCHITECTURE's table of what exists by option, in Markdown."""
    rows = ["| opened by | modules of `function/` | lines |", "|---|---|---|"]
    for option, paths in by_option(options).items():
        names = ", ".join(f"`{n}`" if n[-1] in "/y" else f"`{n}…`" for n in options.get(option, "").split())
        lines = sum((ROOT / path).read_bytes().count(b"\n") for path in paths)
        rows.append(f"| {option or 'every request'} | {names or 'all others'} | {lines:,} |")
    return "\n".join(rows)


def files(folders: Sequence[str]) -> str:
    """Return a line for each module: its lines, and the first paragraph of its docstring."""
    shown = []
    for path in tracked(*(folders or (*BESIDE_THE_FUNCTION, "function"))):
        if path.endswith(".py"):
            text = (ROOT / path).read_text("utf-8")
            says = (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0]
            shown.append(f"{path:44} {len(text.splitlines()):>4}  {' '.join(says.split())}")
    return "\n".join(shown)


def printed(which: str, *folders: str) -> str:
    """Return what an option of ``quality.house`` prints."""
    if which == "--files":
        return files(folders)
    house = import_module("tests.test_house")
    return floor_table(house.FLOORS) if which == "--floors" else option_table(house.OPTIONS)
