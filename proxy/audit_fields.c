/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a record; see audit_fields.h.
 *
 * No tree is built: a million records are read in a second.  Members of
 * members are skipped, but for those of "client", so that nothing that a
 * client named (a key in a recorded body) is taken for a member of the record.
 *
 * Attackers who could write to the file put in what is no record: whatever
 * does not end as it began is none.
 */
#include "audit_fields.h"

#include <stdio.h>

#include "base/text.h"

static const char *const names[AF_N] = {
	[AF_SEQ] = "seq",
	[AF_V] = "v",
	[AF_TIME] = "time",
	[AF_EVENT] = "event",
	[AF_ID] = "id",
	[AF_TRACEPARENT] = "traceparent",
	[AF_METHOD] = "method",
	[AF_PATH] = "path",
	[AF_OP] = "op",
	[AF_OBJECT] = "object",
	[AF_DECISION] = "decision",
	[AF_ROLE] = "role",
	[AF_RULE] = "rule",
	[AF_STATUS] = "status",
	[AF_CLIENT_BYTES] = "client_bytes",
	[AF_DAEMON_BYTES] = "daemon_bytes",
	[AF_DURATION_MS] = "duration_ms",
	[AF_ENDED] = "ended",
	[AF_REASON] = "reason",
	[AF_RECORDS] = "records",
	[AF_CN] = "cn",
	[AF_ADDR] = "addr",
	[AF_KIND] = "kind",
	[AF_UID] = "uid",
};

const char *
audit_field_name(enum audit_field f)
{
	return names[f];
}

/* From behind a quote to the one that ends it; NULL: none does. */
static const char *
string_end(const char *p, const char *end)
{
	for (; p < end && *p != '"'; p++) {
		if (*p == '\\') {
			p++;
		}
	}
	return p < end ? p : NULL;
}

/* Behind a value; NULL where it does not end. */
static const char *
value_end(const char *p, const char *end)
{
	unsigned depth = 0;

	for (; p < end; p++) {
		if (*p == '"') {
			p = string_end(p + 1, end);
			if (p == NULL) {
				return NULL;
			}
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if ((*p == '}' || *p == ']') && depth > 0) {
			depth--;
		} else if (depth == 0 && (*p == ',' || *p == '}')) {
			return p;
		}
	}
	return NULL;
}

static void
keep(struct audit_fields *out, struct span key, struct span value, bool client)
{
	size_t i = client ? AF_CN : 0, n = client ? AF_N : AF_CN;

	for (; i < n; i++) {
		if (span_is(key, names[i]) && out->of[i].p == NULL) {
			if (value.len >= 2 && value.p[0] == '"') {
				value.p++;
				value.len -= 2;
			}
			out->of[i] = value;
			return;
		}
	}
}

static bool
scan(struct span o, struct audit_fields *out, bool client)
{
	const char *p = o.p + 1, *end = o.p + o.len, *key, *stop;
	struct span name, value;

	if (o.len < 2 || o.p[0] != '{' || end[-1] != '}') {
		return false;
	}
	if (p == end - 1) {
		return true; /* {} */
	}
	for (;;) {
		if (*p != '"') {
			return false;
		}
		key = p + 1;
		stop = string_end(key, end);
		if (stop == NULL || stop + 1 >= end || stop[1] != ':') {
			return false;
		}
		name = span_make(key, (size_t)(stop - key));
		p = stop + 2;
		stop = value_end(p, end);
		if (stop == NULL) {
			return false;
		}
		value = span_make(p, (size_t)(stop - p));
		keep(out, name, value, client);
		if (!client && span_is(name, "client") &&
		    !scan(value, out, true)) {
			return false;
		}
		if (*stop == '}') {
			return stop == end - 1;
		}
		p = stop + 1;
	}
}

bool
audit_fields_scan(struct span line, struct audit_fields *out)
{
	memset(out, 0, sizeof(*out));
	return line.len > 0 && scan(line, out, false);
}

uint64_t
audit_field_u64(const struct audit_fields *r, enum audit_field f)
{
	uint64_t n = 0;

	return text_parse_u64(r->of[f], UINT64_MAX, &n) == ERR_OK ? n : 0;
}

struct span
audit_field_who(const struct audit_fields *r, char *buf, size_t size)
{
	if (r->of[AF_CN].len > 0) {
		return r->of[AF_CN];
	}
	if (r->of[AF_UID].len == 0 || r->of[AF_UID].len > 20) {
		return r->of[AF_KIND];
	}
	(void)snprintf(buf, size, "uid:%.*s", SPAN_ARG(r->of[AF_UID]));
	return span_of(buf);
}
