/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions on operation, query, headers and upgrade, and what goes on to
 * dockerd: refusals first.
 */
#include "policy_fixture.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HONEST "{\"Id\":\"" ID "\",\"HostConfig\":{\"NetworkMode\":\"n\"}}"
#define CREATE "POST /v1.41/containers/create"

/* Requests without a body; rule NULL: allowed. */
static const struct {
	const char *role;
	const char *request;
	const char *rule;
} requests[] = {
	/* operations */
	{ "read-only", "POST /v1.41/containers/create", "op" },
	{ "read-only", "POST /v1.41/containers/x/start", "op" },
	{ "read-only", "GET /containers/x/export", "op" },
	{ "read-only", "GET /containers/x/archive?path=/", "op" },
	{ "read-only", "HEAD /containers/x/archive?path=/", "op" },
	{ "read-only", "GET /images/x/get", "op" },
	{ "read-only", "GET /images/get?names=x", "op" },
	{ "read-only", "GET /swarm", "op" },
	{ "read-only", "GET /swarm/unlockkey", "op" },
	{ "read-only", "GET /configs", "op" },
	{ "read-only", "GET /configs/x", "op" },
	{ "read-only", "GET /plugins/privileges?remote=x", "op" },
	{ "read-only", "GET /distribution/x/json", "op" },
	{ "read-only", "GET /images/search?term=x", "op" },
	{ "read-only", "GET /containers/x/attach/ws", "op" },
	{ "read-only", "POST /session", "op" },
	{ "read-only", "POST /grpc", "op" },
	{ "read-only", "POST /auth", "op" },
	{ "read-only", "GET /debug/vars", "op" },
	{ "read-only", "GET /containers/x/checkpoints", "op" },
	{ "read-only", "OPTIONS /info", "op" },
	{ "read-only", "GET /foo", "unknown-op" },
	{ "read-only", "GET /containers/x/y/json", "unknown-op" },
	{ "read-only", "DELETE /info", "unknown-op" },
	{ "read-only", "GET /v1.57/info", "api-version" },
	{ "read-only", "GET /containers/x/top?ps_args=auxe", "top-args" },
	{ "read-only", "GET /containers/x/top?ps_args=axeww", "top-args" },
	{ "read-only", "GET /info?x=1", "unknown-query" },
	{ "read-only", "GET /containers/json?all=1&all=0", "repeated-query" },
	{ "read-only", "GET /containers/json?All=1", "unknown-query" },
	{ "read-only", "GET /v1.56/info", NULL },
	{ "read-only", "GET /info", NULL },
	{ "read-only", "HEAD /_ping", NULL },
	{ "read-only", "GET /v1.41/containers/json?all=1&filters=%7B%7D",
	    NULL },
	{ "read-only", "GET /containers/x/logs?stdout=1&tail=5", NULL },
	{ "read-only", "GET /containers/x/top", NULL },
	{ "read-only", "GET /containers/x/top?ps_args=-ef", NULL },
	{ "read-only", "GET /images/json?only_ids=0&all=0", NULL },
	{ "read-only", "GET /events?since=1", NULL },
	{ "read-only", "GET /system/df?type=image&type=volume", NULL },
	{ "ci-runner", "POST /swarm/init", "op" },
	{ "ci-runner", "POST /services/create", "op" },
	{ "ci-runner", "GET /services", "op" },
	{ "ci-runner", "GET /secrets", "op" },
	{ "ci-runner", "GET /nodes", "op" },
	{ "ci-runner", "POST /plugins/pull?remote=x", "op" },
	{ "ci-runner", "POST /plugins/create?name=x", "op" },
	{ "ci-runner", "POST /containers/prune", "op" },
	{ "ci-runner", "POST /images/prune", "op" },
	{ "ci-runner", "POST /volumes/prune", "op" },
	{ "ci-runner", "POST /networks/prune", "op" },
	{ "ci-runner", "POST /build/prune", "op" },
	{ "ci-runner", "POST /build/cancel?id=x", "op" },
	{ "ci-runner", "POST /containers/x/checkpoints", "op" },
	{ "ci-runner", "PUT /volumes/x?version=1", "volume-driver" },
	{ "ci-runner", "GET /debug/pprof/heap", "op" },
	{ "ci-runner", "POST /containers/x/copy", "unknown-op" },
	/* queries */
	{ "ci-runner", "POST /containers/x/start?checkpoint=c", "checkpoints" },
	{ "ci-runner", "POST /containers/x/start?checkpoint-dir=/",
	    "checkpoints" },
	{ "ci-runner", "POST /build?networkmode=host", "build-host-network" },
	{ "ci-runner", "POST /build?networkmode=container:x",
	    "build-host-network" },
	{ "ci-runner", "POST /build?networkmode=none&networkmode=host",
	    "repeated-query" },
	{ "ci-runner", "POST /build?remote=http://169.254.169.254/",
	    "remote-source" },
	{ "ci-runner", "POST /build?remote=git://x", "remote-source" },
	{ "ci-runner", "POST /build?cgroupparent=/", "cgroup-parent" },
	{ "ci-runner", "POST /build?securityopt=seccomp=unconfined",
	    "security-options" },
	{ "ci-runner",
	    "POST /build?extrahosts=a:1.1.1.1&extrahosts="
	    "b:host-gateway",
	    "extra-hosts" },
	{ "ci-runner", "POST /build?foo=1", "unknown-query" },
	{ "ci-runner", "POST /images/create?fromSrc=http://x/",
	    "remote-source" },
	{ "ci-runner", "POST /images/create?fromImage=a&fromImage=b",
	    "repeated-query" },
	{ "ci-runner", "POST /containers/create?name=a&name=b",
	    "repeated-query" },
	{ "ci-runner",
	    "POST /build?t=a&t=b&extrahosts=a:1.1.1.1&networkmode="
	    "none&remote=&version=1&q=0",
	    NULL },
	{ "ci-runner",
	    "POST /build?version=2&remote=client-session&session="
	    "x&buildid=y&networkmode=default",
	    NULL },
	{ "ci-runner", "POST /session", NULL },
	{ "ci-runner", "POST /grpc", NULL },
	{ "ci-runner",
	    "POST /images/create?fromSrc=-&repo=x&changes=a&"
	    "changes=b",
	    NULL },
	{ "ci-runner", "POST /images/load?quiet=1", NULL },
	{ "ci-runner", "POST /images/x/tag?repo=y&tag=z&force=0", NULL },
	{ "ci-runner", "DELETE /containers/x?v=1&force=1", NULL },
	{ "ci-runner", "POST /containers/x/wait?condition=removed", NULL },
	{ "ci-runner", "POST /containers/x/kill?signal=TERM", NULL },
	{ "ci-runner", "POST /containers/create", NULL },
	{ "ci-runner", "POST /commit", NULL },
	{ "admin", "POST /swarm/init", NULL },
	{ "admin", "GET /no/such/thing?a=1&a=2", NULL },
	{ "admin", "GET /v1.999/info", NULL },
};

static void
judges_operations_and_queries(void **state)
{
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(requests); i++) {
		ask_preset(
		    requests[i].role, requests[i].request, NULL, NULL, &a);
		if ((a.verdict == VERDICT_ALLOW) !=
			(requests[i].rule == NULL) ||
		    (requests[i].rule != NULL &&
			strcmp(a.why.rule, requests[i].rule) != 0)) {
			fail_msg("%s %s: %s", requests[i].role,
			    requests[i].request, a.why.message);
		}
	}
}

/* --- BuildKit, upgrades, headers ----------------------------------------- */

static struct policy *
load_role(const char *role)
{
	static char text[1024];
	struct policy *pol = NULL;
	struct diag d;

	snprintf(text, sizeof(text),
	    "{\"clients\":[{\"match\":{\"cn\":\"*\"},"
	    "\"role\":\"r\"}],\"roles\":{\"r\":%s}}",
	    role);
	if (policy_load(span_of(text), &pol, &d) != ERR_OK) {
		fail_msg("%s: %s", text, d.text);
	}
	return pol;
}

static const struct principal someone = {
	.kind = PRINCIPAL_CERT,
	.cn = { "x", 1 },
};

static void
refuses_buildkit_to_roles_that_do_not_say_so(void **state)
{
	struct policy *pol = load_role("{\"allow\":[\"@build\"]}");
	struct asked a;

	(void)state;
	ask_policy(pol, &someone, "POST /build?version=2", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "buildkit");
	ask_policy(pol, &someone, "POST /build?version=%202", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "buildkit");
	ask_policy(pol, &someone, "POST /session", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "buildkit");
	ask_policy(pol, &someone, "POST /grpc", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "buildkit");
	ask_policy(pol, &someone, "POST /build?version=1", NULL, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	policy_free(pol);
}

static enum verdict
ask_head(const char *preset, enum method method, const char *target,
    enum upgrade upgrade, const struct header *header, size_t n, bool body,
    struct policy_why *why)
{
	struct decision *d = NULL;
	struct policy *pol = NULL;
	struct canon_req req;
	struct arena arena;
	enum verdict v;

	arena_init(&arena, 1 << 20);
	expect_err(preset, policy_load_preset(preset, &pol), ERR_OK);
	expect_err(target,
	    canon_request(&arena, method, span_of(target), &req, NULL), ERR_OK);
	req.upgrade = upgrade;
	req.headers = header;
	req.n_headers = n;
	req.has_body = body;
	v = policy_begin(pol, &someone, &req, &arena, &d, why);
	arena_fini(&arena);
	policy_free(pol);
	return v;
}

static const struct {
	const char *role;
	enum method method;
	const char *target;
	enum upgrade upgrade;
	bool allowed;
} upgrades[] = {
	{ "admin", METHOD_GET, "/info", UPGRADE_H2C, false },
	{ "admin", METHOD_GET, "/info", UPGRADE_TCP, false },
	{ "admin", METHOD_GET, "/nothing", UPGRADE_TCP, false },
	{ "admin", METHOD_POST, "/exec/x/start", UPGRADE_H2C, false },
	{ "admin", METHOD_POST, "/grpc", UPGRADE_TCP, false },
	{ "admin", METHOD_POST, "/grpc", UPGRADE_OTHER, false },
	{ "admin", METHOD_POST, "/containers/x/attach", UPGRADE_WEBSOCKET,
	    false },
	{ "admin", METHOD_GET, "/containers/x/attach/ws", UPGRADE_TCP, false },
	{ "ci-runner", METHOD_GET, "/info", UPGRADE_H2C, false },
	{ "ci-runner", METHOD_POST, "/build", UPGRADE_H2C, false },
	{ "admin", METHOD_POST, "/exec/x/start", UPGRADE_TCP, true },
	{ "admin", METHOD_POST, "/containers/x/attach", UPGRADE_NONE, true },
	{ "admin", METHOD_GET, "/containers/x/attach/ws", UPGRADE_WEBSOCKET,
	    true },
	{ "ci-runner", METHOD_POST, "/session", UPGRADE_H2C, true },
	{ "ci-runner", METHOD_POST, "/grpc", UPGRADE_H2C, true },
};

static void
lets_only_matching_upgrades_pass(void **state)
{
	struct policy_why why;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(upgrades); i++) {
		enum verdict v = ask_head(upgrades[i].role, upgrades[i].method,
		    upgrades[i].target, upgrades[i].upgrade, NULL, 0, false,
		    &why);

		if ((v != VERDICT_DENY) != upgrades[i].allowed ||
		    (v == VERDICT_DENY && strcmp(why.rule, "upgrade") != 0)) {
			fail_msg("%s", upgrades[i].target);
		}
	}
}

static const struct {
	const char *type;
	bool allowed;
} types[] = {
	{ "text/plain", false },
	{ "application/x-www-form-urlencoded", false },
	{ "multipart/form-data", false },
	{ "application/jsonx", false },
	{ "", false },
	{ "application/json", true },
	{ "Application/JSON; charset=utf-8", true },
	{ "application/json ;x=y", true },
};

static void
wants_json_in_json_bodies(void **state)
{
	struct header two[2] = {
		{ { "Content-Type", 12 }, { "application/json", 16 } },
		{ { "content-type", 12 }, { "application/json", 16 } },
	};
	struct policy_why why;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(types); i++) {
		struct header h = { { "Content-Type", 12 },
			span_of(types[i].type) };
		enum verdict v = ask_head("ci-runner", METHOD_POST,
		    "/containers/create", UPGRADE_NONE, &h, 1, true, &why);

		if ((v == VERDICT_NEED_BODY) != types[i].allowed ||
		    (v == VERDICT_DENY &&
			strcmp(why.rule, "content-type") != 0)) {
			fail_msg("%s", types[i].type);
		}
	}
	assert_int_equal(
	    ask_head("ci-runner", METHOD_POST, "/containers/create",
		UPGRADE_NONE, two, 2, true, &why),
	    VERDICT_DENY);
	assert_int_equal(
	    ask_head("ci-runner", METHOD_POST, "/containers/create",
		UPGRADE_NONE, NULL, 0, true, &why),
	    VERDICT_NEED_BODY);
}

static void
keeps_headers_that_dockerd_reads(void **state)
{
	static const struct {
		const char *name;
		bool keep;
	} h[] = {
		{ "X-Registry-Auth", true },
		{ "x-registry-config", true },
		{ "X-Docker-Expose-Session-Uuid", true },
		{ "X-Meta-Foo", true },
		{ "Sec-WebSocket-Key", true },
		{ "User-Agent", true },
		{ "Accept", true },
		{ "X-Forwarded-For", false },
		{ "X-HTTP-Method-Override", false },
		{ "Authorization", false },
		{ "Cookie", false },
		{ "X-Meta-", false },
		{ "X-Registry-Auth2", false },
	};
	struct policy *pol = NULL, *admin = NULL;
	struct decision *d = NULL, *free_one = NULL;
	struct policy_why why;
	struct canon_req req;
	struct arena arena;
	size_t i;

	(void)state;
	arena_init(&arena, 1 << 20);
	expect_err("", policy_load_preset("ci-runner", &pol), ERR_OK);
	expect_err("", policy_load_preset("admin", &admin), ERR_OK);
	expect_err("",
	    canon_request(&arena, METHOD_GET, span_of("/info"), &req, NULL),
	    ERR_OK);
	assert_int_equal(
	    policy_begin(pol, &someone, &req, &arena, &d, &why), VERDICT_ALLOW);
	assert_int_equal(
	    policy_begin(admin, &someone, &req, &arena, &free_one, &why),
	    VERDICT_ALLOW);
	for (i = 0; i < NELEM(h); i++) {
		if (policy_keeps_header(d, span_of(h[i].name)) != h[i].keep) {
			fail_msg("%s", h[i].name);
		}
		assert_true(policy_keeps_header(free_one, span_of(h[i].name)));
	}
	arena_fini(&arena);
	policy_free(pol);
	policy_free(admin);
}

/* --- what a role may, and what goes on ----------------------------------- */

static void
gives_a_role_what_it_may(void **state)
{
	static const char body[] =
	    "{\"HostConfig\":{\"Privileged\":true,\"Binds\":[\"/:/h\",\"v:/x\"]"
	    ",\"Devices\":[{\"pathonhost\":\"/dev/x\"}]}}";
	const struct told told[] = {
		{ "/containers/x/json", 200,
		    "{\"Id\":\"" ID "\",\"HostConfig\":{\"Privileged\":true,"
		    "\"Binds\":[\"/:/h\"]}}" },
		{ NULL, 0, NULL },
	};
	struct policy *pol = load_role(
	    "{\"extends\":\"ci-runner\",\"may\":"
	    "[\"privileged\",\"host-paths\",\"volume-driver\",\"devices\"]}");
	struct asked a;

	(void)state;
	ask_policy(pol, &someone, CREATE, body, NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.body,
	    "{\"HostConfig\":{\"Privileged\":true,\"Binds\":[\"/:/h\","
	    "\"v:/x\"],\"Devices\":[{\"PathOnHost\":\"/dev/x\"}]}}");
	assert_string_equal(a.facts, "");
	ask_policy(pol, &someone, "POST /containers/x/start", NULL, told, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	ask_policy(pol, &someone, CREATE,
	    "{\"HostConfig\":{\"CapAdd\":[\"ALL\"]}}", NULL, &a);
	assert_string_equal(a.why.rule, "capabilities");
	policy_free(pol);
	pol = load_role("{\"allow\":[\"ContainerCreate\"]}");
	ask_policy(pol, &someone, CREATE,
	    "{\"HostConfig\":{\"PublishAllPorts\":true}}", NULL, &a);
	assert_string_equal(a.why.rule, "published-ports");
	ask_policy(pol, &someone, CREATE,
	    "{\"HostConfig\":{\"RestartPolicy\":"
	    "{\"Name\":\"always\"}}}",
	    NULL, &a);
	assert_string_equal(a.why.rule, "restart");
	policy_free(pol);
}

static void
sends_on_what_was_judged(void **state)
{
	const struct told told[] = {
		{ "/containers/x/json", 200, HONEST },
		{ NULL, 0, NULL },
	};
	struct asked a;

	(void)state;
	/* dockerode repeats its options in the query */
	ask_preset("ci-runner",
	    CREATE "?Image=i&name=n&Env=a&Env=b&HostConfig"
		   "=%7B%7D",
	    "{\"Image\":\"i\",\"name\":\"n\"}", NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_string_equal(a.target, "/v1.41/containers/create?name=n");
	assert_string_equal(a.body, "{\"Image\":\"i\"}");
	/* its attach has a body, which dockerd does not read */
	ask_preset("ci-runner",
	    "POST /containers/x/attach?hijack=true&stdin="
	    "true",
	    "{\"stdin\":true}", told, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_true(a.replace);
	assert_string_equal(a.body, "");
	assert_string_equal(a.target, "/containers/" ID "/attach?stdin=true");
	ask_preset(
	    "ci-runner", "POST /containers/x/stop?t=1", "{\"t\":1}", NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_true(a.replace);
	/* bulk is streamed */
	ask_preset("ci-runner", "POST /build?t=x", "tar", NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_false(a.replace);
	ask_preset("admin", CREATE "?x=1&x=2", "{not json", NULL, &a);
	assert_int_equal(a.verdict, VERDICT_ALLOW);
	assert_false(a.replace);
	assert_string_equal(a.target, "/v1.41/containers/create?x=1&x=2");
}

static void
keeps_messages_short_and_printable(void **state)
{
	static char body[4096];
	struct asked a;
	size_t n, i;

	(void)state;
	n = (size_t)sprintf(body, "{\"HostConfig\":{\"Binds\":[\"/");
	memset(body + n, 'x', 3000);
	n += 3000;
	sprintf(body + n, "\\u001b\\u20ac:/h\"]}}");
	ask_preset("ci-runner", CREATE, body, NULL, &a);
	assert_string_equal(a.why.rule, "host-paths");
	assert_true(strlen(a.why.message) < 300);
	ask_preset("ci-runner", CREATE, "{\"A\\u001b[31m\\n\xe2\x82\xac\":1}",
	    NULL, &a);
	assert_string_equal(a.why.rule, "unknown-field");
	for (i = 0; a.why.message[i] != '\0'; i++) {
		assert_true(a.why.message[i] >= ' ' && a.why.message[i] < 127);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_operations_and_queries),
		cmocka_unit_test(refuses_buildkit_to_roles_that_do_not_say_so),
		cmocka_unit_test(lets_only_matching_upgrades_pass),
		cmocka_unit_test(wants_json_in_json_bodies),
		cmocka_unit_test(keeps_headers_that_dockerd_reads),
		cmocka_unit_test(gives_a_role_what_it_may),
		cmocka_unit_test(sends_on_what_was_judged),
		cmocka_unit_test(keeps_messages_short_and_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
