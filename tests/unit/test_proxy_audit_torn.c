/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that a full disk or a kill has torn, and the chain over them. */
#include "audit_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "audit_rotate.h"
#include "cmd_audit.h"

static void
limit_files(rlim_t bytes)
{
	struct rlimit less;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &less), 0);
	less.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
}

static int
verify(char *older, char *newer)
{
	char name[] = "verify";
	char *argv[] = { name, older, newer, NULL };

	return cmd_audit_verify(newer == NULL ? 2 : 3, argv);
}

static void
write_records(struct log *l, unsigned n)
{
	struct principal who;
	struct policy_why why;
	struct audit_event e;

	fill_hostile(&who, &why, &e);
	while (n-- > 0) {
		audit_write(l->audit, &e);
	}
}

static void
begin_again(struct log *l)
{
	struct diag d;

	assert_int_equal(open_log(l->path, &l->audit, &d), ERR_OK);
}

static off_t
size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* A disk that is full stops a record after `bytes` of it, and the gate. */
static void
tear(struct log *l, off_t bytes)
{
	limit_files((rlim_t)(size_of(l->path) + bytes));
	write_records(l, 1);
	audit_close(l->audit);
	limit_files(RLIM_INFINITY);
}

static void
goes_on_in_mid_line_after_a_reopen(void **state)
{
	struct log l;

	(void)state;
	log_begin(&l);
	limit_files(300);
	write_records(&l, 2);
	assert_false(audit_flush(l.audit, 20));
	audit_reopen(l.audit); /* and nobody has moved the file away */
	assert_false(audit_flush(l.audit, 20));
	limit_files(RLIM_INFINITY);
	write_records(&l, 2);
	log_read(&l);
	assert_non_null(log_line(&l, 3).p);
	assert_null(log_line(&l, 4).p);
	assert_int_equal(verify(l.path, NULL), 0);
	log_end(&l);
}

/* logrotate's copytruncate: what was begun of a line is not there. */
static void
begins_a_line_anew_in_an_emptied_file(void **state)
{
	struct log l;

	(void)state;
	log_begin(&l);
	limit_files(300);
	write_records(&l, 1);
	assert_false(audit_flush(l.audit, 20));
	assert_int_equal(truncate(l.path, 0), 0);
	limit_files(0);
	audit_reopen(l.audit);
	assert_false(audit_flush(l.audit, 20));
	limit_files(RLIM_INFINITY);
	log_read(&l);
	json_free(parse_line(log_line(&l, 0)));
	log_end(&l);
}

/* Of standard output nobody has another: nothing of a line comes twice. */
static void
goes_on_in_mid_line_of_a_pipe(void **state)
{
	static char got[1 << 20];
	const struct audit_options opt = {
		.to = "-", .required = true, .queue = queue_size
	};
	char why[256];
	struct log l = { "", NULL, { NULL, 0 } };
	struct diag d;
	int out = dup(STDOUT_FILENO), ends[2], i;
	size_t len = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
	assert_int_equal(fflush(stdout), 0);
	assert_true(dup2(ends[1], STDOUT_FILENO) != -1);
	close(ends[1]);
	assert_int_equal(open_both(&opt, &l.audit, &d), ERR_OK);
	write_records(&l, 20);
	while (audit_permits(l.audit, why, sizeof(why))) {
		usleep(1000); /* until it finds that nobody reads */
	}
	for (i = 0; i < 3; i++) {
		audit_reopen(l.audit);
		(void)!audit_flush(l.audit, 300);
	}
	while (
	    len < sizeof(got) && memmem(got, len, "\"seq\":20,", 9) == NULL) {
		n = read(ends[0], got + len, sizeof(got) - len);
		assert_true(n > 0);
		len += (size_t)n;
	}
	audit_close(l.audit);
	assert_true(dup2(out, STDOUT_FILENO) != -1);
	close(out);
	for (n = 0, i = 0; (size_t)n + 7 < len; n++) {
		i += memcmp(got + n, "{\"seq\":", 7) == 0;
	}
	close(ends[0]);
	assert_int_equal(i, 20);
}

static void
goes_on_behind_what_is_torn_after_a_rotation(void **state)
{
	struct log l;
	char moved[128];

	(void)state;
	log_begin(&l);
	write_records(&l, 3);
	log_read(&l);
	audit_close(l.audit);
	(void)snprintf(moved, sizeof(moved), "%s.20261121T081500.123Z", l.path);
	assert_int_equal(rename(l.path, moved), 0);
	begin_again(&l);
	tear(&l, 200);
	assert_int_equal(size_of(l.path), 200);
	begin_again(&l);
	write_records(&l, 3);
	log_read(&l);
	assert_int_equal(verify(moved, l.path), 0);
	assert_int_equal(verify(l.path, NULL), 0);
	assert_int_equal(unlink(moved), 0);
	log_end(&l);
}

static void
goes_on_behind_a_torn_first_line(void **state)
{
	struct log l;

	(void)state;
	log_begin(&l);
	tear(&l, 50);
	begin_again(&l);
	tear(&l, 300);
	assert_int_equal(verify(l.path, NULL), 1); /* it holds no record */
	begin_again(&l);
	write_records(&l, 3);
	log_read(&l);
	assert_int_equal(verify(l.path, NULL), 0);
	log_end(&l);
}

/* A tear is no place to change what stands before it. */
static void
a_change_before_a_torn_line_shows(void **state)
{
	struct log l;
	char *at;
	int fd;

	(void)state;
	log_begin(&l);
	write_records(&l, 3);
	assert_true(audit_flush(l.audit, SOON_MS));
	tear(&l, 200);
	begin_again(&l);
	write_records(&l, 3);
	log_read(&l);
	assert_int_equal(verify(l.path, NULL), 0);
	at = memmem(log_line(&l, 2).p, log_line(&l, 2).len, "\"event\"", 7);
	assert_non_null(at);
	fd = open(l.path, O_WRONLY);
	assert_int_equal(
	    pwrite(fd, "\"EVENT\"", 7, at - (char *)l.text.data), 7);
	close(fd);
	assert_int_equal(verify(l.path, NULL), 1);
	log_end(&l);
}

/* A clock that was set back: what is moved away last is still the newest. */
static void
is_moved_behind_the_newest(void **state)
{
	struct log l;
	char later[128], moved[128], want[128];
	struct diag d;
	int fd;

	(void)state;
	log_begin(&l);
	(void)snprintf(
	    later, sizeof(later), "%s.20991231T235959.999Z.gz", l.path);
	(void)snprintf(want, sizeof(want), "%s.21000101T000000.000Z", l.path);
	fd = open(later, O_WRONLY | O_CREAT, 0600);
	assert_true(fd != -1);
	close(fd);
	assert_int_equal(
	    audit_rotate_move(l.path, moved, sizeof(moved), &d), ERR_OK);
	assert_string_equal(moved, want);
	audit_rotate_prune(l.path, 1);
	assert_int_equal(access(later, F_OK), -1);
	assert_int_equal(rename(moved, l.path), 0);
	log_end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_in_mid_line_after_a_reopen),
		cmocka_unit_test(begins_a_line_anew_in_an_emptied_file),
		cmocka_unit_test(goes_on_in_mid_line_of_a_pipe),
		cmocka_unit_test(goes_on_behind_what_is_torn_after_a_rotation),
		cmocka_unit_test(goes_on_behind_a_torn_first_line),
		cmocka_unit_test(a_change_before_a_torn_line_shows),
		cmocka_unit_test(is_moved_behind_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
