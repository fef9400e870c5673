/* SPDX-License-Identifier: Apache-2.0 */
/* What is learnt loads, allows what was seen, and nothing that was smuggled. */
#include "policy_fixture.h"

#include "learn.h"

#define RECORD(op, needs)                                                      \
	"{\"time\":\"2026-11-21T08:00:00.000Z\",\"event\":\"decision\","       \
	"\"client\":{\"kind\":\"certificate\",\"cn\":\"x\",\"ou\":[]},"        \
	"\"op\":\"" op "\",\"decision\":\"observe\",\"role\":\"t\","           \
	"\"needs\":[" needs "]}"
#define NEED(rule, path, value, how)                                           \
	"{\"rule\":\"" rule "\",\"json_path\":\"" path "\",\"value\":\"" value \
	"\",\"cut\":false,\"how\":\"" how "\"}"
/* Of another role, and a client with a unit. */
#define OF(role, cn, ou, op, needs)                                            \
	"{\"time\":\"2026-11-21T08:00:00.000Z\",\"event\":\"decision\","       \
	"\"client\":{\"kind\":\"certificate\",\"cn\":\"" cn "\",\"ou\":[\"" ou \
	"\"]},\"op\":\"" op "\",\"decision\":\"observe\",\"role\":\"" role     \
	"\",\"needs\":[" needs "],\"more_needs\":1}"
#define IMAGE NEED("images", "Image", "docker.io/library/alpine:latest", "run")

static struct policy *
learnt(const char *const *records, size_t n, char *text, size_t size)
{
	struct learn *l = learn_new();
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "" };
	struct buf out;
	size_t i;

	assert_non_null(l);
	for (i = 0; i < n; i++) {
		assert_int_equal(learn_record(l, span_of(records[i])), ERR_OK);
	}
	buf_init(&out, size - 1);
	assert_int_equal(learn_write(l, &out), ERR_OK);
	memcpy(text, buf_span(&out).p, buf_span(&out).len);
	text[buf_span(&out).len] = '\0';
	buf_fini(&out);
	learn_free(l);
	if (policy_load(span_of(text), &pol, &d) != ERR_OK) {
		fail_msg("%u:%u: %s\n%s", d.line, d.col, d.text, text);
	}
	return pol;
}

static void
expect(const struct policy *pol, const char *request, const char *body,
    const char *rule)
{
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = { "x", 1 } };
	struct asked a;

	ask_policy(pol, &who, request, body, NULL, &a);
	if (a.verdict != (rule == NULL ? VERDICT_ALLOW : VERDICT_DENY) ||
	    strcmp(a.why.rule, rule == NULL ? "" : rule) != 0) {
		fail_msg(
		    "%s: %s", body == NULL ? request : body, a.why.message);
	}
}

#define CREATE "POST /containers/create"
#define BODY(hc) "{\"Image\":\"alpine\",\"HostConfig\":{" hc "}}"

static void
it_allows_what_was_seen_and_no_more(void **state)
{
	static const char *const records[] = {
		RECORD("ContainerCreate",
		    IMAGE "," NEED("host-paths", "HostConfig.Binds[0]", "/srv",
			"ro") "," NEED("capabilities", "HostConfig.CapAdd[0]",
			"NET_ADMIN", "") "," NEED("networks",
			"HostConfig.NetworkMode", "bridge", "")),
		RECORD("ContainerList", ""),
	};
	static char text[65536];
	struct policy *pol =
	    learnt(records, NELEM(records), text, sizeof(text));

	(void)state;
	expect(pol, CREATE, BODY("\"Binds\":[\"/etc:/e:ro\"]"), "host-paths");
	expect(pol, CREATE, BODY("\"Binds\":[\"/srv:/e\"]"), "host-paths");
	expect(pol, CREATE, BODY("\"CapAdd\":[\"SYS_ADMIN\"]"), "capabilities");
	expect(pol, CREATE, BODY("\"Privileged\":true"), "privileged");
	expect(
	    pol, CREATE, BODY("\"NetworkMode\":\"host\""), "host-namespaces");
	expect(pol, CREATE, "{\"Image\":\"debian\"}", "images");
	expect(pol, "DELETE /containers/a", NULL, "op");
	expect(pol, "GET /containers/json", NULL, NULL);
	expect(pol, CREATE,
	    BODY("\"Binds\":[\"/srv:/e:ro\"],\"CapAdd\":[\"NET_ADMIN\"],"
		 "\"NetworkMode\":\"bridge\""),
	    NULL);
	policy_free(pol);
}

static void
it_narrows_ports_and_drivers(void **state)
{
#define PB "HostConfig.PortBindings[\\\"80/tcp\\\"][0]"
	static const char *const records[] = {
		RECORD("ContainerCreate",
		    IMAGE "," NEED("published-ports", PB, "8080",
			"port") "," NEED("published-ports", PB, "127.0.0.1",
			"addr") "," NEED("published-ports",
			"HostConfig.PortBindings", "",
			"") "," NEED("published-ports", PB, "8090-8095",
			"port")),
		RECORD("NetworkCreate",
		    NEED("network-driver", "Driver", "macvlan", "")),
		RECORD(
		    "VolumeCreate", NEED("volume-driver", "Driver", "nfs", "")),
	};
	static char text[65536];
	struct policy *pol =
	    learnt(records, NELEM(records), text, sizeof(text));

	(void)state;
#define PORT(ip, port)                                                         \
	BODY("\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"" ip                 \
	     "\",\"HostPort\":\"" port "\"}]}")
	expect(pol, CREATE, PORT("127.0.0.1", "8096"), "published-ports");
	expect(pol, CREATE, PORT("0.0.0.0", "8080"), "published-ports");
	expect(
	    pol, CREATE, BODY("\"PublishAllPorts\":true"), "published-ports");
	expect(pol, "POST /networks/create",
	    "{\"Name\":\"n\",\"Driver\":\"ipvlan\"}", "network-driver");
	expect(pol, "POST /volumes/create",
	    "{\"Name\":\"n\",\"Driver\":\"cifs\"}", "volume-driver");
	expect(pol, CREATE, PORT("127.0.0.1", "8080"), NULL);
	expect(pol, "POST /networks/create",
	    "{\"Name\":\"n\",\"Driver\":\"macvlan\"}", NULL);
	expect(pol, "POST /volumes/create",
	    "{\"Name\":\"n\",\"Driver\":\"nfs\"}", NULL);
	policy_free(pol);
}

static void
it_says_what_opens_the_host(void **state)
{
	static const char *const records[] = {
		RECORD("ContainerCreate",
		    IMAGE "," NEED("host-paths", "HostConfig.Binds[0]",
			"/a\\n/b", "") "," NEED("privileged",
			"HostConfig.Privileged", "", "")),
		OF("a", "one", "ci", "ContainerList", ""),
		OF("b", "two", "ci", "ContainerStop", ""),
		OF("b", "three", "qa", "ContainerStop", ""),
		OF("b", "four", "qa", "ContainerStop", ""),
	};
	static char text[65536];
	struct policy *pol =
	    learnt(records, NELEM(records), text, sizeof(text));
	const struct principal one = { .kind = PRINCIPAL_CERT,
		.cn = { "one", 3 },
		.ou = { .name = { { "ci", 2 } }, .n = 1 } };
	const struct principal two = { .kind = PRINCIPAL_CERT,
		.cn = { "two", 3 },
		.ou = { .name = { { "ci", 2 } }, .n = 1 } };
	const struct principal new = { .kind = PRINCIPAL_CERT,
		.cn = { "new", 3 },
		.ou = { .name = { { "qa", 2 } }, .n = 1 } };

	(void)state;
	assert_non_null(strstr(text, "// READ THIS: host-paths as a whole"));
	assert_non_null(strstr(text, "// READ THIS: privileged as a whole"));
	assert_non_null(strstr(text, "no list can say: /a\\x0a/b"));
	assert_non_null(strstr(text, "no room for: ContainerStop"));
	assert_non_null(strstr(text, "by two and others"));
	/* A unit that two roles share tells nobody apart. */
	assert_string_equal(role_name(policy_role(pol, &one)), "a");
	assert_string_equal(role_name(policy_role(pol, &two)), "b");
	assert_string_equal(role_name(policy_role(pol, &new)), "b");
	policy_free(pol);
}

/* None of these ends a string or a comment, or is a pattern. */
static void
hostile_texts_stay_texts(void **state)
{
#define HOSTILE(v)                                                             \
	RECORD("ContainerCreate",                                              \
	    IMAGE "," NEED("sysctls", "HostConfig.Sysctls", v, "") "," NEED(   \
		"host-paths", "HostConfig.Binds[0]", "/" v,                    \
		"rw") "," NEED("capabilities", "HostConfig.CapAdd[0]", v, ""))
	static const char *const records[] = {
		HOSTILE("\\\"], \\\"may\\\": [\\\"privileged\\\"], \\\"x\\\": "
			"[\\\""),
		HOSTILE("a\\n, \\\"unconstrained\\\": true, "),
		HOSTILE("*/ \\\"unconstrained\\\": true"),
		HOSTILE("// x"),
		HOSTILE("/* x"),
		HOSTILE("*"),
		HOSTILE("net.*"),
		HOSTILE("\\\\"),
		HOSTILE("\\r\\u2028\\u0085"),
		RECORD("ContainerCreate",
		    NEED("x\\n\\\"may\\\": [\\\"privileged\\\"],", "p",
			"v\\n\\\"unconstrained\\\": true,", "h\\n")),
	};
	static char text[65536];
	struct policy *pol =
	    learnt(records, NELEM(records), text, sizeof(text));

	(void)state;
	expect(pol, CREATE, BODY("\"Privileged\":true"), "privileged");
	expect(
	    pol, CREATE, BODY("\"Sysctls\":{\"net.ipv4.x\":\"1\"}"), "sysctls");
	expect(pol, CREATE, BODY("\"CapAdd\":[\"SYS_ADMIN\"]"), "capabilities");
	expect(pol, "DELETE /containers/a", NULL, "op");
	policy_free(pol);
}

static void
what_is_no_record_teaches_nothing(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "1", "null",
		"{\"a\":\"\\u0000\"}", RECORD("ContainerList", "1") };
	static const char *const refused[] = {
		"{\"event\":\"decision\",\"decision\":\"deny\",\"op\":"
		"\"ContainerKill\",\"role\":\"t\",\"needs\":[],\"time\":\"\"}",
		"{\"event\":\"decision\",\"decision\":\"allow\",\"op\":"
		"\"ContainerStop\",\"role\":\"e\",\"time\":\"\"}",
		"{\"event\":\"handshake\"}",
	};
	struct learn *l = learn_new();
	static char text[65536];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		assert_int_not_equal(learn_record(l, span_of(bad[i])), ERR_OK);
	}
	learn_free(l);
	policy_free(learnt(refused, NELEM(refused), text, sizeof(text)));
	assert_null(strstr(text, "ContainerStop"));
	assert_non_null(strstr(text, "it was refused: ContainerKill"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_allows_what_was_seen_and_no_more),
		cmocka_unit_test(it_narrows_ports_and_drivers),
		cmocka_unit_test(it_says_what_opens_the_host),
		cmocka_unit_test(hostile_texts_stay_texts),
		cmocka_unit_test(what_is_no_record_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
