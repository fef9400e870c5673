/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records: what peers send cannot forge, hide or tear one. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "base/secret.h"
#include "policy/json.h"

/* Ends a line, ends a string, ends UTF-8, ends a terminal. */
#define HOSTILE "\"}\n{\"event\":\"end\"}\r\n\\\x1b[2J\xff\xc3\xe2\x80\xa8"

struct log {
	char path[64];
	struct audit *audit;
	struct secret text;
};

static void
log_begin(struct log *l)
{
	struct diag d;

	memset(l, 0, sizeof(*l));
	(void)snprintf(l->path, sizeof(l->path), "/tmp/dinv-audit-XXXXXX");
	assert_non_null(mkdtemp(l->path));
	assert_int_equal(rmdir(l->path), 0);
	assert_int_equal(audit_open(l->path, &l->audit, &d), ERR_OK);
}

static void
log_read(struct log *l)
{
	secret_fini(&l->text);
	assert_int_equal(
	    secret_read_file(&l->text, l->path, 64u << 20), ERR_OK);
}

static void
log_end(struct log *l)
{
	audit_close(l->audit);
	secret_fini(&l->text);
	assert_int_equal(unlink(l->path), 0);
}

/* Line n (from 0) of what was read, without its LF; {NULL, 0} past the end. */
static struct span
log_line(const struct log *l, size_t n)
{
	const char *p = (const char *)l->text.data, *lf;
	size_t left = l->text.len;

	for (;;) {
		lf = left == 0 ? NULL : memchr(p, '\n', left);
		if (lf == NULL) {
			return span_make(NULL, 0);
		}
		if (n-- == 0) {
			return span_make(p, (size_t)(lf - p));
		}
		left -= (size_t)(lf - p) + 1;
		p = lf + 1;
	}
}

static struct json_doc *
parse_line(struct span line)
{
	struct json_doc *doc = NULL;
	struct diag d = { 0, 0, "" };

	assert_non_null(line.p);
	if (json_parse(line, JSON_STRICT, &doc, &d) != ERR_OK) {
		fail_msg("not JSON: %s: %.*s", d.text, SPAN_ARG(line));
	}
	return doc;
}

static struct span
member(const struct json_doc *doc, const char *key)
{
	const struct json_node *v = json_get(json_root(doc), key);

	if (v == NULL || json_type(v) != JSON_STRING) {
		fail_msg("%s is not a string", key);
	}
	return json_string(v);
}

static uint64_t
number(const struct json_doc *doc, const char *key)
{
	const struct json_node *v = json_get(json_root(doc), key);
	int64_t n = 0;

	if (v == NULL || json_int(v, &n) != ERR_OK) {
		fail_msg("%s is not a number", key);
	}
	return (uint64_t)n;
}

/* --- refusals ------------------------------------------------------------ */

static void
refuses_files_it_cannot_write(void **state)
{
	struct audit *a = NULL;
	struct diag d = { 0, 0, "" };

	(void)state;
	assert_int_equal(audit_open("/nonexistent/audit", &a, &d), ERR_IO);
	assert_non_null(strstr(d.text, "/nonexistent/audit"));
	assert_int_equal(audit_open("/tmp", &a, &d), ERR_IO);
	assert_null(a);
	audit_close(NULL);
}

static void
creates_its_file_for_the_owner_alone(void **state)
{
	mode_t mask = umask(0);
	struct stat st;
	struct log l;

	(void)state;
	log_begin(&l);
	assert_int_equal(stat(l.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	log_end(&l);
	(void)umask(mask);
}

/* --- one record ---------------------------------------------------------- */

static void
fill_hostile(
    struct principal *who, struct policy_why *why, struct audit_event *e)
{
	size_t i;

	memset(who, 0, sizeof(*who));
	who->kind = PRINCIPAL_LOCAL;
	who->cn = span_of(HOSTILE);
	for (i = 0; i < PRINCIPAL_MAX_NAMES; i++) {
		who->o.name[i] = who->ou.name[i] = span_of(HOSTILE);
	}
	who->o.n = who->ou.n = PRINCIPAL_MAX_NAMES;
	(void)snprintf(who->serial, sizeof(who->serial), "%s", HOSTILE);
	(void)snprintf(
	    who->fingerprint, sizeof(who->fingerprint), "%s", HOSTILE);
	(void)snprintf(who->addr, sizeof(who->addr), "%s", HOSTILE);
	memset(why, 0, sizeof(*why));
	why->role = why->rule = HOSTILE;
	why->line = 12;
	(void)snprintf(why->path, sizeof(why->path), "%s", HOSTILE);
	*e = (struct audit_event){
		.kind = AUDIT_END,
		.id = HOSTILE,
		.who = who,
		.tls = HOSTILE,
		.method = METHOD_DELETE,
		.path = span_of(HOSTILE),
		.object = span_of(HOSTILE),
		.decision = HOSTILE,
		.why = why,
		.status = 403,
		.client_bytes = UINT64_MAX / 2,
		.ended = HOSTILE,
		.reason = HOSTILE,
	};
}

static void
is_one_line_of_json_whatever_peers_send(void **state)
{
	static const enum audit_kind kinds[] = { AUDIT_HANDSHAKE,
		AUDIT_DECISION, AUDIT_END };
	static const char *const names[] = { "handshake", "decision", "end" };
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct json_doc *doc;
	struct log l;
	size_t i;

	(void)state;
	fill_hostile(&who, &why, &e);
	log_begin(&l);
	for (i = 0; i < NELEM(kinds); i++) {
		e.kind = kinds[i];
		audit_write(l.audit, &e);
	}
	log_read(&l);
	for (i = 0; i < NELEM(kinds); i++) {
		doc = parse_line(log_line(&l, i));
		expect_span("event", member(doc, "event"), names[i]);
		json_free(doc);
	}
	assert_null(log_line(&l, NELEM(kinds)).p);
	log_end(&l);
}

static void
says_who_what_and_how_it_ended(void **state)
{
	struct principal who = { .kind = PRINCIPAL_CERT,
		.cn = { "laptop-7", 8 },
		.serial = "0a1b",
		.addr = "192.0.2.1:5" };
	struct policy_why why = { .role = "dev",
		.rule = "privileged",
		.path = "HostConfig.Privileged",
		.line = 9 };
	struct audit_event e = { .kind = AUDIT_END,
		.id = "1-0-1",
		.who = &who,
		.tls = "TLSv1.3",
		.method = METHOD_POST,
		.path = { "/containers/a/start", 19 },
		.object = { "a", 1 },
		.decision = "deny",
		.why = &why,
		.status = 403,
		.client_bytes = 1,
		.daemon_bytes = 2,
		.duration_ms = 3,
		.ended = "refused" };
	const struct json_node *client;
	struct json_doc *doc;
	struct log l;

	(void)state;
	who.ou.name[0] = span_of("team-a");
	who.ou.n = 1;
	log_begin(&l);
	audit_write(l.audit, &e);
	audit_write(NULL, &e);
	log_read(&l);
	doc = parse_line(log_line(&l, 0));
	assert_int_equal(
	    member(doc, "time").len, strlen("2026-11-21T10:00:00.000Z"));
	expect_span("id", member(doc, "id"), "1-0-1");
	expect_span("method", member(doc, "method"), "POST");
	expect_span("path", member(doc, "path"), "/containers/a/start");
	expect_span("op", member(doc, "op"), "");
	expect_span("object", member(doc, "object"), "a");
	expect_span("decision", member(doc, "decision"), "deny");
	expect_span("role", member(doc, "role"), "dev");
	expect_span("rule", member(doc, "rule"), "privileged");
	expect_span(
	    "json_path", member(doc, "json_path"), "HostConfig.Privileged");
	expect_span("ended", member(doc, "ended"), "refused");
	assert_int_equal(number(doc, "policy_line"), 9);
	assert_int_equal(number(doc, "status"), 403);
	assert_int_equal(number(doc, "client_bytes"), 1);
	assert_int_equal(number(doc, "daemon_bytes"), 2);
	assert_int_equal(number(doc, "duration_ms"), 3);
	client = json_get(json_root(doc), "client");
	expect_span(
	    "kind", json_string(json_get(client, "kind")), "certificate");
	expect_span("cn", json_string(json_get(client, "cn")), "laptop-7");
	expect_span(
	    "ou", json_string(json_first(json_get(client, "ou"))), "team-a");
	assert_null(json_get(client, "uid"));
	json_free(doc);
	log_end(&l);
}

/* A client that asks for long enough a path must not go unrecorded. */
static void
keeps_the_longest_request(void **state)
{
	static char path[64u << 10];
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct json_doc *doc;
	struct log l;

	(void)state;
	fill_hostile(&who, &why, &e);
	memset(path, '"', sizeof(path));
	path[0] = '/';
	e.path = span_make(path, sizeof(path));
	e.object = span_make(path + 1, sizeof(path) - 1);
	log_begin(&l);
	audit_write(l.audit, &e);
	log_read(&l);
	doc = parse_line(log_line(&l, 0));
	assert_true(span_eq(member(doc, "path"), e.path));
	assert_true(span_eq(member(doc, "object"), e.object));
	json_free(doc);
	log_end(&l);
}

/* --- many records -------------------------------------------------------- */

/* A full disk may tear one record, and not the next one too. */
static void
begins_a_new_line_after_a_torn_one(void **state)
{
	struct rlimit most, less;
	struct principal who;
	struct policy_why why;
	struct audit_event e;
	struct json_doc *doc;
	struct log l;

	(void)state;
	fill_hostile(&who, &why, &e);
	log_begin(&l);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &most), 0);
	less = most;
	less.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
	audit_write(l.audit, &e);
	audit_write(l.audit, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &most), 0);
	audit_write(l.audit, &e);
	audit_write(l.audit, &e);
	log_read(&l);
	assert_int_equal(log_line(&l, 0).len, 100);
	doc = parse_line(log_line(&l, 1));
	json_free(doc);
	doc = parse_line(log_line(&l, 2));
	json_free(doc);
	assert_null(log_line(&l, 3).p);
	log_end(&l);
}

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
		assert_int_equal(audit_open(l.path, &l.audit, &d), ERR_OK);
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
		cmocka_unit_test(refuses_files_it_cannot_write),
		cmocka_unit_test(creates_its_file_for_the_owner_alone),
		cmocka_unit_test(is_one_line_of_json_whatever_peers_send),
		cmocka_unit_test(says_who_what_and_how_it_ended),
		cmocka_unit_test(keeps_the_longest_request),
		cmocka_unit_test(begins_a_new_line_after_a_torn_one),
		cmocka_unit_test(keeps_lines_of_threads_apart),
		cmocka_unit_test(appends_to_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
