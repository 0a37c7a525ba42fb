# SPDX-License-Identifier: Apache-2.0
"""The laws on small random stacks: joined equals sequential, and the order of the selection does not matter.

SHEAF_LAW_SEED repeats a run, SHEAF_LAW_STACKS changes how many stacks there are.
"""

import os
import random

SEED = int(os.environ.get("SHEAF_LAW_SEED", random.SystemRandom().randrange(2**31)))
STACKS = int(os.environ.get("SHEAF_LAW_STACKS", 15))  # for each account

# What a step does may be done by several layers; NAME is the layer's own, N a small number.
STEPS = [
    "echo from {name} >> /etc/issue",
    "sed -i '1s/.*/first {n}/' /etc/issue",
    "echo from {name} >> /etc/settings",
    "sed -i 's/^key{n}=.*/key{n}={name}/' /etc/settings",
    "sed -i 's/^key{n}=.*/key{n}=same/' /etc/settings",
    "mkdir -p /opt/d{n} && echo {n} > /opt/d{n}/{name}",
    "echo {m} > /opt/shared{n}",
    "echo {name} > /opt/own-{name}-{n}",
    "chmod 75{n} /srv/dir",
    "echo x > /srv/dir/{name}",
    "chmod 64{n} /srv/file",
    "chown 1{n}:1{m} /srv/file",
    "ln -f /srv/linked /srv/link{n}",
    "ln -sfn target{m} /srv/symlink{n}",
    "rm -rf /srv/old && mkdir /srv/old && echo {m} > /srv/old/new",
    "grep -q ^user{n}: /etc/group || {{ echo user{n}:x:{id}:{id}::/:/bin/sh >> /etc/passwd; echo user{n}:x:{id}: >> /etc/group; }}",
    "sed -i '/^staff:/{{s/$/,{name}/;s/:,/:/}}' /etc/group",
    "echo /bin/shell-{name} >> /etc/shells",
    "echo VAR_{name}={n} >> /etc/environment",
]


def random_stack(random_):
    """Layers by name, each a list of steps."""
    stack = {}
    for name in "abcd"[: random_.randint(2, 4)]:
        numbers = [random_.randrange(3) for _ in range(8)]
        texts = random_.sample(STEPS, random_.randint(1, 4))
        stack[name] = [text.format(name=name, n=n, m=m, id=30000 + n)
                       for text, n, m in zip(texts, numbers, reversed(numbers))]
    return stack


def start(project):
    project.layer("start", """\
        RUN mkdir -p /opt /srv/dir /srv/old && echo file > /srv/file && echo linked > /srv/linked && echo gone > /srv/old/gone
        RUN for key in 0 a 1 b 2 c; do echo key$key=base >> /etc/settings; done
        RUN echo /bin/sh > /etc/shells && echo V=1 > /etc/environment && echo staff:x:50: >> /etc/group
        """)


def lowers(project, names):
    return project.ok("join", "--json", *names).json()["lowers"]


def test_random_stacks(project, account):
    random_ = random.Random(f"{SEED} {account.name}")
    start(project)
    for number in range(STACKS):
        stack = random_stack(random_)
        names = []
        for name, steps in stack.items():
            names.append(f"s{number}{name}")
            project.layer(names[-1], "".join(f"RUN {step}\n" for step in steps),
                          "kind: tool\nneeds: [start]\nreplaces: [start]\n")
        about = f"SHEAF_LAW_SEED={SEED}, stack {number}: {stack}"
        outcome = project.sheaf("verify", "--equivalence", "--json", "--layers", ",".join(names))
        assert outcome.code == 0, f"{about}\n{outcome}"
        assert outcome.json()["unexplained"] == 0, f"{about}\n{outcome}"
        first = lowers(project, names)
        assert lowers(project, random_.sample(names, len(names))) == first, about
