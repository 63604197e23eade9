"""Clients and requests made from ``docs/openapi.yaml`` meet the local cloud; run by ``make test-all``."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.openapi import FILE, document
from tests.end_to_end.conftest import running_cloud

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("clients")
NODE_BIN = PROGRAMS / "node_modules/.bin"
PYTHON_BIN = Path(os.environ.get("OPENAPI_VENV") or ROOT / ".venv-openapi", "bin")
# The linter reports no use, and the generator of Python formats with the ruff beside it.
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{PYTHON_BIN}{os.pathsep}{os.environ['PATH']}",
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "NO_PROXY": "*",
}
# What the tool would have accepted: a file of 0 bytes, a ticket that is over. No schema can tell these apart.
UNTOLD = "positive_data_acceptance"
TSC = "--strict --module nodenext --target es2022 three_routes.ts"


@pytest.fixture
def origin(tmp_path):
    with running_cloud(tmp_path / "cloud") as running:
        yield running.start()


def output_of(folder, *command):
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expect_three_routes(printed):
    shown = json.loads(printed)
    assert {"key", "policy", "x-oss-signature"} <= set(shown["fields"])
    assert shown["code"] == "not_uploaded"


def test_the_linter_finds_no_error_in_the_openapi_document(tmp_path):
    output_of(tmp_path, NODE_BIN / "redocly", "lint", FILE)


def test_a_generated_typescript_client_calls_three_routes(origin, tmp_path):
    (tmp_path / "node_modules").symlink_to(PROGRAMS / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "three_routes.ts").write_bytes((PROGRAMS / "three_routes.ts").read_bytes())
    output_of(tmp_path, NODE_BIN / "openapi-typescript", FILE, "-o", "schema.ts")
    output_of(tmp_path, NODE_BIN / "tsc", *TSC.split())
    expect_three_routes(output_of(tmp_path, "node", "three_routes.js", origin))


def test_a_generated_python_client_calls_three_routes(origin, tmp_path):
    document = yaml.safe_load(FILE.read_text("utf-8"))
    # Only WeChat sends XML, which this generator does not know.
    del document["paths"]["/wechat-events"]["post"]["requestBody"]["content"]["text/xml"]
    # And WeChat alone fetches pictures from the function.
    del document["paths"]["/check-source"]
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document), "utf-8")
    generate = "generate --fail-on-warning --meta none --output-path generated --path openapi.yaml"
    output_of(tmp_path, PYTHON_BIN / "openapi-python-client", *generate.split())
    (tmp_path / "three_routes.py").write_bytes((PROGRAMS / "three_routes.py").read_bytes())
    expect_three_routes(output_of(tmp_path, PYTHON_BIN / "python", "three_routes.py", origin))


def test_schemathesis_finds_nothing_that_is_not_documented(tmp_path, caplog):
    """Hundreds of requests made of the document, right ones and wrong ones, and methods it does not name."""
    caplog.set_level(logging.CRITICAL)
    rates = dict.fromkeys(("CALLER_RATE", "LOGIN_RATE", "READ_RATE"), "100000/min")
    with running_cloud(tmp_path / "cloud") as running:
        running.usual = running.start(ERASE="true", **rates)
        command = [sys.executable, "-m", "schemathesis.cli", "run", FILE, "--url", running.usual]
        command += ["--header", f"Authorization: Bearer {running.log_in()}"]
        command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "20"]
        command += [
            "--generation-deterministic",
            "--exclude-checks",
            UNTOLD,
            "--warnings",
            "off",
            "--no-color",
        ]
        shown = output_of(tmp_path, *command)
    operations = sum(len(item) for item in document()["paths"].values())
    assert f"Tested: {operations}" in shown
