/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a client is, and which policies can hold tenants apart. */
#include "policy_fixture.h"

#define CREATE "POST /v1.41/containers/create"
#define POLICY                                                                 \
	"{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"tenant\","         \
	"\"tenant\":\"a\"},{\"match\":{\"cn\":\"p\"},\"role\":\"ci-runner\"}]" \
	"}"
#define LABELS(t) "\"Labels\":{\"dinv.tenant\":\"" t "\"}"

static struct principal
cert(const char *cn, const char *ou, const char *ou2)
{
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = span_of(cn) };

	who.ou.name[0] = span_of(ou == NULL ? "" : ou);
	who.ou.name[1] = span_of(ou2 == NULL ? "" : ou2);
	who.ou.n = ou == NULL ? 0 : ou2 == NULL ? 1 : 2;
	return who;
}

static void
takes_a_tenant_from_the_certificate(void **state)
{
	static const struct {
		const char *tenant, *cn, *ou, *ou2, *is; /* is NULL: refused */
	} c[] = {
		{ "{ou}", "x", NULL, NULL, NULL },
		{ "{ou}", "x", "a", "b", NULL },
		{ "{ou}", "x", "a", "a", NULL },
		{ "{ou}", "x", "a b", NULL, NULL },
		{ "{ou}", "x", "a/b", NULL, NULL },
		{ "{ou}", "x", "a=b", NULL, NULL },
		{ "{ou}", "x", "\xc3\xa4", NULL, NULL },
		{ "{ou}", "x",
		    "0123456789012345678901234567890123456789012345678901234567"
		    "890123",
		    NULL, NULL },
		{ "{o}", "x", "a", NULL, NULL },
		{ "{cn}", "", "a", NULL, NULL },
		{ "{cn}", "a,b", "a", NULL, NULL },
		{ "{ou}", "x", "team-a", NULL, "team-a" },
		{ "{cn}", "runner_7.x", "a", "b", "runner_7.x" },
		{ "fixed", "x", NULL, NULL, "fixed" },
	};
	struct policy *pol;
	char text[256];
	struct asked a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		struct principal who = cert(c[i].cn, c[i].ou, c[i].ou2);

		snprintf(text, sizeof(text),
		    "{\"clients\":[{\"match\":{\"cn\":\"*\"},\"role\":"
		    "\"tenant\",\"tenant\":\"%s\"}]}",
		    c[i].tenant);
		assert_int_equal(
		    policy_load(span_of(text), &pol, NULL), ERR_OK);
		ask_policy(pol, &who, "GET /_ping", NULL, NULL, &a);
		if (c[i].is == NULL) {
			assert_int_equal(a.verdict, VERDICT_DENY);
			assert_string_equal(a.why.rule, "tenant");
		} else {
			assert_int_equal(a.verdict, VERDICT_ALLOW);
			assert_string_equal(a.why.tenant, c[i].is);
		}
		policy_free(pol);
	}
	ask_preset("tenant", "GET /_ping", NULL, NULL, &a);
	assert_string_equal(a.why.rule, "tenant");
	assert_non_null(strstr(a.why.message, "without a tenant"));
}

/* What others make is no tenant's, whatever its image says. */
static void
marks_what_other_roles_make(void **state)
{
	struct principal who = cert("p", NULL, NULL);
	struct policy *pol = NULL;
	struct asked a;

	(void)state;
	assert_int_equal(policy_load(span_of(POLICY), &pol, NULL), ERR_OK);
	ask_policy(pol, &who, CREATE, "{\"Image\":\"i\"}", NULL, &a);
	assert_string_equal(a.body, "{\"Image\":\"i\"," LABELS("") "}");
	ask_policy(
	    pol, &who, CREATE, "{\"Labels\":{\"dinv.x\":\"a\"}}", NULL, &a);
	assert_string_equal(a.why.rule, "tenant");
	ask_policy(pol, &who, "GET /containers/json", NULL, NULL, &a);
	assert_string_equal(a.target, "/containers/json");
	policy_free(pol);
	ask_preset("ci-runner", CREATE, "{\"Image\":\"i\"}", NULL, &a);
	assert_string_equal(a.body, "{\"Image\":\"i\"}");
	ask_preset("ci-runner", CREATE, "{\"Labels\":{\"dinv.tenant\":\"a\"}}",
	    NULL, &a);
	assert_string_equal(a.why.rule, "tenant");
}

static void
refuses_policies_that_cannot_hold(void **state)
{
	static const struct {
		const char *client, *role, *says;
	} c[] = {
		{ "\"role\":\"t\"", "\"extends\":\"tenant\"",
		    "this client needs a \"tenant\"" },
		{ "\"role\":\"t\",\"tenant\":\"a b\"", "\"extends\":\"tenant\"",
		    "no tenant \"a b\"" },
		{ "\"role\":\"t\",\"tenant\":\"{san}\"",
		    "\"extends\":\"tenant\"", "no tenant" },
		{ "\"role\":\"t\",\"tenant\":\"\"", "\"extends\":\"tenant\"",
		    "a tenant" },
		{ "\"role\":\"t\",\"tenant\":\"a\"", "\"owned\":false",
		    "\"owned\" can only be true" },
		{ "\"role\":\"t\",\"tenant\":\"a\"",
		    "\"owned\":true,\"unconstrained\":true", "no place" },
		{ "\"role\":\"t\",\"tenant\":\"a\"",
		    "\"owned\":true,\"allow\":[\"SystemDataUsage\"]",
		    "cannot have SystemDataUsage" },
		{ "\"role\":\"t\",\"tenant\":\"a\"",
		    "\"owned\":true,\"rules\":[{\"allow\":[\"BuildPrune\"],"
		    "\"when\":{\"query.all\":{\"absent\":true}}}]",
		    "cannot have BuildPrune" },
		{ "\"role\":\"t\",\"tenant\":\"a\"",
		    "\"extends\":\"tenant\",\"may\":[\"volumes-from\"]",
		    "\"volumes-from\"" },
		{ "\"role\":\"t\",\"tenant\":\"a\"",
		    "\"extends\":\"tenant\",\"may\":[\"host-namespaces\"]",
		    "\"host-namespaces\"" },
		{ "\"role\":\"t\",\"tenant\":\"a\"",
		    "\"owned\":true,\"buildkit\":\"unjudged\"",
		    "BuildKit sessions" },
	};
	struct policy *pol;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(c); i++) {
		struct diag d = { 0, 0, "" };

		snprintf(text, sizeof(text),
		    "{\"clients\":[{\"match\":{\"cn\":\"x\"},%s}],\"roles\":{"
		    "\"t\":{%s}}}",
		    c[i].client, c[i].role);
		if (policy_load(span_of(text), &pol, &d) != ERR_POLICY ||
		    strstr(d.text, c[i].says) == NULL) {
			fail_msg("%s: %s", text, d.text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_tenant_from_the_certificate),
		cmocka_unit_test(marks_what_other_roles_make),
		cmocka_unit_test(refuses_policies_that_cannot_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
