"""Cold start of the stack of Alibaba's Python samples, until its first form."""

import json
import sys

from sample_server import ask

print(json.dumps(ask().get_json()), flush=True)
sys.stdin.read()
