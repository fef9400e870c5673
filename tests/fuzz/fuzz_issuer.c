/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that issues certificates says.  Whatever it says becomes
 * an answer for who asked, with a body; anything odd is 503.
 */
#include "fuzz.h"

#include "base/text.h"
#include "issuer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct issuer_reply r;

	memset(&r, 0, sizeof(r));
	issuer_read_reply(span_make(data, size), &r);
	CHECK(r.status == 200 || (r.status >= 400 && r.status < 600));
	CHECK(r.body.len > 0);
	CHECK(memchr(r.rule, '\0', sizeof(r.rule)) != NULL);
	CHECK(memchr(r.message, '\0', sizeof(r.message)) != NULL);
	CHECK(memchr(r.name, '\0', sizeof(r.name)) != NULL);
	CHECK(memchr(r.serial, '\0', sizeof(r.serial)) != NULL);
	CHECK(r.status != 200 || r.serial[0] != '\0');
	CHECK(text_is_utf8(buf_span(&r.body)));
	buf_fini(&r.body);
	return 0;
}
