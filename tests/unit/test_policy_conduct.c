/* SPDX-License-Identifier: Apache-2.0 */
/* Variables, labels, commands of an exec, terminals: refusals first. */
#include "policy_role.h"

#define CREATE "POST /v1.41/containers/create"
#define EXEC "POST /containers/x/exec"
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct told told[] = {
	{ "/containers/x/json", 200, "{\"Id\":\"" ID "\",\"HostConfig\":{}}" },
	{ "/containers/" ID "/json", 200,
	    "{\"Id\":\"" ID "\",\"HostConfig\":{}}" },
	{ "/exec/sh/json", 200,
	    "{\"ContainerID\":\"" ID "\",\"ProcessConfig\":{\"entrypoint\":"
	    "\"sh\",\"user\":\"1000\"}}" },
	{ "/exec/root/json", 200,
	    "{\"ContainerID\":\"" ID "\",\"ProcessConfig\":{\"entrypoint\":"
	    "\"pg_dump\"}}" },
	{ "/exec/tty/json", 200,
	    "{\"ContainerID\":\"" ID "\",\"ProcessConfig\":{\"entrypoint\":"
	    "\"pg_dump\",\"user\":\"1000\",\"tty\":true}}" },
	{ "/exec/ok/json", 200,
	    "{\"ContainerID\":\"" ID "\",\"ProcessConfig\":{\"entrypoint\":"
	    "\"pg_dump\",\"user\":\"1000\",\"tty\":false}}" },
	{ NULL, 0, NULL },
};

static const struct role_case cases[] = {
	{ CREATE, "{\"Env\":[\"A=1\",\"LD_PRELOAD=x\"]}", "env", "Env[1]",
	    "refuses the variable \"LD_PRELOAD\"" },
	{ CREATE, "{\"env\":[\"NVIDIA_X\"]}", "env", "Env[0]", "NVIDIA_X" },
	{ EXEC, "{\"Cmd\":[\"psql\"],\"User\":\"1000\",\"Env\":[\"LD_X=\"]}",
	    "env", "Env[0]", "" },
	{ "POST /build?buildargs={%22LD_A%22:null}", NULL, "env", "buildargs",
	    "LD_A" },
	{ "POST /build?buildargs=[]", NULL, "type", "buildargs", "" },
	{ EXEC, "{\"Cmd\":[\"sh\",\"-c\"],\"User\":\"1000\"}", "exec", "Cmd",
	    "the command \"sh\" (allowed: psql, pg_*)" },
	{ EXEC, "{\"Cmd\":\"sh\",\"User\":\"1000\"}", "exec", "Cmd", "" },
	{ EXEC, "{\"cmd\":[],\"User\":\"1000\"}", "exec", "Cmd", "" },
	{ EXEC, "{\"Cmd\":[\"psql\"]}", "exec", "User",
	    "the user \"\" (set --user; allowed: 1000)" },
	{ EXEC, "{\"Cmd\":[\"psql\"],\"User\":\"0\"}", "exec", "User", "" },
	{ "POST /exec/sh/start", "{}", "exec", "ProcessConfig", "\"sh\"" },
	{ "POST /exec/root/start", NULL, "exec", "ProcessConfig", "" },
	{ "POST /exec/tty/start", "{}", "tty", "ProcessConfig.tty", "" },
	{ "POST /exec/ok/start", "{\"Tty\":true}", "tty", "Tty", "" },
	{ CREATE, "{\"Tty\":true}", "tty", "Tty", "refuses a terminal" },
	{ EXEC, "{\"Cmd\":[\"psql\"],\"User\":\"1000\",\"Tty\":true}", "tty",
	    "Tty", "" },
	{ "POST /containers/x/attach", NULL, "attach", "",
	    "refuses to attach to containers (use docker run -d" },
	{ "GET /containers/x/attach/ws", NULL, "attach", "", "" },
	{ CREATE, "{\"Env\":[\"A=LD_X\"],\"Tty\":false}", NULL, "", "" },
	{ EXEC, "{\"Cmd\":[\"pg_dump\",\"x\"],\"User\":\"1000\"}", NULL, "",
	    "" },
	{ EXEC, "{\"Cmd\":\"psql\",\"User\":\"1000\"}", NULL, "", "" },
	{ "POST /exec/ok/start", "{}", NULL, "", "" },
	{ "POST /build?buildargs={%22A%22:%22LD_%22}", NULL, NULL, "", "" },
	{ "POST /build?buildargs=null", NULL, NULL, "", "" },
};

static void
holds_variables_execs_and_terminals(void **state)
{
	(void)state;
	ask_cases(ROLE_TEXT("ci-runner",
		      "\"env\":{\"deny\":[\"LD_*\",\"NVIDIA_*\"]},\"exec\":{"
		      "\"commands\":[\"psql\",\"pg_*\"],\"users\":[\"1000\"]},"
		      "\"tty\":false,\"attach\":false"),
	    cases, NELEM(cases), told);
}

static void
wants_labels(void **state)
{
	static const struct role_case c[] = {
		{ CREATE, "{}", "labels", "Labels",
		    "what has no label \"job\" (set --label job=...)" },
		{ CREATE, "{\"Labels\":{\"Job\":\"1\"}}", "labels", "Labels",
		    "" },
		{ CREATE, "{\"Labels\":{\"job\":\"\"}}", "labels", "Labels",
		    "" },
		{ CREATE, "{\"Labels\":null}", "labels", "Labels", "" },
		{ CREATE, "", "labels", "Labels", "" },
		{ CREATE, NULL, "labels", "Labels", "without a body" },
		{ "POST /volumes/create", "{\"Name\":\"v\"}", "labels",
		    "Labels", "" },
		{ "POST /volumes/create", NULL, "labels", "Labels", "" },
		{ "POST /networks/create", "{\"Name\":\"n\"}", "labels",
		    "Labels", "" },
		{ CREATE, "{\"labels\":{\"job\":\"1\"}}", NULL, "", "" },
		{ "POST /networks/create",
		    "{\"Name\":\"n\",\"Labels\":{\"job\":\"1\"}}", NULL, "",
		    "" },
	};

	(void)state;
	ask_cases(ROLE_TEXT("ci-runner", "\"labels\":{\"require\":[\"job\"]}"),
	    c, NELEM(c), NULL);
}

static void
forces_labels(void **state)
{
	static const struct {
		const char *request, *body, *want;
	} c[] = {
		{ CREATE, "{}", "{\"Labels\":{\"team\":\"a\"}}" },
		{ CREATE, "null", "{\"Labels\":{\"team\":\"a\"}}" },
		{ CREATE, "", "{\"Labels\":{\"team\":\"a\"}}" },
		{ CREATE, "{\"Image\":\"i\"}",
		    "{\"Image\":\"i\",\"Labels\":{\"team\":\"a\"}}" },
		{ CREATE, "{\"Labels\":null,\"Tty\":false}",
		    "{\"Labels\":{\"team\":\"a\"},\"Tty\":false}" },
		{ CREATE, "{\"labels\":{\"team\":\"evil\",\"Team\":\"x\"}}",
		    "{\"Labels\":{\"team\":\"a\",\"Team\":\"x\"}}" },
		{ CREATE,
		    "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\","
		    "\"Target\":\"/x\",\"VolumeOptions\":{\"Labels\":{\"b\":"
		    "\"1\"}}}]}}",
		    "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\","
		    "\"Target\":\"/x\",\"VolumeOptions\":{\"Labels\":{\"b\":"
		    "\"1\"}}}]},\"Labels\":{\"team\":\"a\"}}" },
		{ "POST /volumes/create", "null",
		    "{\"Labels\":{\"team\":\"a\"}}" },
		{ "POST /networks/create",
		    "{\"Name\":\"n\",\"Labels\":{\"x\":\"1\"}}",
		    "{\"Name\":\"n\",\"Labels\":{\"team\":\"a\",\"x\":\"1\"}"
		    "}" },
		{ "POST /auth", "{\"username\":\"u\"}",
		    "{\"username\":\"u\"}" },
	};
	static const char text[] = ROLE_TEXT("ci-runner",
	    "\"labels\":{\"require\":[\"team\"],\"force\":{\"team\":\"a\"}}");
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		ask_text(text, c[i].request, c[i].body, NULL, &a);
		if (a.verdict != VERDICT_ALLOW || !a.replace ||
		    strcmp(a.body, c[i].want) != 0) {
			fail_msg("%s: %s %s", c[i].body, a.body, a.why.message);
		}
	}
	ask_text(text, CREATE, "{\"Labels\":[\"team\"]}", NULL, &a);
	assert_string_equal(a.why.rule, "type");
	ask_text(text, CREATE, "{\"Labels\":{\"b\":1}}", NULL, &a);
	assert_string_equal(a.why.rule, "type");
	ask_text(text, CREATE, "{\"Labels\":{},\"labels\":{}}", NULL, &a);
	assert_string_equal(a.why.rule, "duplicate-field");
}

static void
refuses_policies_that_cannot_be_meant(void **state)
{
	static const struct mistake m[] = {
		{ "\"env\":{\"allow\":[]}", "expected deny" },
		{ "\"env\":[]", "must be an object" },
		{ "\"labels\":{\"force\":[]}", "expected an object such as" },
		{ "\"labels\":{\"force\":{\"a\":1}}", "expected a text" },
		{ "\"labels\":{\"forced\":{}}", "expected require or force" },
		{ "\"exec\":{\"cmd\":[]}", "expected commands or users" },
		{ "\"tty\":true", "tty can only be false" },
		{ "\"attach\":0", "attach can only be false" },
	};

	(void)state;
	expect_mistakes(m, NELEM(m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_variables_execs_and_terminals),
		cmocka_unit_test(wants_labels),
		cmocka_unit_test(forces_labels),
		cmocka_unit_test(refuses_policies_that_cannot_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
