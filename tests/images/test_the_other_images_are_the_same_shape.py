# SPDX-License-Identifier: Apache-2.0
"""photon and centos: their bases cannot be had here, so what can be tried
without them is: the recipes are those of debian in all that follows the
packages; the dinv that goes into them runs on a system that has none of its
libraries; and the recipes are built on a base whose package manager only
writes down what it is asked for.
"""

import os
import re
import subprocess

import pytest

from clients import PATH
from gate import DINV
from outer import TOP, scratch

OTHERS = ("photon", "centos")
TAIL = "# From here on as images/debian/Dockerfile; a test compares them.\n"

# What stands for the package manager: it notes, and installs nothing.
NOTE = """FROM busybox:note
RUN printf '#!/bin/sh\\necho "$0 $*" >> /asked\\n' > /bin/tdnf && chmod +x /bin/tdnf && cp /bin/tdnf /bin/dnf
"""


def text_of(name):
    with open(f"{TOP}/images/{name}/Dockerfile", encoding="ascii") as f:
        return f.read()


def instructions(text):
    """Each instruction in one line, without comments."""
    text = re.sub(r"(?m)^#.*\n", "", text).replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_they_end_as_debian_does():
    debian = instructions(text_of("debian"))
    tail = debian[debian.index("ENV DOCKER_TLS_CERTDIR=/certs"):]
    for name in OTHERS:
        text = text_of(name)
        assert text.count(TAIL) == 1, name
        assert instructions(text.split(TAIL)[1]) == tail, name


def test_every_recipe_names_its_base_in_an_argument():
    found = [os.path.join(folder, "Dockerfile")
             for folder, _, files in os.walk(f"{TOP}/images") if "Dockerfile" in files]
    assert len(found) == 7
    for path in found:
        with open(path, encoding="ascii") as f:
            lines = instructions(f.read())
        bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
        assert bases and all(re.fullmatch(r"\$\{[A-Z]+\}", b) for b in bases), path
        for base in set(bases):
            assert any(line.startswith(f"ARG {base[2:-1]}=") for line in lines), path


@pytest.fixture(scope="module")
def carried(work):
    """usr/bin/dinv and usr/lib/dinv, made here as the build stage makes them."""
    folder = scratch(work, "carried")
    os.mkdir(f"{folder}/prebuilt")
    os.symlink(DINV, f"{folder}/prebuilt/dinv")
    subprocess.run(["sh", f"{TOP}/images/portable.sh", f"{folder}/out"], cwd=folder,
                   check=True, env={"PATH": PATH, "TMPDIR": folder})
    return f"{folder}/out"


@pytest.mark.parametrize("name", OTHERS)
def test_the_recipe_works_with_a_package_manager_that_only_notes(outer, here, carried, name):
    os.makedirs(f"{here}/context/images/{name}")
    with open(f"{here}/context/images/{name}/Dockerfile", "w", encoding="ascii") as f:
        f.write(text_of(name))
    with open(f"{here}/context/images/portable.sh", "w", encoding="ascii") as f:
        f.write("cp -r carried $1\n")
    with open(f"{here}/Dockerfile", "w", encoding="ascii") as f:
        f.write(NOTE)
    outer.sh(f"""
cp -r {carried} context/carried
docker import - busybox:note < {outer.busybox}
docker build -q -t note:{name} .
docker build -q -t note:{name}-dinv --build-arg BASE=note:{name} --build-arg DEBIAN=busybox:note \
    --build-arg DOCKER_REPO=file:///repo -f context/images/{name}/Dockerfile context
""", cwd=here)
    said = outer.sh(f"docker run --rm --entrypoint sh note:{name}-dinv -c "
                    "'dinv version; cat /asked; test ! -e /lib64; ls /usr/lib'").split("\n")
    assert said[0].startswith("dinv ")
    assert " install -y " in said[1] and " clean all" in "\n".join(said)
    assert said[-1] == "dinv"  # all that there is of libraries
    started = outer.run(f"docker run --rm note:{name}-dinv")
    assert started.status == 1
    assert "dockerd cannot be started: dockerd: No such file" in started.err, started
    outer.sh(f"docker rmi note:{name}-dinv note:{name}")
