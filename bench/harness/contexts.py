# SPDX-License-Identifier: Apache-2.0
"""What is built: contexts with a Dockerfile, which all programs understand, and sheaf's projects."""

import hashlib
import os
import pathlib
import shutil

# BuildKit alone has no images by name: for it the base is an argument.
FROM_BASE = "ARG BASE_IMAGE=bench-base\nFROM ${BASE_IMAGE}"
FROM_BASE_NAMED = "FROM ${BASE_IMAGE}"


def busybox():
    path = shutil.which("busybox")
    if not path:
        raise SystemExit("bench: no busybox: apt-get install busybox-static")
    return pathlib.Path(path)


def write(folder, text, name="Dockerfile"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def base(folder):
    """An image of one static program, which takes neither time nor network."""
    write(folder / "etc", "root:x:0:0:root:/root:/bin/sh\n", "passwd")
    shutil.copy(busybox(), folder / "busybox")
    return write(folder, 'FROM scratch\nCOPY busybox /bin/busybox\nCOPY etc /etc\n'
                         'RUN ["/bin/busybox", "--install", "-s", "/bin"]\n')


def small_files(top, count, text):
    """Up to 1,400 bytes each, a hundred in a folder."""
    for folder in range(0, count, 100):
        path = top / f"part{folder // 10000}" / f"folder{folder // 100}"
        path.mkdir(parents=True, exist_ok=True)
        for i in range(folder, min(folder + 100, count)):
            (path / f"file{i}.txt").write_text(f"{text} {i}\n" * (1 + i * 7 % 100))


def twenty_instructions(folder):
    """Of the kinds that files have; three of them read the context."""
    return write(folder, f"""{FROM_BASE}
LABEL org.opencontainers.image.title="bench"
ARG VERSION=1
ENV VERSION=$VERSION LANG=C.UTF-8
ENV PATH=/app/bin:/bin
WORKDIR /app
RUN mkdir -p /app/bin /var/lib/app
RUN echo "$VERSION" > /app/version
COPY src/part0/folder0 /app/first/
RUN ls /app/first > /app/list
COPY src/part0/folder1/file100.txt /app/
RUN wc -l /app/file100.txt > /app/lines
COPY src /app/src
RUN echo built > /app/built
RUN chmod 700 /var/lib/app
EXPOSE 8080
VOLUME /data
STOPSIGNAL SIGINT
USER 1000:1000
CMD ["cat", "/app/built"]
""")


def twenty_steps(folder, mark, last=""):
    """Twenty lines RUN; another mark makes all of them new, another last word only the last."""
    lines = [f"RUN : {mark}-{i}" for i in range(19)] + [f"RUN : {mark}-19{last}"]
    return write(folder, "\n".join([FROM_BASE, *lines, ""]))


def eight_stages(folder, mark):
    stages = [f"{FROM_BASE_NAMED} AS s{i}\nRUN sleep 1 && echo {mark} > /{i}\n" for i in range(1, 9)]
    copies = [f"COPY --from=s{i} /{i} /\n" for i in range(1, 9)]
    return write(folder, "ARG BASE_IMAGE=bench-base\n" + "".join([*stages, FROM_BASE_NAMED + "\n", *copies]))


# ---- of the machine's own files -------------------------------------------------------------------------------------


def _files_of(source, largest):
    """Whole folders stay together, in an order that does not depend on their names."""
    folders = [(folder, sorted(names)) for folder, _, names in os.walk(source)]
    for folder, names in sorted(folders, key=lambda pair: hashlib.sha256(pair[0].encode()).digest()):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.path.isfile(path) and os.path.getsize(path) <= largest:
                yield path


def real_layers(top, megabytes):
    """Folders layer0 to layer5 of files of this machine, a third each of programs, texts and libraries."""
    wanted, done = megabytes * 10**6, 0
    sources = [_files_of(source, wanted / 18) for source in ("/usr/bin", "/usr/share", "/usr/lib")]
    for layer in range(6):
        for part, source in enumerate(sources):
            while done < wanted * (3 * layer + part + 1) / 18:
                path = next(source, None)
                if path is None:
                    break
                target = top / f"layer{layer}" / path.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
                target.chmod(target.stat().st_mode | 0o444)
                done += target.stat().st_size


def six_copies(folder, name, uppermost):
    lines = [f"COPY {layer} /" for layer in ("layer0", "layer1", "layer2", "layer3", "layer4", uppermost)]
    return write(folder, "\n".join(["FROM scratch", *lines, ""]), name)


def large_file(path, size):
    """Bytes that do not compress, made of one random block."""
    block = os.urandom(1 << 20)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        for i in range(max(1, size >> 20)):
            file.write(i.to_bytes(8, "little") + block[8:])


def touch_content(path):
    """Another file, though only its first bytes differ."""
    with open(path, "r+b") as file:
        file.write(os.urandom(64))


# ---- sheaf's projects -----------------------------------------------------------------------------------------------


def layer(project, name, lines, kind="tool"):
    folder = project / ".sheaf" / "layers" / name
    write(folder, f"summary: {name} of the benchmark\nkind: {kind}\n", "layer.yml")
    return write(folder, "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n" + "".join(f"{line}\n" for line in lines), "Containerfile")


def project(folder):
    """A project whose base is a busybox and two account files."""
    context = layer(folder, "base", [
        "COPY --chmod=755 busybox /bin/busybox", "COPY etc/ /etc/", 'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
        "RUN mkdir -p /workspace /home/dev /root /tmp && chown 1000:1000 /workspace /home/dev", "USER dev"], "base")
    shutil.copy(busybox(), context / "busybox")
    write(context / "etc", "root:x:0:0:root:/root:/bin/sh\ndev:x:1000:1000:dev:/home/dev:/bin/sh\n", "passwd")
    write(context / "etc", "root:x:0:\ndev:x:1000:\n", "group")
    return folder


def many_definitions(folder, count):
    """Every definition is read and checked before six of them are planned."""
    for i in range(count):
        path = folder / ".sheaf" / "layers" / f"part{i}"
        write(path, f"summary: part {i} of the benchmark\nkind: {('toolchain', 'tool', 'agent')[i % 3]}\n"
              + (f"needs: [part{i // 2}]\n" if i % 5 == 4 else "")
              + f'args:\n  version: {{type: version, default: "1.{i}", description: which one}}\n'
              + f'env: {{PART_{i}: "yes"}}\ntests:\n  - {{command: part{i} --version, expect: "1."}}\n'
              + f"detect:\n  - {{file: part{i}.toml, version: project.version}}\n", "layer.yml")
        write(path, f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\nARG VERSION\nUSER root\nRUN make part{i} $VERSION\nUSER dev\n",
              "Containerfile")
