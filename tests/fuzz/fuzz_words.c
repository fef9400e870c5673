/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small readers: words of a line, addresses, tokens, traces.  None lets
 * out more than came in.
 */
#include "fuzz.h"

#include "addr.h"
#include "certs/token.h"
#include "traceparent.h"
#include "words.h"

static void
check_words(const char *text)
{
	char *copy = strdup(text);
	struct str_list words = { 0 };
	struct diag d = { 0, 0, "" };
	size_t i, n = 0;

	CHECK(copy != NULL);
	if (words_split(copy, &words, &d) == ERR_OK) {
		for (i = 0; i < words.n; i++) {
			n += strlen(words.item[i]);
		}
		CHECK(n <= strlen(text));
	} else {
		CHECK(d.text[0] != '\0');
	}
	free(words.item);
	free(copy);
}

static void
check_addr(const char *text)
{
	struct diag d = { 0, 0, "" };
	struct addr a;

	if (addr_parse(text, &a, &d) == ERR_OK) {
		CHECK(a.len > 0 && a.len <= sizeof(a.ss));
		CHECK(strlen(a.text) < sizeof(a.text));
	} else {
		CHECK(d.text[0] != '\0');
	}
}

static void
check_trace(struct span text)
{
	struct header two[2] = { { span_of("TraceParent"), text },
		{ span_of("traceparent"), text } };
	struct http_head h = { .headers = two, .n_headers = 1 };
	struct span s = traceparent_of(&h);

	CHECK(s.len == 0 || (s.len == 55 && span_eq(s, text)));
	h.n_headers = 2;
	CHECK(traceparent_of(&h).len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct token_parts t;

	CHECK(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check_words(text);
	check_addr(text);
	check_trace(span_make(text, size));
	if (token_split(span_make(text, size), &t)) {
		CHECK(strlen(t.secret) == 32 && strlen(t.pin) == 64);
	}
	free(text);
	return 0;
}
