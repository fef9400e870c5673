/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands for the record (policy/redact_words.h).  Whatever came before it in
 * the command or on the line, what follows --password does not get through;
 * and what comes out is not much longer than what went in.
 */
#include "fuzz.h"

#include "redact_words.h"

#define SECRET "Z9Z9Z9"
#define TEXT_MAX 4096

static void
check(const struct buf *out, size_t in)
{
	struct span s = buf_span(out);

	CHECK(s.len == 0 || memmem(s.p, s.len, SECRET, strlen(SECRET)) == NULL);
	CHECK(s.len <= 2 * in + 64);
}

/* Words of a command: text, --password SECRET. */
static void
as_words(struct span text)
{
	struct redact_words words = REDACT_WORDS_INIT;
	struct redact_out o = { NULL, ERR_OK };
	struct buf b;

	buf_init(&b, 4 * TEXT_MAX);
	o.b = &b;
	redact_word(&words, text, &o);
	redact_word(&words, span_of("--password"), &o);
	redact_word(&words, span_of(SECRET), &o);
	CHECK(o.rc == ERR_OK);
	check(&b, text.len);
	buf_fini(&b);
}

/* A line for a shell: text, a blank of some kind, the same. */
static void
as_line(struct span text, const char *between)
{
	struct redact_words words = REDACT_WORDS_INIT;
	struct redact_out o = { NULL, ERR_OK };
	struct buf b, line;

	buf_init(&b, 4 * TEXT_MAX);
	buf_init(&line, 2 * TEXT_MAX);
	o.b = &b;
	CHECK(buf_append(&line, text.p, text.len) == ERR_OK);
	CHECK(buf_append_str(&line, between) == ERR_OK);
	CHECK(buf_append_str(&line, "--password " SECRET " x") == ERR_OK);
	redact_word(&words, buf_span(&line), &o);
	CHECK(o.rc == ERR_OK);
	check(&b, line.len);
	buf_fini(&line);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);
	/* Then the blank behind it is a part of the word. */
	bool escapes = size > 0 && data[size - 1] == '\\';

	if (size > TEXT_MAX || (size > 0 && memmem(data, size, "Z9", 2))) {
		return 0;
	}
	as_words(text);
	if (!escapes) {
		as_line(text, " ");
	}
	as_line(text, "\n");
	as_line(text, "; x ");
	return 0;
}
