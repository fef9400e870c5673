# SPDX-License-Identifier: Apache-2.0
"""Honest and hostile load at one gate before one real dockerd, for minutes or
for days, with a checksum on whatever passes.

The load comes in rounds.  In a round every worker does one job after another;
between rounds all of them rest, and what the gate has open then has to be what
it had at the first rest: a descriptor more is a leak.  Memory at rest may grow
while caches and arenas fill (the first third of the rests), and then not any
more.  So neither is judged by a clock.

It fails if a byte is lost, an honest job fails, a hostile one gets anywhere,
descriptors or memory grow, the gate ends, or the chain of its audit log does
not hold.
"""

import collections
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import hostile
import honest
from admin import Admin
from clients import Side
from conftest import POLICY, make_dockerd
from gate import DINV, Certs, Gate, is_instrumented, run_dinv
from waiting import tail_of, wait_until

ROUND_S = 12        # of load; then a rest
RESTS = 4           # at least
PROGRESS_S = 5
REST_S = 120        # what hangs for longer is a fault
SLACK = 1 << 20     # of memory, which malloc rounds and splits as it likes
LIMITS = {"head_ms": 8000, "body_ms": 8000,
          "connections_per_address": 2000, "connections_per_client": 1000}


class Soak:
    """One gate, what is thrown at it, and what came of that."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.done = collections.Counter()   # by kind of job
        self.bytes = 0
        self.faults = []
        self.numbers = 0
        self.going = threading.Event()
        self.over = threading.Event()
        self.busy = 0
        self.rests = []                     # (descriptors, memory)
        self.first_fds = None
        self._start()

    def _start(self):
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.home)
        self.dockerd = make_dockerd("20.10", os.path.join(self.folder, "d"), self.home)
        self.certs = Certs(os.path.join(self.folder, "certs"))
        self.strangers = Certs(os.path.join(self.folder, "strangers"))
        self.admin = Admin(self.folder, "soak")
        self.policy = os.path.join(self.folder, "policy.json")
        self.write_policy(POLICY)
        for who in (("root", None), ("job", "ci"), ("former", None)):
            self.certs.client(*who)
        self.strangers.client("root")
        run_dinv("cert", "revoke", "-certs", self.certs.store, "former")
        self.gate = Gate(self.folder, self.certs, self.dockerd.socket,
                         policy=self.policy, limits=LIMITS,
                         flags=["-audit-required", *self.admin.flags]).start()
        self.root = Side("20.10", self.home, self.gate.env("root"))
        self.ci = Side("20.10", self.home, self.gate.env("job", "ci"))
        self.straight = Side("20.10", self.home,
                             {"DOCKER_HOST": f"unix://{self.dockerd.socket}"})
        self.straight.ok("run", "-d", "--name", "lives", "busybox", "sleep", "1000000")
        self.saved = hashlib.sha256(self.straight.docker("save", "busybox").stdout)
        self.events = honest.Events(self)

    def stop(self):
        self.events.stop()
        if self.gate.process.poll() is None:
            self.gate.process.kill()
            self.gate.process.wait()
        self.dockerd.kill()

    # --- for jobs -------------------------------------------------------------

    def name(self):
        with self.lock:
            self.numbers += 1
            return f"n{self.numbers}"

    def connect(self, name="root", unit=None):
        """By hand, with more patience than a test has: the load is heavy."""
        return self.gate.connect(name, unit, timeout=REST_S)

    def data(self, most):
        """Bytes of no pattern; their number is counted as to be carried."""
        with self.lock:
            size = self.random.choice((1, 100, 4097, most // 8, most))
            return self.random.randbytes(size)

    def carried(self, size):
        with self.lock:
            self.bytes += size

    def fault(self, what):
        with self.lock:
            self.faults.append(what)
        print(f"FAULT {what}", file=sys.stderr, flush=True)

    def write_policy(self, text):
        with open(self.policy + ".new", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(self.policy + ".new", self.policy)

    # --- workers --------------------------------------------------------------

    def work(self, jobs):
        """Rounds of these jobs until all is over; the body of a thread."""
        while not self.over.is_set():
            if not self.going.wait(0.1):
                continue
            with self.lock:
                if not self.going.is_set():
                    continue
                self.busy += 1
                job = self.random.choice(jobs)
            kind = f"{job.__module__}.{job.__name__}"
            try:
                job(self)
            except Exception as e:  # pylint: disable=broad-except
                self.fault(f"{kind}: {type(e).__name__} {e}")
            with self.lock:
                self.done[kind] += 1
                self.busy -= 1

    def rest(self):
        """All stop; what is open then is what should be."""
        with self.lock:
            self.going.clear()
        if not wait_until(lambda: self.busy == 0 or self.faults, REST_S):
            self.fault(f"{self.busy} jobs hang")
        if self.faults or self.gate.process.poll() is not None:
            return
        first = self.first_fds is None
        if first:
            # The events' stream alone, which has two: all others have ended.
            wait_until(self._calm, REST_S)
            self.first_fds = self.gate.descriptors()
        if not wait_until(lambda: self.gate.descriptors() <= self.first_fds, REST_S):
            self.fault(f"{self.gate.descriptors()} descriptors at rest, "
                       f"{self.first_fds} at the first one")
        self.rests.append((self.gate.descriptors(), self.gate.memory()))

    def _calm(self):
        return json.loads(self.admin.get("/status").body)["connections"] == 1

    def report(self, began, minutes):
        """A line now and then, until all is over; the body of a thread."""
        while not self.over.wait(PROGRESS_S):
            self.progress(began, minutes)

    def progress(self, began, minutes):
        with self.lock:
            honest_n = sum(n for k, n in self.done.items() if k.startswith("honest"))
            hostile_n = sum(n for k, n in self.done.items() if k.startswith("hostile"))
            refused = self.done["refusals"]
        alive = self.gate.process.poll() is None
        print(f"{(time.monotonic() - began) / 60:6.1f}/{minutes} min  "
              f"honest {honest_n}  hostile {hostile_n}  refused {refused}  "
              f"{self.bytes >> 20} MiB  rests {len(self.rests)}  "
              f"memory {self.gate.memory() >> 10 if alive else 0} KiB  "
              f"descriptors {self.gate.descriptors() if alive else 0}  "
              f"faults {len(self.faults)}", flush=True)

    def run(self, minutes):
        groups = [honest.WITH_DOCKER] * 4 + [honest.RAW] * 2 + [hostile.ALL] * 3 + \
            [[honest.reload_policy, honest.revoke_one]]
        threads = [threading.Thread(target=self.work, args=(jobs,), daemon=True)
                   for jobs in groups]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        end = began + 60 * minutes
        threads.append(threading.Thread(target=self.report, args=(began, minutes),
                                        daemon=True))
        threads[-1].start()
        # Some rests at least, or there is no trend to see.
        while not self.faults and (time.monotonic() < end or len(self.rests) < RESTS):
            self.going.set()
            until = time.monotonic() + ROUND_S
            while time.monotonic() < until and not self.faults:
                time.sleep(0.2)
                if self.gate.process.poll() is not None:
                    self.fault(f"the gate ended with {self.gate.process.returncode}")
            self.rest()
        self.over.set()
        for thread in threads:
            thread.join(REST_S)
        self.progress(began, minutes)
        self.judge()

    # --- the end --------------------------------------------------------------

    def judge(self):
        self._judge_memory()
        for check in (self._never_made, self.events.judge, self._audit):
            try:
                check()
            except Exception as e:  # pylint: disable=broad-except
                self.fault(f"{type(e).__name__} {e}")

    def _judge_memory(self):
        memory = [m for _, m in self.rests]
        third = len(memory) // 3
        if third == 0 or is_instrumented():
            return
        plateau, last = max(memory[third:2 * third]), min(memory[-third:])
        if last > plateau + SLACK:
            self.fault(f"memory at rest grew past its plateau of {plateau >> 10} KiB "
                       f"to {last >> 10}: {[m >> 10 for m in memory]}")

    def _never_made(self):
        made = self.straight.ok("ps", "-aq", "--filter", f"name={hostile.BAIT}")
        if made:
            self.fault(f"a hostile job made containers: {made}")

    def _audit(self):
        """The chain holds to its end, which a stop has written."""
        self.events.stop()
        os.kill(self.gate.process.pid, signal.SIGTERM)
        if self.gate.process.wait(60) != 0:
            self.fault(f"the gate ended with {self.gate.process.returncode}")
        done = subprocess.run([DINV, "audit", "verify", "-key", self.gate.audit + ".key",
                               self.gate.audit], capture_output=True, text=True,
                              timeout=600, check=False)
        print(done.stdout.strip())
        if done.returncode != 0:
            self.fault(f"dinv audit verify: {done.stdout}{done.stderr}")
        with open(self.gate.audit, "rb") as f:
            if any(b'"event":"lost"' in line for line in f):
                self.fault("audit records were lost")

    def summary(self):
        for kind, n in sorted(self.done.items()):
            print(f"  {n:8} {kind}")
        print("  at rest: descriptors", [f for f, _ in self.rests],
              "memory KiB", [m >> 10 for _, m in self.rests])
        if self.faults:
            print(f"FAILED: {len(self.faults)} faults, the first:\n  {self.faults[0]}\n"
                  f"{tail_of(self.gate.log)}")
        else:
            print(f"passed: {self.bytes} bytes carried and whole")
        return 1 if self.faults else 0


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 2
    seed = os.environ.get("SOAK_SEED", str(random.SystemRandom().randrange(1 << 32)))
    print(f"soak for {minutes} minutes, SOAK_SEED={seed}, {DINV}", flush=True)
    folder = f"/tmp/dinv-soak.{os.getpid()}"
    os.mkdir(folder)
    soak = None
    try:
        soak = Soak(folder, seed)
        soak.run(minutes)
        status = soak.summary()
    finally:
        if soak is not None:
            soak.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
