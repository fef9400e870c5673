# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: how each is configured and started.

All have the same certificates, ask for one of the client, and have a worker a
processor.  Otherwise they are as their packages come, except where a docker
client could not work at all: no timer that cuts streams, no cap on bodies, no
buffering of whole bodies; and none of them logs requests, but dinv audits.
"""

import json
import os
import shutil
import socket
import subprocess
import time

CPUS = os.cpu_count()

DINV_POLICY = """{{
  // every client here is a CI runner; the owner is somebody else
  "clients": [
    {{ "match": {{ "cn": "owner" }}, "role": "admin" }},
    {{ "match": {{ "ou": "ci" }}, "role": "ci-runner" }}
  ]
}}
"""

NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
worker_processes {cpus};
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    upstream dockerd {{
        server unix:{upstream};
        keepalive 64;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certs}/docker.crt;
        ssl_certificate_key {certs}/docker.key;
        ssl_client_certificate {certs}/ca.crt;
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        keepalive_requests 1000000;
        client_max_body_size 0;
        location / {{
            proxy_pass http://dockerd;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_buffer_size 16k;
            proxy_buffers 8 16k;
            proxy_read_timeout 24h;
            proxy_send_timeout 24h;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread {cpus}
    maxconn 4000
defaults
    mode http
    timeout connect 10s
    timeout client 24h
    timeout server 24h
    timeout tunnel 24h
frontend tls
    bind 127.0.0.1:{port} ssl crt {folder}/pair.pem ca-file {certs}/ca.crt verify required
    default_backend dockerd
backend dockerd
    server dockerd unix@{upstream}
"""

STUNNEL = """
foreground = yes
pid =
debug = err
output = {folder}/stunnel.log
[docker]
accept = 127.0.0.1:{port}
connect = {upstream}
cert = {certs}/docker.crt
key = {certs}/docker.key
CAfile = {certs}/ca.crt
verifyChain = yes
TIMEOUTidle = 86400
"""

HITCH = """
user = "root"
group = "root"
frontend = {{ host = "127.0.0.1" port = "{port}" }}
backend = "{upstream}"
pem-file = "{folder}/pair.pem"
workers = {cpus}
daemon = off
backlog = 1024
tls-protos = TLSv1.2 TLSv1.3
client-verify = required
client-verify-ca = "{certs}/ca.crt"
log-level = 0
"""


class NotThere(Exception):
    """A server that is not installed, and how to change that."""


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def first_line(*argv, part=""):
    """The first line that a command prints with that part in it."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    lines = (done.stdout + done.stderr).splitlines()
    return next((line.strip() for line in lines if part in line), "?")


def wait_for(condition, seconds, process=None):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end or \
                (process is not None and process.poll() is not None):
            return False
        time.sleep(0.02)
    return True


class Server:
    """One server in front of one unix socket, from start() to stop()."""

    name = ""
    program = ""
    package = ""
    config = ""

    def __init__(self, folder, certs, upstream):
        self.folder = os.path.join(folder, self.name)
        self.log = os.path.join(self.folder, "log")
        self.certs = certs
        self.upstream = upstream
        self.port = 0
        self.process = None
        if shutil.which(self.program) is None:
            raise NotThere(f"{self.name} is not installed: apt-get install "
                           f"--no-install-recommends {self.package}")

    def argv(self, config):
        raise NotImplementedError

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.port = _free_port()
        pair = ""
        for name in ("docker.crt", "docker.key"):
            with open(os.path.join(self.certs, name), encoding="ascii") as f:
                pair += f.read()
        self.write("pair.pem", pair)
        config = self.write("config", self.config.format(
            folder=self.folder, certs=self.certs, upstream=self.upstream,
            port=self.port, cpus=CPUS))
        self.process = subprocess.Popen(
            self.argv(config), stdin=subprocess.DEVNULL,
            stdout=open(self.log, "ab"), stderr=subprocess.STDOUT)
        if not wait_for(self.listens, 60, self.process):
            raise RuntimeError(f"{self.name} did not start:\n{self.log_end()}")
        return self

    def log_end(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Dinv(Server):
    name = "dinv"
    program = os.environ["DINV"]
    config = DINV_POLICY

    limits = None   # a configuration file's

    def argv(self, config):
        more = []
        if self.limits:
            more = ["-config", self.write("gate.json", json.dumps(
                {"limits": self.limits}))]
        return [self.program, "gate", *more, "-listen", f"tcp://127.0.0.1:{self.port}",
                "-upstream", f"unix://{self.upstream}", "-certs", self.certs,
                "-policy", config,
                "-audit", os.path.join(self.folder, "audit.jsonl")]

    @classmethod
    def version(cls):
        return first_line(cls.program, "version")


class Nginx(Server):
    name = "nginx"
    program = "nginx"
    package = "nginx-light"
    config = NGINX

    def argv(self, config):
        return ["nginx", "-p", self.folder, "-c", config]

    @classmethod
    def version(cls):
        return first_line("nginx", "-v").removeprefix("nginx version: ")


class Haproxy(Server):
    name = "HAProxy"
    program = "haproxy"
    package = "haproxy"
    config = HAPROXY

    def argv(self, config):
        return ["haproxy", "-db", "-f", config]

    @classmethod
    def version(cls):
        return first_line("haproxy", "-v").split(" - ")[0]


class Stunnel(Server):
    name = "stunnel"
    program = "stunnel4"
    package = "stunnel4"
    config = STUNNEL

    def argv(self, config):
        return ["stunnel4", config]

    @classmethod
    def version(cls):
        return first_line("stunnel4", "-version", part="stunnel 5")


class Hitch(Server):
    name = "hitch"
    program = "hitch"
    package = "hitch"
    config = HITCH

    def argv(self, config):
        return ["hitch", f"--config={config}"]

    @classmethod
    def version(cls):
        return first_line("hitch", "--version")


class Dockerd(Server):
    """dockerd with its own --tlsverify, and a unix socket beside it."""

    name = "dockerd"
    program = "dockerd"
    package = "docker.io"

    def __init__(self, folder, certs, upstream):
        super().__init__(folder, certs, upstream)
        self.socket = os.path.join(self.folder, "s")

    def argv(self, config):
        return ["dockerd", "--host", f"unix://{self.socket}",
                "--host", f"tcp://127.0.0.1:{self.port}", "--tlsverify",
                "--tlscacert", f"{self.certs}/ca.crt",
                "--tlscert", f"{self.certs}/docker.crt",
                "--tlskey", f"{self.certs}/docker.key",
                "--data-root", f"{self.folder}/data",
                "--exec-root", f"{self.folder}/exec",
                "--pidfile", f"{self.folder}/pid",
                "--shutdown-timeout", "1", "--log-level", "warn"]

    @classmethod
    def version(cls):
        return first_line("dockerd", "--version")


PROXIES = (Dinv, Nginx, Haproxy, Stunnel, Hitch)
