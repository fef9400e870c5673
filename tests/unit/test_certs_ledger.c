/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: what it refuses to read, and that it reads what it writes. */
#include "certs_issue_fixture.h"
#include "ledger.h"

#define HEAD "dinv-issued\t1\t0\t0\n"
#define ID "00112233445566778899aabbccddeeff00112233"
#define FP ID "00112233445566778899aabb"
#define LINE(serial, kind, state, name)                                        \
	serial "\t" kind "\t" state "\t0\t1\t2\t" ID "\t" FP "\t" name "\t\n"

/* text, the line that is complained of */
static const struct {
	const char *text;
	unsigned line;
} refusals[] = {
	{ "", 1 },
	{ "\n", 1 },
	{ "dinv-issued\t2\t0\t0\nend\t0\n", 1 },
	{ "dinv-issued\t1\t-1\t0\nend\t0\n", 1 },
	{ "dinv-issued\t1\t0\nend\t0\n", 1 },
	{ "dinv-issued\t1\t0\t0\t\nend\t0\n", 1 },
	{ HEAD "end\t1\n", 2 },
	{ HEAD "end\t0", 2 },
	{ HEAD "end\t0\nmore", 2 },
	{ HEAD "end\t0\n\n", 2 },
	{ HEAD "\nend\t0\n", 2 },
	/* cut short: the entries that are left would forget a revocation */
	{ HEAD, 1 },
	{ HEAD LINE("0a", "client", "valid", "n"), 2 },
	{ HEAD LINE("0a", "client", "valid", "n") "end\t2\n", 3 },
	{ HEAD LINE("0a", "client", "valid", "n") "en", 3 },
	{ HEAD LINE("0A", "client", "valid", "n") "end\t1\n", 2 },
	{ HEAD LINE("a", "client", "valid", "n") "end\t1\n", 2 },
	{ HEAD LINE("", "client", "valid", "n") "end\t1\n", 2 },
	{ HEAD LINE("0a", "clients", "valid", "n") "end\t1\n", 2 },
	{ HEAD LINE("0a", "client", "Valid", "n") "end\t1\n", 2 },
	{ HEAD LINE("0a", "client", "", "n") "end\t1\n", 2 },
	{ HEAD LINE("0a", "client", "valid", "\xff") "end\t1\n", 1 },
	{ HEAD LINE("0a", "client", "valid", "a\r") "end\t1\n", 2 },
	{ HEAD LINE("0a", "client", "valid", "a\x7f") "end\t1\n", 2 },
	{ HEAD "0a\tclient\tvalid\t0\t1\t2\t" ID "\t" FP "\tn\nend\t1\n", 2 },
	{ HEAD "0a\tclient\tvalid\t0\t1\t2\tab\t" FP "\tn\t\nend\t1\n", 2 },
	{ HEAD "0a\tclient\tvalid\t0\t1\t99999999999999\t" ID "\t" FP
	       "\tn\t\nend\t1\n",
	    2 },
};

static void
refuses_what_it_did_not_write(void **state)
{
	struct diag d;
	struct ledger l;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(refusals); i++) {
		ledger_init(&l);
		d = (struct diag){ 0, 0, "" };
		if (ledger_parse(&l, span_of(refusals[i].text), &d) !=
			ERR_SYNTAX ||
		    d.line != refusals[i].line) {
			fail_msg("case %zu: line %u", i, d.line);
		}
		ledger_fini(&l);
	}
}

/* What is written ends there: the name would change by itself. */
static void
refuses_a_nul(void **state)
{
	char text[] = HEAD LINE("0a", "client", "valid", "a@b") "end\t1\n";
	struct diag d = { 0, 0, "" };
	struct ledger l;

	(void)state;
	*strchr(text, '@') = '\0';
	ledger_init(&l);
	assert_int_equal(
	    ledger_parse(&l, span_make(text, sizeof(text) - 1), &d),
	    ERR_SYNTAX);
	assert_int_equal(d.line, 2);
	ledger_fini(&l);
}

static void
assert_same(const struct ledger *a, const struct ledger *b)
{
	size_t i;

	assert_int_equal(a->n, b->n);
	assert_int_equal(a->crl_number, b->crl_number);
	assert_int_equal(a->n_crls, b->n_crls);
	for (i = 0; i < a->n; i++) {
		const struct ledger_entry *x = &a->entry[i], *y = &b->entry[i];

		assert_true(span_eq(x->serial, y->serial));
		assert_true(span_eq(x->issuer, y->issuer));
		assert_true(span_eq(x->fingerprint, y->fingerprint));
		assert_true(span_eq(x->name, y->name));
		assert_true(span_eq(x->org, y->org));
		assert_true(span_eq(x->units, y->units));
		assert_true(x->kind == y->kind && x->state == y->state);
		assert_true(x->when == y->when && x->reason == y->reason);
		assert_true(x->from == y->from && x->to == y->to);
	}
}

static void
add(struct ledger *l, const struct world *w, const char *name,
    const char *const *units, size_t n_units, struct ledger_entry **e)
{
	struct issue_client req = client_of(w);
	char id[ISSUE_ID_SIZE];
	struct cert *c = NULL;

	req.name = name;
	req.units = units;
	req.n_units = n_units;
	req.org = n_units > 1 ? "O = \"x\"" : NULL;
	assert_int_equal(issue_id(w->ca_key, id), ERR_OK);
	assert_int_equal(issue_client(w->r, &req, &c, NULL), ERR_OK);
	assert_int_equal(ledger_add(l, c, LEDGER_CLIENT, id, e, NULL), ERR_OK);
	assert_ptr_equal(ledger_find_cert(l, c), *e);
	assert_int_equal(
	    ledger_add(l, c, LEDGER_CLIENT, id, e, NULL), ERR_EXISTS);
	cert_free(c);
}

/* The longest name and all the units that a client may have. */
static void
writes_the_longest_entry(void **state)
{
	const struct world *w = *state;
	const char *units[ISSUE_UNITS_MAX];
	char name[SUBJECT_MAX + 1];
	struct ledger_entry *e;
	struct ledger l, again;
	struct buf b;
	size_t i;

	memset(name, 'n', SUBJECT_MAX);
	name[SUBJECT_MAX] = '\0';
	for (i = 0; i < NELEM(units); i++) {
		units[i] = name;
	}
	ledger_init(&l);
	ledger_init(&again);
	buf_init(&b, 65536);
	add(&l, w, name, units, NELEM(units), &e);
	assert_int_equal(ledger_write(&l, &b), ERR_OK);
	assert_int_equal(ledger_parse(&again, buf_span(&b), NULL), ERR_OK);
	assert_same(&l, &again);
	buf_fini(&b);
	ledger_fini(&l);
	ledger_fini(&again);
}

static void
reads_what_it_writes(void **state)
{
	static const char *const units[] = { "a", "b c", "\xc3\xbc" };
	const struct world *w = *state;
	struct ledger_entry *e;
	struct ledger l, again;
	char serial[80];
	struct buf b;
	size_t i;

	ledger_init(&l);
	ledger_init(&again);
	buf_init(&b, 1 << 20);
	for (i = 0; i < 200; i++) {
		add(&l, w, i % 2 == 0 ? "laptop-7" : "\xc3\xa4 'x'", units,
		    i % 4, &e);
		if (i % 3 == 0) {
			e->state = LEDGER_REVOKED;
			e->reason = REASON_WITHDRAWN;
			e->when = NOW + (time_t)i;
		}
	}
	l.crl_number = 7;
	l.n_crls = 2;
	assert_int_equal(ledger_write(&l, &b), ERR_OK);
	assert_int_equal(ledger_parse(&again, buf_span(&b), NULL), ERR_OK);
	assert_same(&l, &again);
	for (i = 0; i < l.n; i++) {
		snprintf(serial, sizeof(serial), "00:%.*s",
		    SPAN_ARG(l.entry[i].serial));
		assert_ptr_equal(ledger_find_serial(&l, serial), &l.entry[i]);
	}
	assert_null(ledger_find_serial(&l, ""));
	assert_null(ledger_find_serial(&l, "0"));
	assert_null(ledger_find_serial(&l, "laptop-7"));
	buf_fini(&b);
	ledger_fini(&l);
	ledger_fini(&again);
}

static void
a_foreign_name_cannot_break_a_line(void **state)
{
	struct world *w = *state;
	struct ledger_entry *e;
	struct cert *c = NULL;
	struct ledger l, again;
	struct buf b;
	struct tmp t;

	if (!have_openssl()) {
		skip();
	}
	tmp_init(&t);
	assert_int_equal(
	    tmp_sh(&t, "openssl req -x509 -newkey ec -pkeyopt "
		       "ec_paramgen_curve:P-256 -nodes -keyout k -out c "
		       "-utf8 -subj \"$(printf '/OU=a\\tb/OU=\\n/CN=x\\ny')\""),
	    0);
	assert_int_equal(cert_load(tmp_path(&t, "c"), "c", &c, NULL), ERR_OK);
	ledger_init(&l);
	ledger_init(&again);
	buf_init(&b, 1 << 20);
	assert_int_equal(
	    ledger_add(&l, c, LEDGER_CLIENT, ID, &e, NULL), ERR_OK);
	assert_true(span_is(e->name, "x\\x0ay"));
	assert_true(span_starts(e->units, "a\\x09b"));
	assert_int_equal(ledger_write(&l, &b), ERR_OK);
	assert_int_equal(ledger_parse(&again, buf_span(&b), NULL), ERR_OK);
	assert_same(&l, &again);
	buf_fini(&b);
	ledger_fini(&l);
	ledger_fini(&again);
	cert_free(c);
	tmp_fini(&t);
	(void)w;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_it_did_not_write),
		cmocka_unit_test(refuses_a_nul),
		T(reads_what_it_writes),
		T(writes_the_longest_entry),
		T(a_foreign_name_cannot_break_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
