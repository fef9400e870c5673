/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two files of a certificate directory that are lines: the ledger, and
 * the tokens.  A ledger that is accepted is written and read again as the
 * same entries.
 */
#include "fuzz.h"

#include "certs/ledger.h"
#include "certs/tokens.h"

static void
check_same(const struct ledger *a, const struct ledger *b)
{
	size_t i;

	CHECK(a->n == b->n && a->crl_number == b->crl_number);
	for (i = 0; i < a->n; i++) {
		CHECK(span_eq(a->entry[i].serial, b->entry[i].serial));
		CHECK(span_eq(a->entry[i].issuer, b->entry[i].issuer));
		CHECK(span_eq(a->entry[i].name, b->entry[i].name));
		CHECK(span_eq(a->entry[i].org, b->entry[i].org));
		CHECK(span_eq(a->entry[i].units, b->entry[i].units));
		CHECK(a->entry[i].state == b->entry[i].state);
		CHECK(a->entry[i].to == b->entry[i].to);
	}
}

static void
check_ledger(struct span text)
{
	struct diag d = { 0, 0, "" };
	struct ledger l, again;
	struct buf out;

	ledger_init(&l);
	ledger_init(&again);
	buf_init(&out, FUZZ_ARENA_BYTES);
	if (ledger_parse(&l, text, &d) == ERR_OK) {
		CHECK(ledger_write(&l, &out) == ERR_OK);
		CHECK(ledger_parse(&again, buf_span(&out), &d) == ERR_OK);
		check_same(&l, &again);
	} else {
		CHECK(d.text[0] != '\0');
	}
	buf_fini(&out);
	ledger_fini(&again);
	ledger_fini(&l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d = { 0, 0, "" };
	struct tokens t;

	check_ledger(span_make(data, size));
	tokens_init(&t);
	if (tokens_parse(&t, span_make(data, size), &d) != ERR_OK) {
		CHECK(d.text[0] != '\0');
	}
	tokens_fini(&t);
	return 0;
}
