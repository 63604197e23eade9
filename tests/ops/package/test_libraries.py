"""Libraries of the package without symbols: they load as before, and hold nothing behind what is loaded."""

import struct

from ops.package.libraries import ELF, loaded_part, strip_libraries


def small_library(segments):
    """A header, its segments of these sizes, and the sections that a linker would put behind them."""
    table, size, start = 64, 56, 64 + 56 * len(segments)
    header = bytearray(ELF.ljust(64, b"\0"))
    struct.pack_into("<QQ", header, 32, table, start + sum(segments))
    struct.pack_into("<HHHHH", header, 54, size, len(segments), 64, 9, 8)
    entries, content = b"", b""
    for length in segments:
        entries += struct.pack("<IIQQQQQQ", 1, 5, start + len(content), 0, 0, length, length, 0)
        content += b"L" * length
    return bytes(header) + entries + content + b"symbols and sections"


def test_all_behind_the_last_segment_goes_with_the_table_that_leads_there():
    library = small_library([100, 10])
    loaded = loaded_part(library)
    assert library.startswith(loaded[:40]) and len(loaded) == 64 + 2 * 56 + 110
    assert struct.unpack_from("<Q", loaded, 40) == (0,)
    assert struct.unpack_from("<HHH", loaded, 58) == (0, 0, 0)
    assert loaded_part(loaded) == loaded


def test_only_libraries_of_the_target_s_kind_are_cut(tmp_path):
    others = {
        "text.so": b"INPUT(libc.so.6)",
        "of_32_bits.so": b"\x7fELF\x01\x01" + b"x" * 99,
        "a.py": b"pass",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    library = small_library([100])
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "lib.so.1").write_bytes(library)
    strip_libraries(tmp_path)
    assert (tmp_path / "room" / "lib.so.1").read_bytes() == loaded_part(library)
    assert {name: (tmp_path / name).read_bytes() for name in others} == others


def test_the_package_holds_no_symbols(package):
    libraries = list(package[0].rglob("*.so"))
    assert len(libraries) == 2
    for path in libraries:
        header = path.read_bytes()[:64]
        # Of an ELF file of 64 bits: the offset of its table of sections, and their number.
        assert (header[:5], header[0x28:0x30], header[0x3C:0x3E]) == (b"\x7fELF\x02", bytes(8), bytes(2))
