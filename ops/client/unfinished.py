"""
Record of an unfinished upload: one small file in the cache folder, for this user only.

The ticket in it opens that one upload, for as long as it lives.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Record:
    """
    One record.

    Args:
        path: of a file that is made when there is something to keep.
    """

    path: Path

    def keep(self, begun: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as record:
            json.dump(begun, record)

    def read(self) -> dict[str, Any] | None:
        """Return the record; ``None`` if it is absent or unreadable."""
        try:
            begun = json.loads(self.path.read_text("utf-8"))
            return begun if isinstance(begun["ticket"], str) and begun["partCount"] > 0 else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


def record_of(file: Path, wanted: Mapping[str, Any], place: str, environ: Mapping[str, str]) -> Record:
    """
    The record of this very file: another size, time, question or function is another one.

    Args:
        place: where the function is; another one does not know the ticket.
    """
    facts = file.stat()
    asked = [str(file.resolve()), facts.st_size, facts.st_mtime_ns, place, dict(wanted)]
    name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return Record(_cache_folder(environ) / f"{name}.json")


def _cache_folder(environ: Mapping[str, str]) -> Path:
    root = environ.get("XDG_CACHE_HOME") or environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(root) / "oss-direct-upload"
