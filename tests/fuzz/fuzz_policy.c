/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files.  "dinv policy check" and the gate agree on what is a policy;
 * an error says what is wrong; and whatever is loaded decides.
 */
#include "fuzz.h"

#include "policy/policy.h"

static void
count(void *arg, const struct diag *d)
{
	CHECK(d->text[0] != '\0');
	++*(size_t *)arg;
}

static void
decide(const struct policy *pol, const struct principal *who,
    const char *target, bool has_body)
{
	static const char body[] = "{\"Image\":\"a\",\"HostConfig\":"
				   "{\"Privileged\":true,\"Binds\":[\"/:/h\"],"
				   "\"NetworkMode\":\"host\"}}";
	struct decision *decision = NULL;
	struct policy_why why = { 0 };
	struct canon_req req;
	struct arena arena;
	enum verdict v;

	arena_init(&arena, FUZZ_ARENA_BYTES);
	CHECK(canon_request(&arena, has_body ? METHOD_POST : METHOD_GET,
		  span_of(target), &req, NULL) == ERR_OK);
	req.has_body = has_body;
	v = policy_begin(pol, who, &req, &arena, &decision, &why);
	if (v == VERDICT_NEED_BODY) {
		v = policy_body(decision, span_of(body), &why);
	}
	CHECK(v != VERDICT_DENY || why.message[0] != '\0');
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct principal who = { .kind = PRINCIPAL_CERT,
		.cn = { "laptop-7", 8 },
		.fingerprint = "00" };
	struct span text = span_make(data, size);
	struct diag d = { 0, 0, "" };
	struct policy *pol = NULL;
	size_t counted = 0, errors;
	enum err rc = policy_load(text, &pol, &d);

	errors = policy_check(text, count, &counted);
	CHECK(errors == counted);
	CHECK((rc == ERR_OK) == (errors == 0));
	if (rc != ERR_OK) {
		CHECK(d.text[0] != '\0');
		return 0;
	}
	who.ou.name[0] = span_of("team-a");
	who.ou.n = 1;
	decide(pol, &who, "/v1.41/containers/create", true);
	decide(pol, &who, "/v1.41/containers/json?all=1", false);
	decide(pol, &who, "/nobody/knows/this", false);
	who.kind = PRINCIPAL_ANONYMOUS;
	decide(pol, &who, "/version", false);
	policy_free(pol);
	return 0;
}
