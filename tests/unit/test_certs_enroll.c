/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, and what they and certificates are exchanged for. */
#include <signal.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/text.h"
#include "bundle.h"
#include "certs_store_fixture.h"
#include "csr.h"
#include "enroll.h"
#include "ledger.h"
#include "revoke.h"
#include "tokens.h"

struct enrollee {
	struct rng *r;
	struct key *key;
	struct buf csr;
};

static void
enrollee_init(struct enrollee *e)
{
	assert_int_equal(rng_new(&e->r), ERR_OK);
	assert_int_equal(key_new(e->r, &e->key), ERR_OK);
	buf_init(&e->csr, 8192);
	assert_int_equal(csr_write(e->key, e->r, &e->csr), ERR_OK);
}

static void
enrollee_fini(struct enrollee *e)
{
	buf_fini(&e->csr);
	key_free(e->key);
	rng_free(e->r);
}

static void
make_store(struct tmp *t)
{
	struct store_report report;

	tmp_init(t);
	must(t, STORE_TLSVERIFY, &report);
}

static const char *const units[] = { "ci", "night" };

static struct token_request
token_of(struct tmp *t, const char *name)
{
	return (struct token_request){
		.dir = t->dir,
		.name = name,
		.units = units,
		.n_units = NELEM(units),
		.org = "acme",
		.hours = 24,
		.ttl_s = 600,
		.now = NOW,
	};
}

static void
must_make(struct tmp *t, const char *name, struct token_parts *parts)
{
	const struct token_request req = token_of(t, name);
	char text[TOKEN_TEXT_SIZE];
	struct diag d = { 0, 0, "" };

	if (token_new(&req, text, &d) != ERR_OK) {
		fail_msg("%s", d.text);
	}
	assert_true(token_split(span_of(text), parts));
}

/* Shows the token; the outcome.  The answer is kept in *a. */
static enum enroll_outcome
show(struct tmp *t, const struct enrollee *e, const char *secret,
    const char *name, time_t now, struct enroll_answer *a)
{
	const struct enroll_request req = {
		.dir = t->dir,
		.token = span_of(secret),
		.csr = buf_span(&e->csr),
		.name = span_of(name),
		.now = now,
	};

	enroll_token(&req, a);
	return a->outcome;
}

static enum enroll_outcome
try(struct tmp *t, const struct enrollee *e, const char *secret,
    const char *name, time_t now)
{
	struct enroll_answer a;
	enum enroll_outcome o = show(t, e, secret, name, now, &a);

	assert_true(o == ENROLL_DONE || a.why[0] != '\0');
	assert_int_equal(a.cert.len > 0, o == ENROLL_DONE);
	enroll_fini(&a);
	return o;
}

static enum enroll_outcome
renew(struct tmp *t, const struct enrollee *e, struct span cert, time_t now,
    struct enroll_answer *a)
{
	const struct enroll_request req = {
		.dir = t->dir,
		.certificate = cert,
		.csr = buf_span(&e->csr),
		.now = now,
	};

	enroll_renew(&req, a);
	return a->outcome;
}

static enum enroll_outcome
try_renew(struct tmp *t, const struct enrollee *e, struct span cert, time_t now)
{
	struct enroll_answer a;
	enum enroll_outcome o = renew(t, e, cert, now, &a);

	enroll_fini(&a);
	return o;
}

static void
what_is_no_token_is_refused(void **state)
{
	static const char hex[] =
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char text[200];
	struct token_parts p;
	size_t i;
	static const struct {
		const char *prefix;
		int secret;
		const char *between;
		int pin;
		const char *behind;
		bool good;
	} cases[] = {
		{ "dinv1-", 32, "-", 64, "", true },
		{ "dinv2-", 32, "-", 64, "", false },
		{ "Dinv1-", 32, "-", 64, "", false },
		{ "", 32, "-", 64, "", false },
		{ "dinv1-", 31, "-", 64, "", false },
		{ "dinv1-", 32, "_", 64, "", false },
		{ "dinv1-", 33, "-", 63, "", false },
		{ "dinv1-", 32, "-", 63, "", false },
		{ "dinv1-", 32, "-", 64, "\n", false },
		{ "dinv1-", 32, "-", 64, "a", false },
		{ "dinv1-", 32, "-", 63, "A", false },
		{ "dinv1-", 32, "-", 63, "g", false },
	};

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		snprintf(text, sizeof(text), "%s%.*s%s%.*s%s", cases[i].prefix,
		    cases[i].secret, hex, cases[i].between, cases[i].pin, hex,
		    cases[i].behind);
		assert_int_equal(token_split(span_of(text), &p), cases[i].good);
	}
	assert_false(token_split(span_make("", 0), &p));
}

static void
a_token_is_refused_before_it_is_made(void **state)
{
	static const struct {
		const char *name;
		time_t ttl;
		unsigned hours;
	} bad[] = {
		{ "", 600, 1 },
		{ "a\nb", 600, 1 },
		{ "a-*-b-*", 600, 1 },
		{ "a", 0, 1 },
		{ "a", TOKEN_TTL_MAX_S + 1, 1 },
		{ "a", 600, 0 },
		{ "a", 600, 24 * 3651 },
	};
	struct token_request req;
	char text[TOKEN_TEXT_SIZE];
	struct diag d;
	struct tmp t;
	size_t i;

	(void)state;
	make_store(&t);
	for (i = 0; i < NELEM(bad); i++) {
		req = token_of(&t, bad[i].name);
		req.ttl_s = bad[i].ttl;
		req.hours = bad[i].hours;
		d.text[0] = '\0';
		assert_int_not_equal(token_new(&req, text, &d), ERR_OK);
		assert_int_not_equal(d.text[0], '\0');
	}
	assert_false(tmp_has(&t, TOKENS_NAME));
	/* Nobody could sign. */
	take_away(&t, CK);
	req = token_of(&t, "a");
	assert_int_equal(token_new(&req, text, &d), ERR_CERT_STORE);
	tmp_fini(&t);
}

static void
a_token_works_once_and_says_who_it_is(void **state)
{
	struct enroll_answer a;
	struct token_parts p;
	struct enrollee e;
	struct ledger l;
	struct cert *c = NULL, *ca = NULL;
	struct stat st;
	struct tmp t;

	(void)state;
	make_store(&t);
	enrollee_init(&e);
	must_make(&t, "runner-7", &p);
	/* Only its hash is there. */
	assert_null(strstr(tmp_get(&t, TOKENS_NAME), p.secret));
	assert_int_equal(stat(tmp_path(&t, TOKENS_NAME), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(show(&t, &e, p.secret, "", NOW + 5, &a), ENROLL_DONE);
	assert_string_equal(a.name, "runner-7");
	assert_int_equal(a.expires, NOW + 5 + 24 * 3600);
	assert_int_equal(
	    cert_parse(buf_span(&a.cert).p, a.cert.len, "", &c, NULL),
	    ERR_CERT);
	assert_int_equal(buf_append(&a.cert, "", 1), ERR_OK);
	assert_int_equal(buf_append(&a.ca, "", 1), ERR_OK);
	assert_int_equal(
	    cert_parse(buf_span(&a.cert).p, a.cert.len, "", &c, NULL), ERR_OK);
	assert_int_equal(
	    cert_parse(buf_span(&a.ca).p, a.ca.len, "", &ca, NULL), ERR_OK);
	assert_true(cert_is_under(c, ca));
	assert_true(cert_has_key(c, e.key));
	assert_true(cert_is_for(c, CERT_CLIENT));
	assert_false(cert_is_for(c, CERT_SERVER));
	ledger_init(&l);
	assert_int_equal(ledger_load(&l, t.dir, NULL), ERR_OK);
	assert_non_null(ledger_find_cert(&l, c));
	assert_true(span_is(ledger_find_cert(&l, c)->units, "ci\tnight"));
	assert_true(span_is(ledger_find_cert(&l, c)->org, "acme"));
	assert_ptr_equal(
	    ledger_find_serial(&l, a.serial), ledger_find_cert(&l, c));
	ledger_fini(&l);
	/* The server is known by the token's pin. */
	char pin[CERT_PIN_SIZE];
	assert_int_equal(cert_pin(ca, pin), ERR_OK);
	assert_string_equal(pin, p.pin);
	cert_free(c);
	cert_free(ca);
	enroll_fini(&a);
	assert_int_equal(try(&t, &e, p.secret, "", NOW + 6), ENROLL_USED);
	/* A day later nobody knows that there was one. */
	must_make(&t, "other", &p);
	tmp_fini(&t);
	enrollee_fini(&e);
}

static void
a_token_is_refused(void **state)
{
	struct token_parts p, q;
	struct enrollee e;
	struct tmp t;

	(void)state;
	make_store(&t);
	enrollee_init(&e);
	must_make(&t, "runner-7", &p);
	assert_int_equal(
	    try(&t, &e, "00000000000000000000000000000000", "", NOW),
	    ENROLL_UNKNOWN);
	assert_int_equal(try(&t, &e, "", "", NOW), ENROLL_UNKNOWN);
	assert_int_equal(try(&t, &e, p.secret + 1, "", NOW), ENROLL_UNKNOWN);
	assert_int_equal(try(&t, &e, p.secret, "root", NOW), ENROLL_NAME);
	assert_int_equal(try(&t, &e, p.secret, "runner-7 ", NOW), ENROLL_NAME);
	assert_int_equal(try(&t, &e, p.secret, "", NOW + 601), ENROLL_EXPIRED);
	/* None of that used it up; nor does a request that is none. */
	buf_consume(&e.csr, 10);
	assert_int_equal(try(&t, &e, p.secret, "", NOW), ENROLL_REQUEST);
	enrollee_fini(&e);
	enrollee_init(&e);
	assert_int_equal(
	    try(&t, &e, p.secret, "runner-7", NOW + 600), ENROLL_DONE);
	/* Taken back. */
	must_make(&t, "runner-8", &q);
	struct tokens table;
	char id[13];

	tokens_init(&table);
	assert_int_equal(tokens_load(&table, t.dir, NULL), ERR_OK);
	assert_int_equal(table.n, 2);
	snprintf(id, sizeof(id), "%.*s",
	    SPAN_ARG(token_id(tokens_find(&table, q.secret))));
	tokens_fini(&table);
	assert_int_equal(token_cancel(t.dir, "0123", NOW, NULL), ERR_NOTFOUND);
	assert_int_equal(token_cancel(t.dir, "", NOW, NULL), ERR_NOTFOUND);
	assert_int_equal(token_cancel(t.dir, id, NOW, NULL), ERR_OK);
	assert_int_equal(token_cancel(t.dir, id, NOW, NULL), ERR_EXISTS);
	assert_int_equal(try(&t, &e, q.secret, "", NOW), ENROLL_USED);
	/* The key is gone: ours to mend, and the token is good still. */
	must_make(&t, "runner-9", &q);
	assert_int_equal(
	    rename(tmp_path(&t, "ca-key.pem"), tmp_path(&t, "away")), 0);
	assert_int_equal(try(&t, &e, q.secret, "", NOW), ENROLL_FAILED);
	assert_int_equal(
	    rename(tmp_path(&t, "away"), tmp_path(&t, "ca-key.pem")), 0);
	assert_int_equal(try(&t, &e, q.secret, "", NOW), ENROLL_DONE);
	enrollee_fini(&e);
	tmp_fini(&t);
}

static void
a_token_is_not_lost_to_a_full_ledger(void **state)
{
	struct rlimit was, less;
	struct token_parts p;
	struct enrollee e;
	struct stat st;
	struct tmp t;

	(void)state;
	make_store(&t);
	enrollee_init(&e);
	must_make(&t, "runner-7", &p);
	/* There is room for the table of tokens, and not for the ledger. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(stat(tmp_path(&t, "tokens.tsv"), &st), 0);
	less = was;
	less.rlim_cur = (rlim_t)st.st_size + 20;
	assert_int_equal(stat(tmp_path(&t, "issued.tsv"), &st), 0);
	assert_true((rlim_t)st.st_size > less.rlim_cur);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
	assert_int_equal(try(&t, &e, p.secret, "", NOW), ENROLL_FAILED);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(try(&t, &e, p.secret, "", NOW), ENROLL_DONE);
	enrollee_fini(&e);
	tmp_fini(&t);
}

static void
a_pattern_leaves_one_part_open(void **state)
{
	static const struct {
		const char *name;
		enum enroll_outcome o;
	} cases[] = {
		{ "", ENROLL_NAME },
		{ "runner-", ENROLL_NAME },
		{ "root", ENROLL_NAME },
		{ "runner-*", ENROLL_NAME },
		{ "runner-a b", ENROLL_NAME },
		{ "runner-\xc3\xa9", ENROLL_NAME },
		{ "runner-a/b", ENROLL_NAME },
		{ "runner-a\tb", ENROLL_NAME },
		{ "xrunner-a", ENROLL_NAME },
		{ "runner-0123456789012345678901234567890123456789012345678"
		  "901234567890",
		    ENROLL_NAME },
		{ "runner-a.b_C-9", ENROLL_DONE },
	};
	struct token_parts p;
	struct enrollee e;
	struct tmp t;
	size_t i;

	(void)state;
	make_store(&t);
	enrollee_init(&e);
	must_make(&t, "runner-*", &p);
	for (i = 0; i < NELEM(cases); i++) {
		assert_int_equal(
		    try(&t, &e, p.secret, cases[i].name, NOW), cases[i].o);
	}
	/* A name that somebody has is nobody else's, until that has ended. */
	must_make(&t, "runner-*", &p);
	assert_int_equal(
	    try(&t, &e, p.secret, "runner-a.b_C-9", NOW), ENROLL_TAKEN);
	/* Nor does one begin as an option does, or a path. */
	must_make(&t, "*", &p);
	assert_int_equal(try(&t, &e, p.secret, "-anyway", NOW), ENROLL_NAME);
	assert_int_equal(try(&t, &e, p.secret, "..", NOW), ENROLL_NAME);
	assert_int_equal(try(&t, &e, p.secret, "_-.", NOW), ENROLL_DONE);
	must_make(&t, "*-client", &p);
	assert_int_equal(
	    try(&t, &e, p.secret, "docker-client", NOW), ENROLL_TAKEN);
	assert_int_equal(try(&t, &e, p.secret, "a-client", NOW), ENROLL_DONE);
	enrollee_fini(&e);
	tmp_fini(&t);
}

static void
who_has_a_certificate_gets_the_next(void **state)
{
	struct enroll_answer first, next;
	struct token_parts p;
	struct enrollee e, other;
	struct tmp t;
	struct revoke_result res;

	(void)state;
	make_store(&t);
	enrollee_init(&e);
	enrollee_init(&other);
	must_make(&t, "runner-7", &p);
	assert_int_equal(show(&t, &e, p.secret, "", NOW, &first), ENROLL_DONE);
	struct span cert = buf_span(&first.cert);

	/* With another key, for a stranger's certificate, for none. */
	assert_int_equal(try_renew(&t, &other, cert, NOW + 1), ENROLL_REQUEST);
	assert_int_equal(
	    try_renew(&t, &e, span_of(""), NOW + 1), ENROLL_UNKNOWN);
	assert_int_equal(
	    try_renew(&t, &e, span_of(tmp_get(&t, "docker.crt")), NOW + 1),
	    ENROLL_UNKNOWN);
	assert_int_equal(
	    try_renew(&t, &e, span_of(tmp_get(&t, "ca.crt")), NOW + 1),
	    ENROLL_UNKNOWN);
	assert_int_equal(
	    try_renew(&t, &e, cert, NOW + 1 + 24 * 3600), ENROLL_EXPIRED);
	assert_int_equal(renew(&t, &e, cert, NOW + 1, &next), ENROLL_DONE);
	assert_string_equal(next.name, "runner-7");
	/* As long as the first: a day. */
	assert_int_equal(next.expires, NOW + 1 + 24 * 3600);
	enroll_fini(&next);
	/* Two in a minute, not three. */
	assert_int_equal(try_renew(&t, &e, cert, NOW + 2), ENROLL_SOON);
	assert_int_equal(try_renew(&t, &e, cert, NOW + 61), ENROLL_DONE);
	/* Taken back is taken back. */
	const struct revoke_request revoke = {
		.dir = t.dir, .what = "runner-7", .now = NOW + 100, .days = 90
	};

	assert_int_equal(revoke_cert(&revoke, &res, NULL), ERR_OK);
	assert_int_equal(res.revoked, 3);
	assert_int_equal(try_renew(&t, &e, cert, NOW + 300), ENROLL_REVOKED);
	enroll_fini(&first);
	enrollee_fini(&e);
	enrollee_fini(&other);
	tmp_fini(&t);
}

/* No certificate begins before its CA does, also not the hour that others are
 * dated back. */
static void
a_young_ca_renews_as_often_as_an_old_one(void **state)
{
	struct enroll_answer first;
	struct token_parts p;
	struct enrollee e;
	struct tmp t;
	struct span cert;

	(void)state;
	make_store(&t); /* its CA begins at NOW - 3600 */
	enrollee_init(&e);
	must_make(&t, "a", &p);
	assert_int_equal(
	    show(&t, &e, p.secret, "", NOW - 3000, &first), ENROLL_DONE);
	cert = buf_span(&first.cert);
	assert_int_equal(try_renew(&t, &e, cert, NOW - 2800), ENROLL_DONE);
	assert_int_equal(try_renew(&t, &e, cert, NOW - 2600), ENROLL_DONE);
	enroll_fini(&first);
	enrollee_fini(&e);
	tmp_fini(&t);
}

static void
a_damaged_table_is_refused(void **state)
{
	static const char good[] =
	    "dinv-tokens\t1\n"
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	    "\topen\t1\t2\t0\t1\tn\to\tu\n"
	    "end\t1\n";
	struct tokens table;
	struct diag d;
	size_t i;

	(void)state;
	tokens_init(&table);
	assert_int_equal(tokens_parse(&table, span_of(good), &d), ERR_OK);
	tokens_fini(&table);
	for (i = 0; i < sizeof(good) - 1; i++) {
		tokens_init(&table);
		assert_int_equal(
		    tokens_parse(&table, span_make(good, i), &d), ERR_SYNTAX);
		assert_non_null(strstr(d.text, TOKENS_NAME));
		tokens_fini(&table);
	}
}

static void
a_ledger_that_is_full_forgets_the_expired(void **state)
{
	struct ledger l;
	size_t i;

	(void)state;
	ledger_init(&l);
	l.entry = calloc(LEDGER_FULL, sizeof(*l.entry));
	assert_non_null(l.entry);
	l.cap = LEDGER_FULL;
	for (i = 0; i < LEDGER_FULL; i++) {
		l.entry[i].to = NOW - (i % 2) * 40 * DAY;
	}
	l.n = LEDGER_FULL - 1;
	ledger_trim(&l, NOW);
	assert_int_equal(l.n, LEDGER_FULL - 1);
	l.n = LEDGER_FULL;
	ledger_trim(&l, NOW);
	assert_int_equal(l.n, LEDGER_FULL / 2);
	for (i = 0; i < l.n; i++) {
		assert_int_equal(l.entry[i].to, NOW);
	}
	ledger_fini(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(a_token_is_refused_before_it_is_made),
		cmocka_unit_test(a_token_works_once_and_says_who_it_is),
		cmocka_unit_test(a_token_is_refused),
		cmocka_unit_test(a_token_is_not_lost_to_a_full_ledger),
		cmocka_unit_test(a_pattern_leaves_one_part_open),
		cmocka_unit_test(who_has_a_certificate_gets_the_next),
		cmocka_unit_test(a_young_ca_renews_as_often_as_an_old_one),
		cmocka_unit_test(a_damaged_table_is_refused),
		cmocka_unit_test(a_ledger_that_is_full_forgets_the_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
