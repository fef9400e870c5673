/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process that was taken over sends to the one that keeps the records:
 * the head of a request, then lines.  Whatever passes is records that the
 * readers read, that chain, and none of which is a checkpoint or has a number
 * or a hash of its own.
 */
#include "fuzz.h"

#include "audit_fields.h"
#include "audit_line.h"
#include "audit_remote.h"
#include "limit.h"
#include "policy/json.h"

/* As the chain writes it: a link, and the record without its brace. */
static void
check_chained(struct span line)
{
	static const char link[] =
	    "{\"seq\":7,\"prev\":\"00000000000000000000000000000000"
	    "00000000000000000000000000000000\",\"v\":1,";
	struct span all, bytes, key, seal;
	struct audit_fields f;
	struct audit_link l;
	struct buf b;

	buf_init(&b, sizeof(link) + line.len);
	CHECK(buf_append(&b, link, sizeof(link) - 1) == ERR_OK);
	CHECK(buf_append(&b, line.p + 1, line.len - 1) == ERR_OK);
	all = buf_span(&b);
	CHECK(audit_link_parse(all, &l) && l.seq == 7);
	CHECK(!audit_link_seal(all, &bytes, &key, &seal));
	CHECK(audit_fields_scan(all, &f));
	CHECK(audit_field_u64(&f, AF_SEQ) == 7);
	CHECK(audit_field_u64(&f, AF_V) == 1);
	CHECK(f.of[AF_TIME].len == strlen("2026-11-21T10:00:00.000Z"));
	CHECK(!span_is(f.of[AF_EVENT], "checkpoint"));
	CHECK(f.of[AF_EVENT].len > 0);
	buf_fini(&b);
}

/* The strict reader takes it too, but for what it has a bound for. */
static void
check_json(struct span line)
{
	struct json_doc *doc = NULL;
	struct diag d = { 0, 0, "" };
	enum err rc = json_parse(line, JSON_STRICT, &doc, &d);

	CHECK(rc == ERR_OK || rc == ERR_JSON_DEPTH || rc == ERR_JSON_NUL ||
	      rc == ERR_JSON_NUMBER || rc == ERR_JSON_DUPKEY ||
	      rc == ERR_LIMIT);
	if (rc != ERR_OK) {
		return;
	}
	CHECK(json_type(json_root(doc)) == JSON_OBJECT);
	CHECK(json_get(json_root(doc), "seq") == NULL);
	CHECK(json_get(json_root(doc), "prev") == NULL);
	CHECK(json_get(json_root(doc), "v") == NULL);
	CHECK(json_get(json_root(doc), "signature") == NULL);
	json_free(doc);
}

static void
check_lines(struct span lines)
{
	struct span line;
	const char *lf;
	size_t i;

	while (lines.len > 0) {
		lf = memchr(lines.p, '\n', lines.len);
		CHECK(lf != NULL);
		line = span_make(lines.p, (size_t)(lf - lines.p));
		for (i = 0; i < line.len; i++) {
			CHECK((unsigned char)line.p[i] >= 0x20 &&
			      line.p[i] != 0x7f);
		}
		check_json(line);
		check_chained(line);
		lines.len -= line.len + 1;
		lines.p = lf + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[AUDIT_WIRE_ASK];
	struct audit_wire_ask ask;
	struct audit_ask what;
	struct span lines;

	if (size < AUDIT_WIRE_ASK) {
		return 0;
	}
	lines = span_make(data + AUDIT_WIRE_ASK, size - AUDIT_WIRE_ASK);
	if (audit_wire_get_ask(data, &ask)) {
		CHECK(ask.len <= LIMIT_AUDIT_RECORD_BYTES);
		what = (struct audit_ask){ ask.kind, ask.number,
			span_make(NULL, ask.len) };
		audit_wire_put_ask(again, &what);
		CHECK(memcmp(again, data, sizeof(again)) == 0);
	}
	/* Also where the head does not fit: lines are the harder half. */
	if (audit_lines_wrong(lines) == NULL) {
		check_lines(lines);
	}
	return 0;
}
