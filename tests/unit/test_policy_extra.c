/* SPDX-License-Identifier: Apache-2.0 */
/* policy/extra.c, load_extra.c, body_path.c: fields that no table knows. */
#include "policy_role.h"

#include "role.h"

#define ROLE(members)                                                          \
	"{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],\"roles\":"  \
	"{\"t\":{\"extends\":\"ci-runner\"," members "}}}"
#define FIELD(text) ROLE("\"fields\":[\"" text "\"]")
#define KEY(text) ROLE("\"query\":[\"" text "\"]")

static const struct {
	const char *text;
	const char *says;
} mistakes[] = {
	/* what is judged, in any spelling, and where an older dockerd reads */
	{ FIELD("HostConfig.Privileged"), "may take for \"Privileged\"" },
	{ FIELD("HostConfig.privileged"), "may take for \"privileged\"" },
	{ FIELD("ContainerCreate:Privileged"), "may take for" },
	{ FIELD("ContainerCreate:binds"), "may take for" },
	{ FIELD("ContainerCreate:HOSTCONFIG"), "may take for" },
	{ FIELD("NetworkingConfig.Binds"), "may take for" },
	{ FIELD("HostConfig.Mounts[].Source"), "may take for" },
	{ FIELD("ContainerCreate:platform"), "may take for" },
	{ FIELD("ContainerUpdate:Init"), "may take for" },
	/* what has no fields */
	{ FIELD("HostConfig.Binds.Foo"), "no body that dinv knows" },
	{ FIELD("HostConfig.Binds[].Foo"), "no body that dinv knows" },
	{ FIELD("HostConfig.Mounts.Foo"), "no body that dinv knows" },
	{ FIELD("HostConfig.LogConfig.Config.Foo"), "no body that dinv" },
	{ FIELD("HostConfig.Sysctls[x].Foo"), "no body that dinv knows" },
	{ FIELD("HostConfig.Mounts[].ClusterOptions.Foo"), "no body" },
	{ FIELD("hostconfig.Foo"), "no body that dinv knows" },
	{ FIELD("Bar.Foo"), "no body that dinv knows" },
	{ FIELD("VolumeCreate:HostConfig.Foo"), "no body that dinv knows" },
	{ FIELD("ContainerStart:Foo"), "no body that dinv knows" },
	{ FIELD("PluginPush:Foo"), "no body that dinv knows" },
	{ FIELD("PluginPull:Foo"), "no body that dinv knows" },
	{ FIELD("ServiceCreate:CapabilityAdd"), "dinv judges it" },
	{ FIELD("Foo"), "needs its operation" },
	/* what is no path */
	{ FIELD(""), "not empty" },
	{ FIELD("ContainerCreate:"), "expected a field" },
	{ FIELD("ContainerKreate:Foo"), "no operation before the colon" },
	{ FIELD("@run:Foo"), "no operation before the colon" },
	{ FIELD("HostConfig."), "expected a field" },
	{ FIELD("HostConfig..Foo"), "expected a field" },
	{ FIELD(".Foo"), "expected a field" },
	{ FIELD("HostConfig.Mounts[]"), "expected a field" },
	{ FIELD("HostConfig.Mounts[0].Foo"), "no body that dinv knows" },
	{ FIELD("HostConfig.Mounts[.Foo"), "expected a field" },
	{ FIELD("HostConfig.*"), "expected a field" },
	{ FIELD("HostConfig.F\\u212aoo"), "expected a field" },
	{ FIELD("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"), "expected a field" },
	{ ROLE("\"fields\":\"HostConfig.Foo\""), "expected a list" },
	{ ROLE("\"fields\":[3]"), "not empty" },
	/* query keys */
	{ KEY("ContainerCreate:name"), "knows the query key \"name\"" },
	{ KEY("ImageBuild:remote"), "knows the query key" },
	{ KEY("foo"), "expected an operation and a query key" },
	{ KEY("ContainerKreate:foo"), "expected an operation and a query" },
	{ KEY("ContainerCreate:"), "expected an operation and a query key" },
	{ ROLE("\"query\":{}"), "expected a list" },
	{ ROLE("\"unknown_fields\":\"ignore\""), "\"refuse\" or \"drop\"" },
	{ ROLE("\"unknown_fields\":true"), "\"refuse\" or \"drop\"" },
	{ "{\"clients\":[],\"roles\":{\"t\":{\"unconstrained\":true,"
	  "\"unknown_fields\":\"drop\"}}}",
	    "allowed everything" },
	{ "{\"clients\":[],\"roles\":{\"t\":{\"extends\":\"admin\","
	  "\"fields\":[]}}}",
	    "allowed everything" },
};

static void
refuses_names_that_could_mean_what_is_judged(void **state)
{
	unsigned wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(mistakes); i++) {
		struct policy *pol = NULL;
		struct diag d = { 0, 0, "" };

		if (policy_load(span_of(mistakes[i].text), &pol, &d) !=
			ERR_POLICY ||
		    strstr(d.text, mistakes[i].says) == NULL || d.line != 1 ||
		    d.col == 0) {
			print_error("%s: %u:%u: %s\n", mistakes[i].text, d.line,
			    d.col, d.text);
			wrong++;
		}
		policy_free(pol);
	}
	assert_int_equal(wrong, 0);
}

#define CREATE "POST /v1.41/containers/create"

static void
refuses_all_that_is_not_named(void **state)
{
	static const char text[] =
	    ROLE("\"fields\":[\"HostConfig.Foo\",\"ContainerCreate:Bar\","
		 "\"HostConfig.Mounts[].Baz\","
		 "\"NetworkingConfig.EndpointsConfig[a].Qux\"],"
		 "\"query\":[\"ContainerInspect:foo\"]");
	static const struct role_case cases[] = {
		{ CREATE, "{\"Foo\":1}", "unknown-field", "Foo", "Foo" },
		{ CREATE, "{\"HostConfig\":{\"Bar\":1}}", "unknown-field",
		    "HostConfig.Bar", "Bar" },
		{ CREATE, "{\"HostConfig\":{\"Baz\":1}}", "unknown-field",
		    "HostConfig.Baz", "Baz" },
		{ CREATE, "{\"HostConfig\":{\"Fooo\":1}}", "unknown-field",
		    "HostConfig.Fooo", "Fooo" },
		{ CREATE, "{\"HostConfig.Foo\":1}", "unknown-field",
		    "HostConfig.Foo", "no" },
		{ CREATE,
		    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"b\":"
		    "{\"Qux\":1}}}}",
		    "unknown-field",
		    "NetworkingConfig.EndpointsConfig[\"b\"].Qux", "Qux" },
		{ CREATE, "{\"HostConfig\":{\"Foo\":1,\"foo\":1}}",
		    "duplicate-field", "HostConfig.Foo", "twice" },
		{ CREATE, "{\"bar\":0,\"x\":0,\"BAR\":false}",
		    "duplicate-field", "bar", "twice" },
		/* the parent is judged as ever, and what stands beside it */
		{ CREATE, "{\"HostConfig\":{\"Foo\":1,\"Privileged\":true}}",
		    "privileged", "HostConfig.Privileged", "privileged" },
		{ CREATE,
		    "{\"HostConfig\":{\"Mounts\":[{\"Type\":\"bind\","
		    "\"Source\":\"/\",\"Target\":\"/h\",\"Baz\":1}]}}",
		    "host-paths", "HostConfig.Mounts[0]", "path" },
		{ "POST /v1.41/containers/a/exec",
		    "{\"Cmd\":[\"a\"],\"Bar\":1}", "unknown-field", "Bar",
		    "Bar" },
		{ "GET /containers/a/json?bar=1", NULL, "unknown-query",
		    "\"bar\"", "query" },
		{ "GET /containers/a/json?Foo=1", NULL, "unknown-query",
		    "\"Foo\"", "query" },
		{ "GET /containers/a/json?foo=1&foo=2", NULL, "repeated-query",
		    "\"foo\"", "twice" },
		{ "GET /containers/a/logs?foo=1", NULL, "unknown-query",
		    "\"foo\"", "query" },
	};

	(void)state;
	ask_cases(text, cases, NELEM(cases), NULL);
}

static void
expect_body(const char *text, const char *body, const char *want)
{
	struct asked a;

	ask_text(text, CREATE, body, NULL, &a);
	if (a.verdict != VERDICT_ALLOW || strcmp(a.body, want) != 0) {
		fail_msg("%s: %s\n%s", body, a.why.message, a.body);
	}
}

static void
passes_on_what_is_named_as_it_came(void **state)
{
	static const char text[] =
	    ROLE("\"fields\":[\"HostConfig.Foo\",\"ContainerCreate:Bar\","
		 "\"NetworkingConfig.EndpointsConfig[].Qux\"],"
		 "\"query\":[\"ContainerInspect:foo\","
		 "\"ContainerCreate:foo\"]");
	struct asked a;

	(void)state;
	expect_body(text,
	    "{\"Image\":\"a\", \"hostconfig\": {\"fOO\": {"
	    "\"n\": [1e400, -0, 12345678901234567890.5, null]}}}",
	    "{\"Image\":\"a\",\"HostConfig\":{\"fOO\":{\"n\":[1e400,-0,"
	    "12345678901234567890.5,null]}}}");
	expect_body(text, "{\"Bar\":null,\"Image\":\"a\",\"Zero\":0}",
	    "{\"Bar\":null,\"Image\":\"a\"}");
	expect_body(text, "{\"Zero\":0,\"Bar\":{\"\":{\"B\":1,\"b\":2}}}",
	    "{\"Bar\":{\"\":{\"B\":1,\"b\":2}}}");
	expect_body(text,
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"Qux\":"
	    "\"\\u000a\\\"\"}}}}",
	    "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"bridge\":{\"Qux\":"
	    "\"\\u000a\\u0022\"}}}}");
	ask_text(text, "GET /v1.41/containers/a/json?foo=%26&size=1", NULL,
	    NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(
	    a.target, "/v1.41/containers/a/json?foo=%26&size=1");
	/* an operation whose unknown keys are left out for everyone */
	ask_text(text, CREATE "?foo=1&bar=2", "{}", NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.target, "/v1.41/containers/create?foo=1");
}

static void
leaves_out_what_it_does_not_know_where_it_is_told_to(void **state)
{
	static const char text[] =
	    ROLE("\"unknown_fields\":\"drop\",\"fields\":[\"HostConfig.Foo\"]");
	static const char again[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"u\"}],"
	    "\"roles\":{\"t\":{\"extends\":\"ci-runner\",\"unknown_fields\":"
	    "\"drop\"},\"u\":{\"extends\":\"t\",\"unknown_fields\":"
	    "\"refuse\"}}}";
	static const struct role_case kept[] = {
		{ CREATE, "{\"HostConfig\":{\"privileged\":true}}",
		    "privileged", "HostConfig.Privileged", "privileged" },
		{ CREATE, "{\"Image\":3}", "type", "Image", "string" },
	};
	static const struct role_case refused[] = {
		{ CREATE, "{\"Bar\":1}", "unknown-field", "Bar", "Bar" },
	};
	struct asked a;

	(void)state;
	ask_cases(text, kept, NELEM(kept), NULL);
	ask_cases(again, refused, NELEM(refused), NULL);
	expect_body(text,
	    "{\"Privileged\":true,\"Bar\":{},\"HostConfig\":{\"Bar\":1,"
	    "\"Foo\":2,\"Baz\":3},\"Image\":\"a\"}",
	    "{\"HostConfig\":{\"Foo\":2},\"Image\":\"a\"}");
	ask_text(text, "GET /containers/a/json?bar=1&size=1", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.target, "/containers/a/json?size=1");
}

static void
tells_what_went_on_unjudged(void **state)
{
	static const char body[] = "{\"HostConfig\":{\"foo\":1,\"Bar\":2}}";
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = { "x", 1 } };
	struct decision *d = NULL;
	struct policy *pol = NULL;
	struct policy_why why;
	struct canon_req req;
	struct arena arena;

	(void)state;
	arena_init(&arena, (size_t)1 << 20);
	expect_err("load",
	    policy_load(span_of(ROLE("\"unknown_fields\":\"drop\",\"fields\":["
				     "\"HostConfig.Foo\"]")),
		&pol, NULL),
	    ERR_OK);
	expect_err("request",
	    canon_request(&arena, METHOD_POST,
		span_of("/containers/create?name=a"), &req, NULL),
	    ERR_OK);
	req.has_body = true;
	assert_int_equal(
	    policy_begin(pol, &who, &req, &arena, &d, &why), VERDICT_NEED_BODY);
	assert_string_equal(policy_notes(d), "");
	assert_int_equal(policy_body(d, span_of(body), &why), VERDICT_ALLOW);
	assert_string_equal(policy_notes(d),
	    "HostConfig.foo unjudged, HostConfig.Bar left out");
	arena_fini(&arena);
	policy_free(pol);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_names_that_could_mean_what_is_judged),
		cmocka_unit_test(refuses_all_that_is_not_named),
		cmocka_unit_test(passes_on_what_is_named_as_it_came),
		cmocka_unit_test(
		    leaves_out_what_it_does_not_know_where_it_is_told_to),
		cmocka_unit_test(tells_what_went_on_unjudged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
