/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy/ops.c against the Engine API as its makers describe it: every
 * operation of every version is in the table, under its name, with its query
 * keys.  The descriptions (moby api/swagger.yaml) are no part of this
 * repository; where they are not at hand that test is skipped.
 */
#include "unit.h"

#include <ctype.h>

#include "fields.h"
#include "ops.h"

#define API_DIR "../shared/engine-api"

/* Operations whose id was another one in older versions. */
static const struct {
	const char *old;
	const char *name;
} renamed[] = {
	{ "ContainerArchiveHead", "ContainerArchiveInfo" },
	{ "ContainerGetArchive", "ContainerArchive" },
	{ "ContainerPutArchive", "PutContainerArchive" },
};

struct reader {
	const char *file;
	char path[128];
	enum method method;
	const struct op *op;
	bool in_parameters;
	char name[64]; /* of the parameter being read */
	unsigned n_ops;
	unsigned n_keys;
};

static size_t
indent_of(const char *line)
{
	return strspn(line, " ");
}

static const struct op *
find(enum method method, const char *path)
{
	struct span segment[CANON_MAX_SEGMENTS], object, object2;
	const char *p = path, *end;
	size_t n = 0;

	while (*p == '/') {
		end = strchrnul(++p, '/');
		segment[n++] = span_make(p, (size_t)(end - p));
		p = end;
	}
	return ops_find(method, segment, n, &object, &object2);
}

static void
check_operation(struct reader *r, const char *id)
{
	size_t i;

	for (i = 0; i < NELEM(renamed); i++) {
		if (strcmp(id, renamed[i].old) == 0) {
			id = renamed[i].name;
		}
	}
	r->op = find(r->method, r->path);
	if (r->op == NULL || strcmp(r->op->name, id) != 0) {
		fail_msg("%s: %s %s is %s, found %s", r->file,
		    method_name(r->method), r->path, id,
		    r->op == NULL ? "nothing" : r->op->name);
	}
	r->n_ops++;
}

static void
check_query_key(struct reader *r)
{
	r->n_keys++;
	if (ops_query_key(r->op, span_of(r->name)) != OP_KEY_READ) {
		fail_msg("%s: %s has no query key %s", r->file, r->op->name,
		    r->name);
	}
}

/* The value behind "key:", without quotes; NULL: not that key. */
static char *
value_of(char *line, const char *key)
{
	char *p = line + indent_of(line);
	size_t n = strlen(key);

	if (p[0] == '-' && p[1] == ' ') {
		p += 2;
	}
	if (strncmp(p, key, n) != 0 || p[n] != ':') {
		return NULL;
	}
	p += n + 1;
	p += strspn(p, " \"'");
	p[strcspn(p, "\"'\r\n")] = '\0';
	return p;
}

static void
read_method(struct reader *r, const char *line)
{
	char word[16];
	size_t i;

	if (sscanf(line, " %15[a-z]:", word) == 1) {
		for (i = 0; word[i] != '\0'; i++) {
			word[i] = (char)toupper((unsigned char)word[i]);
		}
		r->method = method_parse(span_of(word));
	}
}

/* Two spaces: a path; four: a method; six: its members. */
static void
read_line(struct reader *r, char *line)
{
	size_t n = indent_of(line);
	char *v;

	if (n == 2 && line[2] == '/') {
		line[strcspn(line, ":\r\n")] = '\0';
		snprintf(r->path, sizeof(r->path), "%.120s", line + 2);
		return;
	}
	if (n == 4) {
		r->op = NULL;
		r->in_parameters = false;
		read_method(r, line);
		return;
	}
	if (n == 6) {
		v = value_of(line, "operationId");
		if (v != NULL) {
			check_operation(r, v);
		}
		r->in_parameters = strncmp(line + 6, "parameters:", 11) == 0;
		return;
	}
	if (!r->in_parameters || r->op == NULL) {
		return;
	}
	v = value_of(line, "name");
	if (v != NULL && (n == 8 || n == 10)) {
		snprintf(r->name, sizeof(r->name), "%.60s", v);
	}
	v = value_of(line, "in");
	if (v != NULL && strcmp(v, "query") == 0) {
		check_query_key(r);
	}
}

static bool
read_description(unsigned minor)
{
	char file[64], line[1024];
	struct reader r = { .file = file };
	bool in_paths = false;
	FILE *f;

	snprintf(file, sizeof(file), API_DIR "/swagger-v1.%u.yaml", minor);
	f = fopen(file, "r");
	if (f == NULL) {
		return false;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "paths:", 6) == 0) {
			in_paths = true;
		} else if (in_paths) {
			read_line(&r, line);
		}
	}
	fclose(f);
	if (r.n_ops < 94 || r.n_keys < 85) {
		fail_msg("%s: only %u operations and %u keys read", file,
		    r.n_ops, r.n_keys);
	}
	return true;
}

static void
knows_every_operation_of_every_version(void **state)
{
	unsigned minor, n = 0;

	(void)state;
	for (minor = 25; minor <= OPS_API_MINOR_MAX; minor++) {
		n += read_description(minor);
	}
	if (n == 0) {
		skip();
	}
	assert_int_equal(n, OPS_API_MINOR_MAX - 24);
}

static void
is_a_consistent_table(void **state)
{
	const struct op *op;
	size_t i, j, n;

	(void)state;
	op = ops_all(&n);
	for (i = 0; i < n; i++) {
		assert_true(op[i].method != METHOD_NONE);
		assert_true(op[i].since_minor >= OPS_API_MINOR_MIN &&
			    op[i].since_minor <= OPS_API_MINOR_MAX);
		assert_int_equal(ops_index(&op[i]), i);
		assert_ptr_equal(ops_by_name(span_of(op[i].name)), &op[i]);
		/* A table without a JSON body would never be looked at. */
		assert_true(op[i].fields == NULL || op[i].body == OP_BODY_JSON);
		/* And a JSON body without a table is nobody's but admin's. */
		if (op[i].body == OP_BODY_JSON && op[i].fields == NULL) {
			fail_msg("%s has no table", op[i].name);
		}
		assert_true(
		    op[i].fields == NULL || op[i].fields->n <= FIELDS_MAX);
		for (j = 0; j < i; j++) {
			assert_true(op[i].method != op[j].method ||
				    strcmp(op[i].pattern, op[j].pattern) != 0);
		}
	}
	assert_null(ops_by_name(span_of("containerlist")));
	assert_null(ops_by_name(span_of("")));
	for (i = 1; i < OPC_N; i++) {
		assert_int_equal(ops_class_by_name(
				     span_of(ops_class_name((enum op_class)i))),
		    i);
	}
	assert_int_equal(ops_class_by_name(span_of("")), OPC_NONE);
}

static const struct {
	enum method method;
	const char *path;
	const char *op;
} routes[] = {
	{ METHOD_GET, "/containers/json", "ContainerList" },
	{ METHOD_POST, "/containers/json", NULL },
	{ METHOD_GET, "/containers", NULL },
	{ METHOD_GET, "/containers/x", NULL },
	{ METHOD_DELETE, "/containers/x", "ContainerDelete" },
	{ METHOD_DELETE, "/containers/x/y", NULL },
	{ METHOD_DELETE, "/containers/create", "ContainerDelete" },
	{ METHOD_POST, "/containers/x/y/exec", NULL },
	{ METHOD_POST, "/containers/x/copy", NULL },
	{ METHOD_GET, "/containers/x/attach/ws", "ContainerAttachWebsocket" },
	{ METHOD_POST, "/containers/prune", "ContainerPrune" },
	{ METHOD_GET, "/images/a/b/c/json", "ImageInspect" },
	{ METHOD_GET, "/images/search", "ImageSearch" },
	{ METHOD_GET, "/images/search/json", "ImageInspect" },
	{ METHOD_GET, "/images/a/get/history", "ImageHistory" },
	{ METHOD_POST, "/images/create/push", "ImagePush" },
	{ METHOD_POST, "/images/push", NULL },
	{ METHOD_DELETE, "/images/a/b", "ImageDelete" },
	{ METHOD_DELETE, "/images", NULL },
	{ METHOD_GET, "/networks/create", "NetworkInspect" },
	{ METHOD_GET, "/plugins/privileges", "GetPluginPrivileges" },
	{ METHOD_GET, "/plugins/a/b/json", "PluginInspect" },
	{ METHOD_GET, "/distribution/h:1/a/json", "DistributionInspect" },
	{ METHOD_POST, "/grpc", "Grpc" },
	{ METHOD_GET, "/grpc", NULL },
	{ METHOD_GET, "/debug/vars", "DebugVars" },
	{ METHOD_POST, "/debug/vars", NULL },
	{ METHOD_GET, "/containers/x/checkpoints", "CheckpointList" },
	{ METHOD_DELETE, "/containers/x/checkpoints/y", "CheckpointDelete" },
};

static void
finds_operations_as_dockerd_routes_them(void **state)
{
	const struct op *op;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(routes); i++) {
		op = find(routes[i].method, routes[i].path);
		if ((op == NULL) != (routes[i].op == NULL) ||
		    (op != NULL && strcmp(op->name, routes[i].op) != 0)) {
			fail_msg("%s: %s", routes[i].path,
			    op == NULL ? "nothing" : op->name);
		}
	}
}

static void
tells_query_keys_apart(void **state)
{
	const struct op *build = ops_by_name(span_of("ImageBuild"));
	const struct op *list = ops_by_name(span_of("ImageList"));
	const struct op *create = ops_by_name(span_of("ContainerCreate"));

	(void)state;
	assert_int_equal(ops_query_key(build, span_of("t")), OP_KEY_READ);
	assert_int_equal(ops_query_key(build, span_of("T")), OP_KEY_UNKNOWN);
	assert_int_equal(ops_query_key(build, span_of("")), OP_KEY_UNKNOWN);
	assert_true(ops_query_repeats(build, span_of("t")));
	assert_false(ops_query_repeats(build, span_of("networkmode")));
	assert_int_equal(
	    ops_query_key(list, span_of("only_ids")), OP_KEY_IGNORED);
	assert_int_equal(
	    ops_query_key(create, span_of("HostConfig")), OP_KEY_IGNORED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_operation_of_every_version),
		cmocka_unit_test(is_a_consistent_table),
		cmocka_unit_test(finds_operations_as_dockerd_routes_them),
		cmocka_unit_test(tells_query_keys_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
