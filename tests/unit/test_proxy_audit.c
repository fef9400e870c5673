/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records: what peers send cannot forge, hide or tear one. */
#include "audit_fixture.h"

#include <sys/stat.h>

/* --- refusals ------------------------------------------------------------ */

static void
refuses_files_it_cannot_write(void **state)
{
	struct audit *a = NULL;
	struct diag d = { 0, 0, "" };

	(void)state;
	assert_int_equal(open_log("/nonexistent/audit", &a, &d), ERR_IO);
	assert_non_null(strstr(d.text, "/nonexistent/audit"));
	assert_int_equal(open_log("/tmp", &a, &d), ERR_IO);
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
		.notes = "Foo unjudged",
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
	expect_span("notes", member(doc, "notes"), "Foo unjudged");
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_files_it_cannot_write),
		cmocka_unit_test(creates_its_file_for_the_owner_alone),
		cmocka_unit_test(is_one_line_of_json_whatever_peers_send),
		cmocka_unit_test(says_who_what_and_how_it_ended),
		cmocka_unit_test(keeps_the_longest_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
