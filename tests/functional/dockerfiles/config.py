# SPDX-License-Identifier: Apache-2.0
"""Image configurations as comparable values."""

from __future__ import annotations

from .case import CONFIG_FIELDS

EMPTY = {"Env": [], "Cmd": [], "Entrypoint": [], "WorkingDir": "/", "User": "", "Volumes": [], "ExposedPorts": [],
         "Labels": {}, "Healthcheck": {}, "StopSignal": "", "Shell": [], "OnBuild": []}
OF_THE_PEER = {"io.buildah.version", "io.buildah.identity"}


def normal(config: dict) -> dict:
    """All compared fields of an OCI or Docker configuration; absent, null and empty are the same."""
    made = {field: config.get(field) or EMPTY[field] for field in sorted(CONFIG_FIELDS)}
    made["Volumes"] = sorted(made["Volumes"])
    made["ExposedPorts"] = sorted(made["ExposedPorts"])
    made["Labels"] = {key: value for key, value in made["Labels"].items() if key not in OF_THE_PEER}
    made["Healthcheck"] = {key: value for key, value in made["Healthcheck"].items() if value}
    return made


def differences(left: dict, right: dict) -> dict[str, tuple]:
    return {field: (left[field], right[field]) for field in left if left[field] != right[field]}
