/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What dockerd tells about objects before a request touches them: refusals
 * first.
 */
#include "policy_fixture.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

#define INSPECT(hc, rest)                                                      \
	"{\"Id\":\"" ID "\",\"Name\":\"/x\",\"Config\":{\"Labels\":{\"a\":"    \
	"\"1\",\"A\":\"2\"}},\"HostConfig\":{\"NetworkMode\":\"default\","     \
	"\"CgroupnsMode\":\"host\",\"IpcMode\":\"private\",\"Runtime\":"       \
	"\"runc\",\"MaskedPaths\":[\"/proc/kcore\"],\"Binds\":null,"           \
	"\"Privileged\":false,\"CapAdd\":null,\"Devices\":[]" hc "}" rest "}"
#define HONEST "{\"Id\":\"" ID "\",\"HostConfig\":{\"NetworkMode\":\"n\"}}"
#define VOLUME(rest) "{\"Name\":\"v\",\"Driver\":\"local\"" rest "}"

/* What GET /containers/x/json may say of x, and the rule that refuses it. */
static const struct {
	const char *inspect;
	const char *rule;
	const char *path;
} containers[] = {
	{ "", "fact", "" },
	{ "[]", "fact", "" },
	{ "{}", "fact", "" },
	{ "{\"Id\":\"x\",\"HostConfig\":{}}", "fact", "" },
	{ "{\"Id\":\"" ID "\"}", "fact", "" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":null}", "fact", "" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"Privileged\":true}}",
	    "privileged", "HostConfig.Privileged" },
	{ INSPECT(",\"PidMode\":\"host\"", ""), "host-namespaces",
	    "HostConfig.PidMode" },
	{ INSPECT(",\"UTSMode\":\"host\"", ""), "host-namespaces",
	    "HostConfig.UTSMode" },
	{ INSPECT(",\"UsernsMode\":\"host\"", ""), "host-namespaces",
	    "HostConfig.UsernsMode" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"NetworkMode\":\"host\"}}",
	    "host-namespaces", "HostConfig.NetworkMode" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"IpcMode\":\"container:y\"}}",
	    "host-namespaces", "HostConfig.IpcMode" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"Binds\":[\"/:/h\"]}}",
	    "host-paths", "HostConfig.Binds[0]" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"CapAdd\":[\"NET_ADMIN\"]}}",
	    "capabilities", "HostConfig.CapAdd[0]" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"MaskedPaths\":[]}}",
	    "masked-paths", "HostConfig.MaskedPaths" },
	{ "{\"Id\":\"" ID "\",\"HostConfig\":{\"Devices\":[{\"PathOnHost\":"
	  "\"/dev/sda\"}]}}",
	    "devices", "HostConfig.Devices" },
	{ INSPECT(",\"SecurityOpt\":[\"label=disable\"]", ""),
	    "security-options", "HostConfig.SecurityOpt[0]" },
	{ INSPECT("", ",\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/\"}]"),
	    "host-paths", "Mounts[0]" },
	{ INSPECT("", ",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"ok\","
		      "\"Driver\":\"nfs\"}]"),
	    "volume-driver", "Mounts[0]" },
	{ INSPECT("", ",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"bad\","
		      "\"Driver\":\"local\"}]"),
	    "host-paths", "Mounts[0]" },
	{ INSPECT("", ",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"ok\","
		      "\"Driver\":\"local\"}]"),
	    NULL, "" },
	{ INSPECT("", ""), NULL, "" },
	{ HONEST, NULL, "" },
};

static void
looks_at_a_container_before_it_is_touched(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(containers); i++) {
		const struct told told[] = {
			{ "/containers/x/json", 200, containers[i].inspect },
			{ "/volumes/ok", 200, VOLUME(",\"Options\":null") },
			{ "/volumes/bad", 200,
			    VOLUME(",\"Options\":{\"o\":\"bind\"}") },
			{ NULL, 0, NULL },
		};

		ask_preset("ci-runner", "POST /v1.41/containers/x/start", NULL,
		    told, &a);
		if ((a.verdict == VERDICT_ALLOW) !=
			(containers[i].rule == NULL) ||
		    (containers[i].rule != NULL &&
			(strcmp(a.why.rule, containers[i].rule) != 0 ||
			    strcmp(a.why.path, containers[i].path) != 0))) {
			fail_msg("%s: rule %s at %s: %s", containers[i].inspect,
			    a.why.rule, a.why.path, a.why.message);
		}
		if (a.verdict == VERDICT_ALLOW) {
			assert_string_equal(
			    a.target, "/v1.41/containers/" ID "/start");
		}
	}
}

static const char *const touching[] = {
	"POST /containers/x/attach?stream=1",
	"GET /containers/x/attach/ws",
	"POST /containers/x/restart?t=1",
	"GET /containers/x/export",
	"HEAD /containers/x/archive?path=/",
	"GET /containers/x/archive?path=/",
	"PUT /containers/x/archive?path=/",
	"POST /containers/x/exec",
	"POST /containers/x/update",
	"POST /commit?container=x&repo=y",
};

static void
looks_at_it_for_every_operation_that_touches_it(void **state)
{
	const struct told bad[] = {
		{ "/containers/x/json", 200,
		    INSPECT("", ",\"Mounts\":[{\"Type\":\"bind\"}]") },
		{ NULL, 0, NULL },
	};
	const struct told good[] = {
		{ "/containers/x/json", 200, HONEST },
		{ NULL, 0, NULL },
	};
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(touching); i++) {
		ask_preset("ci-runner", touching[i], NULL, bad, &a);
		assert_string_equal(a.why.rule, "host-paths");
		ask_preset("ci-runner", touching[i], NULL, good, &a);
		assert_int_equal(a.verdict, VERDICT_ALLOW);
		assert_non_null(strstr(a.target, ID));
		assert_null(strstr(a.target, "/x/"));
		assert_null(strstr(a.target, "=x"));
	}
	ask_preset("ci-runner", "POST /containers/x/exec", "{\"Cmd\":[\"a\"]}",
	    bad, &a);
	assert_string_equal(a.why.rule, "host-paths");
}

static void
says_what_dockerd_says_of_what_is_not_there(void **state)
{
	const struct told broken[] = {
		{ "/containers/x/json", 500, "{}" },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	ask_preset("ci-runner", "POST /containers/x/start", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_DENY);
	assert_int_equal(a.why.status, 404);
	assert_string_equal(a.why.message, "No such container: x");
	ask_preset("ci-runner", "POST /exec/x/start", "{}", NULL, &a);
	assert_int_equal(a.why.status, 404);
	assert_string_equal(a.why.message, "No such exec instance: x");
	ask_preset("ci-runner", "POST /containers/x/start", NULL, broken, &a);
	assert_int_equal(a.why.status, 403);
	assert_string_equal(a.why.rule, "fact");
	/* a name that is a path is no question to dockerd */
	ask_preset(
	    "ci-runner", "POST /commit?container=../../info", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "fact");
	ask_preset("ci-runner", "POST /commit?container=..", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "fact");
	/* and one with odd bytes is asked for as it is */
	ask_preset("ci-runner", "POST /containers/a%3fb%23c%25d/start", NULL,
	    NULL, &a);
	assert_string_equal(a.facts, "/containers/a%3Fb%23c%25d/json ");
}

static void
looks_through_an_exec_at_its_container(void **state)
{
	const struct told privileged[] = {
		{ "/exec/e/json", 200,
		    "{\"ID\":\"e\",\"ContainerID\":\"" ID
		    "\",\"ProcessConfig\":{\"privileged\":true}}" },
		{ "/containers/" ID "/json", 200, HONEST },
		{ NULL, 0, NULL },
	};
	const struct told mounted[] = {
		{ "/exec/e/json", 200,
		    "{\"ID\":\"e\",\"ContainerID\":\"" ID
		    "\",\"ProcessConfig\":{\"privileged\":false}}" },
		{ "/containers/" ID "/json", 200,
		    INSPECT("", ",\"Mounts\":[{\"Type\":\"bind\"}]") },
		{ NULL, 0, NULL },
	};
	const struct told good[] = {
		{ "/exec/e/json", 200,
		    "{\"ID\":\"e\",\"ContainerID\":\"" ID
		    "\",\"ProcessConfig\":{}}" },
		{ "/containers/" ID "/json", 200, HONEST },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	ask_preset("ci-runner", "POST /exec/e/start", "{\"Tty\":true}",
	    privileged, &a);
	assert_string_equal(a.why.rule, "exec-privileged");
	ask_preset(
	    "ci-runner", "POST /exec/e/start", "{\"Tty\":true}", mounted, &a);
	assert_string_equal(a.why.rule, "host-paths");
	ask_preset(
	    "ci-runner", "POST /exec/e/resize?h=1&w=2", NULL, mounted, &a);
	assert_string_equal(a.why.rule, "host-paths");
	ask_preset("ci-runner", "POST /exec/e/start",
	    "{\"hijack\":true,\"stdin\":true,\"Tty\":true}", good, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.body, "{\"Tty\":true}");
	assert_string_equal(a.target, "/exec/e/start");
	ask_preset("ci-runner", "POST /exec/e/start", NULL, good, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
}

#define CREATE "POST /v1.41/containers/create"

static void
asks_about_volumes_and_networks_by_name(void **state)
{
	static const char volumes[] =
	    "{\"HostConfig\":{\"Binds\":[\"v:/x\",\"v:/y\",\"/anon\"],"
	    "\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"w\",\"Target\":"
	    "\"/z\"}]}}";
	static const char network[] =
	    "{\"HostConfig\":{\"NetworkMode\":\"" ID2 "\"}}";
	const struct told bad[] = {
		{ "/volumes/v", 200, VOLUME(",\"Options\":{}") },
		{ "/volumes/w", 200,
		    VOLUME(",\"Options\":{\"type\":\"none\","
			   "\"o\":\"bind\",\"device\":"
			   "\"/\"}") },
		{ NULL, 0, NULL },
	};
	const struct told plugin[] = {
		{ "/volumes/v", 200, "{\"Name\":\"v\",\"Driver\":\"nfs\"}" },
		{ NULL, 0, NULL },
	};
	const struct told host[] = {
		{ "/networks/" ID2, 200,
		    "{\"Name\":\"host\",\"Driver\":"
		    "\"host\"}" },
		{ NULL, 0, NULL },
	};
	const struct told bridge[] = {
		{ "/networks/" ID2, 200,
		    "{\"Name\":\"n\",\"Driver\":"
		    "\"bridge\"}" },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	ask_preset("ci-runner", CREATE, volumes, bad, &a);
	assert_string_equal(a.why.rule, "host-paths");
	assert_string_equal(a.why.path, "HostConfig.Mounts[0]");
	ask_preset("ci-runner", CREATE, volumes, plugin, &a);
	assert_string_equal(a.why.rule, "volume-driver");
	ask_preset("ci-runner", CREATE, volumes, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.facts, "/volumes/v /volumes/w ");
	ask_preset("ci-runner", CREATE, network, host, &a);
	assert_string_equal(a.why.rule, "host-namespaces");
	ask_preset("ci-runner", CREATE, network, bridge, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	ask_preset("ci-runner", "POST /build?networkmode=" ID2, NULL, host, &a);
	assert_string_equal(a.why.rule, "host-namespaces");
}

/* Whose a network is, and which driver it has, only dockerd can tell. */
static void
asks_about_every_network_that_is_named(void **state)
{
	static const struct {
		const char *target;
		const char *body;
	} asks[] = {
		{ CREATE, "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"" ID2
			  "\":null}}}" },
		{ CREATE, "{\"networkingconfig\":{\"EndpointsConfig\":{\"own\":"
			  "{\"NetworkID\":\"" ID2 "\"}}}}" },
		{ "POST /v1.41/networks/" ID2 "/connect",
		    "{\"Container\":\"c\"}" },
	};
	static const struct {
		const char *network;
		const char *rule; /* NULL: allowed */
	} told[] = {
		{ "{\"Name\":\"host\",\"Driver\":\"host\"}",
		    "host-namespaces" },
		{ "{\"Name\":\"lan\",\"Driver\":\"macvlan\"}",
		    "network-driver" },
		{ "{\"Name\":\"n\"}", "host-namespaces" },
		{ "{\"Name\":\"n\",\"Driver\":\"bridge\"}", NULL },
	};
	struct asked a;
	size_t i, j;

	(void)state;
	for (i = 0; i < NELEM(asks); i++) {
		for (j = 0; j < NELEM(told); j++) {
			const struct told answers[] = {
				{ "/networks/" ID2, 200, told[j].network },
				{ NULL, 0, NULL },
			};

			ask_preset("ci-runner", asks[i].target, asks[i].body,
			    answers, &a);
			if (told[j].rule != NULL) {
				assert_string_equal(a.why.rule, told[j].rule);
			} else {
				assert_int_equal(a.verdict, VERDICT_ALLOW);
			}
		}
	}
}

/* A health check that printed NUL is in dockerd's answer; a text with a
 * backslash before "u0000" is not NUL. */
static void
reads_what_a_container_printed(void **state)
{
	const struct told answers[] = {
		{ "/containers/x/json", 200,
		    "{\"Id\":\"" ID "\",\"State\":{\"Health\":{\"Log\":[{"
		    "\"Output\":\"a\\u0000b\\\\u0000\"}]}},"
		    "\"HostConfig\":{}}" },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	ask_preset(
	    "ci-runner", "POST /v1.41/containers/x/start", NULL, answers, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
}

static void
refuses_more_volumes_than_it_asks_about(void **state)
{
	static char body[8192];
	struct asked a;
	size_t n, i;

	(void)state;
	n = (size_t)sprintf(body, "{\"HostConfig\":{\"Binds\":[");
	for (i = 0; i < 100; i++) {
		n += (size_t)sprintf(
		    body + n, "%s\"v%zu:/x%zu\"", i > 0 ? "," : "", i, i);
	}
	sprintf(body + n, "]}}");
	ask_preset("ci-runner", CREATE, body, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_DENY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_at_a_container_before_it_is_touched),
		cmocka_unit_test(
		    looks_at_it_for_every_operation_that_touches_it),
		cmocka_unit_test(says_what_dockerd_says_of_what_is_not_there),
		cmocka_unit_test(looks_through_an_exec_at_its_container),
		cmocka_unit_test(asks_about_volumes_and_networks_by_name),
		cmocka_unit_test(asks_about_every_network_that_is_named),
		cmocka_unit_test(reads_what_a_container_printed),
		cmocka_unit_test(refuses_more_volumes_than_it_asks_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
