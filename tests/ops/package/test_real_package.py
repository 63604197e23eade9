"""The package that would be deployed: what is in it, and that it signs with nothing beside it."""

import http.client
import json
import re
import subprocess
import time

import pytest

from ops.package.bytecode import sources_in_one_file
from ops.package.command import BUDGET_BYTES
from ops.package.function_files import find_function_files
from ops.package.vendoring import MAX_GLIBC, needed_glibc
from tests.ops.package.project import names
from tests.ops.package.services import credentials, run_bare, serving, settings
from tests.support.ports import held_port


def test_the_package_holds_the_function_its_dependencies_and_no_leftovers(package, with_profiles):
    folder, zipped = package
    files = names(folder)
    top = {name.partition("/")[0] for name in files if "/" in name} - {"__pycache__"}
    assert {"aliyunsdkcore", "aliyunsdksts", "cryptography", "jwt", "certifi"} <= top
    assert not {"requests", "urllib3", "charset_normalizer", "idna"} & top
    ours = {name for name in files if name.startswith("function/") or "/" not in name}
    ours = {name for name in ours if name.endswith((".py", ".toml"))}
    assert {"handler.py", "function/routes/upload_params.py", "profiles.toml"} <= ours
    assert ours == set(find_function_files(with_profiles).files)
    leftovers = r"(^|/)(tests?|bin)/|\.dist-info|\.pyi$|cpython-3(?!12)\d+|(^|/)(manage|conftest)\.py$"
    assert [name for name in files if re.search(leftovers, name)] == []
    # One set of authorities, which all connections are checked with.
    assert [name for name in files if name.endswith(".pem")] == []
    assert len([name for name in files if name.startswith("certifi/authorities/")]) > 100
    sources = [name for name in files if name.endswith(".py")]
    bundled = sources_in_one_file(folder)
    assert {"function/app.py", "aliyunsdkcore/request.py", "jwt/api_jwt.py"} <= bundled <= set(sources)
    assert len([name for name in files if name.endswith(".cpython-312.pyc")]) == len(sources) - len(bundled)
    assert len(zipped) <= BUDGET_BYTES
    libraries = list(needed_glibc(folder))
    assert libraries and all(needed <= MAX_GLIBC for _, needed in libraries)


def test_no_secret_of_the_shell_that_built_the_package_is_in_it(package, watch):
    watch.search_folder(package[0], "package")
    assert watch.searched["package"] > 10**6
    assert watch.found == []


def test_the_bill_of_materials_lists_exactly_the_package(package):
    bill = json.loads(package[0].with_name("function.cdx.json").read_text("utf-8"))
    names = {component["name"] for component in bill["components"]}
    installed = {"PyJWT", "aliyun-python-sdk-core", "aliyun-python-sdk-sts", "certifi", "cryptography"}
    # Of cffi the part that what it has built needs.
    assert names == {*installed, "cffi", "backports.ssl_match_hostname", "requests", "six", "urllib3"}
    listed = {component["bom-ref"] for component in bill["components"]} | {"root-component"}
    assert {entry["ref"] for entry in bill["dependencies"]} == listed
    assert {ref for entry in bill["dependencies"] for ref in entry.get("dependsOn", [])} <= listed


@pytest.fixture
def sts_origin():
    with serving(lambda path: credentials()) as port:
        yield f"http://127.0.0.1:{port}"


BARE_PROGRAM = """
import sys
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
import json
import handler
import jwt
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA256

context = SimpleNamespace(request_id="R-2")
handler.initialize(context)
event = {
    "version": "v1", "rawPath": "/upload-params", "body": '{"filename": "a.png"}', "isBase64Encoded": False,
    "headers": {"Content-Type": "application/json"}, "queryParameters": {},
    "requestContext": {"requestId": "R-2", "http": {"method": "POST", "path": "/upload-params",
                       "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test"}},
}
answer = handler.handler(json.dumps(event).encode(), context)
token = jwt.encode({"sub": "someone"}, "k" * 32, "HS256")
assert jwt.decode(token, "k" * 32, ["HS256"])["sub"] == "someone"
private_key = rsa.generate_private_key(65537, 2048)
for algorithm in (MD5(), SHA256()):
    signature = private_key.sign(b"callback", padding.PKCS1v15(), algorithm)
    private_key.public_key().verify(signature, b"callback", padding.PKCS1v15(), algorithm)
signed = jwt.encode({"sub": "someone"}, private_key, "RS256")
jwt.decode(signed, private_key.public_key(), ["RS256"])
vendored = [m.__file__ for m in sys.modules.values() if "site-packages" in (getattr(m, "__file__", "") or "")]
print(json.dumps({"answer": answer, "outside": vendored}))
"""


def test_the_package_signs_an_upload_in_a_bare_interpreter(package, python312, sts_origin):
    said = json.loads(run_bare(python312, BARE_PROGRAM, package[0], settings(sts_origin)))
    assert said["outside"] == []
    assert said["answer"]["statusCode"] == 200, said["answer"]
    form = json.loads(said["answer"]["body"])["formData"]
    assert form["x-oss-security-token"] == "fake-token"
    assert re.fullmatch(r"[0-9a-f]{64}", form["x-oss-signature"])


def test_the_package_for_bursts_is_the_plain_one_and_its_server(package, burst_package):
    plain, _ = package
    more = {name for name in names(burst_package) if not (plain / name).exists()}
    assert {name.partition("/")[0] for name in more if "__pycache__" not in name} == {
        "burst_server.py",
        "waitress",
    }
    for name in names(plain):
        assert (plain / name).read_bytes() == (burst_package / name).read_bytes(), name
    bill = json.loads(burst_package.with_name("function-burst.cdx.json").read_text("utf-8"))
    assert "waitress" in {component["name"] for component in bill["components"]}


def ask(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture
def port():
    with held_port() as port:
        yield port


def test_the_package_for_bursts_serves_in_a_bare_interpreter(burst_package, python312, sts_origin, port):
    command = [python312, "-E", "-s", "-S", "-B", "-W", "error", "burst_server.py"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--threads", "20"]
    with subprocess.Popen(
        command, cwd=burst_package, env=settings(sts_origin), stdout=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            try:
                assert ask(port, "/initialize", "") == (200, {"status": "ok"})
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        status, form = ask(port, "/upload-params", '{"filename": "a.png"}')
        process.terminate()
        written = process.communicate(timeout=600)[0]
    assert (status, process.returncode) == (200, 0), written
    assert form["formData"]["x-oss-security-token"] == "fake-token"
    assert re.match(r"\d{4}-\d\d-\d\d .* \[INFO\] initialize: ready", written)
