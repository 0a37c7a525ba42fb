# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "functional"))

import pytest  # noqa: E402
import scenarios  # noqa: E402
import sheaf  # noqa: E402


def scratch() -> str:
    """Where stores are written thousands of times: in memory if there is room."""
    memory = pathlib.Path("/dev/shm")
    space = os.statvfs(memory) if memory.is_dir() else None
    is_roomy = space is not None and space.f_bavail * space.f_frsize > 1 << 29
    return os.environ.get("SHEAF_TEST_TMP") or (str(memory) if is_roomy else tempfile.gettempdir())


@pytest.fixture(scope="session", params=scenarios.ALL, ids=lambda make: make.__name__)
def scenario(request):
    if not sheaf.IS_ROOT:
        pytest.skip("needs root: owners, device nodes, and a mount over the machine's boot id")
    os.environ["SHEAF_TEST_TMP"] = scratch()
    with sheaf.machine_for(sheaf.Account.caller()) as machine:
        made = request.param(machine)
        with made.services:
            yield made
