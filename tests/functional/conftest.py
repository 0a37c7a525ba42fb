# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest

import registries
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


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with registries.Registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """A registry for everybody and one that wants a password."""
    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("registries")
        yield {name: stack.enter_context(registries.Registry(folder / name, **options))
               for name, options in {"open": {}, "closed": {"auth": "basic"}}.items()}


@pytest.fixture
def other(account):
    """A second machine of the same account."""
    with sheaf.machine_for(account) as made:
        yield made
