"""
How long the package takes to import in a bare interpreter, with its bytecode and without.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

from bytecode import FILE
from ops.package.function_files import PackagingError
from ops.package.size import INSTANT_EPOCH
from ops.terminal.language import Text

# What the first request needs; the SDK is named in case the handler leaves its import for later.
# Processor time: with the files in the page cache an import waits for nothing, and what else the machine
# does must not count.
PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.process_time()
import handler, function.routes.upload_params, function.sts.aliyun_sdk
function.sts.aliyun_sdk.prepare()
import aliyunsdkcore.vendored.requests.adapters, aliyunsdksts.request.v20150401.AssumeRoleRequest
print(time.process_time() - start)
"""


def unpack_twice(zipped: bytes, folder: Path) -> tuple[Path, Path]:
    """
    Unpack the package as it is and without bytecode, every file and folder at one instant.

    Returns:
        the folder with it, and the one without.
    """
    with_bytecode, without = folder / "with", folder / "without"
    for target in (with_bytecode, without):
        with zipfile.ZipFile(BytesIO(zipped)) as archive:
            archive.extractall(target)
    for cache in list(without.rglob("__pycache__")):
        shutil.rmtree(cache)
    (without / FILE).unlink(missing_ok=True)
    for path in folder.rglob("*"):
        os.utime(path, (INSTANT_EPOCH, INSTANT_EPOCH))
    return with_bytecode, without


def measure_cold_import(python: str, zipped: bytes, rounds: int = 9) -> tuple[list[float], list[float]]:
    """
    Import in fresh processes, the two kinds in turn.

    Returns:
        milliseconds of processor time with bytecode and without, one figure a round.
    """
    with tempfile.TemporaryDirectory() as name:
        folders = unpack_twice(zipped, Path(name))
        for folder in folders:
            _import_milliseconds(python, folder)  # fills the page cache
        times = [[_import_milliseconds(python, folder) for folder in folders] for _ in range(rounds)]
    return [pair[0] for pair in times], [pair[1] for pair in times]


def summary(with_bytecode: list[float], without: list[float]) -> Text:
    fast, slow = statistics.median(with_bytecode), statistics.median(without)
    range_fast, range_slow = (f"{min(times):.0f}-{max(times):.0f}" for times in (with_bytecode, without))
    rounds, ratio = len(with_bytecode), slow / fast
    return Text(
        f"cold import of handler and SDK, processor time, median of {rounds}: {fast:.0f} ms with bytecode"
        f" ({range_fast}), {slow:.0f} ms without ({range_slow}): {ratio:.1f} times faster",
        f"handler 与 SDK 的冷导入，处理器时间，{rounds} 次的中位数："
        f"有字节码 {fast:.0f} 毫秒（{range_fast}），没有 {slow:.0f} 毫秒（{range_slow}），快 {ratio:.1f} 倍",
    )


def _import_milliseconds(python: str, folder: Path) -> float:
    # -B: the run without bytecode must not leave any for the next.
    command = [python, "-I", "-S", "-B", "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=False)
    if done.returncode:
        words = done.stderr.strip()[-1000:]
        raise PackagingError(Text(f"the package does not import:\n{words}", f"包无法导入：\n“{words}”"))
    return float(done.stdout) * 1000
