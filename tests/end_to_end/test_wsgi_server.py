"""The function under a plain WSGI server, as one runs it without Function Compute."""

import threading

import pytest
import requests
import waitress

from function import VERSION
from handler import serve


@pytest.fixture
def served(instance, good_sts):
    function = instance().function
    sockets, ended = {}, threading.Event()
    server = waitress.create_server(
        lambda environ, start: serve(function, environ, start),
        map=sockets,
        host="127.0.0.1",
        port=0,
        threads=2,
    )

    def run():
        # Not server.run, which looks on at sockets that another thread closes.
        while not ended.is_set():
            server.asyncore.loop(timeout=0.05, map=sockets, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    ended.set()
    thread.join()
    server.task_dispatcher.shutdown()
    server.asyncore.close_all(sockets)


def test_a_plain_wsgi_server_hands_out_forms(served):
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{served}/api/upload-params", json={"filename": "猫.png", "size": 5}, timeout=60
        )
        assert answer.status_code == 200
        assert answer.json()["key"].endswith(".png")
        assert session.get(f"{served}/health", timeout=60).json() == {"status": "ok", "version": VERSION}
        assert session.get(f"{served}/nope", timeout=60).status_code == 404
        chunks = iter([b'{"filename":', b'"a.png"}'])
        assert session.post(f"{served}/", data=chunks, timeout=60).status_code == 200
        assert session.post(f"{served}/", data=b"x" * 70_000, timeout=60).status_code == 413
