/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of audit files, as the commands read them: somebody may have written
 * into the file.  Fields lie within the line; nothing that is shown holds a
 * control character that the line did not bring.
 */
#include "fuzz.h"

#include "audit_fields.h"
#include "audit_show.h"

static void
check_within(struct span line, struct span f)
{
	CHECK(
	    f.p == NULL || (f.p >= line.p && f.p + f.len <= line.p + line.len));
}

static void
show(struct span line, const struct audit_fields *f, enum audit_form form)
{
	static FILE *nowhere;

	if (nowhere == NULL) {
		nowhere = fopen("/dev/null", "we");
		CHECK(nowhere != NULL);
	}
	audit_show_head(form, nowhere);
	audit_show(form, true, line, f, nowhere);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct audit_filter filter = {
		.client = "r*", .op = "@exec", .from = "2026", .trace = "0"
	};
	char *copy = malloc(size + 1);
	struct span line = span_make(copy, size);
	struct audit_fields f;
	char who[64];
	size_t i;

	CHECK(copy != NULL);
	memcpy(copy, data, size);
	if (audit_fields_scan(line, &f)) {
		for (i = 0; i < AF_N; i++) {
			check_within(line, f.of[i]);
			(void)audit_field_u64(&f, (enum audit_field)i);
		}
		(void)audit_field_who(&f, who, sizeof(who));
		(void)audit_filter_matches(&filter, &f);
		show(line, &f, AUDIT_TABLE);
		show(line, &f, AUDIT_JSON);
		show(line, &f, AUDIT_CSV);
	}
	free(copy);
	return 0;
}
