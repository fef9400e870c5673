# SPDX-License-Identifier: Apache-2.0
"""What must not happen, and what an honest job does.

Words that begin with $ stand for the world's objects (world.py, names()).
"""

# Name, path in the body of ContainerCreate, values.
H = "HostConfig"
CREATE = [
    ("privileged", (H, "Privileged"), [True]),
    ("binds", (H, "Binds"), [
        ["/:/h"], ["//:/h"], ["/./:/h:ro"], ["/proc/self/root:/h"], ["/var/run/docker.sock:/s"],
        ["$FOLDER:/h"], ["$FOLDER/..:/h:rshared"], ["own:/a", "$FOLDER:/h"], ["/tmp/../:/h:z"],
        ["./x:/h"], ["../../x:/h"], ["~/x:/h"], ["C:/x:/h"], [" /:/h"], ["\\/:/h"],
        ["$BADVOL:/h"], ["$BADVOL:/h:nocopy"], ["own:/proc/sys"], ["own:/sys/.", "own:/x"],
        ["own/../../..:/h"], ["/:/h:"], ["own:/h:rshared"]]),
    ("mounts", (H, "Mounts"), [
        [{"Type": "bind", "Source": "/", "Target": "/h"}],
        [{"Type": "bind", "Source": "$FOLDER", "Target": "/h", "ReadOnly": True}],
        [{"Type": "volume", "Source": "own", "Target": "/a"},
         {"Type": "bind", "Source": "/etc", "Target": "/h"}],
        [{"Type": "bind", "Source": "/", "Target": "/h",
          "BindOptions": {"Propagation": "rshared", "NonRecursive": True}}],
        [{"Type": "volume", "Target": "/h", "VolumeOptions": {"DriverConfig": {
            "Name": "local", "Options": {"type": "none", "o": "bind", "device": "/"}}}}],
        [{"Type": "volume", "Source": "sneaky$N", "Target": "/h",
          "VolumeOptions": {"DriverConfig": {
              "Options": {"type": "none", "o": "rbind", "device": "$FOLDER"}}}}],
        [{"Type": "volume", "Source": "$BADVOL", "Target": "/h"}],
        [{"Type": "volume", "Source": "/", "Target": "/h"}],
        [{"Type": "volume", "Target": "/h", "VolumeOptions": {"DriverConfig": {
            "Name": "../../../tmp/x"}}}],
        [{"Type": "volume", "Source": "own", "Target": "/sys/."}],
        [{"Type": "volume", "Source": "own", "Target": "//proc//sys"}],
        [{"Type": "tmpfs", "Target": "/x/../proc/sys"}],
        [{"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"Options": [["remount"]]}}],
        [{"Type": "BIND", "Source": "/", "Target": "/h"}],
        [{"Type": "bind ", "Source": "/", "Target": "/h"}],
        [{"Type": "", "Source": "/", "Target": "/h"}], [{"Source": "/", "Target": "/h"}],
        [{"Type": "npipe", "Source": "/", "Target": "/h"}],
        [{"Type": "cluster", "Source": "x", "Target": "/h", "ClusterOptions": {}}]]),
    ("tmpfs", (H, "Tmpfs"), [
        {"/sys/.": "remount,rw"}, {"/proc": ""}, {"//proc/sys": "size=1m"}, {"/x/../dev": "rw"},
        {"/x": "size=1m,bind"}, {"/x": "rbind"}, {"/x": "shared,size=1m"}, {"/x": "remount"},
        {"/dev/fd": ""}, {"/sys/kernel": "ro"}, {"/proc/../proc": "size=1m"}]),
    ("volumes-from", (H, "VolumesFrom"), [["$BAD"], ["$BADID:ro"], ["$BADPREFIX"]]),
    ("volume-driver", (H, "VolumeDriver"), ["../../../tmp/x", "nfs", "local/../x"]),
    ("cap-add", (H, "CapAdd"), [
        ["ALL"], ["SYS_ADMIN"], ["cap_sys_admin"], ["CAP_SYS_PTRACE", "NET_ADMIN"],
        "SYS_ADMIN", "ALL", ["sys_module"]]),
    ("devices", (H, "Devices"), [
        [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}],
        [{"PathOnHost": "/dev", "PathInContainer": "/dev", "CgroupPermissions": "m"}],
        [{"PathOnHost": "/dev/null"}]]),
    ("device-rules", (H, "DeviceCgroupRules"), [["a *:* rwm"], ["c 1:3 rwm"]]),
    ("device-requests", (H, "DeviceRequests"), [
        [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}],
        [{"Driver": "cdi", "DeviceIDs": ["vendor.com/x=y"]}]]),
    ("blkio", (H, "BlkioDeviceReadBps"), [[{"Path": "/dev/null", "Rate": 1000}]]),
    ("network", (H, "NetworkMode"), [
        "host", "$HOSTNET", "$HOSTPREFIX", "container:$BAD", "container:$BADID",
        "host ", "HOST", "ns:/proc/1/ns/net", "container:",
        "badnet"]),
    ("pid", (H, "PidMode"), ["host", "container:$BAD", "host:"]),
    ("ipc", (H, "IpcMode"), ["host", "container:$BAD", "host:"]),
    ("uts", (H, "UTSMode"), ["host"]),
    ("userns", (H, "UsernsMode"), ["host"]),
    ("cgroupns", (H, "CgroupnsMode"), ["host"]),
    ("cgroup", (H, "Cgroup"), ["container:$BAD"]),
    ("cgroup-parent", (H, "CgroupParent"), ["/", "/x", "../..", "system.slice"]),
    ("security-opt", (H, "SecurityOpt"), [
        ["seccomp=unconfined"], ["seccomp:unconfined"], ["apparmor=unconfined"], ["disable"],
        ["label=disable"], ["label:type:x"], ["no-new-privileges=false"],
        ["no-new-privileges", "seccomp=unconfined"], ["systempaths=unconfined"],
        ["no-new-privileges:false"], ["writable-cgroups=true"]]),
    ("masked", (H, "MaskedPaths"), [[], ["/x"]]),
    ("read-only", (H, "ReadonlyPaths"), [[], ["/x"]]),
    ("runtime", (H, "Runtime"), ["io.containerd.runc.v2", "io.containerd.runtime.v1.linux",
                                 "crun", "/bin/sh"]),
    ("sysctls", (H, "Sysctls"), [{"net.ipv4.ip_forward": "1"}, {"kernel.msgmax": "1"}]),
    ("annotations", (H, "Annotations"), [{"run.oci.handler": "krun"}]),
    ("oom-kill", (H, "OomKillDisable"), [True]),
    ("oom-score", (H, "OomScoreAdj"), [-1, -1000]),
    ("log-driver", (H, "LogConfig"), [
        {"Type": "syslog", "Config": {"syslog-address": "tcp://127.0.0.1:$PORT"}},
        {"Type": "gelf", "Config": {"gelf-address": "tcp://127.0.0.1:$PORT"}},
        {"Type": "fluentd", "Config": {}}, {"Type": "../../../tmp/x", "Config": {}},
        {"Type": "journald"}]),
    ("extra-hosts", (H, "ExtraHosts"), [["a:host-gateway"], ["b:1.2.3.4", "a:host-gateway"]]),
    ("links", (H, "Links"), [["$BAD:x"], ["good:x"]]),
    ("storage", (H, "StorageOpt"), [{"dm.basesize": "1"}]),
    ("endpoints", ("NetworkingConfig", "EndpointsConfig"), [
        {"host": {}}, {"$HOSTNET": {}}, {"$HOSTPREFIX": {}}, {"own": {"NetworkID": "$HOSTNET"}},
        {"none": {"NetworkID": "$HOSTPREFIX"}}, {"badnet": {}}, {"own": {"NetworkID": "badnet"}},
        {"own": {"DriverOpts": {"com.docker.network.endpoint.sysctls": "net.x=1"}}}]),
    ("volumes", ("Volumes",), [{"/proc": {}}, {"/sys/.": {}}, {"/dev/": {}}, {"/:/h": {}}]),
]

UPDATE = [
    ("oom-kill", ("OomKillDisable",), [True]),
    ("devices", ("Devices",), [[{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x"}]]),
    ("blkio", ("BlkioDeviceReadBps",), [[{"Path": "/dev/null", "Rate": 1000}]]),
    ("cgroup-parent", ("CgroupParent",), ["/x"]),
    ("privileged", ("Privileged",), [True]),
    ("binds", ("HostConfig", "Binds"), [["/:/h"]]),
]

EXEC = [("privileged", ("Privileged",), [True])]

VOLUME = [
    ("options", ("DriverOpts",), [
        {"type": "none", "o": "bind", "device": "/"}, {"type": "none", "o": "rbind",
                                                       "device": "$FOLDER"},
        {"type": "nfs", "o": "addr=127.0.0.1", "device": ":/"}, {"o": "size=1m", "type": "tmpfs",
                                                                 "device": "tmpfs"},
        {"type": "overlay", "o": "lowerdir=/,upperdir=/tmp/a,workdir=/tmp/b", "device": "x"}]),
    ("driver", ("Driver",), ["../../../tmp/x", "nfs", "LOCAL"]),
    ("cluster", ("ClusterVolumeSpec",), [{"Group": "x"}]),
]

NETWORK = [
    ("driver", ("Driver",), ["macvlan", "ipvlan", "host", "overlay", "null", "../../../tmp/x"]),
    ("options", ("Options",), [
        {"com.docker.network.bridge.name": "lo"}, {"parent": "eth0"},
        {"com.docker.network.bridge.host_binding_ipv4": "0.0.0.0"},
        {"com.docker.network.bridge.gateway_mode_ipv4": "routed"}]),
    ("config-only", ("ConfigOnly",), [True]),
    ("config-from", ("ConfigFrom",), [{"Network": "own"}]),
    ("ingress", ("Ingress",), [True]),
    ("scope", ("Scope",), ["swarm", "global"]),
    ("ipam", ("IPAM",), [{"Driver": "../../../tmp/x"}, {"Driver": "null"},
                         {"Driver": "default", "Options": {"x": "y"}}]),
]

CONNECT = [
    ("driver-options", ("EndpointConfig",), [
        {"DriverOpts": {"com.docker.network.endpoint.sysctls": "net.ipv4.conf.all=1"}},
        {"NetworkID": "$HOSTNET"}]),
]

# Keys of the query of ImageBuild.
BUILD = [
    ("network", "networkmode", ["host", "container:$BAD", "container:good", "$HOSTNET",
                                "$HOSTPREFIX"]),
    ("cgroup-parent", "cgroupparent", ["/", "/x"]),
    ("extra-hosts", "extrahosts", ["a:host-gateway"]),
    ("remote", "remote", ["http://127.0.0.1:$PORT/x", "git://127.0.0.1:$PORT/x",
                          "https://127.0.0.1:$PORT/x", "HTTP://127.0.0.1:$PORT/x"]),
    ("security-opt", "securityopt", ['["seccomp=unconfined"]']),
]

# Walking into what an administrator made: method, path, query, body.  $WHICH
# is the dangerous container under one of its names.
INTRUDE = [
    ("start", "POST", "/containers/$WHICH/start", [], None),
    ("start-body", "POST", "/containers/$WHICH/start", [], {"Privileged": True}),
    ("restart", "POST", "/containers/$WHICH/restart", [("t", "0")], None),
    ("attach", "POST", "/containers/$WHICH/attach",
     [("stream", "1"), ("stdin", "1"), ("stdout", "1")], None),
    ("attach-ws", "GET", "/containers/$WHICH/attach/ws", [("stream", "1")], None),
    ("exec", "POST", "/containers/$WHICH/exec", [], {"Cmd": ["id"], "AttachStdout": True}),
    ("exec-privileged", "POST", "/containers/$WHICH/exec", [], {"Cmd": ["id"], "Privileged": True}),
    ("get", "GET", "/containers/$WHICH/archive", [("path", "/h/secret")], None),
    ("put", "PUT", "/containers/$WHICH/archive", [("path", "/h")], b"tar"),
    ("copy", "POST", "/containers/$WHICH/copy", [], {"Resource": "/h/secret"}),
    ("export", "GET", "/containers/$WHICH/export", [], None),
    ("commit", "POST", "/commit", [("container", "$WHICH"), ("repo", "e$N")], None),
    ("update", "POST", "/containers/$WHICH/update", [], {"CpuShares": 512}),
    ("exec-start", "POST", "/exec/$EXEC/start", [], {"Detach": True}),
    ("exec-start-attached", "POST", "/exec/$EXEC/start", [], {"Detach": False}),
]

# Operations that the role has not, or not so.
FORBIDDEN = [
    ("prune", "POST", "/containers/prune", [], None),
    ("prune-volumes", "POST", "/volumes/prune", [], None),
    ("prune-networks", "POST", "/networks/prune", [], None),
    ("prune-images", "POST", "/images/prune", [], None),
    ("prune-build", "POST", "/build/prune", [], None),
    ("import", "POST", "/images/create", [("fromSrc", "http://127.0.0.1:$PORT/x")], None),
    ("checkpoint", "POST", "/containers/good/checkpoints", [],
     {"CheckpointID": "x", "CheckpointDir": "/tmp"}),
    ("swarm", "POST", "/swarm/init", [], {"ListenAddr": "127.0.0.1:2377",
                                          "AdvertiseAddr": "127.0.0.1"}),
    ("plugin", "POST", "/plugins/create", [("name", "e/e")], b"tar"),
    ("secret", "POST", "/secrets/create", [], {"Name": "x", "Data": "eA=="}),
    ("service", "POST", "/services/create", [], {"Name": "x", "TaskTemplate": {
        "ContainerSpec": {"Image": "busybox"}}}),
]

# --- honest ------------------------------------------------------------------

# Members of HostConfig that a CI job uses, and of the body around it.
HONEST_HOST = [
    ("Binds", [["own:/data"], ["own:/data:ro"], ["fresh$N:/cache"],
               ["own:/a", "fresh$N:/b:nocopy"]]),
    ("Mounts", [[{"Type": "volume", "Source": "own", "Target": "/m"}],
                [{"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": 1 << 20}}],
                [{"Type": "volume", "Target": "/m"}],
                [{"Type": "volume", "Source": "own", "Target": "/m", "ReadOnly": True}]]),
    ("Tmpfs", [{"/scratch": ""}, {"/run": "size=1m,noexec,mode=1777"}, {"/dev/shm": "size=1m"}]),
    ("CapDrop", [["ALL"], ["NET_RAW", "MKNOD"]]),
    ("Memory", [64 << 20]), ("CpuShares", [512]), ("NanoCpus", [500000000]), ("PidsLimit", [100]),
    ("NetworkMode", ["default", "bridge", "none", "own", "$OWNNET"]),
    ("IpcMode", ["private", "shareable", "none", ""]),
    ("CgroupnsMode", ["private", ""]),
    ("PidMode", [""]), ("UTSMode", [""]), ("UsernsMode", [""]),
    ("SecurityOpt", [["no-new-privileges"], None, []]),
    ("MaskedPaths", [None]), ("ReadonlyPaths", [None]),
    ("ReadonlyRootfs", [True]), ("Init", [True]), ("ShmSize", [1 << 20]),
    ("RestartPolicy", [{"Name": "no"}, {"Name": "always"}, {"Name": "on-failure",
                                                           "MaximumRetryCount": 3}]),
    ("LogConfig", [{"Type": "json-file", "Config": {"max-size": "1m"}}, {"Type": "none"},
                   {"Type": "", "Config": {}}]),
    ("ExtraHosts", [["db:10.0.0.5"]]), ("Dns", [["1.1.1.1"]]),
    ("Ulimits", [[{"Name": "nofile", "Soft": 100, "Hard": 200}]]),
    ("PortBindings", [{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}]),
    ("PublishAllPorts", [True]), ("OomScoreAdj", [0, 500]), ("OomKillDisable", [False]),
    ("Privileged", [False]), ("CapAdd", [None, []]), ("Devices", [[]]), ("VolumesFrom", [None]),
    ("Links", [[]]), ("Sysctls", [None]), ("Runtime", [""]), ("CgroupParent", [""]),
    ("GroupAdd", [["1000"]]), ("AutoRemove", [True]),
]
HONEST_CONFIG = [
    ("Cmd", [["true"], "true", ["sh", "-c", "echo \u00e9\u017f\"\\"]]),
    ("Env", [["A=b", "C="], []]),
    ("Entrypoint", [None, ["sh"]]), ("User", ["1000:1000", ""]), ("WorkingDir", ["/tmp"]),
    ("Tty", [True]), ("OpenStdin", [True]), ("AttachStdout", [True]), ("Hostname", ["ci"]),
    ("ExposedPorts", [{"80/tcp": {}}]), ("Volumes", [{"/v": {}}, None]), ("StopSignal", ["SIGINT"]),
    ("Healthcheck", [{"Test": ["CMD", "true"], "Interval": 1000000000}]),
    ("Labels", [{"a": "b", "A": "c", "Privileged": "true"}]),
    ("NetworkingConfig", [{"EndpointsConfig": {}},
                          {"EndpointsConfig": {"own": {"Aliases": ["x"]}}}]),
]
