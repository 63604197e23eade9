"""
Import hook that loads modules from one file of bytecode, which spares a cold start the search for each.

Packaging makes the file. Code counts for exactly the source that it was compiled from, and for its Python.
"""

import _imp
import marshal
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from types import CodeType

FOLDER = Path(__file__).parent
FILE = "bytecode.bin"
# Before the code: the number of the Python that compiled it, and where the index begins.
MAGIC_BYTES, HEADER_BYTES = 4, 8
MAX_INDEX_BYTES = 2**20


class BytecodeLoader(SourceFileLoader):
    """
    Loader of one module of the file, and as a class the finder of them all.

    Args:
        index: path, size and hash of the source, start and size of the code, by the name of a module.
    """

    file = -1
    index: dict[str, tuple[str, int, str, int, int]] = {}

    @classmethod
    def find_spec(cls, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Return how to load a module; ``None`` for one that the file does not hold."""
        if name not in cls.index:
            return None
        path = f"{FOLDER}/{cls.index[name][0]}"
        # As importlib's spec_from_file_location makes it, but for the search for a .pyc.
        spec = ModuleSpec(name, cls(name, path), origin=path)
        spec.has_location, spec.cached = True, f"{FOLDER}/{FILE}"
        if path.endswith("/__init__.py"):
            spec.submodule_search_locations = [path.removesuffix("/__init__.py")]
        return spec

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code with the path of its source, for tracebacks; compile a source that has changed."""
        _, source_size, digest, start, size = self.index[fullname]
        # A file object makes eight system calls of these three.
        source = os.open(self.path, os.O_RDONLY)
        read = os.read(source, source_size + 1)
        os.close(source)
        if source_hash(read).hex() != digest:
            return super().get_code(fullname)
        code: CodeType = marshal.loads(os.pread(self.file, size, start))
        _imp._fix_co_filename(code, self.path)  # type: ignore[attr-defined]  # as for any .pyc
        return code


def install() -> None:
    """Import from the file from now on, where there is one of this Python."""
    try:
        file = os.open(FOLDER / FILE, os.O_RDONLY)
    except FileNotFoundError:
        return
    header = os.read(file, HEADER_BYTES)
    if header[:MAGIC_BYTES] != MAGIC_NUMBER:
        os.close(file)
        return
    index = os.pread(file, MAX_INDEX_BYTES, int.from_bytes(header[MAGIC_BYTES:], "little"))
    BytecodeLoader.file, BytecodeLoader.index = file, marshal.loads(index)
    sys.meta_path.insert(0, BytecodeLoader)
