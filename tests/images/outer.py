# SPDX-License-Identifier: Apache-2.0
"""The machine on which the images run: a dockerd of the tests' own.

It uses the data that "make images" filled, in a network namespace of its own.
Commands are shell text as the documents print it; `docker` in it is a small
script that adds to "docker run" and "docker create" what takes the place of
--privileged, so that the text stays what people type.
"""

import json
import os
import shutil
import subprocess

from clients import NEWER, PATH, Result
from dockerd import Dockerd
from images import busybox_tar
from waiting import tail_of, wait_until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IMAGES = os.path.join(TOP, "build/images")

# What a dockerd needs where --privileged is not given (images/README.md).
RIGHTS = ("--cap-add SYS_ADMIN --cap-add NET_ADMIN"
          " --security-opt seccomp=unconfined --security-opt apparmor=unconfined")

SHIM = """#!/bin/sh
# Only what the outer Docker is asked gets rights.
case "$1 ${DOCKER_HOST-}" in
"run $OUTER" | "create $OUTER")
	verb=$1
	shift
	exec /usr/bin/docker "$verb" $RIGHTS "$@"
	;;
esac
exec /usr/bin/docker "$@"
"""


class Outer:
    def __init__(self, folder):
        self.folder = folder
        self.dockerd = Dockerd("20.10", os.path.join(IMAGES, "docker"))
        self.url = f"unix://{self.dockerd.socket}"
        self.rights = RIGHTS
        self.newer = NEWER
        self.bin = os.path.join(folder, "bin")
        self.busybox = os.path.join(folder, "busybox.tar")
        os.makedirs(self.bin)
        with open(os.path.join(self.bin, "docker"), "w", encoding="ascii") as f:
            f.write(SHIM)
        os.chmod(f.name, 0o755)
        with open(self.busybox, "wb") as f:
            f.write(busybox_tar())

    def start(self):
        self.dockerd.start()
        self.sh("docker ps -aq | xargs -r docker rm -fv >/dev/null; docker volume prune -f;"
                "docker network prune -f")

    def stop(self):
        self.sh("docker ps -aq | xargs -r docker rm -fv >/dev/null; docker volume prune -f")
        self.dockerd.stop()

    def run(self, script, cwd=None, env=None, stdin=b"", timeout=100):
        """Shell text on this machine."""
        cwd = cwd or self.folder
        argv = self.dockerd.inside("sh", "-euc", script)
        done = subprocess.run(
            argv, input=stdin, capture_output=True, timeout=timeout, cwd=cwd,
            check=False, env=self.env(cwd, env))
        return Result(done.returncode, done.stdout, done.stderr)

    def env(self, cwd, more=None):
        return {"PATH": f"{self.bin}:{PATH}", "HOME": cwd, "LANG": "C.UTF-8",
                "DOCKER_HOST": self.url, "OUTER": self.url,
                "DOCKER_BUILDKIT": "0", "RIGHTS": self.rights, **(more or {})}

    def sh(self, script, **options):
        """As run(), for what has to work; what it printed, stripped."""
        result = self.run(script, **options)
        assert result.status == 0, f"{script}: {result}"
        return result.out.strip()

    def logs(self, name):
        result = self.run(f"docker logs {name}")
        return result.out + result.err

    def inspect(self, name):
        return json.loads(self.sh(f"docker inspect {name}"))[0]

    def until(self, condition, name, seconds=60):
        """Waits for what a container does; its log if it does not."""
        ended = lambda: not self.inspect(name)["State"]["Running"]
        assert wait_until(condition, seconds, or_else=ended), self.logs(name)[-6000:]

    def ready(self, name):
        """Returns when the host in that container serves."""
        self.until(lambda: self.run(f"docker exec {name} dinv health").status == 0, name)
        return name

    def ended(self, name, seconds=40):
        """Its exit status."""
        assert wait_until(lambda: not self.inspect(name)["State"]["Running"], seconds), \
            self.logs(name)[-6000:]
        return self.inspect(name)["State"]["ExitCode"]

    def give_images(self, name, *images):
        """Loads busybox into the host in that container, under these names."""
        for image in images or ("busybox:latest",):
            self.sh(f"docker exec -i {name} docker import --change 'CMD [\"sh\"]' - {image}"
                    f" < {self.busybox}")

    def client(self, name, folder):
        """The client's files that the host made, copied out to a folder."""
        os.makedirs(folder, exist_ok=True)
        self.sh(f"docker cp {name}:/certs/client/. {folder}")
        return folder

    def log_tail(self):
        return tail_of(self.dockerd.log)


def scratch(work, name):
    """An empty folder of that name."""
    folder = os.path.join(work, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder
