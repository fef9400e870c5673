/* SPDX-License-Identifier: Apache-2.0 */
/* Records to another process: whole and once, and nothing but records. */
#include "audit_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "audit_line.h"
#include "audit_remote.h"
#include "cmd_audit.h"
#include "limit.h"

#define LINE                                                                   \
	"{\"time\":\"2026-11-21T10:00:00.000Z\",\"event\":\"lost\","           \
	"\"records\":1}\n"

struct fixture {
	char path[64];
	struct audit_store *store;
	struct secret text;
};

static void
open_store(struct fixture *f)
{
	const struct audit_options opt = { .to = f->path };
	struct diag d;

	assert_int_equal(audit_store_open(&opt, &f->store, &d), ERR_OK);
}

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	(void)snprintf(f->path, sizeof(f->path), "/tmp/dinv-remote-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(rmdir(f->path), 0);
	open_store(f);
}

static void
end(struct fixture *f)
{
	audit_store_drop(f->store);
	secret_fini(&f->text);
	assert_int_equal(unlink(f->path), 0);
}

static size_t
count_records(struct fixture *f)
{
	char name[] = "verify", *argv[] = { name, f->path, NULL };
	size_t n = 0;
	const char *p, *stop;

	secret_fini(&f->text);
	assert_int_equal(
	    secret_read_file(&f->text, f->path, 64u << 20), ERR_OK);
	if (f->text.len == 0) {
		return 0;
	}
	assert_int_equal(cmd_audit_verify(2, argv), 0);
	p = (const char *)f->text.data;
	for (stop = p + f->text.len; p < stop; p++) {
		n += *p == '\n';
	}
	return n;
}

/* A connection to the store; the other end. */
static int
serve(struct fixture *f, struct audit_remote **r)
{
	int ends[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(audit_remote_serve(f->store, ends[0], r), ERR_OK);
	return ends[1];
}

static struct audit *
open_gate(int fd, bool required)
{
	const struct audit_options opt = { .required = required,
		.queue = queue_size };
	struct audit_call call;
	struct audit *a = NULL;

	assert_int_equal(audit_call_remote(fd, &call), ERR_OK);
	assert_int_equal(audit_open(&opt, &call, &a), ERR_OK);
	return a;
}

static void
write_records(struct audit *a, unsigned n)
{
	struct principal who;
	struct policy_why why;
	struct audit_event e;

	fill_hostile(&who, &why, &e);
	while (n-- > 0) {
		audit_write(a, &e);
	}
}

static void *
write_many(void *arg)
{
	write_records(arg, 500);
	return NULL;
}

static void
two_gates_share_one_chain(void **state)
{
	struct audit_remote *r[2];
	struct audit *a[2];
	pthread_t t[2];
	struct fixture f;
	int i;

	(void)state;
	begin(&f);
	for (i = 0; i < 2; i++) {
		a[i] = open_gate(serve(&f, &r[i]), false);
		assert_int_equal(
		    pthread_create(&t[i], NULL, write_many, a[i]), 0);
	}
	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_true(audit_flush(a[i], SOON_MS));
		audit_reopen(a[i]);
		assert_true(audit_flush(a[i], SOON_MS));
		audit_close(a[i]);
		audit_remote_stop(r[i]);
	}
	assert_int_equal(count_records(&f), 1000);
	end(&f);
}

/* Whatever audit.c makes of whatever peers send passes. */
static void
takes_the_longest_record(void **state)
{
	static char path[160u << 10];
	struct audit_remote *r;
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct fixture f;
	struct audit *a;

	(void)state;
	begin(&f);
	a = open_gate(serve(&f, &r), false);
	fill_hostile(&who, &why, &e);
	memset(path, '\0', sizeof(path));
	e.path = span_make(path, sizeof(path));
	for (e.kind = AUDIT_HANDSHAKE; e.kind < AUDIT_END; e.kind++) {
		audit_write(a, &e);
	}
	audit_write(a, &e);
	assert_true(audit_flush(a, SOON_MS));
	audit_close(a);
	audit_remote_stop(r);
	assert_int_equal(count_records(&f), 3);
	end(&f);
}

static void
put_all(int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t k;

	while (n > 0) {
		k = send(fd, at, n, MSG_NOSIGNAL);
		if (k == -1) {
			return; /* it has heard enough */
		}
		at += k;
		n -= (size_t)k;
	}
}

/* Until the other side has closed. */
static void
expect_closed(int fd)
{
	uint8_t buf[256];
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
	} while (n > 0);
	assert_true(n == 0 || errno == ECONNRESET);
}

static void
send_put(int fd, uint64_t number, uint32_t len, struct span lines)
{
	struct audit_ask ask = { AUDIT_ASK_PUT, number,
		span_make(lines.p, len) };
	uint8_t head[AUDIT_WIRE_ASK];

	audit_wire_put_ask(head, &ask);
	put_all(fd, head, sizeof(head));
	put_all(fd, lines.p, lines.len);
}

static void
refuses_what_is_no_request(void **state)
{
	static const uint8_t wrong[][AUDIT_WIRE_ASK] = {
		{ 0 },
		{ 2, 0 },
		{ 1, AUDIT_ASK_N },
		{ 1, 255 },
		{ 1, AUDIT_ASK_TICK, 1 },
		{ 1, AUDIT_ASK_TICK, 0, 1 },
		{ 1, AUDIT_ASK_TICK, 0, 0, 1 },
		{ 1, AUDIT_ASK_TICK, 0, 0, 0, 0, 0, 0, 1 },
		{ 1, AUDIT_ASK_END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
		{ 1, AUDIT_ASK_PUT, 0, 0, 1 },		      /* no number */
		{ 1, AUDIT_ASK_PUT, 0, 0, 0, 0, 0, 0, 1 },    /* no lines */
		{ 1, AUDIT_ASK_PUT, 0, 0, 1, 0, 0x10, 0, 1 }, /* too many */
		{ 1, AUDIT_ASK_PUT, 0, 0, 255, 255, 255, 255, 1 },
	};
	struct audit_remote *r;
	struct fixture f;
	size_t i;
	int fd;

	(void)state;
	begin(&f);
	for (i = 0; i < NELEM(wrong); i++) {
		fd = serve(&f, &r);
		put_all(fd, wrong[i], sizeof(wrong[i]));
		expect_closed(fd);
		close(fd);
		audit_remote_stop(r);
	}
	assert_int_equal(count_records(&f), 0);
	end(&f);
}

static void
refuses_what_is_no_record(void **state)
{
	static const char *const wrong[] = {
		"\n",
		"{}\n",
		LINE "x\n",
		LINE LINE "{}",
		"{\"seq\":1,\"prev\":\"\"}\n",
		"{\"time\":\"2026-11-21T10:00:00.000Z\",\"event\":"
		"\"checkpoint\",\"records\":1}\n",
	};
	struct audit_remote *r, *good;
	struct fixture f;
	struct audit *a;
	size_t i;
	int fd;

	(void)state;
	begin(&f);
	a = open_gate(serve(&f, &good), false);
	for (i = 0; i < NELEM(wrong); i++) {
		fd = serve(&f, &r);
		send_put(fd, 1, (uint32_t)strlen(wrong[i]), span_of(wrong[i]));
		expect_closed(fd);
		close(fd);
		audit_remote_stop(r);
	}
	/* Half a request, and an end. */
	fd = serve(&f, &r);
	send_put(fd, 1, 1000, span_of(LINE));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_closed(fd);
	close(fd);
	audit_remote_stop(r);
	assert_int_equal(count_records(&f), 0);
	write_records(a, 1); /* others are served on */
	assert_true(audit_flush(a, SOON_MS));
	audit_close(a);
	audit_remote_stop(good);
	assert_int_equal(count_records(&f), 1);
	end(&f);
}

/* Who takes no answers makes nothing grow. */
static void
refuses_who_does_not_listen(void **state)
{
	const struct audit_ask ask = { .kind = AUDIT_ASK_TICK };
	uint8_t head[AUDIT_WIRE_ASK];
	struct audit_remote *r;
	struct fixture f;
	int fd, i;

	(void)state;
	begin(&f);
	fd = serve(&f, &r);
	audit_wire_put_ask(head, &ask);
	for (i = 0; i < 1000000 && !audit_remote_ended(r); i++) {
		put_all(fd, head, sizeof(head));
	}
	assert_true(audit_remote_ended(r));
	close(fd);
	audit_remote_stop(r);
	end(&f);
}

static void
a_store_that_is_gone_is_a_failing_sink(void **state)
{
	struct audit_remote *r;
	struct fixture f;
	struct audit *a;
	char why[256];
	int fd, ended;

	(void)state;
	begin(&f);
	fd = serve(&f, &r);
	a = open_gate(fd, true);
	write_records(a, 1);
	assert_true(audit_flush(a, SOON_MS));
	assert_true(audit_permits(a, why, sizeof(why)));
	audit_remote_stop(r);
	write_records(a, 2);
	for (ended = 0; audit_permits(a, why, sizeof(why)); ended++) {
		assert_true(ended < SOON_MS);
		usleep(1000);
	}
	assert_non_null(strstr(why, "is gone"));
	audit_close(a);
	assert_int_equal(count_records(&f), 1);
	end(&f);
}

/* Nobody answers, and then somebody does: nothing is written twice. */
static void
what_was_asked_is_answered_later(void **state)
{
	const struct audit_ask one = { AUDIT_ASK_PUT, 1, span_of(LINE) };
	const struct audit_ask two = { AUDIT_ASK_PUT, 2, span_of(LINE LINE) };
	const struct audit_ask reopen = { .kind = AUDIT_ASK_REOPEN };
	struct audit_remote *r;
	struct audit_said said;
	struct audit_call call;
	struct fixture f;
	int ends[2];

	(void)state;
	begin(&f);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(audit_call_remote(ends[1], &call), ERR_OK);
	call.ask(call.arg, &one, 10, &said);
	assert_int_equal(said.why, AUDIT_SILENT);
	assert_false(said.done);
	call.ask(call.arg, &reopen, 10, &said); /* waits for the other */
	assert_int_equal(said.why, AUDIT_SILENT);
	call.ask(call.arg, &one, 0, &said);
	assert_int_equal(said.why, AUDIT_SILENT);
	assert_int_equal(audit_remote_serve(f.store, ends[0], &r), ERR_OK);
	call.ask(call.arg, &reopen, SOON_MS, &said);
	assert_int_equal(said.why, 0);
	assert_true(said.done);
	call.ask(call.arg, &one, SOON_MS, &said);
	assert_int_equal(said.why, 0);
	assert_true(said.done);
	call.ask(call.arg, &two, SOON_MS, &said);
	assert_true(said.done);
	assert_int_equal(count_records(&f), 3);
	call.end(call.arg);
	audit_remote_stop(r);
	end(&f);
}

/* As exec(2) has it: the socket stays, and another image serves it. */
static void
another_image_goes_on(void **state)
{
	struct audit_remote *r;
	struct fixture f;
	struct audit *a;
	int i, ends[2], kept;

	(void)state;
	begin(&f);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	kept = ends[0];
	a = open_gate(ends[1], false);
	for (i = 0; i < 5; i++) {
		ends[0] = dup(kept);
		assert_int_equal(
		    audit_remote_serve(f.store, ends[0], &r), ERR_OK);
		write_records(a, 300);
		while (!audit_store_suspend(f.store, SOON_MS)) {
		}
		write_records(a, 10);
		assert_false(i == 0 && audit_flush(a, 50));
		audit_remote_stop(r);
		audit_store_drop(f.store);
		open_store(&f);
	}
	assert_int_equal(audit_remote_serve(f.store, kept, &r), ERR_OK);
	assert_true(audit_flush(a, SOON_MS));
	audit_close(a);
	audit_remote_stop(r);
	assert_int_equal(count_records(&f), 5 * 310);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_gates_share_one_chain),
		cmocka_unit_test(takes_the_longest_record),
		cmocka_unit_test(refuses_what_is_no_request),
		cmocka_unit_test(refuses_what_is_no_record),
		cmocka_unit_test(refuses_who_does_not_listen),
		cmocka_unit_test(a_store_that_is_gone_is_a_failing_sink),
		cmocka_unit_test(what_was_asked_is_answered_later),
		cmocka_unit_test(another_image_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
