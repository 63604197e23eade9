"""Proof beyond the tests: benchmarks beside the peers, faults, fuzzing and mutation."""
