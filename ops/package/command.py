"""
Make build/function: the modules, profiles.toml and the runtime dependencies, as the cloud runs them.

The result depends on the sources, requirements.txt and the compiling Python 3.12, not on this machine.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from ops.package.bytecode import compile_folder, find_python
from ops.package.cold_import import measure_cold_import, summary
from ops.package.function_files import PackagingError, find_function_files
from ops.package.sbom import write_sbom
from ops.package.size import PackageSize, measure, normalise, zip_folder
from ops.package.vendoring import TARGET_VERSION, check_glibc, check_packages, prune, vendor

SUMMARY = "make build/function, the folder that is deployed"
ROOT = Path(__file__).resolve().parents[2]
BUDGET_BYTES = 8_000_000
PARTS_SHOWN = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--python", metavar="PATH", help=f"the Python {TARGET_VERSION} that compiles the modules"
    )
    parser.add_argument("--zip", type=Path, metavar="FILE", help="also write the zip, for an upload by hand")
    parser.add_argument(
        "--measure", action="store_true", help="also time a cold import with bytecode and without"
    )


def run(args: argparse.Namespace) -> int:
    try:
        python = find_python(args.python, os.environ)
        zipped = build(ROOT, ROOT / "build" / "function", python)
        if args.zip:
            args.zip.write_bytes(zipped)
            print(f"zip: {args.zip}")
        if args.measure:
            _print_cold_import(python, zipped)
    except PackagingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def build(root: Path, target: Path, python: str | None, budget_bytes: int = BUDGET_BYTES) -> bytes:
    """
    Build beside ``target`` and put the result in its place only when all went well.

    Args:
        python: the interpreter that compiles; None leaves the package without bytecode, and says so.

        budget_bytes: the largest zip that passes.

    Returns:
        the package as a zip file.

    Raises:
        PackagingError: with what to change; ``target`` is then as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".function-", dir=target.parent) as name:
        folder = Path(name) / "function"
        folder.mkdir()
        bill = Path(name) / "bill.json"
        _fill(root, folder, python, bill)
        zipped = zip_folder(folder)
        size = measure(zipped)
        _print_size(f"{target.parent.name}/{target.name}", size, budget_bytes)
        if size.zipped_bytes > budget_bytes:
            raise PackagingError(
                f"the package has {size.zipped_bytes:,} bytes zipped; the budget is {budget_bytes:,}. A large"
                " package starts slowly: remove a dependency, or raise BUDGET_BYTES in ops/package/command.py"
            )
        if target.exists():
            target.replace(Path(name) / "previous")
        folder.replace(target)
        bill.replace(target.with_name(f"{target.name}.cdx.json"))
    return zipped


def _fill(root: Path, folder: Path, python: str | None, bill: Path) -> None:
    function = find_function_files(root)
    _step(f"dependencies of requirements.txt, for Python {TARGET_VERSION} on Linux x86_64")
    vendor(root / "requirements.txt", folder)
    check_packages(function.packages, folder)
    check_glibc(folder)
    licences = write_sbom(folder, bill, root / "pyproject.toml")
    _step("licences, and all else in the bill of materials (function.cdx.json): " + _listed(licences))
    freed = prune(folder)
    _step(f"left out {freed / 1e6:.1f} MB of tests, stubs, scripts and installer's notes")
    for path in function.files:
        place = folder / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    _step(f"{len(function.files)} files of the function")
    if python:
        compile_folder(python, folder)
        _step(f"bytecode by {python}")
    else:
        _warn_of_missing_bytecode()
    normalise(folder)


def _listed(licences: dict[str, list[str]]) -> str:
    return "; ".join(f"{licence}: {', '.join(names)}" for licence, names in sorted(licences.items()))


def _step(text: str) -> None:
    print(f"  {text}", flush=True)


def _warn_of_missing_bytecode() -> None:
    rule = "!" * 100
    print(
        f"{rule}\nNO BYTECODE: no Python {TARGET_VERSION} that runs was found. Every cold start will compile"
        f" all modules anew\nand take more than twice as long. Install Python {TARGET_VERSION}, or name one:"
        f" python3 manage.py package --python PATH\n{rule}",
        file=sys.stderr,
        flush=True,
    )


def _print_size(name: str, size: PackageSize, budget_bytes: int) -> None:
    print(
        f"{name}: {size.files} files, {size.bytes / 1e6:.1f} MB, {size.zipped_bytes / 1e6:.2f} MB zipped"
        f" (budget {budget_bytes / 1e6:g} MB); the largest parts:"
    )
    for part, plain, zipped in size.parts[:PARTS_SHOWN]:
        print(f"  {zipped / 1e3:9,.0f} KB zipped {plain / 1e3:9,.0f} KB  {part}")


def _print_cold_import(python: str | None, zipped: bytes) -> None:
    if python is None:
        raise PackagingError(f"--measure needs a Python {TARGET_VERSION}")
    print(summary(*measure_cold_import(python, zipped)))
