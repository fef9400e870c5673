/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy puts on record of a request, and that no secret is in it. */
#include "policy_fixture.h"

#include "redact.h"

#define SECRET "hunter2"

/* --- levels -------------------------------------------------------------- */

static enum audit_level
level_of(const char *role, const char *op)
{
	static const struct principal who = { .kind = PRINCIPAL_LOCAL };
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "" };
	enum audit_level l;
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "{\"clients\":[{\"match\":{\"uid\":\"*\"},\"role\":\"r\"}],"
	    "\"roles\":{\"r\":{\"extends\":\"admin\"%s}}}",
	    role);
	if (policy_load(span_of(text), &pol, &d) != ERR_OK) {
		fail_msg("%s: %s", text, d.text);
	}
	l = policy_audit_level(policy_role(pol, &who),
	    op == NULL ? NULL : ops_by_name(span_of(op)));
	policy_free(pol);
	return l;
}

static void
what_is_named_more_exactly_wins(void **state)
{
	static const struct {
		const char *role, *op;
		enum audit_level want;
	} t[] = {
		{ "", "ContainerCreate", AUDIT_LEVEL_USUAL },
		{ "", NULL, AUDIT_LEVEL_USUAL },
		{ ",\"audit\":\"none\"", "ContainerCreate", AUDIT_LEVEL_NONE },
		{ ",\"audit\":\"request\"", NULL, AUDIT_LEVEL_REQUEST },
		{ ",\"audit\":{\"ContainerList\":\"request\","
		  "\"@read\":\"none\",\"default\":\"metadata\"}",
		    "ContainerList", AUDIT_LEVEL_REQUEST },
		{ ",\"audit\":{\"@read\":\"none\",\"default\":\"metadata\"}",
		    "ContainerInspect", AUDIT_LEVEL_NONE },
		{ ",\"audit\":{\"@read\":\"none\",\"default\":\"metadata\"}",
		    "ContainerCreate", AUDIT_LEVEL_METADATA },
		{ ",\"audit\":{\"@read\":\"none\",\"default\":\"metadata\"}",
		    NULL, AUDIT_LEVEL_METADATA },
		{ ",\"audit\":{\"@read\":\"none\"}", "ContainerCreate",
		    AUDIT_LEVEL_USUAL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(t); i++) {
		assert_int_equal(level_of(t[i].role, t[i].op), t[i].want);
	}
}

static void
refuses_levels_and_names_it_does_not_know(void **state)
{
	static const struct {
		const char *audit, *complaint;
	} t[] = {
		{ "\"all\"", "\"metadata\"" },
		{ "1", "\"metadata\"" },
		{ "{\"ContainerCreat\":\"none\"}", "no operation" },
		{ "{\"@reads\":\"none\"}", "no class" },
		{ "{\"\":\"none\"}", "no operation" },
		{ "{\"@read\":true}", "\"metadata\"" },
		{ "{\"default\":\"some\"}", "\"metadata\"" },
	};
	struct policy *pol = NULL;
	struct diag d;
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(t); i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"roles\":{\"r\":{\"audit\":%s}}}", t[i].audit);
		assert_int_not_equal(
		    policy_load(span_of(text), &pol, &d), ERR_OK);
		assert_non_null(strstr(d.text, t[i].complaint));
	}
}

/* --- secrets ------------------------------------------------------------- */

static void
redact(const char *request, const char *body, char *out, size_t size)
{
	const char *space = strchr(request, ' ');
	struct canon_req req;
	struct arena arena;
	struct diag d;
	struct buf b;

	arena_init(&arena, 1u << 20);
	buf_init(&b, size - 1);
	assert_int_equal(
	    canon_request(&arena,
		method_parse(span_make(request, (size_t)(space - request))),
		span_of(space + 1), &req, &d),
	    ERR_OK);
	assert_int_equal(redact_request(&req, span_of(body), &b), ERR_OK);
	memcpy(out, b.data + b.off, b.len);
	out[b.len] = '\0';
	buf_fini(&b);
	arena_fini(&arena);
}

/* The request, and what must still be told of it. */
static void
tells_names_and_no_secret(void **state)
{
	static const struct {
		const char *request, *body, *told;
	} t[] = {
		{ "POST /containers/create?name=x",
		    "{\"Image\":\"busybox\",\"Env\":[\"A=" SECRET "\",\"B\"]}",
		    "\"Image\":\"busybox\",\"Env\":[\"A=***\",\"B\"]" },
		{ "POST /containers/create",
		    "{\"Env\":{\"Image\":\"" SECRET "\"}}", "\"Image\"" },
		{ "POST /containers/create",
		    "{\"Labels\":{\"Image\":\"" SECRET "\"}}",
		    "{\"Image\":\"***\"}" },
		{ "POST /containers/create",
		    "{\"labels\":{\"a\":{\"Name\":\"" SECRET "\"}}}", "\"a\"" },
		{ "POST /containers/create",
		    "{\"HostConfig\":{\"LogConfig\":{\"Type\":\"splunk\","
		    "\"Config\":{\"splunk-token\":\"" SECRET "\"}}}}",
		    "\"Type\":\"splunk\",\"Config\":{\"splunk-token\":" },
		{ "POST /containers/create",
		    "{\"Cmd\":[\"sh\",\"--password\",\"" SECRET
		    "\",\"--api-key=" SECRET "\",\"DB_PASSWORD=" SECRET
		    "\",\"ftp://me:" SECRET "@h/x\",\"-v\"]}",
		    "[\"sh\",\"--password\",\"***\",\"--api-key=***\","
		    "\"DB_PASSWORD=***\",\"ftp://***@h/x\",\"-v\"]" },
		{ "POST /containers/create",
		    "{\"Image\":\"http://u:" SECRET "@a@h:1/x http://t@u\"}",
		    "\"http://***@h:1/x http://***@u\"" },
		{ "POST /containers/create",
		    "{\"SomethingNew\":\"" SECRET "\",\"N\":7,\"T\":true}",
		    "\"SomethingNew\":\"***\",\"N\":7,\"T\":true" },
		{ "POST /auth",
		    "{\"username\":\"" SECRET "\",\"password\":\"" SECRET
		    "\",\"auth\":\"" SECRET "\",\"identitytoken\":\"" SECRET
		    "\"}",
		    "\"password\":\"***\"" },
		{ "POST /secrets/create",
		    "{\"Name\":\"db\",\"Data\":\"" SECRET "\"}",
		    "\"Name\":\"db\",\"Data\":\"***\"" },
		{ "POST /configs/create",
		    "{\"Name\":\"c\",\"Data\":\"" SECRET "\"}", "\"Name\"" },
		{ "POST /swarm/join", "{\"JoinToken\":\"" SECRET "\"}",
		    "\"JoinToken\":\"***\"" },
		{ "POST /swarm/unlock", "{\"UnlockKey\":\"" SECRET "\"}",
		    "\"UnlockKey\":\"***\"" },
		{ "POST /volumes/create",
		    "{\"Name\":\"v\",\"DriverOpts\":{\"o\":\"password=" SECRET
		    "\",\"n\":42}}",
		    "\"DriverOpts\":{\"o\":\"***\",\"n\":\"***\"}" },
		{ "POST /plugins/x/set", "[\"TOKEN=" SECRET "\"]",
		    "[\"***\"]" },
		{ "POST /build?t=a:1&remote=https://u:" SECRET
		  "@h/r.git&buildargs=%7B%22A%22:%22" SECRET
		  "%22%7D&labels=%7B%22L%22:%22" SECRET "%22%7D&outputs=" SECRET
		  "&new=" SECRET,
		    "", "{\"key\":\"buildargs\",\"value\":{\"A\":\"***\"}}" },
		{ "POST /build?remote=https://u:" SECRET "@h/r.git", "",
		    "https://***@h/r.git" },
		{ "POST /commit?container=c&comment=" SECRET
		  "&changes=ENV%20A%3D" SECRET,
		    "", "\"value\":\"c\"" },
		{ "POST /images/create?fromSrc=http://t@h/x?sig=" SECRET, "",
		    "http://***@h/x?***" },
		{ "POST /build?remote=http://h/x?to=a@b%26sig=" SECRET, "",
		    "http://***" },
		{ "POST /images/create?fromSrc=http://" SECRET "@h/x", "",
		    "http://***@h/x" },
	};
	char out[4096];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(t); i++) {
		redact(t[i].request, t[i].body, out, sizeof(out));
		if (strstr(out, SECRET) != NULL ||
		    strstr(out, t[i].told) == NULL) {
			fail_msg("%s %s: %s", t[i].request, t[i].body, out);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_levels_and_names_it_does_not_know),
		cmocka_unit_test(what_is_named_more_exactly_wins),
		cmocka_unit_test(tells_names_and_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
