"""One HTTP exchange with an emulator."""

import http.client


def sender(origin):
    """Return what sends one request: status, content type and body of the answer."""

    def send(method, target, body=None, **headers):
        connection = http.client.HTTPConnection(origin.removeprefix("http://"), timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, target, body, named)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type"), answer.read()
        finally:
            connection.close()

    return send
