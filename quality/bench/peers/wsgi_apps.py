"""
WSGI applications for the same server: the floor and the function.

Each also answers ``/bench/cpu`` with the processor time of its process.
"""

import json
import time

import floor
from runtime import LOG

import handler


def with_cpu_time(application):
    def wrapped(environ, start_response):
        if environ["PATH_INFO"] != "/bench/cpu":
            return application(environ, start_response)
        return respond(str(time.process_time()).encode(), start_response)

    return wrapped


def respond(body, start_response):
    headers = [*floor.HEADERS.items(), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def answer_inline(environ, start_response):
    wanted = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    return respond(floor.answer(wanted, "bench", LOG).encode(), start_response)


inline = with_cpu_time(answer_inline)
function = with_cpu_time(handler.handler)
