"""What tests of the local cloud send, and a server for what a service of it asks of others."""

import threading
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from local.common.http_server import Handler, Server
from local.oss.versions import StoredObject


def put_object(objects, key, modified, **more):
    """Put an object into a bucket's folder, as if it had been uploaded; what is kept of it."""
    with objects.new_file() as file:
        stored = StoredObject(key, 0, "E", "image/png", modified, objects.path_of(key), **more)
    objects.store(Path(file.name), stored, forbid_overwrite=False)
    return stored


def exchange(origin, method, target, body=None, headers=None):
    """Return status, headers and body of the answer to one request, on a connection of its own."""
    with closing(HTTPConnection(origin.removeprefix("http://"), timeout=60)) as connection:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def sender(origin):
    """Return what sends one request: status, content type and body of the answer."""

    def send(method, target, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, told, answer = exchange(origin, method, target, body, named)
        return status, told.get("Content-Type"), answer

    return send


class Site:
    """
    A server that has files, takes what is posted, and keeps every request.

    Args:
        picture: the bytes of the pictures that it has at first, whose names say what a checker finds.

    Attributes:
        files: status and body by path; a path in ``slow`` is never answered.

        posted: makes status and body of the answer to a POST, of its path and body.
    """

    def __init__(self, picture=b""):
        self.files, self.slow, self.requests = {}, set(), []
        self.posted = lambda path, body: (200, b"success")
        self.arrived, self.released = threading.Condition(), threading.Event()
        site = self

        class Asked(Handler):
            def do_GET(self):
                body, path = self.read_body(1 << 24), self.path.partition("?")[0]
                with site.arrived:
                    site.requests.append((self.command, self.path, self.headers, body))
                    site.arrived.notify_all()
                if path in site.slow:
                    site.released.wait(10)
                    return self.drop_connection()
                if self.command == "POST":
                    return self.answer(*site.posted(self.path, body))
                return self.answer(*site.files.get(path, (404, b"no such file")), "image/png")

            do_POST = do_GET

        self.server = Server(Asked)
        self.origin = self.server.origin
        for name in ("sunset", "risky-1", "review-1", "silent-1"):
            self.put(f"{name}.png", picture)

    def start(self):
        self.server.start()
        return self

    def put(self, name, body, status=200):
        """The address of a file."""
        self.files[f"/held/{name}"] = status, body
        return f"{self.origin}/held/{name}"

    def of(self, method):
        """Path and body of the requests so far by this method."""
        return [(path, body) for asked, path, _, body in self.requests if asked == method]

    def pushes(self, count):
        """Path and body of what was posted, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.of("POST")) >= count, timeout=60), self.requests
            return self.of("POST")

    def stop(self):
        self.released.set()
        self.server.stop()
