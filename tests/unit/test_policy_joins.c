/* SPDX-License-Identifier: Apache-2.0 */
/* Joining another container's namespaces: refusals first. */
#include "policy_role.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define CREATE "POST /v1.41/containers/create"
#define START "POST /v1.41/containers/x/start"
#define HC(text) "{\"HostConfig\":{" text "}}"
#define IS(id, hc) "{\"Id\":\"" id "\",\"HostConfig\":{" hc "}}"

static const struct told world[] = {
	{ "/containers/good/json", 200, IS(ID, "\"NetworkMode\":\"default\"") },
	{ "/containers/" ID "/json", 200, IS(ID, "\"NetworkMode\":\"n\"") },
	{ "/containers/root/json", 200, IS(ID, "\"Privileged\":true") },
	{ "/containers/host/json", 200, IS(ID, "\"NetworkMode\":\"host\"") },
	{ "/containers/bind/json", 200, IS(ID, "\"Binds\":[\"/:/h\"]") },
	{ "/containers/chain/json", 200,
	    IS(ID2, "\"PidMode\":\"container:host\"") },
	{ "/containers/far/json", 200,
	    IS(ID2, "\"NetworkMode\":\"container:good\"") },
	{ "/containers/loop/json", 200,
	    IS(ID2, "\"IpcMode\":\"container:loop\"") },
	{ "/containers/widow/json", 200,
	    IS(ID2, "\"NetworkMode\":\"container:gone\"") },
	{ "/containers/x/json", 200,
	    IS(ID2, "\"NetworkMode\":\"container:" ID "\"") },
	{ "/containers/y/json", 200,
	    IS(ID2, "\"PidMode\":\"container:root\"") },
	{ "/containers/z/json", 200,
	    IS(ID2, "\"UTSMode\":\"container:good\"") },
	{ NULL, 0, NULL },
};

static const struct role_case cases[] = {
	{ CREATE, HC("\"NetworkMode\":\"container:root\""), "privileged",
	    "HostConfig.Privileged", "container \"root\", because" },
	{ CREATE, HC("\"NetworkMode\":\"ci-a\",\"PidMode\":\"container:root\""),
	    "privileged", "HostConfig.Privileged", "" },
	{ CREATE, HC("\"IpcMode\":\"container:bind\""), "host-paths",
	    "HostConfig.Binds[0]", "" },
	{ CREATE, HC("\"NetworkMode\":\"container:host\""), "host-namespaces",
	    "HostConfig.NetworkMode", "host" },
	{ CREATE, HC("\"PidMode\":\"container:chain\""), "host-namespaces",
	    "HostConfig.NetworkMode", "container \"host\", because" },
	{ CREATE, HC("\"NetworkMode\":\"container:none\""), "not-found",
	    "HostConfig.NetworkMode", "No such container: none" },
	{ CREATE, HC("\"NetworkMode\":\"container:widow\""), "host-namespaces",
	    "HostConfig.NetworkMode", "gone" },
	{ CREATE, HC("\"NetworkMode\":\"container:../good\""), "fact",
	    "HostConfig.NetworkMode", "no name" },
	{ CREATE, HC("\"UTSMode\":\"container:good\""), "host-namespaces",
	    "HostConfig.UTSMode", "" },
	{ CREATE, HC("\"UsernsMode\":\"container:good\""), "host-namespaces",
	    "HostConfig.UsernsMode", "" },
	{ CREATE,
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"n\":{\"NetworkID\":"
	    "\"container:good\"}}}}",
	    "host-namespaces",
	    "NetworkingConfig.EndpointsConfig[\"n\"].NetworkID", "" },
	{ CREATE,
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"container:good\":"
	    "{}}}}",
	    "host-namespaces", "NetworkingConfig.EndpointsConfig", "" },
	{ "POST /build?networkmode=container:good", NULL, "build-host-network",
	    "networkmode", "" },
	{ "POST /v1.41/containers/y/start", NULL, "privileged",
	    "HostConfig.Privileged", "container \"root\", because" },
	{ "POST /v1.41/containers/z/start", NULL, "host-namespaces",
	    "HostConfig.UTSMode", "" },
	{ CREATE, HC("\"NetworkMode\":\"container:good\""), NULL, "", "" },
	{ CREATE, HC("\"NetworkMode\":\"container:far\""), NULL, "", "" },
	{ CREATE, HC("\"IpcMode\":\"container:loop\""), NULL, "", "" },
	{ START, NULL, NULL, "", "" },
};

static void
joins_what_the_role_could_make(void **state)
{
	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", ""), cases, NELEM(cases), world);
}

/* A rename in between must not put another in its place. */
static void
sends_the_full_id_on(void **state)
{
	struct asked a;

	(void)state;
	ask_preset("ci-runner", CREATE,
	    HC("\"NetworkMode\":\"container:good\",\"PidMode\":"
	       "\"container:far\",\"IpcMode\":\"private\",\"Memory\":"
	       "9007199254740993"),
	    world, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.body,
	    HC("\"NetworkMode\":\"container:" ID
	       "\",\"PidMode\":\"container:" ID2
	       "\",\"IpcMode\":\"private\",\"Memory\":9007199254740993"));
	/* dockerd does not know it: as ever */
	ask_preset("ci-runner", CREATE, HC("\"NetworkMode\":\"n\""), world, &a);
	assert_string_equal(a.body, HC("\"NetworkMode\":\"n\""));
}

/* A name that is the beginning of another network's id, once it is gone. */
static void
pins_networks_by_their_ids(void **state)
{
	static const struct told nets[] = {
		{ "/networks/net", 200,
		    "{\"Id\":\"" ID
		    "\",\"Name\":\"net\",\"Driver\":\"bridge\"}" },
		{ "/networks/0123", 200,
		    "{\"Id\":\"" ID
		    "\",\"Name\":\"net\",\"Driver\":\"bridge\"}" },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	ask_preset(
	    "ci-runner", CREATE, HC("\"NetworkMode\":\"net\""), nets, &a);
	assert_string_equal(a.body,
	    "{\"HostConfig\":{\"NetworkMode\":\"net\"},\"NetworkingConfig\":{"
	    "\"EndpointsConfig\":{\"net\":{\"NetworkID\":\"" ID "\"}}}}");
	ask_preset("ci-runner", CREATE,
	    "{\"HostConfig\":{\"NetworkMode\":\"0123\"},\"NetworkingConfig\":{"
	    "\"EndpointsConfig\":{\"0123\":{\"Aliases\":[\"a\"]}}}}",
	    nets, &a);
	assert_string_equal(a.body,
	    "{\"HostConfig\":{\"NetworkMode\":\"" ID
	    "\"},\"NetworkingConfig\":{\"EndpointsConfig\":{\"net\":{"
	    "\"NetworkID\":\"" ID "\",\"Aliases\":[\"a\"]}}}}");
	/* The default network stays what it is. */
	ask_preset(
	    "ci-runner", CREATE, HC("\"NetworkMode\":\"bridge\""), nets, &a);
	assert_string_equal(a.body, HC("\"NetworkMode\":\"bridge\""));
}

/* A role's list of networks has the last word. */
static void
joins_by_the_list(void **state)
{
	static const struct role_case listed[] = {
		{ CREATE, HC("\"Init\":true"), "networks",
		    "HostConfig.NetworkMode", "bridge" },
		{ CREATE, "{\"HostConfig\":null}", "networks",
		    "HostConfig.NetworkMode", "bridge" },
		{ CREATE, HC("\"NetworkMode\":\"container:good\""),
		    "host-namespaces", "HostConfig.NetworkMode",
		    "allowed: ci-*" },
		{ CREATE,
		    HC("\"NetworkMode\":\"ci-a\",\"PidMode\":\"container:"
		       "root\""),
		    "privileged", "HostConfig.Privileged", "" },
	};
	static const struct role_case all[] = {
		{ CREATE, HC("\"NetworkMode\":\"container:root\""),
		    "privileged", "HostConfig.Privileged", "" },
		{ CREATE, HC("\"NetworkMode\":\"container:good\""), NULL, "",
		    "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", "\"networks\":{\"modes\":[\"ci-*\"]}"),
	    listed, NELEM(listed), world);
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"networks\":{\"modes\":[\"container:*\",\"*\"]}"),
	    all, NELEM(all), world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_what_the_role_could_make),
		cmocka_unit_test(sends_the_full_id_on),
		cmocka_unit_test(pins_networks_by_their_ids),
		cmocka_unit_test(joins_by_the_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
