"""
The package as ``make package`` builds it, searched for secrets of the shell it was built in.
"""

import os
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from ops.package.command import ROOT, build
from ops.package.function_files import PackagingError
from quality.torture.report import Result
from tests.support import stage
from tests.support.canaries import Watch


def run() -> Result:
    """Build it anew with a secret in every variable of the environment that holds one."""
    started, watch, result = time.monotonic(), Watch(), Result("package")
    os.environ.update(stage.planted_environment(watch, "profiles.toml"))
    said = StringIO()
    with TemporaryDirectory() as folder:
        target = Path(folder) / "function"
        try:
            with redirect_stdout(said):
                build(ROOT, target, None)
        except PackagingError as error:
            result.problems.append(f"not built, so not searched: {error}")
        else:
            watch.search_folder(Path(folder), "package")
            files = sum(path.is_file() for path in target.rglob("*"))
            result.figures.append(("files of the package searched for secrets", f"{files:,}"))
    watch.search(said.getvalue(), "package")
    result.searched, result.secrets = watch.searched, watch.found
    result.seconds = time.monotonic() - started
    return result
