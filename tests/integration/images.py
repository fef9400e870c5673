# SPDX-License-Identifier: Apache-2.0
"""The one image there is: busybox, made from the machine's own static one."""

import io
import subprocess
import tarfile

BUSYBOX = "/bin/busybox"


def busybox_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "root", "tmp", "var"):
            _add(tar, name, tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755)
        with open(BUSYBOX, "rb") as f:
            _add(tar, "bin/busybox", tarfile.REGTYPE, 0o755, f.read())
        applets = subprocess.run([BUSYBOX, "--list"], capture_output=True,
                                 text=True, check=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                _add(tar, f"bin/{applet}", tarfile.SYMTYPE, 0o777, link="busybox")
        _add(tar, "etc/passwd", tarfile.REGTYPE, 0o644,
             b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n")
        _add(tar, "etc/group", tarfile.REGTYPE, 0o644,
             b"root:x:0:\nuser:x:1000:\n")
    return out.getvalue()


def _add(tar, name, kind, mode, data=b"", link=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = mode
    info.size = len(data)
    info.linkname = link
    tar.addfile(info, io.BytesIO(data))
