"""Cold start of nothing at all: what the interpreter costs by itself."""

import sys

print("{}", flush=True)
sys.stdin.read()
