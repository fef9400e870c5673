/* SPDX-License-Identifier: Apache-2.0 */
/* policy/request.c: targets that are refused, then what is written anew. */
#include "unit.h"

#include "ops.h"
#include "request.h"

#define ARENA_MAX ((size_t)4 * 1024 * 1024)

static const struct {
	const char *target;
	enum err want;
} refused[] = {
	{ "", ERR_TARGET },
	{ "*", ERR_TARGET },
	{ "/", ERR_TARGET },
	{ "/?x=1", ERR_TARGET },
	{ "info", ERR_TARGET },
	{ "http://h/info", ERR_TARGET },
	{ "unix:///info", ERR_TARGET },
	{ "foo:/info", ERR_TARGET },
	{ "//info", ERR_TARGET },
	{ "/info/", ERR_TARGET },
	{ "/networks/", ERR_TARGET },
	{ "/v1.41//info", ERR_TARGET },
	{ "/v1.41/./info", ERR_TARGET },
	{ "/v1.41/x/../info", ERR_TARGET },
	{ "/v1.41/%2e/info", ERR_TARGET },
	{ "/v1.41/%2E%2e/info", ERR_TARGET },
	{ "/v1.41/.%2e/info", ERR_TARGET },
	{ "/v1.41/%2f/info", ERR_TARGET },
	{ "/v1.41/info%2f", ERR_TARGET },
	{ "/v1.41%2f%2finfo", ERR_TARGET },
	{ "/info#x", ERR_TARGET },
	{ "/info?a=b#x", ERR_TARGET },
	{ "/in fo", ERR_TARGET },
	{ "/info\t", ERR_TARGET },
	{ "/info\r\nX: y", ERR_TARGET },
	{ "/inf\xc3\xb6", ERR_TARGET },
	{ "/info\x7f", ERR_TARGET },
	{ "/info%", ERR_TARGET },
	{ "/info%4", ERR_TARGET },
	{ "/info%zz", ERR_TARGET },
	{ "/info%00", ERR_TARGET },
	{ "/info%0a", ERR_TARGET },
	{ "/containers/x%0d%0a/json", ERR_TARGET },
	{ "/info%7f", ERR_TARGET },
	{ "/info%ff", ERR_TARGET },
	{ "/info%c0%af", ERR_TARGET },
	/* versions: what matches dockerd's /v[0-9.]+/ must be exact */
	{ "/v1.41", ERR_TARGET },
	{ "/v1.23/info", ERR_TARGET_VERSION },
	{ "/v1.12/info", ERR_TARGET_VERSION },
	{ "/v1.0/info", ERR_TARGET_VERSION },
	{ "/v1/info", ERR_TARGET_VERSION },
	{ "/v1./info", ERR_TARGET_VERSION },
	{ "/v./info", ERR_TARGET_VERSION },
	{ "/v1.041/info", ERR_TARGET_VERSION },
	{ "/v01.41/info", ERR_TARGET_VERSION },
	{ "/v01.0041/info", ERR_TARGET_VERSION },
	{ "/v1.41.0/info", ERR_TARGET_VERSION },
	{ "/v1.41.0.0/info", ERR_TARGET_VERSION },
	{ "/v1.41./info", ERR_TARGET_VERSION },
	{ "/v1..41/info", ERR_TARGET_VERSION },
	{ "/v2.0/info", ERR_TARGET_VERSION },
	{ "/v1.99999999999999999999/info", ERR_TARGET_VERSION },
	{ "/%76%31.12%2finfo", ERR_TARGET_VERSION },
	/* queries */
	{ "/info?a=b;c=d", ERR_QUERY },
	{ "/info?;", ERR_QUERY },
	{ "/info?a=%", ERR_QUERY },
	{ "/info?a=%zz", ERR_QUERY },
	{ "/info?%z=1", ERR_QUERY },
	{ "/info?networkmode=none%zz&networkmode=host", ERR_QUERY },
	{ "/info?a=%00", ERR_QUERY },
	{ "/info?a%00=1", ERR_QUERY },
	{ "/info?a=%ff", ERR_QUERY },
	{ "/info?=1", ERR_QUERY },
	{ "/info?=", ERR_QUERY },
};

static void
refuses_targets_that_two_could_read_differently(void **state)
{
	struct canon_req req;
	struct arena a;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(refused); i++) {
		struct diag d = { 0, 0, "" };
		enum err rc;

		arena_init(&a, ARENA_MAX);
		rc = canon_request(
		    &a, METHOD_GET, span_of(refused[i].target), &req, &d);
		arena_fini(&a);
		if (rc != refused[i].want) {
			fail_msg("%s: %s", refused[i].target, err_tag(rc));
		}
		assert_true(d.text[0] != '\0');
	}
}

static void
refuses_what_is_too_large(void **state)
{
	static char text[70000];
	struct canon_req req;
	struct arena a;
	size_t i;

	(void)state;
	arena_init(&a, ARENA_MAX);
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	assert_int_equal(
	    canon_request(&a, METHOD_GET, span_make(text, 66000), &req, NULL),
	    ERR_LIMIT);
	for (i = 0; i < 200; i += 2) {
		memcpy(text + i, "/a", 2);
	}
	assert_int_equal(
	    canon_request(&a, METHOD_GET, span_make(text, 200), &req, NULL),
	    ERR_LIMIT);
	memcpy(text, "/a?", 3);
	for (i = 3; i < 3000; i += 3) {
		memcpy(text + i, "a=&", 3);
	}
	assert_int_equal(
	    canon_request(&a, METHOD_GET, span_make(text, 3000), &req, NULL),
	    ERR_LIMIT);
	arena_fini(&a);
	arena_init(&a, 64); /* too little for anything */
	assert_int_equal(
	    canon_request(&a, METHOD_GET, span_of("/info"), &req, NULL),
	    ERR_NOMEM);
	arena_fini(&a);
}

static const struct {
	enum method method;
	const char *target;
	const char *written;
	const char *op; /* NULL: none */
	const char *object;
} read_well[] = {
	{ METHOD_GET, "/info", "/info", "SystemInfo", "" },
	{ METHOD_GET, "/v1.24/info?", "/v1.24/info", "SystemInfo", "" },
	{ METHOD_GET, "/v1.999/info", "/v1.999/info", "SystemInfo", "" },
	{ METHOD_POST, "/%761.41%2Fcontainers%2Fcreate",
	    "/v1.41/containers/create", "ContainerCreate", "" },
	{ METHOD_POST, "/v1.41/containers/create?name=a+b%26c%3D&&x&",
	    "/v1.41/containers/create?name=a%20b%26c%3D&x=", "ContainerCreate",
	    "" },
	{ METHOD_POST, "/containers/create/start", "/containers/create/start",
	    "ContainerStart", "create" },
	{ METHOD_POST, "/containers/a%2Fb/start", "/containers/a/b/start", NULL,
	    "" },
	{ METHOD_POST, "/containers/a%5cb/start", "/containers/a%5Cb/start",
	    "ContainerStart", "a\\b" },
	{ METHOD_GET, "/images/json", "/images/json", "ImageList", "" },
	{ METHOD_GET, "/images/json/json", "/images/json/json", "ImageInspect",
	    "json" },
	{ METHOD_GET, "/images/get", "/images/get", "ImageGetAll", "" },
	{ METHOD_GET, "/images/a/b:1/get", "/images/a/b:1/get", "ImageGet",
	    "a/b:1" },
	{ METHOD_POST, "/images/h:5000/a%2fb/push?tag=x",
	    "/images/h:5000/a/b/push?tag=x", "ImagePush", "h:5000/a/b" },
	{ METHOD_DELETE, "/images/a@sha256:12", "/images/a@sha256:12",
	    "ImageDelete", "a@sha256:12" },
	{ METHOD_GET, "/containers/x%3fy%23z+%20/json",
	    "/containers/x%3Fy%23z%2B%20/json", "ContainerInspect", "x?y#z+ " },
	{ METHOD_GET, "/containers/%e2%82%ac/json",
	    "/containers/%E2%82%AC/json", "ContainerInspect", "\xe2\x82\xac" },
	{ METHOD_GET, "/volumes/v1.30", "/volumes/v1.30", "VolumeInspect",
	    "v1.30" },
	{ METHOD_GET, "/containers/x/logs?a=b=c?d&e=%2b\"",
	    "/containers/x/logs?a=b%3Dc%3Fd&e=%2B%22", "ContainerLogs", "x" },
	{ METHOD_GET, "/Info", "/Info", NULL, "" },
	{ METHOD_HEAD, "/info", "/info", NULL, "" },
	{ METHOD_OPTIONS, "/a/b", "/a/b", "SystemOptions", "a/b" },
};

static void
check_one(size_t i)
{
	struct canon_req req, again;
	struct buf first, second;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	buf_init(&first, ARENA_MAX);
	buf_init(&second, ARENA_MAX);
	if (canon_request(&a, read_well[i].method, span_of(read_well[i].target),
		&req, NULL) != ERR_OK) {
		fail_msg("%s: refused", read_well[i].target);
	}
	assert_int_equal(canon_write_target(&req, &first), ERR_OK);
	if (!span_is(buf_span(&first), read_well[i].written)) {
		fail_msg("%s: %.*s", read_well[i].target,
		    SPAN_ARG(buf_span(&first)));
	}
	if (read_well[i].op == NULL) {
		assert_null(req.op);
	} else {
		assert_non_null(req.op);
		assert_string_equal(req.op->name, read_well[i].op);
		assert_true(span_is(req.object, read_well[i].object));
	}
	assert_int_equal(
	    canon_request(&a, req.method, buf_span(&first), &again, NULL),
	    ERR_OK);
	assert_int_equal(canon_write_target(&again, &second), ERR_OK);
	assert_true(span_eq(buf_span(&first), buf_span(&second)));
	buf_fini(&first);
	buf_fini(&second);
	arena_fini(&a);
}

static void
writes_targets_anew(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(read_well); i++) {
		check_one(i);
	}
}

static bool
same_request(const struct canon_req *a, const struct canon_req *b)
{
	size_t i;

	if (a->api_minor != b->api_minor || a->op != b->op ||
	    !span_eq(a->path, b->path) || a->n_segments != b->n_segments ||
	    a->n_query != b->n_query || !span_eq(a->object, b->object)) {
		return false;
	}
	for (i = 0; i < a->n_query; i++) {
		if (!span_eq(a->query[i].key, b->query[i].key) ||
		    !span_eq(a->query[i].value, b->query[i].value)) {
			return false;
		}
	}
	return true;
}

/* Random targets from pieces that matter: what is taken stays the same. */
static void
reads_its_own_writing_as_the_same_request(void **state)
{
	static const char *const piece[] = { "/", "v1.41", "containers", "x",
		"%2f", "%2e", ".", "json", "?", "&", "=", "%20", "+", "a",
		"%25", "%e2%82%ac", "images", "%", "push", ":", "@", "v1.4",
		"%3f", "create", "..", "~", "'", "%27", "|", "%5b" };
	unsigned seed = 1, taken = 0, i, j, n;

	(void)state;
	for (i = 0; i < 40000; i++) {
		char text[256] = "/";
		struct canon_req req, again;
		struct buf out;
		struct arena a;

		n = (unsigned)rand_r(&seed) % 10;
		for (j = 0; j < n; j++) {
			strcat(text,
			    piece[(unsigned)rand_r(&seed) % NELEM(piece)]);
		}
		arena_init(&a, ARENA_MAX);
		buf_init(&out, ARENA_MAX);
		if (canon_request(&a, METHOD_POST, span_of(text), &req, NULL) ==
		    ERR_OK) {
			taken++;
			assert_int_equal(
			    canon_write_target(&req, &out), ERR_OK);
			if (canon_request(&a, METHOD_POST, buf_span(&out),
				&again, NULL) != ERR_OK ||
			    !same_request(&req, &again)) {
				fail_msg(
				    "%s: %.*s", text, SPAN_ARG(buf_span(&out)));
			}
		}
		buf_fini(&out);
		arena_fini(&a);
	}
	assert_true(taken > 1000);
}

static void
knows_methods_by_their_exact_names(void **state)
{
	(void)state;
	assert_int_equal(method_parse(span_of("GET")), METHOD_GET);
	assert_int_equal(method_parse(span_of("OPTIONS")), METHOD_OPTIONS);
	assert_int_equal(method_parse(span_of("get")), METHOD_NONE);
	assert_int_equal(method_parse(span_of("Get")), METHOD_NONE);
	assert_int_equal(method_parse(span_of("?")), METHOD_NONE);
	assert_int_equal(method_parse(span_of("")), METHOD_NONE);
	assert_int_equal(method_parse(span_of("TRACE")), METHOD_NONE);
	assert_string_equal(method_name(METHOD_PUT), "PUT");
	assert_string_equal(method_name(METHOD_N), "?");
}

static void
says_that_an_old_version_is_too_old(void **state)
{
	struct canon_req req;
	struct diag d;
	struct arena a;

	(void)state;
	arena_init(&a, ARENA_MAX);
	assert_int_equal(
	    canon_request(&a, METHOD_GET, span_of("/v1.12/version"), &req, &d),
	    ERR_TARGET_VERSION);
	assert_non_null(
	    strstr(d.text, "client version 1.12 is too old. "
			   "Minimum supported API version is 1.24"));
	arena_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    refuses_targets_that_two_could_read_differently),
		cmocka_unit_test(refuses_what_is_too_large),
		cmocka_unit_test(writes_targets_anew),
		cmocka_unit_test(reads_its_own_writing_as_the_same_request),
		cmocka_unit_test(knows_methods_by_their_exact_names),
		cmocka_unit_test(says_that_an_old_version_is_too_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
