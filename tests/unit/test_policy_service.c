/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services, secrets, plugins, the swarm: refusals first.  A service must be no
 * way around what is refused to a container.
 */
#include "policy_role.h"

#define CREATE "POST /v1.45/services/create"
#define UPDATE "POST /v1.45/services/web/update?version=7"
#define FRONT "frontfrontfrontfrontfront"
#define OVER "overoveroveroveroveroover"

/* A restart condition of its own, so that no rule but the one is asked. */
#define TASK(text)                                                             \
	"{\"Name\":\"web\",\"TaskTemplate\":{\"RestartPolicy\":{"              \
	"\"Condition\":"                                                       \
	"\"none\"}," text "}}"
#define SPEC(text) TASK("\"ContainerSpec\":{\"Image\":\"i\"," text "}")
#define MOUNT(text) SPEC("\"Mounts\":[{\"Target\":\"/x\"," text "}]")
#define C "TaskTemplate.ContainerSpec."

#define ROLE(may, constraints)                                                 \
	"{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],\"roles\":"  \
	"{\"t\":{\"allow\":[\"@swarm\",\"@plugin\",\"@volume\","               \
	"\"CheckpointCreate\",\"CheckpointList\"],\"may\":[" may               \
	"],\"constraints\":{" constraints "}}}}"

static const struct told told[] = {
	{ "/networks/front?scope=swarm", 200,
	    "{\"Id\":\"" FRONT "\",\"Name\":\"front\",\"Driver\":\"bridge\"}" },
	{ "/networks/over?scope=swarm", 200,
	    "{\"Id\":\"" OVER "\",\"Name\":\"over\",\"Driver\":\"overlay\"}" },
	{ "/networks/qsjxv6?scope=swarm", 200,
	    "{\"Id\":\"qsjxv6qqqqqqqqqqqqqqqqqqq\",\"Name\":\"host\","
	    "\"Driver\":\"host\"}" },
	/* What a container's network by that name is matters nothing. */
	{ "/networks/local", 200,
	    "{\"Id\":\"n3\",\"Name\":\"local\",\"Driver\":\"bridge\"}" },
	{ "/networks/twice?scope=swarm", 400, "{}" },
	{ "/networks/odd?scope=swarm", 200,
	    "{\"Id\":\"x\",\"Name\":\"odd\",\"Driver\":\"bridge\"}" },
	{ "/volumes/plain", 200, "{\"Driver\":\"local\",\"Options\":null}" },
	{ "/volumes/bound", 200,
	    "{\"Driver\":\"local\",\"Options\":{\"o\":\"bind\"}}" },
	{ NULL, 0, NULL },
};

static const struct role_case plain[] = {
	{ CREATE, MOUNT("\"Type\":\"bind\",\"Source\":\"/\""), "host-paths",
	    C "Mounts[0]", "the host path" },
	{ UPDATE, MOUNT("\"Type\":\"bind\",\"Source\":\"/\""), "host-paths",
	    C "Mounts[0]", "the host path \"/\"" },
	{ CREATE, MOUNT("\"Type\":\"BIND\",\"Source\":\"/\""), "type",
	    C "Mounts[0]", "write bind, volume or tmpfs" },
	{ CREATE, MOUNT("\"Source\":\"/\""), "type", C "Mounts[0]", "" },
	{ CREATE, MOUNT("\"Type\":\"npipe\",\"Source\":\"x\""), "host-paths",
	    C "Mounts[0]", "npipe" },
	{ CREATE, MOUNT("\"Type\":\"cluster\",\"Source\":\"x\""),
	    "volume-driver", C "Mounts[0]", "cluster" },
	{ CREATE,
	    MOUNT("\"Type\":\"volume\",\"VolumeOptions\":{\"DriverConfig\":"
		  "{\"Options\":{\"o\":\"bind\",\"device\":\"/\"}}}"),
	    "host-paths", C "Mounts[0]", "options" },
	{ CREATE,
	    MOUNT("\"Type\":\"volume\",\"VolumeOptions\":{\"DriverConfig\":"
		  "{\"Name\":\"../../tmp/x\"}}"),
	    "volume-driver", C "Mounts[0]", "tmp/x" },
	{ CREATE, MOUNT("\"Type\":\"volume\",\"Source\":\"bound\""),
	    "host-paths", C "Mounts[0]", "made with driver options" },
	{ CREATE,
	    MOUNT("\"Type\":\"volume\",\"Source\":\"{{.Service.Labels.x}}\""),
	    "unjudged", C "Mounts[0].Source", "template" },
	{ CREATE,
	    SPEC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/{{.Task.Name}}"
		 "\"}]"),
	    "unjudged", C "Mounts[0].Target", "template" },
	{ CREATE,
	    SPEC("\"Mounts\":[{\"Type\":\"tmpfs\",\"Target\":\"/proc\"}]"),
	    "mount-target", C "Mounts[0]", "/proc" },
	{ CREATE, SPEC("\"CapabilityAdd\":[\"CAP_SYS_ADMIN\"]"), "capabilities",
	    C "CapabilityAdd", "added capabilities" },
	{ CREATE, SPEC("\"capabilityadd\":[\"ALL\"]"), "capabilities",
	    C "CapabilityAdd", "" },
	{ CREATE, SPEC("\"Sysctls\":{\"net.ipv4.ip_forward\":\"\"}"), "sysctls",
	    C "Sysctls", "" },
	{ CREATE, SPEC("\"OomScoreAdj\":-1"), "oom", C "OomScoreAdj", "" },
	{ CREATE, SPEC("\"Privileges\":{\"CredentialSpec\":{\"File\":\"x\"}}"),
	    "security-options", C "Privileges.CredentialSpec", "" },
	{ CREATE,
	    SPEC("\"Privileges\":{\"SELinuxContext\":{\"Disable\":true}}"),
	    "security-options", C "Privileges.SELinuxContext",
	    "label=disable" },
	{ CREATE,
	    SPEC("\"Privileges\":{\"SELinuxContext\":{\"Type\":\"spc_t\"}}"),
	    "security-options", C "Privileges.SELinuxContext",
	    "label=type:spc_t" },
	{ CREATE,
	    SPEC("\"Privileges\":{\"Seccomp\":{\"Mode\":\"unconfined\"}}"),
	    "security-options", C "Privileges.Seccomp", "seccomp=unconfined" },
	{ CREATE,
	    SPEC("\"Privileges\":{\"Seccomp\":{\"Mode\":\"custom\","
		 "\"Profile\":\"e30=\"}}"),
	    "security-options", C "Privileges.Seccomp", "profile of its own" },
	{ CREATE, SPEC("\"Privileges\":{\"AppArmor\":{\"Mode\":\"disabled\"}}"),
	    "security-options", C "Privileges.AppArmor",
	    "apparmor=unconfined" },
	{ CREATE, SPEC("\"Hosts\":[\"host-gateway gw\"]"), "extra-hosts",
	    C "Hosts[0]", "host-gateway" },
	{ CREATE, SPEC("\"Secrets\":[{\"SecretID\":\"s\"}]"), "secrets",
	    C "Secrets[0]", "secrets and configs" },
	{ CREATE, SPEC("\"Configs\":[{\"ConfigID\":\"s\"}]"), "secrets",
	    C "Configs[0]", "secrets and configs" },
	{ CREATE, SPEC("\"Privileged\":true"), "unknown-field", C "Privileged",
	    "" },
	{ CREATE, SPEC("\"Ulimits\":[{\"Name\":1}]"), "type",
	    C "Ulimits[0].Name", "a string" },
	{ CREATE,
	    TASK("\"Runtime\":\"plugin\",\"PluginSpec\":{\"Name\":\"p\"}"),
	    "plugins", "TaskTemplate.Runtime", "plugin" },
	{ CREATE,
	    TASK("\"PluginSpec\":{\"privileges\":[{\"name\":\"mount\"}]}"),
	    "plugins", "TaskTemplate.PluginSpec", "" },
	{ CREATE, TASK("\"Runtime\":\"attachment\""), "plugins",
	    "TaskTemplate.Runtime", "attachment" },
	{ CREATE, TASK("\"NetworkAttachmentSpec\":{\"ContainerID\":\"x\"}"),
	    "host-namespaces", "TaskTemplate.NetworkAttachmentSpec", "" },
	{ CREATE, TASK("\"Networks\":[{\"Target\":\"host\"}]"),
	    "host-namespaces", "TaskTemplate.Networks[0].Target", "\"host\"" },
	{ CREATE, TASK("\"Networks\":[{\"Target\":\"qsjxv6\"}]"),
	    "host-namespaces", "TaskTemplate.Networks[0].Target",
	    "which is the host's" },
	{ CREATE, TASK("\"Networks\":[{\"Target\":\"over\"}]"),
	    "network-driver", "TaskTemplate.Networks[0].Target", "overlay" },
	{ CREATE, TASK("\"Networks\":[{\"Target\":\"local\"}]"), "not-found",
	    "TaskTemplate.Networks[0].Target",
	    "No such network of the swarm: local" },
	{ CREATE, TASK("\"Networks\":[{\"Target\":\"twice\"}]"), "fact",
	    "TaskTemplate.Networks[0].Target", "" },
	{ CREATE, TASK("\"Networks\":[{\"Target\":\"odd\"}]"), "fact",
	    "TaskTemplate.Networks[0].Target", "" },
	{ CREATE, TASK("\"Networks\":[{}]"), "type",
	    "TaskTemplate.Networks[0].Target", "without a name" },
	{ CREATE,
	    TASK("\"Networks\":[{\"Target\":\"front\",\"DriverOpts\":{\"a\":"
		 "\"b\"}}]"),
	    "network-driver", "TaskTemplate.Networks[0].DriverOpts", "" },
	{ "POST /v1.43/services/create",
	    "{\"Networks\":[{\"Target\":\"host\"}]}", "host-namespaces",
	    "Networks[0].Target", "\"host\"" },
	{ CREATE, TASK("\"LogDriver\":{\"Name\":\"syslog\"}"), "log-driver",
	    "TaskTemplate.LogDriver.Name", "syslog" },
	{ CREATE,
	    TASK("\"LogDriver\":{\"Options\":{\"syslog-address\":\"x\"}}"),
	    "log-driver", "TaskTemplate.LogDriver.Options[\"syslog-address\"]",
	    "" },
	{ CREATE,
	    TASK("\"Resources\":{\"Reservations\":{\"GenericResources\":[{"
		 "\"DiscreteResourceSpec\":{\"Kind\":\"gpu\",\"Value\":1}}]}}"),
	    "devices", "TaskTemplate.Resources.Reservations.GenericResources",
	    "" },
	{ CREATE, "{\"TaskTemplate\":{}}", "restart",
	    "TaskTemplate.RestartPolicy.Condition",
	    "set --restart-condition none" },
	{ CREATE,
	    "{\"TaskTemplate\":{\"RestartPolicy\":{\"Condition\":\"any\"}}}",
	    "restart", "TaskTemplate.RestartPolicy.Condition", "always" },
	{ CREATE, "{\"EndpointSpec\":{\"Ports\":[{}]}}", "published-ports",
	    "EndpointSpec.Ports", "" },
	{ CREATE, "{\"EndpointSpec\":{\"Ports\":[{\"PublishMode\":\"host\"}]}}",
	    "published-ports", "EndpointSpec.Ports", "" },
	{ UPDATE "&rollback=previous", SPEC("\"User\":\"1\""), "unjudged",
	    "rollback", "previous" },
	{ UPDATE "&rollback=x", SPEC("\"User\":\"1\""), "unjudged", "rollback",
	    "" },

	{ "POST /secrets/create", "{\"Driver\":{}}", "secret-drivers", "Driver",
	    "" },
	{ "POST /secrets/x/update?version=1",
	    "{\"Templating\":{\"Name\":\"golang\"}}", "secret-drivers",
	    "Templating", "" },
	{ "POST /configs/create", "{\"Templating\":{\"Name\":\"golang\"}}",
	    "secret-drivers", "Templating", "" },
	{ "POST /configs/create", "{\"Driver\":{\"Name\":\"x\"}}",
	    "unknown-field", "Driver", "" },
	{ "POST /swarm/init", "{}", "swarm-host", "", "SwarmInit" },
	{ "POST /swarm/init", NULL, "swarm-host", "", "SwarmInit" },
	{ "POST /swarm/join", "{}", "swarm-host", "", "" },
	{ "POST /swarm/update?version=1", "{}", "swarm-host", "", "" },
	{ "POST /swarm/unlock", "{}", "swarm-host", "", "" },
	{ "GET /swarm", NULL, "swarm-host", "", "" },
	{ "GET /swarm/unlockkey", NULL, "swarm-host", "", "" },
	{ "POST /nodes/x/update?version=1", "{\"Role\":\"manager\"}",
	    "swarm-host", "", "" },
	{ "PUT /v1.45/volumes/x?version=1", "{}", "volume-driver", "", "" },
	{ "POST /volumes/create", "{\"ClusterVolumeSpec\":{}}", "volume-driver",
	    "ClusterVolumeSpec", "" },
	{ "POST /plugins/pull?remote=x", "[{}]", "plugins", "", "granted" },
	{ "POST /plugins/pull?remote=x", "[{\"Name\":\"mount\"}]", "plugins",
	    "", "granted" },
	{ "POST /plugins/pull?remote=x", "{}", "type", "", "a list" },
	{ "POST /plugins/pull?remote=x", "[{\"Nam\":\"x\"}]", "unknown-field",
	    "[0].Nam", "" },
	{ "POST /plugins/x/upgrade?remote=x", "[{\"Name\":\"network\"}]",
	    "plugins", "", "" },
	{ "POST /plugins/x/set", "[\"a.source=/\"]", "plugins", "", "set" },
	{ "POST /plugins/x/set", "[1]", "type", "[0]", "a string" },
	{ "POST /plugins/create?name=x", NULL, "plugins", "", "PluginCreate" },
	{ "POST /containers/x/checkpoints", "{\"CheckpointID\":\"x\"}",
	    "checkpoints", "", "" },
	{ "GET /containers/x/checkpoints?dir=/etc", NULL, "host-paths", "dir",
	    "" },

	{ CREATE,
	    SPEC("\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"plain\","
		 "\"Target\":\"/x\"},{\"Type\":\"tmpfs\",\"Target\":\"/y\"}],"
		 "\"Privileges\":{\"NoNewPrivileges\":true,\"Seccomp\":{"
		 "\"Mode\":\"default\"},\"SELinuxContext\":null},"
		 "\"Secrets\":[],\"Hosts\":[\"10.0.0.1 db\"],"
		 "\"CapabilityDrop\":[\"ALL\"],\"Init\":null"),
	    NULL, NULL, NULL },
	{ UPDATE "&registryAuthFrom=spec&rollback=none",
	    TASK("\"Networks\":[{\"Target\":\"front\"}],\"Runtime\":"
		 "\"container\",\"ForceUpdate\":3"),
	    NULL, NULL, NULL },
	{ CREATE,
	    "{\"Mode\":{\"Global\":{}},\"UpdateConfig\":{\"MaxFailureRatio\":"
	    "0.25}}",
	    NULL, NULL, NULL },
	{ "DELETE /services/x", NULL, NULL, NULL, NULL },
	{ "POST /secrets/create",
	    "{\"Name\":\"s\",\"Data\":\"eA==\",\"Labels\":null}", NULL, NULL,
	    NULL },
	{ "POST /plugins/pull?remote=x", "[]", NULL, NULL, NULL },
	{ "POST /plugins/pull?remote=x", "null", NULL, NULL, NULL },
	{ "POST /plugins/x/push", NULL, NULL, NULL, NULL },
};

static void
holds_services_to_the_rules(void **state)
{
	(void)state;
	ask_cases(ROLE("", ""), plain, NELEM(plain), told);
}

static const struct role_case given[] = {
	/* A rule for one thing is none for the target that it comes with. */
	{ CREATE, SPEC("\"Secrets\":[{\"File\":{\"Name\":\"../../proc/x\"}}]"),
	    "mount-target", C "Secrets[0]", "proc/x" },
	{ CREATE, SPEC("\"Secrets\":[{\"File\":{\"Name\":\"/sys/x\"}}]"),
	    "mount-target", C "Secrets[0]", "/sys/x" },
	{ CREATE, SPEC("\"Configs\":[{\"File\":{\"Name\":\"dev/x\"}}]"),
	    "mount-target", C "Configs[0]", "/dev/x" },
	{ CREATE,
	    SPEC("\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"{{.Node.ID}}"
		 "\",\"Target\":\"/x\"}]"),
	    "unjudged", C "Mounts[0].Source", "template" },
	{ "POST /swarm/init", "{\"Foo\":1}", "unknown-field", "Foo", "" },

	{ CREATE, SPEC("\"Secrets\":[{\"File\":{\"Name\":\"pass\"}}]"), NULL,
	    NULL, NULL },
	{ CREATE, MOUNT("\"Type\":\"bind\",\"Source\":\"/\""), NULL, NULL,
	    NULL },
	{ CREATE, "{\"TaskTemplate\":{}}", NULL, NULL, NULL },
	{ "POST /swarm/init", "{\"ListenAddr\":\"0.0.0.0\"}", NULL, NULL,
	    NULL },
	{ "GET /swarm", NULL, NULL, NULL, NULL },
	{ "POST /plugins/x/set", "[\"a=b\"]", NULL, NULL, NULL },
};

static void
gives_a_role_what_it_may(void **state)
{
	(void)state;
	ask_cases(ROLE("\"secrets\",\"host-paths\",\"restart\",\"swarm-host\","
		       "\"plugins\"",
		      ""),
	    given, NELEM(given), told);
}

#define CONSTRAINTS                                                            \
	"\"images\":{\"run\":[\"docker.io/library/i*\"],\"pull\":["            \
	"\"docker.io/library/i:*\"]},\"resources\":{\"memory\":{\"max\":"      \
	"\"1g\",\"required\":true},\"swap\":{\"max\":\"2g\"},\"pids\":{"       \
	"\"max\":9,\"required\":true},\"cpus\":{\"max\":\"2\"}},"              \
	"\"capabilities\":{\"allow\":[\"CHOWN\"],\"drop\":[\"NET_RAW\"]},"     \
	"\"require\":[\"no-new-privileges\",\"read-only-root\","               \
	"\"non-root-user\"],\"host_paths\":[{\"path\":\"/srv\",\"mode\":"      \
	"\"ro\"}],\"volumes\":{\"names\":[\"ci-*\"]},\"ports\":{"              \
	"\"addresses\":[\"0.0.0.0\"],\"range\":\"8000-8009\"},"                \
	"\"networks\":{\"modes\":[\"front\",\"over\",\"bridge\"],\"drivers\":" \
	"["                                                                    \
	"\"overlay\"]},\"extra_hosts\":[\"gw:host-gateway\"],"                 \
	"\"log_drivers\":[\"journald\"],\"restart\":[\"on-failure\"],"         \
	"\"security_options\":[\"label=type:x*\"],\"sysctls\":[\"net.a\"],"    \
	"\"ulimits\":{\"nofile\":10},\"env\":{\"deny\":[\"LD_*\"]},"           \
	"\"labels\":{\"require\":[\"job\"],\"force\":{\"team\":\"a\"}},"       \
	"\"tty\":false"

/* All that is demanded, and more of the spec, the task and the body. */
#define WHOLE(image, spec, task, body)                                         \
	"{\"Labels\":{\"job\":\"1\",\"team\":\"b\"},\"TaskTemplate\":{"        \
	"\"RestartPolicy\":{\"Condition\":\"on-failure\"},\"Resources\":{"     \
	"\"Limits\":{\"MemoryBytes\":1048576,\"Pids\":9,\"NanoCPUs\":"         \
	"2000000000}}," task "\"ContainerSpec\":{\"Image\":\"" image           \
	"\",\"Labels\":{\"job\":\"1\"},\"User\":\"7\",\"ReadOnly\":true,"      \
	"\"CapabilityDrop\":[\"CAP_NET_RAW\"]," spec                           \
	"\"Privileges\":{\"NoNewPrivileges\":true,\"SELinuxContext\":{"        \
	"\"Type\":\"xy\"}}}}" body "}"
#define R "TaskTemplate.Resources."
#define BARE(text)                                                             \
	"{\"Labels\":{\"job\":\"1\"},\"TaskTemplate\":{\"RestartPolicy\":{"    \
	"\"Condition\":\"none\"},\"ContainerSpec\":{\"Image\":\"i\","          \
	"\"Labels\":{\"job\":\"1\"}" text "}}}"

static const struct role_case constrained[] = {
	{ CREATE, WHOLE("j", "", "", ""), "images", C "Image", "to run" },
	{ UPDATE, WHOLE("j", "", "", ""), "images", C "Image", "to run" },
	/* A service pulls. */
	{ CREATE, WHOLE("ii", "", "", ""), "images", C "Image", "to pull" },
	{ CREATE, WHOLE("i", "\"Env\":[\"A=1\",\"LD_PRELOAD=x\"],", "", ""),
	    "env", C "Env[1]", "LD_PRELOAD" },
	{ CREATE, WHOLE("i", "\"TTY\":true,", "", ""), "tty", C "TTY", "" },
	{ CREATE, WHOLE("i", "\"CapabilityAdd\":[\"CHOWN\",\"KILL\"],", "", ""),
	    "capabilities", C "CapabilityAdd[1]", "allowed: CHOWN" },
	{ CREATE, WHOLE("i", "\"Sysctls\":{\"net.b\":\"1\"},", "", ""),
	    "sysctls", C "Sysctls[\"net.b\"]", "allowed: net.a" },
	{ CREATE,
	    WHOLE("i", "\"Ulimits\":[{\"Name\":\"nofile\",\"Hard\":11}],", "",
		""),
	    "ulimits", C "Ulimits[0]", "at most 10" },
	{ CREATE, WHOLE("i", "\"Hosts\":[\"host-gateway gx\"],", "", ""),
	    "extra-hosts", C "Hosts[0]", "" },
	{ CREATE, WHOLE("i", "\"Hosts\":[\"host-gateway gw gx\"],", "", ""),
	    "extra-hosts", C "Hosts[0]", "" },
	{ CREATE, WHOLE("i", "\"Hosts\":[\"1.2.3.4 host-gateway\"],", "", ""),
	    "extra-hosts", C "Hosts[0]", "" },
	{ CREATE,
	    WHOLE("i",
		"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv/a\","
		"\"Target\":\"/x\"}],",
		"", ""),
	    "host-paths", C "Mounts[0]", "for writing (allowed: /srv (ro))" },
	{ CREATE,
	    WHOLE("i",
		"\"Mounts\":[{\"Type\":\"bind\",\"ReadOnly\":true,"
		"\"Source\":\"/srv/{{.Service.Name}}\",\"Target\":\"/x\"}],",
		"", ""),
	    "unjudged", C "Mounts[0].Source", "template" },
	{ CREATE,
	    WHOLE("i",
		"\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"prod\","
		"\"Target\":\"/x\"}],",
		"", ""),
	    "volumes", C "Mounts[0]", "allowed: ci-*" },
	{ CREATE, WHOLE("i", "", "\"Networks\":[{\"Target\":\"host\"}],", ""),
	    "host-namespaces", "TaskTemplate.Networks[0].Target",
	    "allowed: front, over, bridge" },
	{ CREATE, WHOLE("i", "", "\"Networks\":[{\"Target\":\"local\"}],", ""),
	    "not-found", "TaskTemplate.Networks[0].Target", "" },
	{ CREATE, WHOLE("i", "", "\"LogDriver\":{\"Name\":\"syslog\"},", ""),
	    "log-driver", "TaskTemplate.LogDriver.Name", "allowed: journald" },
	{ CREATE,
	    WHOLE("i", "", "",
		",\"EndpointSpec\":{\"Ports\":[{\"PublishedPort\":8000},{"
		"\"PublishedPort\":80}]}"),
	    "published-ports", "EndpointSpec.Ports[1]", "8000-8009" },
	{ CREATE, WHOLE("i", "", "", ",\"EndpointSpec\":{\"Ports\":[{}]}"),
	    "published-ports", "EndpointSpec.Ports[0]", "8000-8009" },
	{ CREATE,
	    WHOLE("i", "", "",
		",\"EndpointSpec\":{\"Ports\":[{\"PublishedPort\":73536}]}"),
	    "published-ports", "EndpointSpec.Ports[0]", "8000-8009" },
	{ CREATE, BARE(",\"User\":\"1\""), "require", C "CapabilityDrop",
	    "NET_RAW" },
	{ CREATE, BARE(",\"CapabilityDrop\":[\"ALL\"],\"User\":\"1\""),
	    "require", C "Privileges.NoNewPrivileges", "no-new-privileges" },
	{ CREATE,
	    BARE(",\"CapabilityDrop\":[\"ALL\"],\"User\":\"1\",\"Privileges\":"
		 "{\"NoNewPrivileges\":true}"),
	    "require", C "ReadOnly", "--read-only" },
	{ CREATE,
	    BARE(",\"CapabilityDrop\":[\"ALL\"],\"ReadOnly\":true,"
		 "\"Privileges\":{\"NoNewPrivileges\":true}"),
	    "require", C "User", "--user" },
	{ CREATE,
	    BARE(",\"CapabilityDrop\":[\"ALL\"],\"ReadOnly\":true,\"User\":"
		 "\"1\",\"Privileges\":{\"NoNewPrivileges\":true}"),
	    "resources", R "Limits.MemoryBytes", "no limit of memory" },
	{ CREATE,
	    "{\"TaskTemplate\":{\"RestartPolicy\":{\"Condition\":\"any\"}}}",
	    "restart", "TaskTemplate.RestartPolicy.Condition",
	    "allowed: on-failure" },
	{ CREATE, "{}", "labels", "Labels", "set --label job" },
	/* What dockerd leaves out at an old version is not there. */
	{ "POST /v1.43/services/create", WHOLE("i", "", "", ""), "require", "",
	    "set DOCKER_API_VERSION=1.44" },
	{ "POST /services/create", WHOLE("i", "", "", ""), "require", "",
	    "set DOCKER_API_VERSION=1.44" },
	{ "POST /plugins/pull?remote=evil.example/x", "[]", "images", "remote",
	    "to pull" },

	{ CREATE, WHOLE("i", "", "", ""), NULL, NULL, NULL },
	{ UPDATE,
	    WHOLE("i",
		"\"Hosts\":[\"host-gateway gw\"],\"CapabilityAdd\":[\"CHOWN\"],"
		"\"Mounts\":[{\"Type\":\"bind\",\"ReadOnly\":true,"
		"\"Source\":\"/srv/a\",\"Target\":\"/x\"},{\"Type\":"
		"\"volume\",\"Source\":\"ci-a\",\"Target\":\"/y\"}],",
		"\"Networks\":[{\"Target\":\"over\"}],\"LogDriver\":{\"Name\":"
		"\"journald\"},",
		",\"EndpointSpec\":{\"Ports\":[{\"PublishedPort\":8009}]}"),
	    NULL, NULL, NULL },
};

static void
holds_services_to_constraints(void **state)
{
	(void)state;
	ask_cases(ROLE("", CONSTRAINTS), constrained, NELEM(constrained), told);
}

#define SWAP(max, bytes)                                                       \
	TASK("\"Resources\":{\"Limits\":{\"MemoryBytes\":1024},"               \
	     "\"SwapBytes\":" bytes "}")
#define AT(v) "POST /v1." v "/services/create"

static const struct role_case swap[] = {
	{ AT("52"), SWAP("", "-1"), "resources", R "SwapBytes", "unlimited" },
	{ AT("52"), SWAP("", "513"), "resources", R "SwapBytes", "more" },
	{ AT("52"), SWAP("", "9223372036854775807"), "resources", R "SwapBytes",
	    "more" },
	/* Not read, so it is twice the memory. */
	{ AT("51"), SWAP("", "0"), "resources", R "SwapBytes", "more" },
	{ AT("52"), SWAP("", "null"), "resources", R "SwapBytes", "more" },
	{ AT("52"), SWAP("", "512"), NULL, NULL, NULL },
	{ AT("52"), SWAP("", "0"), NULL, NULL, NULL },
};

/* With a ceiling on memory alone, of 1024. */
static const struct role_case swap_alone[] = {
	{ AT("52"), SWAP("", "-1"), "resources", R "SwapBytes", "unlimited" },
	{ AT("52"), SWAP("", "1025"), "resources", R "SwapBytes",
	    "twice the memory" },
	{ AT("52"), SWAP("", "9223372036854775807"), "resources", R "SwapBytes",
	    "twice the memory" },
	{ AT("52"), SWAP("", "1024"), NULL, NULL, NULL },
	{ AT("52"), SWAP("", "null"), NULL, NULL, NULL },
	{ AT("51"), SWAP("", "0"), NULL, NULL, NULL },
};

static void
counts_swap_as_dockerd_does(void **state)
{
	static const struct role_case shm = { CREATE, TASK("\"ForceUpdate\":1"),
		"resources", "TaskTemplate.Resources", "shared memory" };
	static const struct role_case storage = { CREATE,
		TASK("\"ForceUpdate\":1"), "resources",
		"TaskTemplate.ContainerSpec", "own files" };
	static const struct role_case tmpfs = { CREATE,
		MOUNT("\"Type\":\"tmpfs\",\"TmpfsOptions\":{\"SizeBytes\":9}"),
		"resources", C "Mounts[0]", "more tmpfs (at most 8)" };

	(void)state;
	ask_cases(ROLE("", "\"resources\":{\"swap\":{\"max\":\"1536b\"}}"),
	    swap, NELEM(swap), told);
	ask_cases(ROLE("", "\"resources\":{\"memory\":{\"max\":\"1k\"}}"),
	    swap_alone, NELEM(swap_alone), told);
	ask_cases(ROLE("", "\"resources\":{\"shm\":{\"required\":true}}"), &shm,
	    1, told);
	ask_cases(ROLE("", "\"resources\":{\"storage\":{\"required\":true}}"),
	    &storage, 1, told);
	ask_cases(ROLE("", "\"resources\":{\"tmpfs\":{\"max\":\"8\"}}"), &tmpfs,
	    1, told);
}

/* Without a word about it, dockerd takes the default network. */
static void
holds_the_default_network_to_the_list(void **state)
{
	static const struct role_case cases[] = {
		{ CREATE, SPEC("\"User\":\"1\""), "networks",
		    "TaskTemplate.Networks", "\"bridge\"" },
		{ UPDATE, TASK("\"Networks\":[]"), "networks",
		    "TaskTemplate.Networks", "\"bridge\"" },
		/* Not read from 1.44 on. */
		{ "POST /v1.44/services/create",
		    "{\"TaskTemplate\":{\"RestartPolicy\":{\"Condition\":"
		    "\"none\"}},\"Networks\":[{\"Target\":\"front\"}]}",
		    "networks", "TaskTemplate.Networks", "\"bridge\"" },
		{ "POST /v1.43/services/create",
		    "{\"TaskTemplate\":{\"RestartPolicy\":{\"Condition\":"
		    "\"none\"}},\"Networks\":[{\"Target\":\"front\"}]}",
		    NULL, NULL, NULL },
		{ CREATE, TASK("\"Networks\":[{\"Target\":\"front\"}]"), NULL,
		    NULL, NULL },
	};

	(void)state;
	ask_cases(ROLE("", "\"networks\":{\"modes\":[\"front\"]}"), cases,
	    NELEM(cases), told);
}

/* The service's own labels and those of its containers. */
static void
forces_labels_of_both_kinds(void **state)
{
	static const char *const role =
	    ROLE("\"restart\"", "\"labels\":{\"force\":{\"team\":\"a\"}}");
	struct asked a;

	(void)state;
	ask_text(role, CREATE,
	    "{\"Labels\":{\"team\":\"b\"},\"TaskTemplate\":{\"ContainerSpec\":{"
	    "\"Labels\":{\"team\":\"c\",\"x\":\"y\"},\"Image\":\"i\"}}}",
	    NULL, &a);
	assert_string_equal(a.body,
	    "{\"Labels\":{\"team\":\"a\"},\"TaskTemplate\":{\"ContainerSpec\":{"
	    "\"Labels\":{\"team\":\"a\",\"x\":\"y\"},\"Image\":\"i\"}}}");
	ask_text(role, CREATE,
	    "{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"i\"}}}", NULL,
	    &a);
	assert_string_equal(a.body,
	    "{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"i\",\"Labels\":{"
	    "\"team\":\"a\"}}},\"Labels\":{\"team\":\"a\"}}");
	ask_text(role, "POST /secrets/create", "{\"Name\":\"s\"}", NULL, &a);
	assert_string_equal(
	    a.body, "{\"Name\":\"s\",\"Labels\":{\"team\":\"a\"}}");
	ask_text(role, "POST /plugins/pull?remote=x", "[ ]", NULL, &a);
	assert_string_equal(a.body, "[]");
}

/* As the swarm finds them, and sent on by their ids: a name can change hands,
 * and then be the beginning of the id of the network "host". */
static void
asks_for_networks_of_the_swarm(void **state)
{
	struct asked a;

	(void)state;
	ask_text(ROLE("\"restart\"", ""), CREATE,
	    "{\"TaskTemplate\":{\"Networks\":[{\"Target\":\"front\","
	    "\"Aliases\":[\"a\"]}],\"ForceUpdate\":1}}",
	    told, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.facts, "/networks/front?scope=swarm ");
	assert_string_equal(a.body,
	    "{\"TaskTemplate\":{\"Networks\":[{\"Target\":\"" FRONT "\","
	    "\"Aliases\":[\"a\"]}],\"ForceUpdate\":1}}");
	ask_text(ROLE("\"restart\"", ""), "POST /v1.43/services/create",
	    "{\"Networks\":[{\"Target\":\"front\"}]}", told, &a);
	assert_string_equal(
	    a.body, "{\"Networks\":[{\"Target\":\"" FRONT "\"}]}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_services_to_the_rules),
		cmocka_unit_test(gives_a_role_what_it_may),
		cmocka_unit_test(holds_services_to_constraints),
		cmocka_unit_test(counts_swap_as_dockerd_does),
		cmocka_unit_test(holds_the_default_network_to_the_list),
		cmocka_unit_test(forces_labels_of_both_kinds),
		cmocka_unit_test(asks_for_networks_of_the_swarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
