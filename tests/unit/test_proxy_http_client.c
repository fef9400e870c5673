/* SPDX-License-Identifier: Apache-2.0 */
/* What a command takes for a gate's answer, and what not. */
#include "unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "http_client.h"

#define MOST 512

/* Everything that answers is said before the question is read; then EOF. */
static enum err
answer_is(const char *text, struct http_reply *out)
{
	struct stream *s;
	int pair[2];
	enum err rc;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(
	    write(pair[1], text, strlen(text)), (ssize_t)strlen(text));
	(void)shutdown(pair[1], SHUT_WR);
	s = stream_plain_new(pair[0]);
	assert_non_null(s);
	rc = http_exchange(s, span_of("GET / HTTP/1.1\r\n\r\n"), MOST, out);
	stream_close(s);
	close(pair[1]);
	return rc;
}

static void
the_body_is_as_long_as_it_says(void **state)
{
	static const char *const good[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
		/* behind it there may be anything, read in one or not */
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK more",
	};
	struct http_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(good); i++) {
		expect_err(good[i], answer_is(good[i], &reply), ERR_OK);
		assert_int_equal(reply.status, 200);
		assert_true(span_is(buf_span(&reply.body), "OK"));
		buf_fini(&reply.body);
	}
}

static void
half_an_answer_is_none(void **state)
{
	static const struct {
		const char *text;
		enum err rc;
	} cases[] = {
		{ "", ERR_IO },
		{ "HTTP/1.1 200 OK\r\n", ERR_IO },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK", ERR_IO },
		{ "HTTP/1.1 200 OK\r\n\r\nuntil the end", ERR_HTTP_FRAMING },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 513\r\n\r\n", ERR_LIMIT },
	};
	struct http_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		expect_err(cases[i].text, answer_is(cases[i].text, &reply),
		    cases[i].rc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_body_is_as_long_as_it_says),
		cmocka_unit_test(half_an_answer_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
