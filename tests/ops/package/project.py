"""A small project with one dependency, built from a wheel beside it: no network."""

import contextlib
import zipfile
from pathlib import Path

from ops.package.command import build

ROOT = Path(__file__).resolve().parents[3]


def make_wheel(folder, name, files):
    metadata = {
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-1.0.dist-info/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, **metadata}.items():
            wheel.writestr(path, text)
        record = "".join(f"{path},,\n" for path in [*files, *metadata])
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", f"{record}{name}-1.0.dist-info/RECORD,,\n")


def make_project(root):
    root.mkdir(parents=True)
    (root / "function" / "room").mkdir(parents=True)
    (root / "function" / "__init__.py").write_text("", "utf-8")
    (root / "handler.py").write_text("import json\nimport function\nfrom demo import VOWELS\n", "utf-8")
    (root / "bytecode.py").write_bytes((ROOT / "bytecode.py").read_bytes())
    (root / "sts_credentials.py").write_text("import function.room.answers\n", "utf-8")
    # No import names it: a route is found by its name.
    (root / "function" / "room" / "answers.py").write_text("import function.errors\n", "utf-8")
    # A set of texts has another order in every process, unless the compiler sorts it.
    words = ", ".join(repr(f"word{number}") for number in range(40))
    (root / "function" / "errors.py").write_text(
        f"def known(word):\n    return word in {{{words}}}\n", "utf-8"
    )
    (root / "unused.py").write_text("", "utf-8")
    (root / "manage.py").write_text("import handler\n", "utf-8")
    (root / "profiles.toml").write_text("[default]\n", "utf-8")
    (root / "pyproject.toml").write_text('[project]\nname = "our-function"\nversion = "1.2.3"\n', "utf-8")
    (root / "requirements.txt").write_text("--no-index\n--find-links wheels\ndemo==1.0\n", "utf-8")
    make_wheel(
        root / "wheels",
        "demo",
        {
            "demo/__init__.py": "VOWELS = {'a', 'e', 'i', 'o', 'u'}\n\n\ndef main():\n    return 0\n",
            "demo/__init__.pyi": "VOWELS: set[str]\n",
            "demo/py.typed": "",
            "demo/tests/__init__.py": "",
            "demo/tests/test_demo.py": "assert False\n",
            "demo/data.json": "{}\n",
        },
    )
    return root


def pack(root, python=None, *extras, **options):
    with contextlib.chdir(root):  # where pip looks for ./wheels
        return build(root, root / "build" / "function", python, *extras, **options)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
