"""The zip file of a folder, the same every time."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

# The oldest instant a zip file can hold; the same for every file, so that only content tells packages apart.
INSTANT = (1980, 1, 1, 0, 0, 0)
INSTANT_EPOCH = 315532800


def files_of(folder: Path) -> list[Path]:
    """Every file, in an order that no file system decides."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def normalise(folder: Path) -> None:
    """Give files and folders the modes and the instant that every build has."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (INSTANT_EPOCH, INSTANT_EPOCH))


def zip_folder(folder: Path) -> bytes:
    """A zip file of the folder's content that depends on nothing but that content and its modes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in files_of(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), INSTANT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = path.stat().st_mode << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    return buffer.getvalue()
