"""
Shared libraries as a process loads them: without symbols and sections, which only debuggers and linkers read.

Source: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from pathlib import Path

# ELF of 64 bits, least significant byte first.
ELF = b"\x7fELF\x02\x01"
# In its header: where the table of segments stands, the size of an entry of it, and how many there are; the
# table of sections, likewise.
SEGMENTS, SEGMENT_ENTRIES = ("<Q", 32), ("<HH", 54)
SECTIONS, SECTION_ENTRIES = ("<Q", 40), ("<HHH", 58)
# In the entry of a segment: where its bytes begin in the file, and how many they are.
SEGMENT_START, SEGMENT_SIZE = ("<Q", 8), ("<Q", 32)


def strip_libraries(folder: Path) -> None:
    """Cut each library of the folder behind what is loaded."""
    for path in folder.rglob("*.so*"):
        library = path.read_bytes()
        if library.startswith(ELF):
            path.write_bytes(loaded_part(library))


def loaded_part(library: bytes) -> bytes:
    """Return a library up to the end of its last segment, without a table of sections."""
    (table,) = struct.unpack_from(SEGMENTS[0], library, SEGMENTS[1])
    size, number = struct.unpack_from(SEGMENT_ENTRIES[0], library, SEGMENT_ENTRIES[1])
    ends = [table + size * number]
    for entry in range(table, table + size * number, size):
        (start,) = struct.unpack_from(SEGMENT_START[0], library, entry + SEGMENT_START[1])
        (length,) = struct.unpack_from(SEGMENT_SIZE[0], library, entry + SEGMENT_SIZE[1])
        ends.append(start + length)
    loaded = bytearray(library[: max(ends)])
    struct.pack_into(SECTIONS[0], loaded, SECTIONS[1], 0)
    struct.pack_into(SECTION_ENTRIES[0], loaded, SECTION_ENTRIES[1], 0, 0, 0)
    return bytes(loaded)
