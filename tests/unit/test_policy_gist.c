/* SPDX-License-Identifier: Apache-2.0 */
/* What of a body goes on record with every decision. */
#include "unit.h"

#include "gist.h"

static void
what_rules_look_at_is_told(void **state)
{
	static const struct {
		const char *body, *gist;
	} t[] = {
		{ "", "" },
		{ "{}", "" },
		{ "[1]", "" },
		{ "{\"Env\":[\"A=b\"],\"Labels\":{\"Image\":\"x\"}}", "" },
		{ "{\"Image\":\"\",\"Cmd\":[],\"HostConfig\":{\"Privileged\":"
		  "false,\"Memory\":0,\"Binds\":null,\"PortBindings\":{}}}",
		    "" },
		{ "{\"Image\":\"busybox\",\"Env\":[\"A=b\"],\"HostConfig\":{"
		  "\"Privileged\":true,\"Binds\":[\"/:/h\"],\"Dns\":[\"x\"],"
		  "\"Memory\":9007199254740993}}",
		    "{\"Image\":\"busybox\",\"HostConfig\":{\"Privileged\":"
		    "true,\"Binds\":[\"/:/h\"],\"Memory\":9007199254740993}}" },
		{ "{\"image\":\"a\",\"hostconfig\":{\"pidmode\":\"host\"}}",
		    "{\"image\":\"a\",\"hostconfig\":{\"pidmode\":\"host\"}}" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostIp\":"
		  "\"\",\"HostPort\":\"8080\"}]},\"Mounts\":[{\"Type\":"
		  "\"bind\",\"Source\":\"/a\",\"Labels\":{\"x\":\"y\"}}]}}",
		    "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{"
		    "\"HostPort\":\"8080\"}]},\"Mounts\":[{\"Type\":\"bind\","
		    "\"Source\":\"/a\"}]}}" },
		{ "{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"a\","
		  "\"Secrets\":[{\"Name\":\"s\"}]}}}",
		    "{\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":"
		    "\"a\"}}}" },
	};
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(t); i++) {
		buf_init(&out, 4096);
		expect_err(
		    t[i].body, gist_write(span_of(t[i].body), &out), ERR_OK);
		if (!span_is(buf_span(&out), t[i].gist)) {
			fail_msg(
			    "%s: %.*s", t[i].body, SPAN_ARG(buf_span(&out)));
		}
		buf_fini(&out);
	}
}

static void
what_is_no_json_tells_nothing(void **state)
{
	static const char *const bad[] = { "{", "x", "{\"Image\":\"a\"}x",
		"{\"Image\":\"a\",\"Image\":\"b\"}" };
	struct buf out;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(bad); i++) {
		buf_init(&out, 4096);
		assert_int_not_equal(gist_write(span_of(bad[i]), &out), ERR_OK);
		assert_int_equal(out.len, 0);
		buf_fini(&out);
	}
	buf_init(&out, 10);
	assert_int_equal(
	    gist_write(span_of("{\"Image\":\"0123456789\"}"), &out), ERR_LIMIT);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rules_look_at_is_told),
		cmocka_unit_test(what_is_no_json_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
