"""Cold start of the packaged function as on FC: ``initialize``, a login in WeChat's mode, the first form."""

import os
import sys
from pathlib import Path

from requests_of_clients import CONTEXT, event, token_of_caller

import handler

# Standard output is the log of the runtime.
bench, sys.stdout = sys.stdout, Path(os.devnull).open("w")  # noqa: SIM115 - open as long as the process lives
handler.initialize(CONTEXT)
token = token_of_caller(lambda asked: handler.handler(asked, CONTEXT))
print(handler.handler(event(token), CONTEXT)["body"], file=bench, flush=True)
sys.stdin.read()
