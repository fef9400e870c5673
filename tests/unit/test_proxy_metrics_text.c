/* SPDX-License-Identifier: Apache-2.0 */
/* The text format: names that want to break out of it first. */
#include "unit.h"

#include "metrics_text.h"

#define TEXT_BYTES (1u << 20)

/* All that was written, ended by NUL. */
static const char *
written(struct buf *b)
{
	assert_int_equal(buf_append(b, "", 1), ERR_OK);
	return buf_span(b).p;
}

static void
expect_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (at == NULL || (at != text && at[-1] != '\n')) {
		fail_msg("no line \"%s\" in:\n%s", line, text);
	}
}

static void
labels_cannot_break_out(void **state)
{
	static const struct {
		const char *label, *line;
	} cases[] = {
		{ "plain", "x{l=\"plain\"} 1\n" },
		{ "", "x{l=\"\"} 1\n" },
		{ "a\"} 9\nx{l=\"b", "x{l=\"a\\\"} 9\\nx{l=\\\"b\"} 1\n" },
		{ "\\", "x{l=\"\\\\\"} 1\n" },
		{ "\\n", "x{l=\"\\\\n\"} 1\n" },
		{ "\xc3\xa4", "x{l=\"\xc3\xa4\"} 1\n" },
	};
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		struct metrics_text t = { &b, ERR_OK };

		buf_init(&b, TEXT_BYTES);
		metrics_text_value(&t, "x", "l", cases[i].label, 1);
		assert_int_equal(t.err, ERR_OK);
		assert_string_equal(written(&b), cases[i].line);
		buf_fini(&b);
	}
}

static void
seconds_are_exact(void **state)
{
	static const struct {
		uint64_t ns;
		const char *line;
	} cases[] = {
		{ 0, "\nx 0\n" },
		{ 1, "\nx 0.000000001\n" },
		{ 2500, "\nx 0.0000025\n" },
		{ 1000000000, "\nx 1\n" },
		{ 10000000000, "\nx 10\n" },
		{ 1500000000, "\nx 1.5\n" },
		{ UINT64_MAX, "\nx 18446744073.709551615\n" },
	};
	struct buf b;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(cases); i++) {
		struct metrics_text t = { &b, ERR_OK };

		buf_init(&b, TEXT_BYTES);
		metrics_text_seconds(&t, "x", "gauge", "Help.", cases[i].ns);
		assert_int_equal(t.err, ERR_OK);
		assert_non_null(strstr(written(&b), cases[i].line));
		buf_fini(&b);
	}
}

static void
a_full_buffer_is_an_error(void **state)
{
	struct metrics *m = metrics_new();
	struct buf b;
	size_t max;

	(void)state;
	assert_non_null(m);
	for (max = 0; max < 8192; max += 61) {
		struct metrics_text t = { &b, ERR_OK };

		buf_init(&b, max);
		metrics_text_counts(&t, m);
		assert_int_equal(t.err, ERR_LIMIT);
		buf_fini(&b);
	}
	metrics_free(m);
}

static void
counts_stand_where_they_belong(void **state)
{
	struct metrics *m = metrics_new();
	struct buf b;
	struct metrics_text t = { &b, ERR_OK };
	const char *text;
	unsigned slot;

	(void)state;
	assert_non_null(m);
	metrics_request(
	    m, ops_by_name(span_of("ContainerCreate")), METRICS_DENY, 403);
	metrics_request(m, NULL, METRICS_ERROR, 0);
	metrics_refusal(m, "privileged");
	metrics_refusal(m, "nonsense");
	metrics_time(m, METRICS_POLICY, 1500);
	metrics_time(m, METRICS_POLICY, 99000000000u);
	slot = metrics_role_slot(m, "ci \"x\"");
	metrics_add(&m->role[slot].streams, 3);
	metrics_add(&m->bytes[METRICS_TO_DOCKERD], 4);
	metrics_add(&m->handshakes_failed[TLS_FAILED_EXPIRED], 5);
	buf_init(&b, TEXT_BYTES);
	metrics_text_counts(&t, m);
	assert_int_equal(t.err, ERR_OK);
	text = written(&b);
	expect_line(text, "dinv_requests_total{operation=\"ContainerCreate\","
			  "decision=\"deny\",class=\"4xx\"} 1\n");
	expect_line(text,
	    "dinv_requests_total{operation=\"unknown\",decision=\"error\","
	    "class=\"none\"} 1\n");
	expect_line(text, "dinv_refusals_total{rule=\"privileged\"} 1\n");
	expect_line(text, "dinv_refusals_total{rule=\"protocol\"} 1\n");
	expect_line(text, "dinv_refusals_total{rule=\"devices\"} 0\n");
	expect_line(text,
	    "dinv_policy_decision_duration_seconds_bucket{le=\"0.000001\"} "
	    "0\n");
	expect_line(text,
	    "dinv_policy_decision_duration_seconds_bucket{le=\"0.0000025\"} "
	    "1\n");
	expect_line(
	    text, "dinv_policy_decision_duration_seconds_bucket{le=\"1\"} 1\n");
	expect_line(text,
	    "dinv_policy_decision_duration_seconds_bucket{le=\"+Inf\"} 2\n");
	expect_line(
	    text, "dinv_policy_decision_duration_seconds_sum 99.0000015\n");
	expect_line(text, "dinv_policy_decision_duration_seconds_count 2\n");
	expect_line(text, "dinv_streams_open{role=\"ci \\\"x\\\"\"} 3\n");
	expect_line(text, "dinv_transferred_bytes_total{peer=\"dockerd\","
			  "direction=\"sent\"} 4\n");
	expect_line(
	    text, "dinv_handshake_failures_total{reason=\"expired\"} 5\n");
	buf_fini(&b);
	metrics_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_cannot_break_out),
		cmocka_unit_test(seconds_are_exact),
		cmocka_unit_test(a_full_buffer_is_an_error),
		cmocka_unit_test(counts_stand_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
