/* SPDX-License-Identifier: Apache-2.0 */
/* The way of audit records to their sink: in order, whole, or told missing. */
#include "audit_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* --- many records -------------------------------------------------------- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit less;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &less), 0);
	less.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
}

/* A full disk stops a record in its middle: the rest follows when it can,
 * and nothing is torn or lost. */
static void
goes_on_in_mid_line_after_a_full_disk(void **state)
{
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct json_doc *doc;
	struct log l;
	size_t i;

	(void)state;
	fill_hostile(&who, &why, &e);
	log_begin(&l);
	limit_files(100);
	audit_write(l.audit, &e);
	audit_write(l.audit, &e);
	assert_false(audit_flush(l.audit, 20));
	limit_files(RLIM_INFINITY);
	audit_write(l.audit, &e);
	audit_write(l.audit, &e);
	log_read(&l);
	for (i = 0; i < 4; i++) {
		doc = parse_line(log_line(&l, i));
		expect_span("event", member(doc, "event"), "end");
		json_free(doc);
	}
	assert_null(log_line(&l, i).p);
	log_end(&l);
}

/* What a process that was killed left of a line is ended first. */
static void
begins_a_new_line_after_a_torn_one(void **state)
{
	static const char torn[] = "{\"time\":\"2026-11-21T10:0";
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct json_doc *doc;
	struct diag d;
	struct log l;
	int fd;

	(void)state;
	fill_hostile(&who, &why, &e);
	log_begin(&l);
	audit_write(l.audit, &e);
	audit_close(l.audit);
	fd = open(l.path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, torn, sizeof(torn) - 1), sizeof(torn) - 1);
	close(fd);
	assert_int_equal(open_log(l.path, &l.audit, &d), ERR_OK);
	audit_write(l.audit, &e);
	log_read(&l);
	expect_span("torn", log_line(&l, 1), torn);
	doc = parse_line(log_line(&l, 2));
	json_free(doc);
	assert_null(log_line(&l, 3).p);
	log_end(&l);
}

/* --- a sink that takes nothing ------------------------------------------- */

static struct audit *
open_fifo(const char *path, bool required, int *reader)
{
	const struct audit_options opt = {
		.to = path, .required = required, .queue = { 4u << 20, 100 }
	};
	struct audit *a = NULL;
	struct diag d = { 0, 0, "" };

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_both(&opt, &a, &d), ERR_IO);
	assert_non_null(strstr(d.text, "nobody reads"));
	*reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(*reader != -1);
	assert_int_equal(open_both(&opt, &a, &d), ERR_OK);
	return a;
}

/* The sum of what "lost" records tell, and how many of these there are. */
static uint64_t
sum_lost(const struct buf *text, uint64_t *n)
{
	static const char word[] = "\"event\":\"lost\",\"records\":";
	const char *p = (const char *)text->data, *end = p + text->len;
	uint64_t sum = 0;

	*n = 0;
	while (text->len > 0 && (p = memmem(p, (size_t)(end - p), word,
				     sizeof(word) - 1)) != NULL) {
		p += sizeof(word) - 1;
		if (memchr(p, '\n', (size_t)(end - p)) == NULL) {
			break; /* the rest of it is still to come */
		}
		sum += strtoull(p, NULL, 10);
		++*n;
	}
	return sum;
}

/* Everything that comes, until so many are told of; how many tell it. */
static uint64_t
read_fifo(int reader, struct buf *text, uint64_t lost)
{
	uint64_t told;
	uint8_t *to;
	ssize_t n;
	int i;

	for (i = 0; i < SOON_MS; i++) {
		to = buf_reserve(text, 65536);
		assert_non_null(to);
		n = read(reader, to, 65536);
		buf_commit(text, n > 0 ? (size_t)n : 0);
		if (sum_lost(text, &told) == lost) {
			return told;
		}
		usleep(n > 0 ? 0 : 1000);
	}
	fail_msg("the records that are missing were not told");
	return 0;
}

static void
tells_how_many_records_are_missing(void **state)
{
	char path[] = "/tmp/dinv-audit-fifo-XXXXXX", why[256] = "";
	uint64_t written, lost = 0, queued = 0, told;
	struct principal who;
	struct policy_why wh;
	struct audit_event e;
	struct audit *a;
	struct buf text;
	int reader, i;

	(void)state;
	fill_hostile(&who, &wh, &e);
	buf_init(&text, 64u << 20);
	assert_non_null(mkdtemp(path));
	assert_int_equal(rmdir(path), 0);
	a = open_fifo(path, true, &reader);
	assert_true(audit_permits(a, why, sizeof(why)));
	for (i = 0; i < 1000000 && lost < 7; i++) { /* nobody reads */
		audit_write(a, &e);
		audit_counts(a, &written, &lost, &queued);
	}
	assert_int_equal(lost, 7);
	assert_true(queued > 0);
	assert_false(audit_permits(a, why, sizeof(why)));
	assert_non_null(strstr(why, "record"));
	/* In one record or in several: the writer may get a line out. */
	told = read_fifo(reader, &text, lost);
	assert_true(audit_flush(a, SOON_MS));
	assert_true(audit_permits(a, why, sizeof(why)));
	audit_counts(a, &written, &lost, &queued);
	assert_int_equal(queued, 0);
	assert_int_equal(
	    written, (uint64_t)i - lost + told); /* and those that tell */
	audit_close(a);
	close(reader);
	buf_fini(&text);
	assert_int_equal(unlink(path), 0);
}

/* Best effort refuses nothing, and ends although nobody reads. */
static void
best_effort_refuses_nothing(void **state)
{
	char path[] = "/tmp/dinv-audit-fifo-XXXXXX", why[256] = "";
	struct principal who;
	struct policy_why wh;
	struct audit_event e;
	struct audit *a;
	int reader, i;

	(void)state;
	fill_hostile(&who, &wh, &e);
	assert_non_null(mkdtemp(path));
	assert_int_equal(rmdir(path), 0);
	a = open_fifo(path, false, &reader);
	for (i = 0; i < 300; i++) {
		audit_write(a, &e);
	}
	assert_true(audit_permits(a, why, sizeof(why)));
	audit_close(a);
	close(reader);
	assert_int_equal(unlink(path), 0);
}

/* Who moved the file away finds all that was queued in the old one. */
static void
reopens_behind_what_was_queued(void **state)
{
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct log l, old;
	char moved[80];
	int i;

	(void)state;
	fill_hostile(&who, &why, &e);
	log_begin(&l);
	for (i = 0; i < 50; i++) {
		audit_write(l.audit, &e);
	}
	(void)snprintf(moved, sizeof(moved), "%s.1", l.path);
	assert_int_equal(rename(l.path, moved), 0);
	audit_reopen(l.audit);
	assert_true(audit_flush(l.audit, SOON_MS));
	audit_write(l.audit, &e);
	log_read(&l);
	assert_non_null(log_line(&l, 0).p);
	assert_null(log_line(&l, 1).p);
	old = l;
	(void)snprintf(old.path, sizeof(old.path), "%.60s.1", l.path);
	old.text = (struct secret){ NULL, 0 };
	log_read(&old);
	assert_non_null(log_line(&old, 49).p);
	assert_null(log_line(&old, 50).p);
	secret_fini(&old.text);
	assert_int_equal(unlink(moved), 0);
	log_end(&l);
}

/* --- threads ------------------------------------------------------------- */

static void *
write_many(void *arg)
{
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	int i;

	fill_hostile(&who, &why, &e);
	for (i = 0; i < 200; i++) {
		audit_write(arg, &e);
	}
	return NULL;
}

static void
keeps_lines_of_threads_apart(void **state)
{
	struct json_doc *doc;
	pthread_t thread[4];
	struct log l;
	size_t i;

	(void)state;
	log_begin(&l);
	for (i = 0; i < NELEM(thread); i++) {
		assert_int_equal(
		    pthread_create(&thread[i], NULL, write_many, l.audit), 0);
	}
	for (i = 0; i < NELEM(thread); i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	}
	log_read(&l);
	for (i = 0; i < 200 * NELEM(thread); i++) {
		doc = parse_line(log_line(&l, i));
		json_free(doc);
	}
	assert_null(log_line(&l, i).p);
	log_end(&l);
}

static void
appends_to_what_is_there(void **state)
{
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct diag d;
	struct log l;
	int i;

	(void)state;
	fill_hostile(&who, &why, &e);
	log_begin(&l);
	for (i = 0; i < 3; i++) {
		audit_write(l.audit, &e);
		audit_close(l.audit);
		assert_int_equal(open_log(l.path, &l.audit, &d), ERR_OK);
	}
	log_read(&l);
	assert_non_null(log_line(&l, 2).p);
	assert_null(log_line(&l, 3).p);
	log_end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_in_mid_line_after_a_full_disk),
		cmocka_unit_test(begins_a_new_line_after_a_torn_one),
		cmocka_unit_test(tells_how_many_records_are_missing),
		cmocka_unit_test(best_effort_refuses_nothing),
		cmocka_unit_test(reopens_behind_what_was_queued),
		cmocka_unit_test(keeps_lines_of_threads_apart),
		cmocka_unit_test(appends_to_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
