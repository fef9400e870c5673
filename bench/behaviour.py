# SPDX-License-Identifier: Apache-2.0
"""What a docker client does through a server: works, hangs, prints nothing."""

import io
import os
import shutil
import subprocess
import tarfile

BUSYBOX = "/bin/busybox"
# Debian's own speaks BuildKit without a plugin.
DOCKER = os.environ.get("DOCKER") or (
    "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker")
TRIES = 3
# Each takes about a second where it works.
GIVE_UP_S = 20


def _image():
    """busybox from the machine's static one: no registry is asked."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(os.path.realpath(BUSYBOX), "bin/busybox")
        for name in ("sh", "cat", "echo"):
            info = tarfile.TarInfo(f"bin/{name}")
            info.type = tarfile.SYMTYPE
            info.linkname = "busybox"
            tar.addfile(info)
    return out.getvalue()


class Docker:
    def __init__(self, folder, certs, socket):
        if shutil.which(DOCKER) is None or not os.path.exists(BUSYBOX):
            raise RuntimeError("docker or busybox is missing: apt-get install "
                               "--no-install-recommends docker.io busybox-static")
        self.certs = certs
        self.socket = socket
        self.home = folder
        self.context = os.path.join(folder, "context")
        os.mkdir(self.context)
        with open(os.path.join(self.context, "file"), "wb") as f:
            f.write(os.urandom(1 << 20))
        with open(os.path.join(self.context, "Dockerfile"), "w",
                  encoding="ascii") as f:
            f.write("FROM busybox\nCOPY file /file\nRUN echo built > /built\n")

    def run(self, env, *args, stdin=b""):
        """Exit status (None: no end came) and output."""
        process = subprocess.Popen(
            [DOCKER, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": self.home, **env})
        try:
            out, err = process.communicate(stdin, GIVE_UP_S)
            return process.returncode, out.decode(), err.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, "", ""

    def straight(self, *args, stdin=b""):
        status, out, err = self.run({"DOCKER_HOST": f"unix://{self.socket}"},
                                    *args, stdin=stdin)
        if status != 0:
            raise RuntimeError(f"docker {args[0]}: {err.strip()}")
        return out.strip()

    def import_image(self):
        self.straight("import", "--change", 'CMD ["sh"]', "-", "busybox:latest",
                      stdin=_image())

    def start_idle(self):
        return self.straight("run", "-d", "-i", "busybox", "cat")

    def behaves(self, port):
        env = {"DOCKER_HOST": f"tcp://127.0.0.1:{port}",
               "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": self.certs}
        return {"echo": self.echo(env), "buildkit": self.build(env)}

    def echo(self, env):
        """echo foo | docker run -i --rm busybox cat"""
        said = []
        for _ in range(TRIES):
            status, out, _ = self.run(env, "run", "-i", "--rm", "busybox", "cat",
                                      stdin=b"foo\n")
            if status is None:
                return "hangs"
            said.append("yes" if (status, out) == (0, "foo\n") else
                        "prints nothing" if out == "" and status == 0 else "fails")
        worst = max(said, key=("yes", "prints nothing", "fails").index)
        if worst == "yes":
            return worst
        n = said.count(worst)
        return worst if n == TRIES else f"{worst} ({n} of {TRIES})"

    def build(self, env):
        """docker build with BuildKit, a context of 1 MiB, one RUN"""
        status, _, _ = self.run({"DOCKER_BUILDKIT": "1", **env}, "build",
                                "--no-cache", self.context)
        return {0: "yes", None: "hangs"}.get(status, "fails")
