"""The package that would be deployed: what is in it, and how it starts with nothing beside it."""

import json
import re

from ops.package.bytecode import sources_in_one_file
from ops.package.command import BUDGET_BYTES
from ops.package.function_files import find_function_files
from tests.ops.package.project import names
from tests.ops.package.services import credentials, run_bare, serving, settings


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
    libraries = b"".join(path.read_bytes() for path in folder.rglob("*.so"))
    assert max(tuple(map(int, each)) for each in re.findall(rb"GLIBC_(\d+)\.(\d+)", libraries)) <= (2, 17)


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


# Every file of the package that Python opens or compiles, and every folder of it that is listed.
WATCHING = """
import json, sys
folder, opened, listed, compiled = sys.argv[1], [], [], []
def watch(event, given):
    if event == "compile" and str(given[1]).startswith((folder, "/code")):
        compiled.append(given[1])
    place = opened if event == "open" else listed if event in ("os.listdir", "os.scandir") else None
    if place is not None and str(given[0]).startswith(folder):
        place.append(str(given[0])[len(folder) + 1:])
sys.addaudithook(watch)
sys.path.insert(0, folder)
"""
FIRST_FORM = """
import handler
handler.initialize(None)
event = {"body": '{"filename": "a.png"}', "requestContext": {"http": {"method": "POST", "path": "/"}}}
status = handler.handler(json.dumps(event).encode(), None)["statusCode"]
print(json.dumps([status, opened, listed, compiled]))
"""


def test_a_cold_start_reads_bytecode_from_one_file_and_searches_no_folder(package, python312):
    with serving(lambda path: credentials()) as port:
        environ = settings(f"http://127.0.0.1:{port}")
        said = run_bare(python312, WATCHING + FIRST_FORM, package[0], environ)
    status, opened, listed, compiled = json.loads(said)
    assert (status, compiled) == (200, [])
    assert [path for path in opened if path.endswith(".pyc")] == [
        f"__pycache__/{name}.cpython-312.pyc" for name in ("handler", "bytecode")
    ]
    assert opened.count("bytecode.bin") == 1
    # For these two, by the import system itself.
    assert listed == [""]
    # Each source is compared with the one that was compiled, once.
    sources = [path for path in opened if path.endswith(".py")]
    assert "function/app.py" in sources and len(sources) == len(set(sources)) > 90


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
