"""
Fuzzing that needs nothing installed: seeds changed at random, without a look at what code they reach.
"""

import random
from collections.abc import Iterator, Sequence

from quality.torture.fuzz_targets import Target
from quality.torture.report import Progress
from tests.support.canaries import Watch

TOKENS = (
    *(b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"1e999", b"-1", b"0" * 20),
    *(b"\\ud800", b"\xff", b"\x00", b"\xef\xbb\xbf", b"'", b"\\", b"\n", b"%00", b"..", b"$", b"="),
    *(b"[[", b"{id}", b"{filename}", b"9" * 400, b"A" * 200, "猫".encode()),
)
KEPT = 64


def inputs(seeds: Sequence[bytes], chance: random.Random) -> Iterator[bytes]:
    """Endless; a changed input may itself be changed further."""
    pool = list(seeds)
    while True:
        data = bytearray(chance.choice(pool))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            _change(data, chance)
        changed = bytes(data[:4096])
        yield changed
        if chance.random() < 0.05:
            if len(pool) > KEPT:
                pool.pop(chance.randrange(len(seeds), len(pool)))
            pool.append(changed)


def _change(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    match chance.randrange(6):
        case 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        case 1:
            data[at:at] = chance.choice(TOKENS)
        case 2:
            del data[at : at + chance.randrange(1, 16)]
        case 3:
            data[at:at] = data[at : at + chance.randrange(1, 32)]
        case 4 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case _:
            other = chance.randrange(len(data) + 1)
            data[at : at + 4] = data[other : other + 4]


def run(name: str, target: Target, seeds: Sequence[bytes], count: int, watch: Watch) -> list[str]:
    """
    Returns:
        one sentence for each kind of escape: the exception and the input that led to it.
    """
    seed = random.SystemRandom().randrange(2**32)
    escapes: dict[str, str] = {}
    progress = Progress(f"fuzz {name}", count)
    source = inputs(seeds, random.Random(seed))
    for number in range(1, count + 1):
        data = next(source)
        try:
            target(data)
        except Exception as error:  # noqa: BLE001 - whatever escapes is a finding
            watch.search_error(error)
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else ""
            escapes.setdefault(f"{type(error).__name__} at {where}", f"{error!s:.80} from {data!r:.300}")
        if number % 256 == 0 or number == count:
            progress.show(number)
    return [f"{name}: {kind}: {what}" for kind, what in escapes.items()]
