# SPDX-License-Identifier: Apache-2.0
"""The policy of ci-runner (docs/policy.md), held against dockerd's words.

Everything here reads what dockerd reports: inspect, lists and events.  It
starts from what dockerd makes of an empty request: a setting that differs from
that is a fault, unless a line here says that it is harmless or looks at it.
"""

import posixpath

# Settings of HostConfig that change only the container's own life.
HARMLESS = {
    "AutoRemove", "BlkioWeight", "CapDrop", "ConsoleSize", "ContainerIDFile", "CpuCount",
    "CpuPercent", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime",
    "CpuShares", "CpusetCpus", "CpusetMems", "Dns", "DnsOptions", "DnsSearch", "GroupAdd",
    "IOMaximumBandwidth", "IOMaximumIOps", "Init", "KernelMemory", "KernelMemoryTCP", "Memory",
    "MemoryReservation", "MemorySwap", "MemorySwappiness", "NanoCpus", "PidsLimit",
    "PortBindings", "PublishAllPorts", "ReadonlyRootfs", "RestartPolicy", "ShmSize", "Ulimits",
    "Isolation",
}
LOG_DRIVERS = {"", "json-file", "local", "none"}
LOG_OPTIONS = {"max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex",
               "tag", "mode", "max-buffer-size"}
NO_NEW_PRIVILEGES = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
TMPFS_WORDS = {"rw", "ro", "exec", "noexec", "suid", "nosuid", "dev", "nodev", "sync", "async",
               "dirsync", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime",
               "strictatime", "nostrictatime"}
TMPFS_VALUES = {"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks"}
NETWORK_OPTIONS = {"com.docker.network.bridge.enable_icc",
                   "com.docker.network.bridge.enable_ip_masquerade",
                   "com.docker.network.driver.mtu", "com.docker.network.enable_ipv6",
                   "com.docker.network.enable_ipv4",
                   "com.docker.network.container_iface_prefix",
                   "com.docker.network.bridge.inhibit_ipv4"}
INTRUSIONS = ("start", "restart", "attach", "exec_create", "exec_start", "archive-path",
              "extract-to-dir", "copy", "export", "commit", "update", "checkpoint", "resize")
FORBIDDEN_TYPES = {"plugin", "service", "node", "secret", "config", "swarm", "daemon"}


class Judge:
    def __init__(self, plain, dangerous, volume, network_of):
        """plain: inspect of an empty request's container; dangerous: ids of
        what an administrator made so; volume(name), network_of(name or id):
        dockerd's inspect of it, or None."""
        self.plain = plain["HostConfig"]
        self.dangerous = dangerous
        self.volume = volume
        self.network_of = network_of

    # --- containers ----------------------------------------------------------

    def container(self, c):
        """What is wrong with this inspect."""
        faults = []
        for key, value in c["HostConfig"].items():
            look = LOOKS.get(key)
            if look is not None:
                faults += [f"{key}: {f}" for f in look(self, value)]
            elif key not in HARMLESS and (value or None) != (self.plain.get(key) or None):
                faults.append(f"{key}: {value!r}")
        # null means dockerd's own lists; [] means none of them.
        for key in ("MaskedPaths", "ReadonlyPaths"):
            if c["HostConfig"].get(key) != self.plain.get(key):
                faults.append(f"{key}: {c['HostConfig'].get(key)!r}")
        for mount in c.get("Mounts") or []:
            faults += [f"Mounts: {f}" for f in self.mounted(mount)]
        for target in c["Config"].get("Volumes") or {}:
            faults += [f"Volumes: {f}" for f in target_faults(target)]
        for name, endpoint in (c["NetworkSettings"].get("Networks") or {}).items():
            faults += [f"Networks[{name!r}]: {f}" for f in self.endpoint(name, endpoint)]
        return faults

    def endpoint(self, name, endpoint):
        for said in {name, endpoint.get("NetworkID") or name}:
            yield from self.network_faults(said)
        if endpoint.get("DriverOpts"):
            yield f"driver options {endpoint['DriverOpts']}"

    def network_faults(self, said):
        """said: whatever dockerd takes for a network."""
        found = self.network_of(said)
        if found is not None and found["Driver"] not in ("bridge", "null"):
            yield f"{said!r} is network {found['Name']!r} of driver {found['Driver']!r}"

    def mounted(self, m):
        """A mount as it came out."""
        if m.get("Type") == "volume":
            yield from self.volume_faults(m)
        elif m.get("Type") not in ("tmpfs", "image"):
            yield f"type {m.get('Type')!r} of {m.get('Source')!r}"
        yield from target_faults(m.get("Destination") or "")

    def volume_faults(self, m):
        if m.get("Driver") not in ("", "local", None):
            yield f"driver {m['Driver']!r}"
        found = self.volume(m.get("Name"))
        if found and found.get("Options"):
            yield f"volume {m['Name']!r} has options {found['Options']}"

    def network_mode(self, mode):
        if mode == "host" or ":" in mode or not mode:
            yield repr(mode)
        else:
            yield from self.network_faults(mode)

    def requested_mounts(self, mounts):
        """HostConfig.Mounts: as it was asked for."""
        for m in mounts or []:
            if m.get("Type") not in ("volume", "tmpfs", "image"):
                yield f"type {m.get('Type')!r} of {m.get('Source')!r}"
            driver = (m.get("VolumeOptions") or {}).get("DriverConfig") or {}
            if driver.get("Options") or driver.get("Name") not in (None, "", "local"):
                yield f"driver {driver}"
            for option in (m.get("TmpfsOptions") or {}).get("Options") or []:
                yield from tmpfs_faults("=".join(option))
            yield from target_faults(m.get("Target") or "")

    # --- the rest ------------------------------------------------------------

    def exec(self, e):
        if e["ProcessConfig"].get("privileged"):
            yield "a privileged exec"
        if e["ContainerID"] in self.dangerous:
            yield f"an exec in the dangerous container {self.dangerous[e['ContainerID']]}"

    def new_volume(self, v):
        if v.get("Driver") != "local":
            yield f"volume driver {v.get('Driver')!r}"
        if v.get("Options"):
            yield f"volume options {v['Options']}"
        if v.get("ClusterVolume"):
            yield "a cluster volume"

    def network(self, n):
        if n.get("Driver") != "bridge":
            yield f"network driver {n.get('Driver')!r}"
        odd = set(n.get("Options") or {}) - NETWORK_OPTIONS
        if odd:
            yield f"network options {odd}"
        for flag in ("ConfigOnly", "Ingress"):
            if n.get(flag):
                yield flag
        if (n.get("ConfigFrom") or {}).get("Network"):
            yield f"ConfigFrom {n['ConfigFrom']}"
        if n.get("Scope") != "local":
            yield f"scope {n.get('Scope')!r}"
        ipam = n.get("IPAM") or {}
        if ipam.get("Driver") not in ("default", "", None) or ipam.get("Options"):
            yield f"IPAM {ipam}"

    def event(self, e):
        kind, action = e.get("Type"), e.get("Action", "")
        actor = e.get("Actor") or {}
        if kind in FORBIDDEN_TYPES:
            yield f"event {kind} {action}"
        if action == "prune":
            yield f"{kind} prune"
        if kind == "container" and actor.get("ID") in self.dangerous \
                and action.split(":")[0] in INTRUSIONS:
            yield f"{action} on the dangerous container {self.dangerous[actor['ID']]}"
        if (actor.get("Attributes") or {}).get("execID") in self.dangerous:
            yield f"{action} of the dangerous exec"


def log_config(_judge, value):
    value = value or {}
    if value.get("Type", "") not in LOG_DRIVERS:
        yield repr(value["Type"])
    odd = set(value.get("Config") or {}) - LOG_OPTIONS
    if odd:
        yield f"options {odd}"


def binds(_judge, value):
    for bind in value or []:
        source, colon, rest = bind.partition(":")
        if colon and (not source or not source[0].isalnum() or "/" in source or "\\" in source):
            yield f"source {source!r}"
        target, _, mode = (rest if colon else bind).partition(":")
        yield from target_faults(target)
        for option in mode.split(","):
            if "shared" in option or "slave" in option or "bind" in option:
                yield f"mode {mode!r}"


def tmpfs(_judge, value):
    for target, options in (value or {}).items():
        yield from target_faults(target)
        for option in options.split(","):
            yield from tmpfs_faults(option)


def tmpfs_faults(option):
    name, _, value = option.partition("=")
    if option and option not in TMPFS_WORDS and not (
            name in TMPFS_VALUES and value.rstrip("kKmMgG%").isdigit()):
        yield f"tmpfs option {option!r}"


def target_faults(target):
    """At or below /proc, /sys, or /dev but for what is the container's own."""
    clean = posixpath.normpath("/" + target.lstrip("/"))
    if clean == "/" or any(_below(clean, d) for d in ("/proc", "/sys")):
        yield f"target {target!r}"
    elif _below(clean, "/dev") and not any(
            _below(clean, d) for d in ("/dev/shm", "/dev/mqueue", "/dev/hugepages")):
        yield f"target {target!r}"


def _below(path, folder):
    return path == folder or path.startswith(folder + "/")


def one_of(*allowed):
    return lambda judge, value: [] if (value or "") in allowed else [repr(value)]


LOOKS = {
    "Binds": binds,
    "CgroupnsMode": lambda j, v: [] if v in ("", "private", j.plain.get("CgroupnsMode")) else [v],
    "ExtraHosts": lambda _j, v: [h for h in v or [] if "host-gateway" in h],
    "IpcMode": one_of("", "none", "private", "shareable"),
    "LogConfig": log_config,
    "MaskedPaths": lambda _j, _v: [],       # looked at even where it is absent
    "Mounts": Judge.requested_mounts,
    "NetworkMode": Judge.network_mode,
    "OomScoreAdj": lambda _j, v: [str(v)] if v < 0 else [],
    "ReadonlyPaths": lambda _j, _v: [],
    "SecurityOpt": lambda _j, v: [o for o in v or [] if o not in NO_NEW_PRIVILEGES],
    "StorageOpt": lambda _j, v: [k for k in v or {} if k != "size"],
    "Tmpfs": tmpfs,
    "VolumeDriver": one_of("", "local"),
}
