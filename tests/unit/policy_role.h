/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POLICY_ROLE_H
#define TESTS_POLICY_ROLE_H

/* Asks a policy of one client whose role has the constraints of a case. */
#include "policy_fixture.h"

#define ROLE_TEXT(base, constraints)                                           \
	"{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"t\"}],\"roles\":"  \
	"{\"t\":{\"extends\":\"" base "\",\"constraints\":{" constraints       \
	"}}}}"

/* How asked policies follow links; NULL: not at all. */
static enum err (*role_links)(const char *path, char *out, size_t size);

static inline void
ask_text(const char *text, const char *request, const char *body,
    const struct told *told, struct asked *out)
{
	struct principal who = { .kind = PRINCIPAL_CERT, .cn = { "x", 1 } };
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "" };

	if (policy_load(span_of(text), &pol, &d) != ERR_OK) {
		fail_msg("%s: %u:%u: %s", text, d.line, d.col, d.text);
	}
	policy_follow_links(pol, role_links);
	ask_policy(pol, &who, request, body, told, out);
	policy_free(pol);
}

/* One question to a role; rule NULL: allowed. */
struct role_case {
	const char *request;
	const char *body; /* NULL: none */
	const char *rule;
	const char *path;
	const char *says; /* a part of the message */
};

static inline void
ask_cases(const char *text, const struct role_case *c, size_t n,
    const struct told *told)
{
	unsigned wrong = 0;
	struct asked a;
	size_t i;

	for (i = 0; i < n; i++) {
		ask_text(text, c[i].request, c[i].body, told, &a);
		if ((a.verdict == VERDICT_ALLOW) == (c[i].rule == NULL) &&
		    (c[i].rule == NULL ||
			(strcmp(a.why.rule, c[i].rule) == 0 &&
			    strcmp(a.why.path, c[i].path) == 0 &&
			    strstr(a.why.message, c[i].says) != NULL))) {
			continue;
		}
		print_error("%s %s: rule %s at %s: %s\n", c[i].request,
		    c[i].body == NULL ? "" : c[i].body, a.why.rule, a.why.path,
		    a.why.message);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* One mistake in the constraints of a role, and a part of the complaint. */
struct mistake {
	const char *constraints;
	const char *says;
};

static inline void
expect_mistakes(const struct mistake *m, size_t n)
{
	struct policy *pol = NULL;
	unsigned wrong = 0;
	char text[1024];
	size_t i;

	for (i = 0; i < n; i++) {
		struct diag d = { 0, 0, "" };

		snprintf(text, sizeof(text), ROLE_TEXT("ci-runner", "%s"),
		    m[i].constraints);
		if (policy_load(span_of(text), &pol, &d) != ERR_POLICY ||
		    strstr(d.text, m[i].says) == NULL || d.line != 1 ||
		    d.col < 100) {
			print_error("%s: %u:%u: %s\n", m[i].constraints, d.line,
			    d.col, d.text);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

#endif
