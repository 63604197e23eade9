"""
What an instance is: its size, its runtime, and what starts in it; one request at a time, or a server of ours.
"""

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ops.deploy.s_yaml import Place, Problem
from ops.deploy.schema_check import wrong_value
from ops.terminal.language import Text

# 1 vCPU to 1 GB at the one end, to 4 GB at the other.
# Source: https://help.aliyun.com/zh/ros/developer-reference/aliyun-fc3-function
MIN_GB_PER_CPU, MAX_GB_PER_CPU = 1, 4
CPU_STEP = Decimal("0.05")
BUILT_IN, CUSTOM = "python3.12", "custom.debian11"
SERVER = "burst_server.py"
PACKAGE = "build/function-burst"
# Variables that are no settings of the function, but of what starts it.
NAMES_OF_RUNTIMES = {CUSTOM: frozenset({"PATH"})}

OF_CUSTOM_RUNTIMES = {
    "instanceConcurrency": Text(
        f"is for custom runtimes and containers; {BUILT_IN} takes one request at a time (see s.burst.yaml)",
        f"只用于自定义运行时和容器；{BUILT_IN} 一次处理一个请求（见 s.burst.yaml）",
    ),
    "customRuntimeConfig": Text(
        f"is for custom runtimes; the runtime is {BUILT_IN}", f"只用于自定义运行时；这里的运行时是 {BUILT_IN}"
    ),
}
MISSING = Text(
    f"is missing; {CUSTOM} needs it, as in s.burst.yaml", f"缺少；{CUSTOM} 需要它，见 s.burst.yaml"
)
ADDRESS_MISSING = Text(
    "is missing; a custom runtime sees Function Compute's own address as everybody's, and all phones would"
    " share one LOGIN_RATE: write X-Forwarded-For",
    "缺少；自定义运行时看到的都是函数计算自己的地址，所有手机会共用一个 LOGIN_RATE：请写 X-Forwarded-For",
)


def instance_problems(props: Mapping[str, Any], place: Place, root: Path, folder: Path) -> Iterator[Problem]:
    """
    A size that is none, and what this runtime cannot use, or lacks.

    Args:
        root: the project's folder.
        folder: where the path of the package starts.
    """
    yield from _size_problems(props, place)
    if props.get("runtime") == BUILT_IN:
        for name, sentence in OF_CUSTOM_RUNTIMES.items():
            if name in props:
                yield Problem((*place, name), sentence)
    elif props.get("runtime") == CUSTOM:
        yield from _custom_problems(props, place, root, folder)


def _size_problems(props: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    cpu, memory = props.get("cpu"), props.get("memorySize")
    if not (isinstance(cpu, int | float) and isinstance(memory, int)) or cpu <= 0:
        return
    if Decimal(str(cpu)) % CPU_STEP:
        step = Text(f"must be a multiple of {CPU_STEP}", f"应为 {CPU_STEP} 的倍数")
        yield wrong_value(cpu, (*place, "cpu"), step)
    if not MIN_GB_PER_CPU <= memory / 1024 / cpu <= MAX_GB_PER_CPU:
        least, most = memory / 1024 / MAX_GB_PER_CPU, memory / 1024 / MIN_GB_PER_CPU
        yield Problem(
            (*place, "cpu"),
            Text(
                f"= {cpu} does not go with memorySize {memory}: memory in GB must be {MIN_GB_PER_CPU} to"
                f" {MAX_GB_PER_CPU} times the cpu, so cpu {least:g} to {most:g}",
                f"= {cpu} 与 memorySize {memory} 不相配：以 GB 计的内存应为 cpu 的 {MIN_GB_PER_CPU} 到"
                f" {MAX_GB_PER_CPU} 倍，所以 cpu 应为 {least:g} 到 {most:g}",
            ),
        )


def _custom_problems(props: Mapping[str, Any], place: Place, root: Path, folder: Path) -> Iterator[Problem]:
    for name in OF_CUSTOM_RUNTIMES:
        if name not in props:
            yield Problem((*place, name), MISSING)
    package = os.path.relpath(root / PACKAGE, folder)
    if os.path.normpath(str(props.get("code"))) != package:
        only_there = Text(f"must be {package}, which has the server", f"应为有服务器的 {package}")
        yield wrong_value(props.get("code"), (*place, "code"), only_there)
    variables = props.get("environmentVariables")
    if isinstance(variables, dict) and not variables.get("CLIENT_ADDRESS_HEADER"):
        yield Problem((*place, "environmentVariables", "CLIENT_ADDRESS_HEADER"), ADDRESS_MISSING)
    config = props.get("customRuntimeConfig")
    if isinstance(config, dict) and isinstance(config.get("args"), list):
        yield from _start_problems(config, (*place, "customRuntimeConfig"))
        yield from _thread_problems(config["args"], props.get("instanceConcurrency"), place)


def _start_problems(config: Mapping[str, Any], place: Place) -> Iterator[Problem]:
    if config["args"][:1] != [SERVER]:
        sentence = Text(f"{SERVER}, --port and --threads", f" {SERVER}、--port 与 --threads")
        yield wrong_value(config["args"], (*place, "args"), _must_be(sentence))
    if _option(config["args"], "--port") != str(config.get("port")):
        as_listened = Text("the number behind --port in args", "与 args 里 --port 的数字相同")
        yield wrong_value(config.get("port"), (*place, "port"), _must_be(as_listened))


def _thread_problems(args: list[Any], concurrency: Any, place: Place) -> Iterator[Problem]:
    threads = _option(args, "--threads")
    if isinstance(concurrency, int) and not (threads.isdecimal() and int(threads) >= concurrency):
        sentence = Text(
            "must be at most the number behind --threads in args: with fewer threads requests wait in the"
            " instance",
            "不应大于 args 里 --threads 的数字：线程少了，请求会在实例里等",
        )
        yield wrong_value(concurrency, (*place, "instanceConcurrency"), sentence)


def _option(args: list[Any], name: str) -> str:
    """What stands behind this option; empty where it does not stand there."""
    return str(args[args.index(name) + 1]) if name in args[:-1] else ""


def _must_be(what: Text) -> Text:
    return Text(f"must be {what.en}", f"应为{what.zh}")
