# SPDX-License-Identifier: Apache-2.0
"""The documents of `sheaf image sbom`, for real packages, under the eyes of others: CycloneDX's own library from npm
checks its document against the strict schema, a parser of SPDX's licence expressions reads every licence, a parser of
package URLs every URL. SPDX's schema is on no registry: its fields and values are held against the list below."""

import json
import os
import re
import shutil
import subprocess

import pytest

import sheaf

TOOLS = ("@cyclonedx/cyclonedx-library@10.3.0", "ajv@8", "ajv-formats@3", "ajv-formats-draft2019@1",
         "spdx-expression-parse@4", "packageurl-js@2")
CHECK = """\
import {readFileSync} from 'node:fs';
import {Spec, Validation} from '@cyclonedx/cyclonedx-library';
import readLicence from 'spdx-expression-parse';
import {PackageURL} from 'packageurl-js';

const [bomText, spdxText] = process.argv.slice(2).map(path => readFileSync(path, 'utf8'));
const mistakes = await new Validation.JsonStrictValidator(Spec.Version.v1dot5).validate(bomText);
if (mistakes !== null) throw new Error(JSON.stringify(mistakes));
const packages = JSON.parse(spdxText).packages;
for (const {licenseDeclared} of packages) {
  if (licenseDeclared !== 'NOASSERTION') readLicence(licenseDeclared);
}
const names = [];
for (const component of JSON.parse(bomText).components) {
  const url = PackageURL.fromString(component.purl);
  names.push([url.type, url.namespace ?? null, url.name, url.version]);
}
console.log(JSON.stringify({packages: packages.length, names}));
"""
# SPDX 2.3, annex with the JSON form: what an object must have, what else it may have.
FIELDS = {
    "document": ({"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"},
                 {"packages", "relationships", "hasExtractedLicensingInfos"}),
    "creationInfo": ({"created", "creators"}, set()),
    "packages": ({"SPDXID", "name", "downloadLocation"},
                 {"versionInfo", "filesAnalyzed", "licenseConcluded", "licenseDeclared", "copyrightText", "sourceInfo",
                  "externalRefs", "checksums", "primaryPackagePurpose"}),
    "externalRefs": ({"referenceCategory", "referenceType", "referenceLocator"}, set()),
    "checksums": ({"algorithm", "checksumValue"}, set()),
    "relationships": ({"spdxElementId", "relationshipType", "relatedSpdxElement"}, set()),
    "hasExtractedLicensingInfos": ({"licenseId", "extractedText"}, {"name"}),
}
VALUES = {
    "spdxVersion": r"SPDX-2\.3", "dataLicense": r"CC0-1\.0", "SPDXID": r"SPDXRef-[A-Za-z0-9.-]+",
    "created": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "documentNamespace": r"urn:uuid:[0-9a-f-]{36}",
    "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": r"pkg:[a-z]+/\S+",
    "algorithm": "SHA256", "checksumValue": "[0-9a-f]{64}", "primaryPackagePurpose": "CONTAINER",
    "relationshipType": "DESCRIBES|CONTAINS", "licenseId": r"LicenseRef-[A-Za-z0-9.-]+",
}


def check_spdx(value, kind="document"):
    must, may = FIELDS[kind]
    assert must <= set(value) <= must | may, (kind, value)
    for key, inner in value.items():
        if key in VALUES:
            assert re.fullmatch(VALUES[key], inner), (key, inner)
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict):
                check_spdx(one, key)


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """A folder with the programs of others."""
    assert shutil.which("npm"), "npm is missing: install Debian's package npm"
    folder = tmp_path_factory.mktemp("tools")
    (folder / "package.json").write_text('{"private": true}')
    (folder / "check.mjs").write_text(CHECK)
    # Without scripts: of the optional dependencies only one for XML has any.
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *TOOLS], cwd=folder, check=True)
    return folder


def python_packages():
    """What Debian's Python packages say of themselves on this machine; python3-pytest, which runs this, is one."""
    folder = "/usr/lib/python3/dist-packages"
    return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith((".dist-info", ".egg-info"))]


def test_documents_pass_the_checks_of_others(tools, machine):
    context = sheaf.Project(machine, "context")
    context.write("root/usr/lib/os-release", "ID=debian\nVERSION_ID=12\n")
    shutil.copytree(tools / "node_modules", context.path / "root/srv/node_modules")
    for path in ("/var/lib/dpkg/status", *python_packages()):
        target = context.path / ("root" + path)
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, target)
    machine.give(context.path)
    context.write("Dockerfile", "FROM scratch\nCOPY root/ /\n")
    context.ok("build", "-t", "real", ".")
    documents = []
    for form in ("cyclonedx", "spdx"):
        outcome = context.ok("image", "sbom", "real", "--format", form)
        assert outcome.err == "", outcome
        documents.append(tools / f"{form}.json")
        documents[-1].write_text(outcome.out)
    check_spdx(json.loads(documents[1].read_text()))
    checked = subprocess.run(["node", "check.mjs", *documents], cwd=tools, stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(checked.stdout)
    names = {tuple(name) for name in answer["names"]}
    assert answer["packages"] == len(answer["names"]) + 1
    assert ("npm", "@cyclonedx", "cyclonedx-library", "10.3.0") in names
    installed = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n"],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    expected = {("deb", "debian", name, version) for state, name, version in map(str.split, installed)
                if state == "installed"}
    assert {name for name in names if name[0] == "deb"} == expected
    assert {name[0] for name in names} == {"deb", "npm", "pypi"}
