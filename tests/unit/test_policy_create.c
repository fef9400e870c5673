/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a constrained role may say in JSON bodies: each disguise of each
 * danger first, then what honest clients send.
 */
#include "policy_fixture.h"

#define CREATE "POST /v1.41/containers/create"
#define HC(text) "{\"Image\":\"i\",\"HostConfig\":{" text "}}"

/* Bodies of ContainerCreate, the rule that refuses each, and where. */
static const struct {
	const char *body;
	const char *rule;
	const char *path;
} refused[] = {
	/* privileged, and its spellings */
	{ HC("\"Privileged\":true"), "privileged", "HostConfig.Privileged" },
	{ HC("\"privileged\":true"), "privileged", "HostConfig.Privileged" },
	{ HC("\"PRIVILEGED\":true"), "privileged", "HostConfig.Privileged" },
	{ "{\"hostconfig\":{\"Privileged\":true}}", "privileged",
	    "HostConfig.Privileged" },
	{ "{\"Ho\xc5\xbftConfig\":{\"Privileged\":true}}", "privileged",
	    "HostConfig.Privileged" },
	{ "{\"Ho\\u017ftConfig\":{\"Privileged\":true}}", "privileged",
	    "HostConfig.Privileged" },
	{ HC("\"Networ\xe2\x84\xaaMode\":\"host\""), "host-namespaces",
	    "HostConfig.NetworkMode" },
	{ HC("\"Networ\\u212aMode\":\"host\""), "host-namespaces",
	    "HostConfig.NetworkMode" },
	{ HC("\"\\u0050rivileged\":true"), "privileged",
	    "HostConfig.Privileged" },
	/* one name twice */
	{ HC("\"Privileged\":false,\"Privileged\":true"), "body", "" },
	{ HC("\"Privileged\":false,\"privileged\":true"), "duplicate-field",
	    "HostConfig" },
	{ "{\"HostConfig\":{},\"HoſtConfig\":{\"Privileged\":true}}",
	    "duplicate-field", "" },
	{ "{\"HostConfig\":null,\"hostConfig\":{\"Binds\":[\"/:/h\"]}}",
	    "duplicate-field", "" },
	{ "{\"HostConfig\":{},\"hostConfig\":{}}", "duplicate-field", "" },
	{ "{\"Cmd\":[],\"cmd\":[]}", "duplicate-field", "" },
	{ "{\"User\":\"a\",\"user\":null}", "duplicate-field", "" },
	/* HostConfig at the top level: dockerd 26 and older */
	{ "{\"Image\":\"i\",\"Privileged\":true}", "unknown-field",
	    "Privileged" },
	{ "{\"Image\":\"i\",\"Binds\":[\"/:/h\"]}", "unknown-field", "Binds" },
	{ "{\"Memory\":5,\"HostConfig\":{}}", "unknown-field", "Memory" },
	{ "{\"VolumeDriver\":\"x\"}", "unknown-field", "VolumeDriver" },
	{ "{\"Config\":{\"Image\":\"i\"}}", "unknown-field", "Config" },
	{ HC("\"Foo\":1"), "unknown-field", "HostConfig.Foo" },
	{ HC("\"Privileged \":true"), "unknown-field",
	    "HostConfig.Privileged " },
	{ HC("\"Pr\xc4\xb1vileged\":true"), "unknown-field",
	    "HostConfig.Pr\\xc4\\xb1vileged" },
	{ HC("\"HostConfig\":{\"Privileged\":true}"), "unknown-field",
	    "HostConfig.HostConfig" },
	/* types as Go would not read them */
	{ HC("\"Privileged\":\"true\""), "type", "HostConfig.Privileged" },
	{ HC("\"Privileged\":1"), "type", "HostConfig.Privileged" },
	{ HC("\"Memory\":1e9"), "type", "HostConfig.Memory" },
	{ HC("\"Memory\":1.0"), "type", "HostConfig.Memory" },
	{ HC("\"Memory\":\"1\""), "type", "HostConfig.Memory" },
	{ HC("\"Memory\":9223372036854775808"), "type", "HostConfig.Memory" },
	{ HC("\"Binds\":\"/:/h\""), "type", "HostConfig.Binds" },
	{ HC("\"Binds\":{\"0\":\"/:/h\"}"), "type", "HostConfig.Binds" },
	{ HC("\"Binds\":[[\"/:/h\"]]"), "type", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[null]"), "type", "HostConfig.Binds[0]" },
	{ "{\"HostConfig\":[]}", "type", "HostConfig" },
	{ "{\"HostConfig\":\"\"}", "type", "HostConfig" },
	{ "{\"Cmd\":[1]}", "type", "Cmd[0]" },
	{ "{\"Labels\":{\"a\":1}}", "type", "Labels[\"a\"]" },
	{ HC("\"Mounts\":[null]"), "type", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[[]]"), "type", "HostConfig.Mounts[0]" },
	{ "[]", "type", "" },
	{ "\"x\"", "type", "" },
	{ "{} {}", "body", "" },
	{ "{}}", "body", "" },
	{ "{\"Image\":\"\\u0000\"}", "body", "" },
	{ "{\"Image\":\"\\ud800\"}", "body", "" },
	{ "// x\n{}", "body", "" },
	/* paths of the host */
	{ HC("\"Binds\":[\"/:/h\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"v:/x\",\"//etc:/h:ro\"]"), "host-paths",
	    "HostConfig.Binds[1]" },
	{ HC("\"Binds\":[\"/var/run/docker.sock:/s\"]"), "host-paths",
	    "HostConfig.Binds[0]" },
	{ HC("\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"tag\":"
	     "\"a{{.ID}}{{pad 1 2 3}}\"}}"),
	    "log-driver", "HostConfig.LogConfig.Config[\"tag\"]" },
	{ HC("\"LogConfig\":{\"Type\":\"local\",\"Config\":{\"x\":\"\"}}"),
	    "log-driver", "HostConfig.LogConfig.Config[\"x\"]" },
	{ HC("\"Sysctls\":{\"net.ipv4.ip_forward\":\"\"}"), "sysctls",
	    "HostConfig.Sysctls" },
	{ HC("\"Annotations\":{\"x\":\"\"}"), "annotations",
	    "HostConfig.Annotations" },
	{ HC("\"Tmpfs\":{\"/sys/.\":\"remount,rw\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"/sys/.\"]" },
	{ HC("\"Tmpfs\":{\"//sys\":\"\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"//sys\"]" },
	{ HC("\"Tmpfs\":{\"/x/../proc/1\":\"\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"/x/../proc/1\"]" },
	{ HC("\"Tmpfs\":{\"/\":\"\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"/\"]" },
	{ HC("\"Tmpfs\":{\"x\":\"\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"x\"]" },
	{ HC("\"Tmpfs\":{\"/t\":\"size=1m,remount\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"/t\"]" },
	{ HC("\"Tmpfs\":{\"/t\":\"rbind\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"/t\"]" },
	{ HC("\"Tmpfs\":{\"/t\":\"size=1m:rshared\"}"), "mount-target",
	    "HostConfig.Tmpfs[\"/t\"]" },
	{ HC("\"Binds\":[\"v:/sys/fs/cgroup\"]"), "mount-target",
	    "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"/proc\"]"), "mount-target", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"v:/x:rshared\"]"), "host-paths",
	    "HostConfig.Binds[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/dev\"}]"),
	    "mount-target", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\","
	     "\"TmpfsOptions\":{\"Options\":[[\"remount\"]]}}]"),
	    "mount-target", "HostConfig.Mounts[0].TmpfsOptions.Options" },
	{ HC("\"Binds\":[\"./x:/h\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"..:/h\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"~/x:/h\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"a/b:/h\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\":/h\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"v\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"v:x\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"\"]"), "host-paths", "HostConfig.Binds[0]" },
	{ HC("\"Binds\":[\"v:/x:ro:/y\"]"), "host-paths",
	    "HostConfig.Binds[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/\",\"Target\":"
	     "\"/h\"}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"mounts\":[{\"type\":\"bind\",\"source\":\"/\",\"target\":"
	     "\"/h\"}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/t\"},{\"Type\":"
	     "\"volume\",\"Source\":\"/etc\",\"Target\":\"/h\"}]"),
	    "host-paths", "HostConfig.Mounts[1]" },
	{ HC("\"Mounts\":[{\"Type\":\"\",\"Source\":\"/\",\"Target\":\"/h\"}"
	     "]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Source\":\"/\",\"Target\":\"/h\"}]"), "host-paths",
	    "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"Bind\",\"Source\":\"/\",\"Target\":"
	     "\"/h\"}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"npipe\",\"Source\":\"x\"}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"cluster\",\"Source\":\"x\"}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/h\","
	     "\"VolumeOptions\":{\"DriverConfig\":{\"Options\":{\"o\":\"\"}}}"
	     "}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"volume\",\"Target\":\"/h\","
	     "\"VolumeOptions\":{\"DriverConfig\":{\"Name\":\"local\","
	     "\"Options\":{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/\""
	     "}}}}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/h\","
	     "\"VolumeOptions\":{\"driverconfig\":{\"Options\":{\"o\":"
	     "\"bind\"}}}}]"),
	    "host-paths", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"volume\",\"VolumeOptions\":"
	     "{\"DriverConfig\":{\"Name\":\"../../../tmp/x\"}}}]"),
	    "volume-driver", "HostConfig.Mounts[0]" },
	{ HC("\"Mounts\":[{\"Type\":\"volume\",\"BindOptions\":"
	     "{\"Propagation\":\"rshared\"}}]"),
	    "host-paths", "HostConfig.Mounts[0].BindOptions" },
	{ HC("\"VolumeDriver\":\"../../../tmp/x\""), "volume-driver",
	    "HostConfig.VolumeDriver" },
	{ HC("\"VolumesFrom\":[\"other\"]"), "volumes-from",
	    "HostConfig.VolumesFrom" },
	/* capabilities, devices, namespaces */
	{ HC("\"CapAdd\":[\"SYS_ADMIN\"]"), "capabilities",
	    "HostConfig.CapAdd[0]" },
	{ HC("\"CapAdd\":\"SYS_ADMIN\""), "capabilities", "HostConfig.CapAdd" },
	{ HC("\"capadd\":[\"all\"]"), "capabilities", "HostConfig.CapAdd[0]" },
	{ HC("\"Capabilities\":[\"CAP_SYS_ADMIN\"]"), "capabilities",
	    "HostConfig.Capabilities" },
	{ HC("\"Devices\":[{\"PathOnHost\":\"/dev/sda\",\"PathInContainer\":"
	     "\"/dev/x\",\"CgroupPermissions\":\"rwm\"}]"),
	    "devices", "HostConfig.Devices" },
	{ HC("\"DeviceRequests\":[{\"Driver\":\"cdi\",\"DeviceIDs\":[\"a\"]}"
	     "]"),
	    "devices", "HostConfig.DeviceRequests" },
	{ HC("\"DeviceCgroupRules\":[\"a *:* rwm\"]"), "devices",
	    "HostConfig.DeviceCgroupRules" },
	{ HC("\"BlkioWeightDevice\":[{\"Path\":\"/dev/sda\",\"Weight\":1}]"),
	    "devices", "HostConfig.BlkioWeightDevice" },
	{ HC("\"NetworkMode\":\"host\""), "host-namespaces",
	    "HostConfig.NetworkMode" },
	{ HC("\"NetworkMode\":\"container:\""), "host-namespaces",
	    "HostConfig.NetworkMode" },
	{ HC("\"NetworkMode\":\"ns:/proc/1/ns/net\""), "host-namespaces",
	    "HostConfig.NetworkMode" },
	{ HC("\"PidMode\":\"host\""), "host-namespaces", "HostConfig.PidMode" },
	{ HC("\"PidMode\":\"container:\""), "host-namespaces",
	    "HostConfig.PidMode" },
	{ HC("\"IpcMode\":\"host\""), "host-namespaces", "HostConfig.IpcMode" },
	{ HC("\"IpcMode\":\"container:\""), "host-namespaces",
	    "HostConfig.IpcMode" },
	{ HC("\"UTSMode\":\"host\""), "host-namespaces", "HostConfig.UTSMode" },
	{ HC("\"UsernsMode\":\"host\""), "host-namespaces",
	    "HostConfig.UsernsMode" },
	{ HC("\"CgroupnsMode\":\"host\""), "host-namespaces",
	    "HostConfig.CgroupnsMode" },
	{ HC("\"Cgroup\":\"container:x\""), "host-namespaces",
	    "HostConfig.Cgroup" },
	{ "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"host\":{}}}}",
	    "host-namespaces", "NetworkingConfig.EndpointsConfig" },
	{ "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"DriverOpts\":"
	  "{\"com.docker.network.endpoint.sysctls\":\"x\"}}}}}",
	    "network-driver",
	    "NetworkingConfig.EndpointsConfig[\"n\"].DriverOpts" },
	{ "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Foo\":1}}}}",
	    "unknown-field", "NetworkingConfig.EndpointsConfig[\"n\"].Foo" },
	/* security */
	{ HC("\"SecurityOpt\":[\"seccomp=unconfined\"]"), "security-options",
	    "HostConfig.SecurityOpt[0]" },
	{ HC("\"SecurityOpt\":[\"no-new-privileges\",\"apparmor=unconfined\"]"),
	    "security-options", "HostConfig.SecurityOpt[1]" },
	{ HC("\"SecurityOpt\":[\"disable\"]"), "security-options",
	    "HostConfig.SecurityOpt[0]" },
	{ HC("\"SecurityOpt\":[\"no-new-privileges=false\"]"),
	    "security-options", "HostConfig.SecurityOpt[0]" },
	{ HC("\"SecurityOpt\":[\"writable-cgroups=true\"]"), "security-options",
	    "HostConfig.SecurityOpt[0]" },
	{ HC("\"MaskedPaths\":[]"), "masked-paths", "HostConfig.MaskedPaths" },
	{ HC("\"ReadonlyPaths\":[]"), "masked-paths",
	    "HostConfig.ReadonlyPaths" },
	{ HC("\"MaskedPaths\":[\"/x\"]"), "masked-paths",
	    "HostConfig.MaskedPaths" },
	{ HC("\"Runtime\":\"io.containerd.runc.v2\""), "runtime",
	    "HostConfig.Runtime" },
	{ HC("\"CgroupParent\":\"/x\""), "cgroup-parent",
	    "HostConfig.CgroupParent" },
	{ HC("\"Sysctls\":{\"net.core.somaxconn\":\"1\"}"), "sysctls",
	    "HostConfig.Sysctls" },
	{ HC("\"Annotations\":{\"a\":\"b\"}"), "annotations",
	    "HostConfig.Annotations" },
	{ HC("\"LogConfig\":{\"Type\":\"syslog\",\"Config\":"
	     "{\"syslog-address\":\"unix:///x\"}}"),
	    "log-driver", "HostConfig.LogConfig.Type" },
	{ HC("\"LogConfig\":{\"Config\":{\"syslog-address\":\"unix:///x\"}}"),
	    "log-driver", "HostConfig.LogConfig.Config[\"syslog-address\"]" },
	{ HC("\"OomScoreAdj\":-1"), "oom", "HostConfig.OomScoreAdj" },
	{ HC("\"OomKillDisable\":true"), "oom", "HostConfig.OomKillDisable" },
	{ HC("\"ExtraHosts\":[\"a:1.1.1.1\",\"h:host-gateway\"]"),
	    "extra-hosts", "HostConfig.ExtraHosts[1]" },
	{ HC("\"Links\":[\"x:y\"]"), "links", "HostConfig.Links" },
	{ HC("\"Links\":[\"x:y\"],\"NetworkMode\":\"\""), "links",
	    "HostConfig.Links" },
	{ HC("\"NetworkMode\":\"default\",\"lin\u212as\":[\"x:y\"]"), "links",
	    "HostConfig.Links" },
	{ HC("\"Links\":[\"x:y\"],\"NetworkMode\":\"bridge\""), "links",
	    "HostConfig.Links" },
	{ HC("\"Links\":[\"x:y\"],\"NetworkMode\":\"none\""), "links",
	    "HostConfig.Links" },
	{ HC("\"StorageOpt\":{\"dm.x\":\"1\"}"), "storage-opt",
	    "HostConfig.StorageOpt[\"dm.x\"]" },
};

static void
refuses_ways_to_the_host_in_every_disguise(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(refused); i++) {
		ask_preset("ci-runner", CREATE, refused[i].body, NULL, &a);
		if (a.verdict != VERDICT_DENY ||
		    strcmp(a.why.rule, refused[i].rule) != 0 ||
		    strcmp(a.why.path, refused[i].path) != 0) {
			fail_msg("%s: rule %s at %s: %s", refused[i].body,
			    a.why.rule, a.why.path, a.why.message);
		}
	}
}

/* What goes in, and what dockerd gets. */
static const struct {
	const char *body;
	const char *written;
} allowed[] = {
	{ "{}", "{}" },
	{ "null", "null" },
	{ " { \"Image\" : \"i\" } ", "{\"Image\":\"i\"}" },
	{ "{\"image\":\"i\",\"CMD\":\"sh\",\"Entrypoint\":\"x\"}",
	    "{\"Image\":\"i\",\"Cmd\":[\"sh\"],\"Entrypoint\":[\"x\"]}" },
	{ "{\"Entrypoint\":[\"\"],\"Cmd\":[]}",
	    "{\"Entrypoint\":[\"\"],\"Cmd\":[]}" },
	{ "{\"Entrypoint\":null,\"Healthcheck\":{\"Test\":[\"NONE\"]}}",
	    "{\"Entrypoint\":null,\"Healthcheck\":{\"Test\":[\"NONE\"]}}" },
	/* unknown fields without a value, and what dockerd ignores */
	{ "{\"Foo\":null,\"Bar\":{\"x\":[],\"y\":0},\"name\":\"n\","
	  "\"Image\":\"i\"}",
	    "{\"Image\":\"i\"}" },
	{ "{\"VolumesFrom\":[],\"Privileged\":false}", "{}" },
	{ HC("\"DiskQuota\":0,\"Privileged\":false"),
	    HC("\"Privileged\":false") },
	/* zero values that mean something */
	{ HC("\"MaskedPaths\":null,\"ReadonlyPaths\":null"),
	    HC("\"MaskedPaths\":null,\"ReadonlyPaths\":null") },
	{ HC("\"Init\":false,\"OomKillDisable\":false,\"PidsLimit\":0,"
	     "\"MemorySwappiness\":-1"),
	    HC("\"Init\":false,\"OomKillDisable\":false,\"PidsLimit\":0,"
	       "\"MemorySwappiness\":-1") },
	{ "{\"StopTimeout\":0,\"Tty\":false}",
	    "{\"StopTimeout\":0,\"Tty\":false}" },
	/* one name twice with one value (docker-java's networks) */
	{ "{\"Tty\":true,\"tty\":true,\"User\":null,\"user\":null}",
	    "{\"Tty\":true,\"User\":null}" },
	/* maps keep their keys' case; numbers and texts stay exact */
	{ "{\"Labels\":{\"a\":\"1\",\"A\":\"2\"},\"StopTimeout\":-0}",
	    "{\"Labels\":{\"a\":\"1\",\"A\":\"2\"},\"StopTimeout\":-0}" },
	{ HC("\"Memory\":9223372036854775807"),
	    HC("\"Memory\":9223372036854775807") },
	{ "{\"Env\":[\"A=\\u20ac\\n\\/\"]}",
	    "{\"Env\":[\"A=\xe2\x82\xac\\u000a/\"]}" },
	{ "{\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/x\":{\"y\":1}}}",
	    "{\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/x\":{}}}" },
	/* harmless host configuration */
	{ HC("\"Binds\":[\"/x\",\"v:/x:ro,z\",\"a.b_c-d:/y\"]"),
	    HC("\"Binds\":[\"/x\",\"v:/x:ro,z\",\"a.b_c-d:/y\"]") },
	{ HC("\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":"
	     "\"/x\",\"VolumeOptions\":{\"NoCopy\":true,\"DriverConfig\":"
	     "{\"Name\":\"local\"}}},{\"Type\":\"tmpfs\",\"Target\":\"/t\","
	     "\"TmpfsOptions\":{\"SizeBytes\":5,\"Options\":[[\"exec\"]]}}]"),
	    HC("\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"v\",\"Target\":"
	       "\"/x\",\"VolumeOptions\":{\"NoCopy\":true,\"DriverConfig\":"
	       "{\"Name\":\"local\"}}},{\"Type\":\"tmpfs\",\"Target\":\"/t\","
	       "\"TmpfsOptions\":{\"SizeBytes\":5,\"Options\":[[\"exec\"]]}}"
	       "]") },
	{ HC("\"NetworkMode\":\"mynet\",\"IpcMode\":\"private\","
	     "\"CapDrop\":\"ALL\""),
	    HC("\"NetworkMode\":\"mynet\",\"IpcMode\":\"private\","
	       "\"CapDrop\":[\"ALL\"]") },
	/* docker-compose 1: on its own network they do nothing. */
	{ HC("\"Links\":[\"a:b\"],\"NetworkMode\":\"mynet\""),
	    HC("\"Links\":[\"a:b\"],\"NetworkMode\":\"mynet\"") },
	{ HC("\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":"
	     "\"80\"}],\"81/tcp\":null},\"RestartPolicy\":{\"Name\":"
	     "\"always\"}"),
	    HC("\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"\",\"HostPort\":"
	       "\"80\"}],\"81/tcp\":null},\"RestartPolicy\":{\"Name\":"
	       "\"always\"}") },
	{ HC("\"SecurityOpt\":[\"no-new-privileges\"],\"LogConfig\":"
	     "{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"1m\"}},"
	     "\"ExtraHosts\":[\"a:1.1.1.1\"],\"Ulimits\":[{\"Name\":"
	     "\"nofile\",\"Soft\":1,\"Hard\":2}],\"StorageOpt\":{\"size\":"
	     "\"1G\"},\"OomScoreAdj\":100"),
	    HC("\"SecurityOpt\":[\"no-new-privileges\"],\"LogConfig\":"
	       "{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"1m\"}},"
	       "\"ExtraHosts\":[\"a:1.1.1.1\"],\"Ulimits\":[{\"Name\":"
	       "\"nofile\",\"Soft\":1,\"Hard\":2}],\"StorageOpt\":{\"size\":"
	       "\"1G\"},\"OomScoreAdj\":100") },
	{ "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Aliases\":"
	  "[\"a\"],\"Links\":[\"b:c\"],\"IPAMConfig\":{}},\"m\":null}}}",
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"Aliases\":"
	    "[\"a\"],\"Links\":[\"b:c\"],\"IPAMConfig\":{}},\"m\":null}}}" },
};

static void
writes_honest_bodies_anew(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(allowed); i++) {
		ask_preset("ci-runner", CREATE, allowed[i].body, NULL, &a);
		if (a.verdict != VERDICT_ALLOW) {
			fail_msg("%s: %s", allowed[i].body, a.why.message);
		}
		assert_true(a.replace);
		if (strcmp(a.body, allowed[i].written) != 0) {
			fail_msg("%s\n%s", allowed[i].body, a.body);
		}
	}
}

/* docker run (CLI 28): every field is there, most of them zero. */
static void
takes_a_body_of_the_command_line(void **state)
{
	static const char body[] =
	    "{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\","
	    "\"AttachStdin\":false,\"AttachStdout\":true,\"AttachStderr\":"
	    "true,\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,"
	    "\"Env\":null,\"Cmd\":[\"true\"],\"Image\":\"busybox\","
	    "\"Volumes\":{},\"WorkingDir\":\"\",\"Entrypoint\":null,"
	    "\"OnBuild\":null,\"Labels\":{},\"HostConfig\":{\"Binds\":null,"
	    "\"ContainerIDFile\":\"\",\"LogConfig\":{\"Type\":\"\",\"Config\":"
	    "{}},\"NetworkMode\":\"bridge\",\"PortBindings\":{},"
	    "\"RestartPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},"
	    "\"AutoRemove\":true,\"VolumeDriver\":\"\",\"VolumesFrom\":null,"
	    "\"ConsoleSize\":[0,0],\"CapAdd\":null,\"CapDrop\":null,"
	    "\"CgroupnsMode\":\"\",\"Dns\":[],\"DnsOptions\":[],\"DnsSearch\":"
	    "[],\"ExtraHosts\":null,\"GroupAdd\":null,\"IpcMode\":\"\","
	    "\"Cgroup\":\"\",\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":"
	    "\"\",\"Privileged\":false,\"PublishAllPorts\":false,"
	    "\"ReadonlyRootfs\":false,\"SecurityOpt\":null,\"UTSMode\":\"\","
	    "\"UsernsMode\":\"\",\"ShmSize\":0,\"Isolation\":\"\","
	    "\"CpuShares\":0,\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":"
	    "\"\",\"BlkioWeight\":0,\"BlkioWeightDevice\":[],"
	    "\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":[],"
	    "\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],"
	    "\"CpuPeriod\":0,\"CpuQuota\":0,\"CpuRealtimePeriod\":0,"
	    "\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\",\"CpusetMems\":\"\","
	    "\"Devices\":[],\"DeviceCgroupRules\":null,\"DeviceRequests\":"
	    "null,\"MemoryReservation\":0,\"MemorySwap\":0,"
	    "\"MemorySwappiness\":-1,\"OomKillDisable\":false,\"PidsLimit\":"
	    "0,\"Ulimits\":[],\"CpuCount\":0,\"CpuPercent\":0,"
	    "\"IOMaximumIOps\":0,\"IOMaximumBandwidth\":0,\"MaskedPaths\":"
	    "null,\"ReadonlyPaths\":null},\"NetworkingConfig\":"
	    "{\"EndpointsConfig\":{\"default\":{\"IPAMConfig\":null,\"Links\":"
	    "null,\"Aliases\":null,\"MacAddress\":\"\",\"DriverOpts\":null,"
	    "\"GwPriority\":0,\"NetworkID\":\"\",\"EndpointID\":\"\","
	    "\"Gateway\":\"\",\"IPAddress\":\"\",\"IPPrefixLen\":0,"
	    "\"IPv6Gateway\":\"\",\"GlobalIPv6Address\":\"\","
	    "\"GlobalIPv6PrefixLen\":0,\"DNSNames\":null}}}}";
	struct asked a;

	(void)state;
	ask_preset("ci-runner", CREATE "?name=x", body, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.body, body);
	assert_string_equal(a.facts, "");
}

/* The bodies of other operations; rule NULL: allowed. */
static const struct {
	const char *request;
	const char *body;
	const char *rule;
	const char *path;
} others[] = {
	{ "POST /containers/x/exec", "{\"Privileged\":true}", "exec-privileged",
	    "Privileged" },
	{ "POST /containers/x/exec", "{\"privileged\":true}", "exec-privileged",
	    "Privileged" },
	{ "POST /containers/x/exec", "{\"Capabilities\":[\"x\"]}",
	    "unknown-field", "Capabilities" },
	{ "POST /containers/x/update", "{\"CgroupParent\":\"/\"}",
	    "cgroup-parent", "CgroupParent" },
	{ "POST /containers/x/update",
	    "{\"Devices\":[{\"PathOnHost\":\"/\"}]"
	    "}",
	    "devices", "Devices" },
	{ "POST /containers/x/update", "{\"Privileged\":true}", "unknown-field",
	    "Privileged" },
	{ "POST /commit?container=x", "{\"HostConfig\":{\"Binds\":[\"/:/\"]}}",
	    "unknown-field", "HostConfig" },
	{ "POST /volumes/create",
	    "{\"Name\":\"v\",\"DriverOpts\":{\"o\":"
	    "\"bind\"}}",
	    "host-paths", "DriverOpts" },
	{ "POST /volumes/create",
	    "{\"Name\":\"v\",\"DriverOpts\":{\"o\":\"\"}}", "host-paths",
	    "DriverOpts" },
	{ "POST /volumes/create", "{\"Driver\":\"../../x\"}", "volume-driver",
	    "Driver" },
	{ "POST /volumes/create", "{\"ClusterVolumeSpec\":{\"Group\":\"g\"}}",
	    "volume-driver", "ClusterVolumeSpec" },
	{ "POST /volumes/create",
	    "{\"Name\":\"v\",\"Driver\":\"local\","
	    "\"DriverOpts\":null,\"Labels\":{\"a\":\"b\"}}",
	    NULL, "" },
	{ "POST /networks/create", "{\"Name\":\"n\",\"Driver\":\"macvlan\"}",
	    "network-driver", "Driver" },
	{ "POST /networks/create", "{\"Name\":\"n\",\"Driver\":\"host\"}",
	    "network-driver", "Driver" },
	{ "POST /networks/create",
	    "{\"Name\":\"n\",\"Options\":"
	    "{\"com.docker.network.bridge.name\":\"eth0\"}}",
	    "network-driver", "Options[\"com.docker.network.bridge.name\"]" },
	{ "POST /networks/create",
	    "{\"Name\":\"n\",\"Options\":"
	    "{\"com.docker.network.bridge.gateway_mode_ipv4\":\"routed\"}}",
	    "network-driver",
	    "Options[\"com.docker.network.bridge.gateway_mode_ipv4\"]" },
	{ "POST /networks/create",
	    "{\"Name\":\"n\",\"ConfigFrom\":"
	    "{\"Network\":\"x\"}}",
	    "network-driver", "ConfigFrom" },
	{ "POST /networks/create", "{\"Name\":\"n\",\"Ingress\":true}",
	    "network-driver", "Ingress" },
	{ "POST /networks/create", "{\"Name\":\"n\",\"Scope\":\"swarm\"}",
	    "network-driver", "Scope" },
	{ "POST /networks/create",
	    "{\"Name\":\"n\",\"IPAM\":{\"Driver\":"
	    "\"../x\"}}",
	    "network-driver", "IPAM.Driver" },
	{ "POST /networks/create",
	    "{\"Name\":\"n\",\"Driver\":\"bridge\","
	    "\"IPAM\":{\"Driver\":\"default\",\"Config\":[{\"Subnet\":"
	    "\"10.0.0.0/24\"}],\"Options\":null},\"ConfigFrom\":{\"Network\":"
	    "\"\"},\"Options\":{\"com.docker.network.driver.mtu\":\"1400\"},"
	    "\"CheckDuplicate\":true,\"Internal\":true,\"Labels\":{}}",
	    NULL, "" },
	{ "POST /networks/n/connect",
	    "{\"Container\":\"x\","
	    "\"EndpointConfig\":{\"DriverOpts\":{\"a\":\"b\"}}}",
	    "network-driver", "EndpointConfig.DriverOpts" },
	{ "POST /networks/n/connect",
	    "{\"Container\":\"x\","
	    "\"EndpointConfig\":{\"Aliases\":[\"a\"]}}",
	    NULL, "" },
	{ "POST /networks/n/disconnect", "{\"Container\":\"x\",\"Force\":true}",
	    NULL, "" },
	{ "POST /auth",
	    "{\"username\":\"u\",\"password\":\"p\","
	    "\"serveraddress\":\"r:5000\"}",
	    NULL, "" },
	{ "POST /images/r:5000/x/push?tag=t", "{}", NULL, "" },
	{ "POST /images/x/push", "{\"tag\":\"t\"}", NULL, "" },
};

static void
judges_the_bodies_of_other_operations(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(others); i++) {
		ask_preset(
		    "ci-runner", others[i].request, others[i].body, NULL, &a);
		if ((a.verdict == VERDICT_ALLOW) != (others[i].rule == NULL) ||
		    (others[i].rule != NULL &&
			(strcmp(a.why.rule, others[i].rule) != 0 ||
			    strcmp(a.why.path, others[i].path) != 0))) {
			fail_msg("%s: rule %s at %s: %s", others[i].body,
			    a.why.rule, a.why.path, a.why.message);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_ways_to_the_host_in_every_disguise),
		cmocka_unit_test(judges_the_bodies_of_other_operations),
		cmocka_unit_test(writes_honest_bodies_anew),
		cmocka_unit_test(takes_a_body_of_the_command_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
