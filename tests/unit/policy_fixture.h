/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POLICY_FIXTURE_H
#define TESTS_POLICY_FIXTURE_H

/*
 * Asks a policy as the gate does, all steps in one call, with dockerd's
 * answers from a table.
 */
#include "unit.h"

#include "policy.h"

/* What dockerd would answer to GET target; others get 404. */
struct told {
	const char *target;
	unsigned status;
	const char *body;
};

struct asked {
	enum verdict verdict;
	struct policy_why why;
	bool replace;
	char body[8192];   /* policy_new_body() */
	char target[4096]; /* policy_write_target() */
	char facts[1024];  /* targets asked for, each followed by a blank */
	char made[1024];   /* what was to be POSTed, likewise */
};

static inline enum verdict
answer_facts(struct decision *d, const struct told *told, struct asked *out)
{
	enum verdict v = VERDICT_NEED_FACT;
	size_t n;

	while (v == VERDICT_NEED_FACT) {
		const struct told *t = told;
		struct span target = policy_next_fact(d);

		n = strlen(out->facts);
		snprintf(out->facts + n, sizeof(out->facts) - n, "%.*s ",
		    SPAN_ARG(target));
		if (policy_fact_body(d).len > 0) {
			n = strlen(out->made);
			snprintf(out->made + n, sizeof(out->made) - n, "%.*s ",
			    SPAN_ARG(policy_fact_body(d)));
		}
		while (t != NULL && t->target != NULL &&
		       !span_is(target, t->target)) {
			t++;
		}
		if (t == NULL || t->target == NULL) {
			v = policy_fact(d, 404, span_of("{}"), &out->why);
		} else {
			v = policy_fact(
			    d, t->status, span_of(t->body), &out->why);
		}
	}
	return v;
}

static inline void
keep_result(const struct decision *d, struct asked *out)
{
	struct span body = policy_new_body(d, &out->replace);
	struct buf b;

	assert_true(body.len < sizeof(out->body));
	memcpy(out->body, body.p == NULL ? "" : body.p, body.len);
	buf_init(&b, sizeof(out->target) - 1);
	assert_int_equal(policy_write_target(d, &b), ERR_OK);
	memcpy(out->target, buf_span(&b).p, buf_span(&b).len);
	buf_fini(&b);
}

/* "POST /v1.41/containers/create"; body NULL: none. */
static inline void
ask_policy(const struct policy *pol, const struct principal *who,
    const char *request, const char *body, const struct told *told,
    struct asked *out)
{
	const char *space = strchr(request, ' ');
	struct decision *d = NULL;
	struct canon_req req;
	struct arena arena;

	memset(out, 0, sizeof(*out));
	arena_init(&arena, (size_t)16 * 1024 * 1024);
	expect_err(request,
	    canon_request(&arena,
		method_parse(span_make(request, (size_t)(space - request))),
		span_of(space + 1), &req, NULL),
	    ERR_OK);
	req.has_body = body != NULL;
	out->verdict = policy_begin(pol, who, &req, &arena, &d, &out->why);
	if (out->verdict == VERDICT_NEED_BODY) {
		out->verdict = policy_body(d, span_of(body), &out->why);
	}
	if (out->verdict == VERDICT_NEED_FACT) {
		out->verdict = answer_facts(d, told, out);
	}
	if (out->verdict == VERDICT_ALLOW) {
		keep_result(d, out);
	} else {
		assert_int_equal(out->verdict, VERDICT_DENY);
		assert_true(out->why.message[0] != '\0');
		assert_true(out->why.rule[0] != '\0');
		assert_true(out->why.status == 403 || out->why.status == 404 ||
			    out->why.status == 400 || out->why.status == 409);
	}
	arena_fini(&arena);
}

/* The same under a preset, whoever asks. */
static inline void
ask_preset(const char *preset, const char *request, const char *body,
    const struct told *told, struct asked *out)
{
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = { "x", 1 } };
	struct policy *pol = NULL;

	expect_err(preset, policy_load_preset(preset, &pol), ERR_OK);
	ask_policy(pol, &who, request, body, told, out);
	policy_free(pol);
}

#endif
