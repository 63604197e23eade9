"""
Coverage-guided fuzzing with atheris: ``python -m quality.torture.coverage_fuzz TARGET RUNS FOLDER``.

Runs in a process of its own, because libFuzzer ends the process when it is done.
"""

import json
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # only in the virtual environment made for it

INSTRUMENTED = ("function", "handler", "sts_credentials", "jwt", "tomllib")
SAVED_EVERY = 4096
MAX_BYTES = 4096
SECONDS_FOR_ONE = 10


def main(name: str, runs: int, folder: Path) -> None:
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        from quality.torture import fuzz_targets
    from tests.support.canaries import Watch

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(fuzz_targets.SEEDS[name]):
        (corpus / f"seed{number}").write_bytes(seed)
    watch, inputs = Watch(), 0
    target = fuzz_targets.of(name, watch, folder)

    def one_input(data: bytes) -> None:
        nonlocal inputs
        inputs += 1
        try:
            target(data)
        finally:
            if inputs % SAVED_EVERY == 0 or inputs >= runs or watch.found:
                (folder / "state.json").write_text(json.dumps([watch.searched, watch.found]), "utf-8")

    options = [f"-runs={runs}", f"-max_len={MAX_BYTES}", f"-timeout={SECONDS_FOR_ONE}"]
    options += [f"-artifact_prefix={folder}/", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
