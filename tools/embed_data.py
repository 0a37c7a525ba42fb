#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the files below a folder as a C++ table of (path, contents), sorted by path.

usage: embed_data.py FOLDER OUTPUT.cpp
"""
import pathlib
import sys


def literal(data):
    """A C++ string literal, split so that no compiler limit on literal length is met."""
    chunks = [data[i:i + 4000] for i in range(0, len(data), 4000)] or [b""]
    return "\n    ".join('"' + "".join(f"\\{byte:03o}" if byte in b'"\\?' or not 32 <= byte < 127 else chr(byte)
                                       for byte in chunk) + '"' for chunk in chunks)


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = []
    for path in files:
        data = path.read_bytes()
        rows.append(f'    {{"{path.relative_to(folder)}", std::string_view({literal(data)}, {len(data)})}},')
    output.write_text('#include "catalogue/builtin.hpp"\n#include <array>\n\nnamespace sheaf::catalogue {\nnamespace {\n'
                      f"constexpr std::array<EmbeddedFile, {len(files)}> k_files = {{{{\n" + "\n".join(rows) +
                      "\n}};\n} // namespace\nstd::span<const EmbeddedFile> embedded_files() { return k_files; }\n"
                      "} // namespace sheaf::catalogue\n")


if __name__ == "__main__":
    main()
