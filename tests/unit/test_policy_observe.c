/* SPDX-License-Identifier: Apache-2.0 */
/* "mode": "observe": what still is refused, and what is found out. */
#include "policy_fixture.h"

#include "decision.h"
#include "fields.h"
#include "policy.h"

#define POLICY(mode, role)                                                     \
	"{" mode "\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"},"     \
	"{\"match\":{\"cn\":\"e\"},\"role\":\"e\"}],\"roles\":{\"t\":{" role   \
	"},\"e\":{\"mode\":\"enforce\",\"allow\":[\"@run\",\"@read\"]}}}"
#define OBSERVED(role) POLICY("", "\"mode\":\"observe\"," role)
#define WHOLE POLICY("\"mode\":\"observe\",", "\"allow\":[\"ContainerList\"]")
#define NARROW OBSERVED("\"allow\":[\"ContainerList\"]")

/* A question that keeps its decision, and so the report. */
struct observed {
	struct policy *pol;
	struct arena arena;
	struct canon_req req;
	struct decision *d;
	enum verdict v;
	struct policy_why why;
};

static void
observe(struct observed *o, const char *policy, const char *cn,
    const char *request, const char *body, enum upgrade upgrade,
    const struct told *told)
{
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = span_of(cn) };
	const char *space = strchr(request, ' ');
	struct asked facts;
	struct diag diag;

	memset(o, 0, sizeof(*o));
	memset(&facts, 0, sizeof(facts));
	arena_init(&o->arena, (size_t)16 * 1024 * 1024);
	expect_err(
	    policy, policy_load(span_of(policy), &o->pol, &diag), ERR_OK);
	expect_err(request,
	    canon_request(&o->arena,
		method_parse(span_make(request, (size_t)(space - request))),
		span_of(space + 1), &o->req, NULL),
	    ERR_OK);
	o->req.has_body = body != NULL;
	o->req.upgrade = upgrade;
	o->v = policy_begin(o->pol, &who, &o->req, &o->arena, &o->d, &o->why);
	if (o->v == VERDICT_NEED_BODY) {
		o->v = policy_body(o->d, span_of(body), &o->why);
	}
	if (o->v == VERDICT_NEED_FACT) {
		o->v = answer_facts(o->d, told, &facts);
		o->why = facts.why;
	}
}

static void
observe_end(struct observed *o)
{
	arena_fini(&o->arena);
	policy_free(o->pol);
}

static const struct policy_finding *
find(const struct policy_findings *list, const char *rule, const char *value)
{
	const struct policy_finding *f;

	for (f = list->first; f != NULL; f = f->next) {
		if (strcmp(f->rule, rule) == 0 &&
		    (value == NULL || span_is(f->value, value))) {
			return f;
		}
	}
	return NULL;
}

/* --- refusals ------------------------------------------------------------- */

static void
strangers_and_protocol_are_refused(void **state)
{
	static const struct {
		const char *cn, *request;
		enum upgrade upgrade;
		const char *rule;
	} cases[] = {
		{ "nobody", "GET /containers/json", UPGRADE_NONE, "no-client" },
		{ "x", "GET /containers/json", UPGRADE_TCP, "upgrade" },
		{ "x", "POST /containers/a/start", UPGRADE_H2C, "upgrade" },
		{ "x", "POST /containers/a/attach", UPGRADE_OTHER, "upgrade" },
		{ "x", "POST /no/such", UPGRADE_TCP, "upgrade" },
		{ "x", "POST /session", UPGRADE_WEBSOCKET, "upgrade" },
	};
	struct observed o;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		observe(&o, WHOLE, cases[i].cn, cases[i].request, NULL,
		    cases[i].upgrade, NULL);
		assert_int_equal(o.v, VERDICT_DENY);
		assert_string_equal(o.why.rule, cases[i].rule);
		assert_null(o.d);
		observe_end(&o);
	}
}

/* Beside an observed role, under an observed gate, and built on one. */
static void
roles_that_enforce_do_so(void **state)
{
	static const char *const policies[] = {
		WHOLE,
		NARROW,
		"{\"clients\":[{\"match\":{\"cn\":\"e\"},\"role\":\"c\"}],"
		"\"roles\":{\"t\":{\"mode\":\"observe\",\"allow\":[\"@run\","
		"\"@read\"]},"
		"\"c\":{\"extends\":\"t\"}}}",
		"{\"mode\":\"observe\",\"clients\":[{\"match\":{\"cn\":\"e\"},"
		"\"role\":\"t\",\"tenant\":\"a\"}],\"roles\":{\"t\":{\"allow\":"
		"[\"@run\",\"@read\"]}}}",
		"{\"clients\":[{\"match\":{\"cn\":\"e\"},\"role\":\"t\"}],"
		"\"mode\":\"enforce\",\"roles\":{\"t\":{\"allow\":[\"@run\","
		"\"@read\"]}}}",
	};
	static const struct {
		const char *request, *body, *rule;
	} cases[] = {
		{ "POST /containers/create",
		    "{\"HostConfig\":{\"Privileged\":true,\"CapAdd\":[\"A\"]}}",
		    "privileged" },
		{ "POST /containers/create", "{\"Foo\":1}", "unknown-field" },
		{ "POST /v1.57/containers/create", "{}", "api-version" },
		{ "GET /containers/json?q=1&r=2", NULL, "unknown-query" },
		{ "POST /images/create?fromImage=a", NULL, "op" },
		{ "POST /no/such", NULL, "unknown-op" },
		{ "POST /containers/gone/start", NULL, "not-found" },
	};
	struct observed o;
	size_t i, j;

	(void)state;
	for (i = 0; i < NELEM(policies); i++) {
		for (j = 0; j < NELEM(cases); j++) {
			observe(&o, policies[i], "e", cases[j].request,
			    cases[j].body, UPGRADE_NONE, NULL);
			assert_int_equal(o.v, VERDICT_DENY);
			assert_string_equal(o.why.rule, cases[j].rule);
			assert_true(o.d == NULL || policy_report(o.d) == NULL);
			observe_end(&o);
		}
	}
}

static void
modes_are_spelt_exactly(void **state)
{
	static const char *const bad[] = {
		POLICY("\"mode\":\"Observe\",", ""),
		POLICY("\"mode\":true,", ""),
		POLICY("\"mode\":\"\",", ""),
		POLICY("\"mode\":null,", ""),
		POLICY("", "\"mode\":\"observed\""),
		POLICY("", "\"mode\":[\"observe\"]"),
	};
	struct policy *pol = NULL;
	struct diag d;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		assert_int_equal(
		    policy_load(span_of(bad[i]), &pol, &d), ERR_POLICY);
		assert_non_null(strstr(d.text, "\"enforce\" or \"observe\""));
	}
}

/* A refusal that a loop forgot is there at the end. */
static void
a_refusal_is_never_taken_back(void **state)
{
	struct role role = { .name = "t" };
	struct policy_why why;
	struct decision d = { .role = &role };

	(void)state;
	assert_int_equal(
	    decision_settle(&d, VERDICT_ALLOW, &why), VERDICT_ALLOW);
	(void)decision_refuse(&d, &why, RULE_OP, "", "this");
	assert_int_equal(
	    decision_settle(&d, VERDICT_ALLOW, &why), VERDICT_DENY);
	assert_int_equal(
	    decision_settle(&d, VERDICT_NEED_BODY, &why), VERDICT_DENY);
	assert_int_equal(
	    decision_settle(&d, VERDICT_NEED_FACT, &why), VERDICT_DENY);
}

/* Where there is no memory for the report, the role enforces. */
static void
without_memory_it_enforces(void **state)
{
	struct role role = { .name = "t", .mode = MODE_OBSERVE };
	struct policy_why why;
	struct arena arena;
	struct decision d = { .role = &role, .arena = &arena };

	(void)state;
	arena_init(&arena, 1);
	observe_start(&d);
	assert_null(d.report);
	(void)decision_refuse(&d, &why, RULE_OP, "", "this");
	assert_int_equal(
	    decision_settle(&d, VERDICT_ALLOW, &why), VERDICT_DENY);
	arena_fini(&arena);
}

/* --- what is found -------------------------------------------------------- */

#define INSPECTED                                                              \
	"{\"Id\":"                                                             \
	"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" \
	","                                                                    \
	"\"HostConfig\":{\"Privileged\":true,\"CapAdd\":[\"NET_ADMIN\"]},"     \
	"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/srv\",\"RW\":false}]}"

static const struct told told[] = {
	{ "/containers/bad/json", 200, INSPECTED },
	{ "/containers/silent/json", 500, "{}" },
	{ "/containers/junk/json", 200, "[" },
	{ "/exec/e/json", 200,
	    "{\"ContainerID\":"
	    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "\",\"ProcessConfig\":{\"privileged\":true,\"tty\":true,"
	    "\"entrypoint\":\"sh\"}}" },
	{ "/networks/hosts", 200, "{\"Name\":\"host\",\"Driver\":\"host\"}" },
	{ "/networks/lan", 200, "{\"Name\":\"lan\",\"Driver\":\"macvlan\"}" },
	{ "/volumes/nfs", 200,
	    "{\"Driver\":\"x\",\"Options\":{\"o\":\"password=SECRET\"}}" },
	{ NULL, 0, NULL },
};

#define DEMANDS                                                                \
	OBSERVED("\"constraints\":{\"images\":{\"run\":[],\"pull\":[],"        \
		 "\"push\":[],\"tag\":[]},\"resources\":{\"memory\":"          \
		 "{\"required\":true}},\"require\":[\"non-root-user\"],"       \
		 "\"volumes\":{\"names\":[]},\"networks\":{\"modes\":[]},"     \
		 "\"ulimits\":{},\"env\":{\"deny\":[\"LD_*\"]},"               \
		 "\"labels\":{\"require\":[\"job\"]},\"exec\":{\"commands\":"  \
		 "[]},\"tty\":false,\"attach\":false},\"rules\":[{\"about\":"  \
		 "\"no\",\"deny\":[\"ContainerKill\"],\"when\":{"              \
		 "\"query.signal\":\"KILL\"}}]")

struct sample {
	const char *policy, *request, *body;
	const char *rules; /* each followed by a blank */
};

static const struct sample samples[] = {
	{ NARROW, "POST /v1.99/containers/create?name=a&name=b",
	    "{\"Foo\":1,\"Image\":1,\"Hostname\":\"a\",\"hostname\":\"b\"}",
	    "api-version op repeated-query unknown-field type "
	    "duplicate-field " },
	{ NARROW, "GET /images/json?zzz=1", NULL, "op unknown-query " },
	{ NARROW, "POST /containers/create", "nonsense", "op body " },
	{ NARROW, "POST /no/such", NULL, "unknown-op " },
	{ NARROW, "POST /session", NULL, "op buildkit " },
	{ NARROW, "POST /containers/create",
	    "{\"Volumes\":{\"/proc\":{}},\"HostConfig\":{\"Privileged\":true,"
	    "\"Binds\":[\"/a:/b\"],\"VolumeDriver\":\"x\",\"VolumesFrom\":["
	    "\"c\"],\"CapAdd\":[\"SYS_ADMIN\",\"NET_ADMIN\"],\"Devices\":[{"
	    "\"PathOnHost\":\"/dev/sda\"}],\"PidMode\":\"host\","
	    "\"SecurityOpt\":[\"seccomp=unconfined\"],\"MaskedPaths\":[],"
	    "\"Runtime\":\"r\",\"CgroupParent\":\"c\",\"Sysctls\":{\"k\":"
	    "\"v\"},\"LogConfig\":{\"Type\":\"syslog\"},\"Links\":[\"l\"],"
	    "\"Annotations\":{\"a\":\"b\"},\"OomKillDisable\":true,"
	    "\"ExtraHosts\":[\"h:host-gateway\"],\"StorageOpt\":{\"x\":\"y\"},"
	    "\"PublishAllPorts\":true,\"RestartPolicy\":{\"Name\":\"always\"}"
	    "}}",
	    "op mount-target privileged host-paths volume-driver volumes-from "
	    "capabilities devices host-namespaces security-options "
	    "masked-paths runtime cgroup-parent sysctls log-driver links "
	    "annotations oom extra-hosts storage-opt published-ports "
	    "restart " },
	{ NARROW, "POST /networks/create",
	    "{\"Name\":\"n\",\"Driver\":\"macvlan\"}", "op network-driver " },
	{ NARROW, "POST /containers/c/exec", "{\"Privileged\":true}",
	    "op exec-privileged " },
	{ NARROW,
	    "POST /build?networkmode=host&remote=http://u:SECRET@h/&version=2",
	    NULL, "op build-host-network remote-source buildkit " },
	{ NARROW, "GET /containers/c/top?ps_args=e", NULL, "op top-args " },
	{ NARROW, "POST /containers/bad/start?checkpoint=c", NULL,
	    "op checkpoints privileged capabilities host-paths " },
	{ NARROW, "POST /containers/silent/start", NULL, "op fact " },
	{ NARROW, "POST /containers/junk/start", NULL, "op fact " },
	{ NARROW, "POST /exec/e/start", "{}", "op exec-privileged " },
	{ NARROW, "POST /containers/create",
	    "{\"HostConfig\":{\"NetworkMode\":\"hosts\",\"Binds\":["
	    "\"nfs:/a\"]}}",
	    "op host-namespaces volume-driver " },
	{ NARROW, "POST /plugins/create?name=p", NULL, "op plugins " },
	{ NARROW, "POST /swarm/init", "{}", "op swarm-host " },
	{ NARROW, "POST /services/create",
	    "{\"Name\":\"s\",\"TaskTemplate\":{\"ContainerSpec\":{\"Secrets\":"
	    "[{\"SecretID\":\"a\",\"SecretName\":\"b\"}]}}}",
	    "op secrets " },
	{ NARROW, "POST /secrets/create",
	    "{\"Name\":\"s\",\"Driver\":{\"Name\":\"d\"}}",
	    "op secret-drivers " },
	{ NARROW, "POST /services/s/update?version=1&rollback=previous", "{}",
	    "op unjudged " },
	{ DEMANDS, "POST /containers/create",
	    "{\"Image\":\"a\",\"Tty\":true,\"Env\":[\"LD_X=SECRET\"],"
	    "\"HostConfig\":{\"NetworkMode\":\"bridge\",\"Binds\":["
	    "\"v:/v\"],\"Ulimits\":[{\"Name\":\"nofile\",\"Hard\":1}]}}",
	    "images resources require volumes networks ulimits env labels "
	    "tty " },
	{ DEMANDS, "POST /containers/c/exec", "{\"Cmd\":[\"sh\"]}", "exec " },
	{ DEMANDS, "POST /containers/c/attach", NULL, "attach " },
	{ DEMANDS, "POST /containers/c/kill?signal=KILL", NULL, "denied " },
};

static void
all_that_would_be_refused_is_found(void **state)
{
	char rule[32];
	struct observed o;
	const char *p;
	size_t i, n;

	(void)state;
	for (i = 0; i < NELEM(samples); i++) {
		const struct sample *s = &samples[i];

		observe(&o, s->policy, "x", s->request, s->body, UPGRADE_NONE,
		    told);
		assert_int_equal(o.v, VERDICT_ALLOW);
		for (p = s->rules; *p != '\0'; p += n + 1) {
			n = strcspn(p, " ");
			memcpy(rule, p, n);
			rule[n] = '\0';
			if (find(&policy_report(o.d)->refused, rule, NULL) ==
			    NULL) {
				fail_msg("%s: not found: %s", s->request, rule);
			}
		}
		assert_string_not_equal(o.why.rule, "");
		observe_end(&o);
	}
}

/* A new rule needs a sample above, or a reason here. */
static void
every_rule_is_found(void **state)
{
	static const char *const elsewhere[] = {
		"no-client", "upgrade", /* never observed */
		"not-found",		/* dockerd says so itself */
		"internal",		/* no request makes it */
		"content-type",		/* headers: the end-to-end tests */
		"tenant",		/* tenants are never observed */
	};
	unsigned r;
	size_t i;

	(void)state;
	for (r = RULE_NONE + 1; r < RULE_N; r++) {
		const char *name = rule_name((enum rule)r);
		char word[40];
		bool found = false;

		for (i = 0; i < NELEM(elsewhere); i++) {
			found = found || strcmp(elsewhere[i], name) == 0;
		}
		(void)snprintf(word, sizeof(word), " %s ", name);
		for (i = 0; i < NELEM(samples); i++) {
			char all[512];

			(void)snprintf(
			    all, sizeof(all), " %s", samples[i].rules);
			found = found || strstr(all, word) != NULL;
		}
		if (!found) {
			fail_msg("no sample for the rule %s", name);
		}
	}
}

static void
values_and_uses_are_told(void **state)
{
	static const char body[] =
	    "{\"Image\":\"alpine\",\"HostConfig\":{\"CapAdd\":[\"SYS_ADMIN\","
	    "\"CAP_CHOWN\"],\"Binds\":[\"/a:/b:ro\",\"/c:/d\",\"/e:/f:shared\"]"
	    ",\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/m\",\"Target\":"
	    "\"/n\",\"ReadOnly\":true}],\"NetworkMode\":\"default\","
	    "\"Sysctls\":{\"net.x\":\"1\"},\"PortBindings\":{\"80/tcp\":[{"
	    "\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"}]}}}";
	static const struct {
		const char *rule, *value, *how;
	} want[] = {
		{ "capabilities", "SYS_ADMIN", "" },
		{ "capabilities", "CAP_CHOWN", "" },
		{ "host-paths", "/a", "ro" },
		{ "host-paths", "/c", "rw" },
		{ "host-paths", "/e", "" },
		{ "host-paths", "/m", "ro" },
		{ "networks", "bridge", "" },
		{ "sysctls", "net.x", "" },
		{ "published-ports", "8080", "port" },
		{ "published-ports", "127.0.0.1", "addr" },
		{ "images", "docker.io/library/alpine:latest", "run" },
	};
	static const char *const policies[] = { NARROW,
		OBSERVED("\"extends\":\"ci-runner\",\"may\":[\"capabilities\","
			 "\"host-paths\",\"sysctls\"]"),
		OBSERVED("\"unconstrained\":true") };
	const struct policy_finding *f;
	struct observed o;
	size_t i, j;

	(void)state;
	for (j = 0; j < NELEM(policies); j++) {
		observe(&o, policies[j], "x", "POST /containers/create", body,
		    UPGRADE_NONE, NULL);
		assert_int_equal(o.v, VERDICT_ALLOW);
		for (i = 0; i < NELEM(want); i++) {
			f = find(&policy_report(o.d)->needs, want[i].rule,
			    want[i].value);
			if (f == NULL) {
				fail_msg("policy %zu: %s %s", j, want[i].rule,
				    want[i].value);
			}
			assert_string_equal(f->how, want[i].how);
		}
		/* The last one refuses nothing, and says so. */
		assert_int_equal(policy_report(o.d)->refused.n == 0, j == 2);
		observe_end(&o);
	}
}

static void
expect_no_secret(const struct policy_findings *list)
{
	const struct policy_finding *f;

	for (f = list->first; f != NULL; f = f->next) {
		assert_null(strstr(f->message, "SECRET"));
		assert_null(strstr(f->path, "SECRET"));
		assert_true(
		    f->value.len == 0 ||
		    memmem(f->value.p, f->value.len, "SECRET", 6) == NULL);
	}
}

static void
no_secret_is_told(void **state)
{
	struct observed o;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(samples); i++) {
		observe(&o, samples[i].policy, "x", samples[i].request,
		    samples[i].body, UPGRADE_NONE, told);
		expect_no_secret(&policy_report(o.d)->refused);
		expect_no_secret(&policy_report(o.d)->needs);
		observe_end(&o);
	}
	observe(&o, DEMANDS, "x", "POST /volumes/create",
	    "{\"Name\":\"v\",\"Driver\":\"x\",\"DriverOpts\":{\"o\":"
	    "\"password=SECRET\"},\"Labels\":{\"a\":\"SECRET\"}}",
	    UPGRADE_NONE, told);
	expect_no_secret(&policy_report(o.d)->refused);
	expect_no_secret(&policy_report(o.d)->needs);
	assert_non_null(
	    find(&policy_report(o.d)->refused, "volume-driver", "x"));
	observe_end(&o);
}

static void
lists_and_values_are_bounded(void **state)
{
	char body[16384] = "{\"HostConfig\":{\"CapAdd\":[\"";
	const struct policy_report *r;
	struct observed o;
	size_t n = strlen(body);
	unsigned i;

	(void)state;
	memset(body + n, 'A', 3000);
	n += 3000;
	n += (size_t)snprintf(body + n, sizeof(body) - n, "\"");
	for (i = 0; i < 100; i++) {
		n +=
		    (size_t)snprintf(body + n, sizeof(body) - n, ",\"C%u\"", i);
	}
	(void)snprintf(body + n, sizeof(body) - n, "]}}");
	observe(&o, NARROW, "x", "POST /containers/create", body, UPGRADE_NONE,
	    NULL);
	r = policy_report(o.d);
	assert_int_equal(r->needs.n, 32);
	assert_int_equal(r->needs.more, 102 - 32); /* and the network */
	assert_int_equal(r->refused.n, 32);
	assert_int_equal(r->refused.more, 102 - 32); /* and the operation */
	assert_int_equal(r->needs.first->value.len, 256);
	assert_true(r->needs.first->cut);
	assert_false(r->needs.first->next->cut);
	observe_end(&o);
}

/* Judges rely on types that the walk has checked; here it goes on. */
static void
values_of_wrong_types_are_survived(void **state)
{
	static const char *const values[] = { "1", "true", "\"x\"", "[]", "[1]",
		"[null]", "[[]]", "[{}]", "{}", "{\"a\":1}", "{\"a\":[1]}",
		"{\"a\":null}", "[{\"Type\":1}]", "null" };
	static const char *const objects[][2] = { { "", "" },
		{ "\"HostConfig\":{", "}" }, { "\"NetworkingConfig\":{", "}" },
		{ "\"TaskTemplate\":{", "}" },
		{ "\"HostConfig\":{\"RestartPolicy\":{", "}}" },
		{ "\"HostConfig\":{\"LogConfig\":{", "}}" },
		{ "\"TaskTemplate\":{\"ContainerSpec\":{", "}}" } };
	static const char *const ops[] = { "POST /containers/create",
		"POST /containers/c/update", "POST /containers/c/exec",
		"POST /volumes/create", "POST /networks/create",
		"POST /networks/n/connect", "POST /services/create" };
	static const char *const names[] = { "Binds", "Mounts", "CapAdd",
		"PortBindings", "Devices", "Ulimits", "Tmpfs", "ExtraHosts",
		"NetworkMode", "EndpointsConfig", "Name", "Type", "Config",
		"Sysctls", "Links", "SecurityOpt", "MaskedPaths", "OomScoreAdj",
		"Env", "Labels", "Cmd", "User", "Image", "StorageOpt",
		"Secrets", "Networks", "DriverOpts", "Driver", "Memory" };
	char body[512];
	struct observed o;
	size_t i, j, k, m;

	(void)state;
	for (i = 0; i < NELEM(ops) * NELEM(objects) * NELEM(names); i++) {
		j = i / NELEM(ops) % NELEM(objects);
		k = i / NELEM(ops) / NELEM(objects);
		for (m = 0; m < NELEM(values); m++) {
			(void)snprintf(body, sizeof(body), "{%s\"%s\":%s%s}",
			    objects[j][0], names[k], values[m], objects[j][1]);
			observe(&o, DEMANDS, "x", ops[i % NELEM(ops)], body,
			    UPGRADE_NONE, NULL);
			assert_int_equal(o.v, VERDICT_ALLOW);
			observe_end(&o);
		}
	}
}

static void
what_is_passed_is_as_it_came(void **state)
{
	struct observed o;
	bool replace = true;
	struct buf b;

	(void)state;
	observe(&o, NARROW, "x",
	    "POST /v1.41/containers/create?name=a&zzz=1&name=b", "{\"Foo\":1}",
	    UPGRADE_NONE, NULL);
	assert_int_equal(o.v, VERDICT_ALLOW);
	assert_null(policy_new_body(o.d, &replace).p);
	assert_false(replace);
	assert_true(policy_passes_unread(o.d));
	assert_true(policy_keeps_header(o.d, span_of("x-anything")));
	buf_init(&b, 4096);
	assert_int_equal(policy_write_target(o.d, &b), ERR_OK);
	assert_true(span_is(
	    buf_span(&b), "/v1.41/containers/create?name=a&zzz=1&name=b"));
	buf_fini(&b);
	observe_end(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_and_protocol_are_refused),
		cmocka_unit_test(roles_that_enforce_do_so),
		cmocka_unit_test(modes_are_spelt_exactly),
		cmocka_unit_test(a_refusal_is_never_taken_back),
		cmocka_unit_test(without_memory_it_enforces),
		cmocka_unit_test(all_that_would_be_refused_is_found),
		cmocka_unit_test(every_rule_is_found),
		cmocka_unit_test(values_and_uses_are_told),
		cmocka_unit_test(no_secret_is_told),
		cmocka_unit_test(lists_and_values_are_bounded),
		cmocka_unit_test(values_of_wrong_types_are_survived),
		cmocka_unit_test(what_is_passed_is_as_it_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
