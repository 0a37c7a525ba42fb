# SPDX-License-Identifier: Apache-2.0
import pytest

import sheaf


def pytest_configure(config):
    config.addinivalue_line("markers", "root_only: only root can arrange this; deselected for an ordinary user")


def pytest_collection_modifyitems(config, items):
    if not sheaf.IS_ROOT:
        deselected = [item for item in items if item.get_closest_marker("root_only")]
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in deselected]


@pytest.fixture(scope="session", params=["root", "user"] if sheaf.IS_ROOT else ["user"])
def account(request):
    return sheaf.accounts()[request.param]


@pytest.fixture
def machine(account):
    with sheaf.machine_for(account) as made:
        yield made


@pytest.fixture
def project(machine):
    """A project on the tiny base."""
    return sheaf.tiny_project(machine)
