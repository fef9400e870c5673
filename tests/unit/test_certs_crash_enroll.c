/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens and enrolment, killed at every system call that writes: the store
 * loads, and no token is ever good for two certificates.
 */
#include "certs_crash_fixture.h"
#include "csr.h"
#include "enroll.h"
#include "ledger.h"
#include "store.h"
#include "tokens.h"

struct scene {
	struct tmp t;
	struct key *key;
	struct rng *r;
	struct buf csr;
	char secret[TOKEN_SECRET_SIZE];
};

static bool
make_token(void *arg)
{
	struct scene *s = arg;
	const struct token_request req = {
		.dir = s->t.dir,
		.name = "runner-7",
		.days = 1,
		.ttl_s = 600,
		.now = NOW,
	};
	char text[TOKEN_TEXT_SIZE];
	struct token_parts p;

	if (token_new(&req, text, NULL) != ERR_OK ||
	    !token_split(span_of(text), &p)) {
		return false;
	}
	memcpy(s->secret, p.secret, sizeof(s->secret));
	return true;
}

static enum enroll_outcome
ask(struct scene *s, time_t now)
{
	const struct enroll_request req = {
		.dir = s->t.dir,
		.token = span_of(s->secret),
		.csr = buf_span(&s->csr),
		.now = now,
	};
	struct enroll_answer a;

	enroll_token(&req, &a);
	enroll_fini(&a);
	return a.outcome;
}

static bool
enroll(void *arg)
{
	return ask(arg, NOW) == ENROLL_DONE;
}

static void
scene_init(struct scene *s)
{
	static const char *const hosts[] = { "build.example" };
	struct store_report report;
	struct store_request req = {
		.mode = STORE_TLSVERIFY,
		.hosts = hosts,
		.n_hosts = 1,
		.now = NOW,
	};

	memset(s, 0, sizeof(*s));
	tmp_init(&s->t);
	req.dir = s->t.dir;
	assert_int_equal(store_ensure(&req, &report, NULL), ERR_OK);
	assert_int_equal(rng_new(&s->r), ERR_OK);
	assert_int_equal(key_new(s->r, &s->key), ERR_OK);
	buf_init(&s->csr, 8192);
	assert_int_equal(csr_write(s->key, s->r, &s->csr), ERR_OK);
}

static void
scene_fini(struct scene *s)
{
	buf_fini(&s->csr);
	key_free(s->key);
	rng_free(s->r);
	tmp_fini(&s->t);
}

/* How many certificates runner-7 has; everything must load. */
static size_t
count(struct scene *s)
{
	struct tokens tokens;
	struct ledger l;
	size_t i, n = 0;

	tokens_init(&tokens);
	ledger_init(&l);
	assert_int_equal(tokens_load(&tokens, s->t.dir, NULL), ERR_OK);
	assert_int_equal(ledger_load(&l, s->t.dir, NULL), ERR_OK);
	for (i = 0; i < l.n; i++) {
		n += span_is(l.entry[i].name, "runner-7");
	}
	ledger_fini(&l);
	tokens_fini(&tokens);
	return n;
}

static void
a_token_is_made_or_not(void **state)
{
	struct scene s;
	bool after;
	int n, died;

	(void)state;
	scene_init(&s);
	for (after = false;; after = true) {
		for (n = 1, died = DIED; died == DIED; n++) {
			died = crash_at(n, after, make_token, &s);
			assert_int_equal(count(&s), 0);
		}
		assert_int_equal(died, 0);
		assert_true(n > 3);
		if (after) {
			break;
		}
	}
	assert_true(make_token(&s));
	assert_true(enroll(&s));
	scene_fini(&s);
}

static void
a_token_is_never_good_for_two(void **state)
{
	struct scene s;
	size_t had, has;
	bool after;
	int n, died;

	(void)state;
	scene_init(&s);
	for (after = false;; after = true) {
		for (n = 1, died = DIED; died == DIED; n++) {
			had = count(&s);
			assert_true(make_token(&s));
			died = crash_at(n, after, enroll, &s);
			has = count(&s) - had;
			assert_in_range(has, died == 0 ? 1 : 0, 1);
			if (ask(&s, NOW) == ENROLL_DONE) {
				has++;
			}
			assert_in_range(has, 0, 1);
			assert_int_equal(count(&s), had + has);
		}
		assert_int_equal(died, 0);
		assert_true(n > 6);
		if (after) {
			break;
		}
	}
	scene_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_made_or_not),
		cmocka_unit_test(a_token_is_never_good_for_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
