/* SPDX-License-Identifier: Apache-2.0 */
/* One store and several callers: nothing twice, nothing torn, one chain. */
#include "audit_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "cmd_audit.h"

#define LINE(what)                                                             \
	"{\"time\":\"2026-11-21T10:00:00.000Z\",\"event\":\"lost\","           \
	"\"records\":" what "}\n"

struct fixture {
	char path[64];
	struct audit_store *store;
	struct audit_caller *a, *b;
	struct secret text;
};

static void
limit_files(rlim_t bytes)
{
	struct rlimit less;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &less), 0);
	less.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
}

static void
open_store(struct fixture *f, const char *key)
{
	const struct audit_options opt = { .to = f->path, .key = key };
	struct diag d;

	assert_int_equal(audit_store_open(&opt, &f->store, &d), ERR_OK);
	assert_int_equal(audit_caller_new(f->store, &f->a), ERR_OK);
	assert_int_equal(audit_caller_new(f->store, &f->b), ERR_OK);
}

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	(void)snprintf(f->path, sizeof(f->path), "/tmp/dinv-store-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(rmdir(f->path), 0);
	open_store(f, NULL);
}

static void
close_store(struct fixture *f)
{
	audit_caller_free(f->a);
	audit_store_drop(f->store);
	audit_caller_free(f->b); /* the last who holds it */
}

static void
end(struct fixture *f)
{
	close_store(f);
	secret_fini(&f->text);
	assert_int_equal(unlink(f->path), 0);
}

static struct audit_said
put(struct audit_caller *c, uint64_t number, const char *lines)
{
	const struct audit_ask ask = { AUDIT_ASK_PUT, number, span_of(lines) };
	struct audit_said said;

	audit_caller_ask(c, &ask, &said);
	return said;
}

static struct audit_said
ask(struct audit_caller *c, enum audit_ask_kind kind)
{
	const struct audit_ask what = { .kind = kind };
	struct audit_said said;

	audit_caller_ask(c, &what, &said);
	return said;
}

/* How many lines hold word; all of the file is a chain that holds. */
static size_t
count(struct fixture *f, const char *word)
{
	char name[] = "verify", *argv[] = { name, f->path, NULL };
	size_t n = 0, len = strlen(word);
	const char *p, *stop;

	assert_int_equal(cmd_audit_verify(2, argv), 0);
	secret_fini(&f->text);
	assert_int_equal(secret_read_file(&f->text, f->path, 1u << 20), ERR_OK);
	p = (const char *)f->text.data;
	stop = p + f->text.len;
	while ((p = memmem(p, (size_t)(stop - p), word, len)) != NULL) {
		n++;
		p += len;
	}
	return n;
}

static void
chains_what_callers_put(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_true(put(f.a, 1, LINE("11") LINE("12")).done);
	assert_true(put(f.b, 1, LINE("21")).done);
	assert_true(put(f.a, 2, LINE("13")).done);
	/* An answer that was not heard: asked for again, not written again. */
	assert_true(put(f.a, 2, LINE("13")).done);
	assert_int_equal(count(&f, "\"records\":"), 4);
	assert_int_equal(count(&f, "\"seq\":4,"), 1);
	end(&f);
}

static void
does_not_chain_a_batch_twice(void **state)
{
	struct audit_said said;
	struct fixture f;

	(void)state;
	begin(&f);
	limit_files(100); /* in the middle of the first line */
	said = put(f.a, 7, LINE("11") LINE("12"));
	assert_int_equal(said.why, EFBIG);
	assert_false(said.done);
	assert_int_equal(said.due_s, 0);
	said = put(f.a, 7, LINE("11") LINE("12"));
	assert_int_equal(said.why, EFBIG);
	/* Another's cannot be begun before. */
	said = put(f.b, 3, LINE("21"));
	assert_int_equal(said.why, EFBIG);
	assert_false(said.done);
	assert_int_equal(ask(f.b, AUDIT_ASK_TICK).why, EFBIG);
	limit_files(RLIM_INFINITY);
	/* Who comes first writes it, whosever it is. */
	assert_true(put(f.b, 3, LINE("21")).done);
	assert_true(put(f.a, 7, LINE("11") LINE("12")).done);
	assert_int_equal(count(&f, "\"records\":"), 3);
	assert_int_equal(count(&f, "\"seq\":3,"), 1);
	end(&f);
}

/* A caller that dies leaves a whole line, which others finish. */
static void
finishes_what_the_dead_have_begun(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	limit_files(100);
	assert_false(put(f.a, 1, LINE("11")).done);
	audit_caller_free(f.a);
	f.a = NULL;
	limit_files(RLIM_INFINITY);
	assert_true(ask(f.b, AUDIT_ASK_TICK).done);
	assert_int_equal(count(&f, "\"records\":11"), 1);
	end(&f);
}

static void
signs_at_the_end(void **state)
{
	struct fixture f;
	char key[80];

	(void)state;
	begin(&f);
	close_store(&f);
	(void)snprintf(key, sizeof(key), "%s.key", f.path);
	open_store(&f, key);
	assert_int_equal(ask(f.a, AUDIT_ASK_TICK).due_s, -1);
	assert_in_range(put(f.a, 1, LINE("1")).due_s, 1, 60);
	assert_true(ask(f.a, AUDIT_ASK_TICK).done); /* not yet */
	assert_int_equal(count(&f, "\"checkpoint\""), 0);
	assert_int_equal(ask(f.b, AUDIT_ASK_END).due_s, -1);
	assert_int_equal(count(&f, "\"checkpoint\""), 1);
	assert_true(ask(f.a, AUDIT_ASK_END).done); /* nothing since */
	assert_int_equal(count(&f, "\"checkpoint\""), 1);
	assert_int_equal(unlink(key), 0);
	end(&f);
}

static void
is_suspended_when_all_is_written(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_true(audit_store_suspend(f.store, SOON_MS));
	audit_caller_stop(f.a);
	assert_false(audit_caller_begin(f.a));
	audit_store_resume(f.store);
	assert_true(audit_caller_begin(f.b));
	assert_false(audit_store_suspend(f.store, 10)); /* b is in between */
	audit_caller_end(f.b);
	limit_files(100);
	assert_false(put(f.b, 1, LINE("1")).done);
	assert_false(audit_store_suspend(f.store, 10)); /* b is owed */
	limit_files(RLIM_INFINITY);
	assert_true(ask(f.a, AUDIT_ASK_TICK).done);
	assert_false(audit_store_suspend(f.store, 10)); /* and does not know */
	assert_true(put(f.b, 1, LINE("1")).done);
	assert_true(audit_store_suspend(f.store, SOON_MS));
	assert_int_equal(count(&f, "\"records\":1"), 1);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_what_callers_put),
		cmocka_unit_test(does_not_chain_a_batch_twice),
		cmocka_unit_test(finishes_what_the_dead_have_begun),
		cmocka_unit_test(signs_at_the_end),
		cmocka_unit_test(is_suspended_when_all_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
