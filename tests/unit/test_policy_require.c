/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities by list, and demanded hardening: refusals first. */
#include "policy_role.h"

#define CREATE "POST /v1.41/containers/create"
#define EXEC "POST /v1.41/containers/x/exec"
#define START "POST /v1.41/containers/x/start"
#define HC(text) "{\"Image\":\"i\",\"HostConfig\":{" text "}}"
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct told plain[] = {
	{ "/containers/x/json", 200, "{\"Id\":\"" ID "\",\"HostConfig\":{}}" },
	{ NULL, 0, NULL },
};

static void
takes_capabilities_by_list(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, HC("\"CapAdd\":[\"NET_BIND_SERVICE\",\"SYS_ADMIN\"]"),
		    "capabilities", "HostConfig.CapAdd[1]",
		    "refuses added capabilities (\"SYS_ADMIN\"; allowed: "
		    "NET_BIND_SERVICE, cap_chown)" },
		{ CREATE, HC("\"CapAdd\":\"sys_admin\""), "capabilities",
		    "HostConfig.CapAdd", "sys_admin" },
		{ CREATE, HC("\"CapAdd\":[\"ALL\"]"), "capabilities",
		    "HostConfig.CapAdd[0]", "ALL" },
		{ CREATE, HC("\"CapAdd\":[\"CAP_ALL\"]"), "capabilities",
		    "HostConfig.CapAdd[0]", "CAP_ALL" },
		{ CREATE, HC("\"CapAdd\":[\"\"]"), "capabilities",
		    "HostConfig.CapAdd[0]", "" },
		{ CREATE, HC("\"CapAdd\":[\"CAP_CAP_CHOWN\"]"), "capabilities",
		    "HostConfig.CapAdd[0]", "CAP_CAP" },
		{ CREATE, HC("\"Capabilities\":[\"CHOWN\"]"), "capabilities",
		    "HostConfig.Capabilities", "" },
		{ CREATE, HC("\"Privileged\":true"), "privileged",
		    "HostConfig.Privileged", "" },
		{ CREATE, HC("\"CapAdd\":[\"cap_net_bind_service\",\"CHOWN\"]"),
		    NULL, "", "" },
		{ CREATE, HC("\"CapAdd\":\"Chown\""), NULL, "", "" },
		{ CREATE, HC("\"CapAdd\":null"), NULL, "", "" },
		{ CREATE, "{}", NULL, "", "" },
	};
	static const char list[] =
	    "\"capabilities\":{\"allow\":[\"NET_BIND_SERVICE\",\"cap_chown\"]}";
	static const char may[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],\"roles\""
	    ":{\"t\":{\"constraints\":{\"capabilities\":{\"allow\":[]}},"
	    "\"extends\":\"ci-runner\",\"may\":[\"capabilities\"]}}}";
	char text[512];
	struct asked a;

	(void)state;
	snprintf(text, sizeof(text), ROLE_TEXT("ci-runner", "%s"), list);
	ask_cases(text, c, NELEM(c), NULL);
	/* a list narrows what "may" would let through */
	ask_text(may, CREATE, HC("\"CapAdd\":[\"CHOWN\"]"), NULL, &a);
	assert_string_equal(a.why.rule, "capabilities");
}

static void
enters_what_it_could_have_made(void **state)
{
	static const struct told made[] = {
		{ "/containers/x/json", 200,
		    "{\"Id\":\"" ID "\",\"HostConfig\":{\"CapAdd\":["
		    "\"CAP_CHOWN\"]}}" },
		{ NULL, 0, NULL },
	};
	static const struct told foreign[] = {
		{ "/containers/x/json", 200,
		    "{\"Id\":\"" ID "\",\"HostConfig\":{\"CapAdd\":["
		    "\"CAP_SYS_ADMIN\"]}}" },
		{ NULL, 0, NULL },
	};
	static const char text[] =
	    ROLE_TEXT("ci-runner", "\"capabilities\":{\"allow\":[\"CHOWN\"]}");
	struct asked a;

	(void)state;
	ask_text(text, START, NULL, foreign, &a);
	assert_string_equal(a.why.rule, "capabilities");
	ask_text(text, START, NULL, made, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
}

#define HARD                                                                   \
	"\"CapDrop\":[\"all\"],\"ReadonlyRootfs\":true,\"SecurityOpt\":["      \
	"\"no-new-privileges\"]"
#define AS(user) "{\"User\":\"" user "\",\"HostConfig\":{" HARD "}}"

static void
demands_hardening(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, "{\"User\":\"1\"}", "require", "HostConfig.CapDrop",
		    "set --cap-drop ALL" },
		{ CREATE,
		    "{\"User\":\"1\",\"HostConfig\":{\"CapDrop\":["
		    "\"CHOWN\"]}}",
		    "require", "HostConfig.CapDrop", "" },
		{ CREATE,
		    "{\"User\":\"1\",\"HostConfig\":{\"CapDrop\":"
		    "\"ALL\"}}",
		    "require", "HostConfig.SecurityOpt",
		    "set --security-opt no-new-privileges" },
		{ CREATE,
		    "{\"User\":\"1\",\"HostConfig\":{\"CapDrop\":[\"ALL\"],"
		    "\"SecurityOpt\":[\"no-new-privileges=true\"]}}",
		    "require", "HostConfig.ReadonlyRootfs", "set --read-only" },
		{ CREATE, AS(""), "require", "User",
		    "refuses the user \"\" (set --user to a number" },
		{ CREATE, "{\"HostConfig\":{" HARD "}}", "require", "User",
		    "" },
		{ CREATE, AS("0"), "require", "User", "" },
		{ CREATE, AS("root"), "require", "User", "" },
		{ CREATE, AS("0:0"), "require", "User", "" },
		{ CREATE, AS("00"), "require", "User", "" },
		{ CREATE, AS("+0"), "require", "User", "" },
		{ CREATE, AS("-1"), "require", "User", "" },
		{ CREATE, AS("0:1000"), "require", "User", "" },
		{ CREATE, AS(":1000"), "require", "User", "" },
		{ CREATE, AS(" 1"), "require", "User", "" },
		{ CREATE, AS("toor"), "require", "User", "" },
		{ CREATE, AS("4294967296"), "require", "User", "" },
		{ EXEC, "{\"User\":\"root\",\"Cmd\":[\"a\"]}", "require",
		    "User", "" },
		{ CREATE, AS("1000"), NULL, "", "" },
		{ CREATE, AS("1000:0"), NULL, "", "" },
		{ EXEC, "{\"User\":\"33\",\"Cmd\":[\"a\"]}", NULL, "", "" },
		{ EXEC, "{\"Cmd\":[\"a\"]}", NULL, "", "" },
	};
	static const struct role_case false_behind[] = {
		{ CREATE,
		    HC("\"SecurityOpt\":[\"no-new-privileges\","
		       "\"no-new-privileges=false\"]"),
		    "require", "HostConfig.SecurityOpt", "" },
	};
	static const struct role_case one[] = {
		{ CREATE, HC("\"CapDrop\":[\"CHOWN\"]"), "require",
		    "HostConfig.CapDrop", "set --cap-drop NET_RAW" },
		{ CREATE, HC("\"CapDrop\":[\"cap_net_raw\"]"), NULL, "", "" },
		{ CREATE, HC("\"CapDrop\":[\"ALL\"]"), NULL, "", "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"require\":[\"no-new-privileges\",\"read-only-root\","
		      "\"non-root-user\",\"drop-all\"]"),
	    c, NELEM(c), plain);
	ask_cases("{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],"
		  "\"roles\":{\"t\":{\"extends\":\"ci-runner\",\"may\":["
		  "\"security-options\"],\"constraints\":{\"require\":["
		  "\"no-new-privileges\"]}}}}",
	    false_behind, NELEM(false_behind), NULL);
	ask_cases(
	    ROLE_TEXT("ci-runner", "\"capabilities\":{\"drop\":[\"NET_RAW\"]}"),
	    one, NELEM(one), NULL);
}

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ "\"capabilities\":{\"add\":[]}", "expected allow or drop" },
		{ "\"capabilities\":{\"allow\":[\"all\"]}",
		    "\"ALL\" stands in no list" },
		{ "\"capabilities\":{\"allow\":[\"CAP_ALL\"]}", "no list" },
		{ "\"require\":\"non-root-user\"", "a list of demands" },
		{ "\"require\":[\"non-root\"]", "expected no-new-privileges" },
		{ "\"require\":[1]", "expected no-new-privileges" },
	};

	(void)state;
	expect_mistakes(m, NELEM(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_capabilities_by_list),
		cmocka_unit_test(enters_what_it_could_have_made),
		cmocka_unit_test(demands_hardening),
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
