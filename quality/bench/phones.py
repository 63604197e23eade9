"""
Phones that come at once: each logs in, then asks for a form. In a process of their own.
"""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from quality.bench.load_generator import LoadFailed
from quality.bench.peers.task import WANTED

SILENCE_SECONDS = 60
LOGIN = {"code": "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P"}

Visit = tuple[float, float]


def visit_at_once(ports: list[int]) -> list[Visit]:
    """
    Args:
        ports: one a phone.

    Returns:
        seconds of the login and of the form, one pair a phone.
    """
    barrier = threading.Barrier(len(ports))
    with ThreadPoolExecutor(len(ports)) as pool:
        return list(pool.map(lambda port: _visit(port, barrier), ports))


def _visit(port: int, barrier: threading.Barrier) -> Visit:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENCE_SECONDS)
    try:
        barrier.wait()
        started = time.perf_counter()
        token = ask(connection, "/login", LOGIN)["token"]
        logged_in = time.perf_counter()
        ask(connection, "/upload-params", WANTED, f"Bearer {token}")
        return logged_in - started, time.perf_counter() - logged_in
    finally:
        connection.close()


def ask(connection: http.client.HTTPConnection, path: str, body: object, authorization: str = "") -> dict:
    headers = {"Content-Type": "application/json"}
    if authorization:
        headers["Authorization"] = authorization
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise LoadFailed(f"{path} answered {answer.status} {text[:200]!r}")
    return json.loads(text)
