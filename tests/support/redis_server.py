"""A real Redis for tests, torture and benchmarks, and a line to it that can be slow, or torn."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.support.ports import LOOPBACK, held_port

START_SECONDS = 60.0
READ_BYTES = 65_536
NEEDED = "needs redis-server (apt install redis-server)"


def is_installed() -> bool:
    return shutil.which("redis-server") is not None


class RedisServer:
    """
    A ``redis-server`` of its own on this machine, which keeps nothing on disk.

    Args:
        folder: where it works.

        options: of ``redis.conf``, by name; ``_`` for ``-``.
    """

    def __init__(self, folder: Path, port: int = 0, **options: str) -> None:
        # Held between a stop and the next start as well.
        self._held = contextlib.ExitStack()
        self.port = port or self._held.enter_context(held_port())
        self._folder = folder
        self._options = {"save": "", "appendonly": "no", "loglevel": "warning", **options}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}"

    def start(self) -> "RedisServer":
        """Returns once it answers, be it with a refusal."""
        given = {
            "port": str(self.port),
            **{name.replace("_", "-"): value for name, value in self._options.items()},
        }
        words = [word for name, value in given.items() for word in (f"--{name}", *(value.split() or [""]))]
        self._process = subprocess.Popen(
            ["redis-server", "--bind", LOOPBACK, "--dir", str(self._folder), *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection((LOOPBACK, self._open_port), 0.2).close()
                return self
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("redis-server does not start")

    @property
    def _open_port(self) -> int:
        return int(self._options.get("tls_port", self.port))

    def admin(self, **options: str) -> "redis.Redis":
        """A client for what a test arranges."""
        return redis.Redis(LOOPBACK, self.port, socket_timeout=5, **options)  # type: ignore[arg-type]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            # One that was halted does not hear of it otherwise.
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None

    def kill(self) -> None:
        """As when the machine is gone: no goodbye."""
        self.stop(signal.SIGKILL)

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """While it takes connections and answers nothing, as when it swaps or forks."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def __enter__(self) -> "RedisServer":
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
        self._held.close()


class Line:
    """
    A TCP line to a port of this machine that a test makes slow, or tears.

    Args:
        delay_seconds: that each piece from the server waits; ``drip``: it comes byte by byte, each so late.
    """

    def __init__(self, to_port: int, delay_seconds: float = 0.0, drip: bool = False) -> None:
        self._to_port = to_port
        self.delay_seconds = delay_seconds
        self.drip = drip
        # How many answers of the server are swallowed, and the line torn instead.
        self.answers_to_swallow = 0
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}"

    def tear(self) -> None:
        """End every connection there is."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # Closing alone does not wake accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.tear()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self.connections += 1
                try:
                    far = socket.create_connection((LOOPBACK, self._to_port))
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(READ_BYTES):
                if is_answer and self.answers_to_swallow:
                    self.answers_to_swallow -= 1
                    target.shutdown(socket.SHUT_RDWR)
                    return
                pieces = [data[place : place + 1] for place in range(len(data))] if self.drip else [data]
                for piece in pieces:
                    if is_answer and self.delay_seconds:
                        time.sleep(self.delay_seconds)
                    target.sendall(piece)
            target.shutdown(socket.SHUT_RDWR)
