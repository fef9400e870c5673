# SPDX-License-Identifier: Apache-2.0
"""systemd-journald and rsyslogd themselves, in namespaces of their own: the
machine's own (if it has one) neither sees them nor is disturbed."""

import os
import signal
import subprocess

from waiting import tail_of, wait_until

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Real:
    program = None                       # without it there is no test
    start_script = None

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        os.makedirs(folder)

    def start(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net",
             "--propagation", "private", "sh", "-ec", self.start_script, self.folder],
            stdin=subprocess.DEVNULL, stdout=open(self.own_log(), "ab"),
            stderr=subprocess.STDOUT, env={"PATH": PATH})
        up = wait_until(lambda: os.path.exists(self.socket), 30,
                        or_else=lambda: self.process.poll() is not None)
        assert up and self.process.poll() is None, tail_of(self.own_log())

    def own_log(self):
        return os.path.join(self.folder, "daemon.log")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        if os.path.exists(self.socket):
            os.unlink(self.socket)


class Journald(Real):
    """Its socket and its files are seen from outside too."""

    kind = "journal"
    program = "/lib/systemd/systemd-journald"
    start_script = """
mkdir -p /run/systemd /run/log "$0/run" "$0/log"
[ -e /etc/machine-id ] || : >/etc/machine-id
mount --bind "$0/run" /run/systemd
mount --bind "$0/log" /run/log
mount --bind "$0/machine-id" /etc/machine-id
mount --bind "$0/journald.conf" /etc/systemd/journald.conf
exec /lib/systemd/systemd-journald
"""

    def __init__(self, folder):
        super().__init__(folder)
        self.socket = os.path.join(folder, "run/journal/socket")
        with open(os.path.join(folder, "machine-id"), "w", encoding="ascii") as f:
            f.write("0123456789abcdef0123456789abcdef\n")
        with open(os.path.join(folder, "journald.conf"), "w", encoding="ascii") as f:
            f.write("[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nAudit=no\n"
                    "ReadKMsg=no\nForwardToSyslog=no\n")

    def lines(self, *matches):
        """The messages of dinv as journalctl prints them."""
        folder = os.path.join(self.folder, "log/journal")
        done = subprocess.run(["journalctl", "-D", folder, "-o", "cat", "--no-pager", "-q",
                               "SYSLOG_IDENTIFIER=dinv", *matches],
                              capture_output=True, check=False)
        return done.stdout.splitlines()


class Rsyslogd(Real):
    kind = "syslog"
    program = "/usr/sbin/rsyslogd"
    start_script = 'exec rsyslogd -n -f "$0/conf" -i "$0/pid"'

    def __init__(self, folder):
        super().__init__(folder)
        self.socket = os.path.join(folder, "log")
        with open(os.path.join(folder, "conf"), "w", encoding="ascii") as f:
            f.write(f'''
global(workDirectory="{folder}" maxMessageSize="1m")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{self.socket}" UseSpecialParser="off")
template(name="text" type="string" string="%msg%\\n")
template(name="head" type="string" string="%syslogfacility-text%.%syslogseverity-text% %hostname% %app-name% %msgid%\\n")
if $app-name == "dinv" then {{
  action(type="omfile" file="{folder}/text" template="text")
  action(type="omfile" file="{folder}/head" template="head")
}}
''')

    def read(self, name):
        try:
            with open(os.path.join(self.folder, name), "rb") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def lines(self):
        return self.read("text")
