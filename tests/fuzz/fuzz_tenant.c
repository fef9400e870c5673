/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a tenant, with a dockerd that has one of everything, all of it
 * the tenant's.  Whatever is allowed carries the tenant's marks, once and in
 * the right place: in the body of what is made, in the filters of a list.
 *
 * Input: a digit chooses the operation, the rest is its body or its filters.
 */
#include "fuzz.h"

#include "policy/json.h"
#include "policy/policy.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OWN "\"Labels\":{\"dinv.tenant\":\"a\"}"

static const struct {
	const char *path;
	bool list;
} ops[] = {
	{ "/v1.41/containers/create", false },
	{ "/v1.44/networks/n/connect", false },
	{ "/v1.41/networks/create", false },
	{ "/v1.41/volumes/create", false },
	{ "/v1.41/containers/json", true },
	{ "/v1.41/events", true },
	{ "/volumes", true },
};

static struct span
answer(struct span target, bool make, unsigned *status)
{
	*status = make ? 201 : 200;
	if (make || span_starts(target, "/volumes/")) {
		return span_of("{\"Name\":\"v\",\"Driver\":\"local\"," OWN "}");
	}
	if (span_starts(target, "/networks/")) {
		return span_of("{\"Id\":\"" ID "\",\"Name\":\"n\",\"Driver\":"
			       "\"bridge\"," OWN "}");
	}
	if (span_starts(target, "/containers/json")) {
		return span_of("[{\"Id\":\"" ID "\"}]");
	}
	return span_of("{\"Id\":\"" ID "\",\"Name\":\"/c\",\"Config\":{" OWN
		       "},\"HostConfig\":{\"ContainerIDFile\":"
		       "\"dinv.tenant=a\"}}");
}

static const struct json_node *
at(const struct json_node *v, const char *name)
{
	return v == NULL || json_type(v) != JSON_OBJECT ? NULL
							: json_get(v, name);
}

static bool
says(const struct json_node *v, const char *text)
{
	return v != NULL && json_type(v) == JSON_STRING &&
	       span_is(json_string(v), text);
}

/* Every endpoint but those of default networks has its network's id. */
static void
check_endpoints(const struct json_node *root)
{
	const struct json_node *e =
	    at(at(root, "NetworkingConfig"), "EndpointsConfig");

	for (e = e == NULL ? NULL : json_first(e); e != NULL;
	     e = json_next(e)) {
		CHECK(
		    says(at(e, "NetworkID"), ID) || at(e, "NetworkID") == NULL);
		CHECK(span_is(json_key(e), "n") || at(e, "NetworkID") == NULL);
	}
}

static void
check_body(size_t op, struct span body)
{
	struct json_doc *doc;
	const struct json_node *root;

	CHECK(json_parse(body, JSON_STRICT, &doc, NULL) == ERR_OK);
	root = json_root(doc);
	if (op == 1) {
		CHECK(says(at(at(root, "EndpointConfig"), "NetworkID"), ID));
	} else {
		CHECK(says(at(at(root, "Labels"), "dinv.tenant"), "a"));
	}
	if (op == 0) {
		CHECK(says(at(at(root, "HostConfig"), "ContainerIDFile"),
		    "dinv.tenant=a"));
		check_endpoints(root);
	}
	json_free(doc);
}

/* As dockerd would read what goes on. */
static void
check_list(struct arena *arena, const struct decision *d)
{
	struct span text = { NULL, 0 };
	struct json_doc *doc;
	const struct json_node *own;
	struct canon_req req;
	struct buf b;

	buf_init(&b, FUZZ_ARENA_BYTES);
	CHECK(policy_write_target(d, &b) == ERR_OK);
	CHECK(canon_request(arena, METHOD_GET, buf_span(&b), &req, NULL) ==
	      ERR_OK);
	CHECK(req.n_query == 1 && canon_query(&req, "filters", &text));
	CHECK(json_parse(text, JSON_STRICT, &doc, NULL) == ERR_OK);
	own = at(at(json_root(doc), "label"), "dinv.tenant=a");
	CHECK(own != NULL && json_type(own) == JSON_BOOL && json_bool(own));
	json_free(doc);
	buf_fini(&b);
}

static enum verdict
ask(struct arena *arena, const struct policy *pol, size_t op, struct span input,
    struct decision **d)
{
	static const struct principal who = { .kind = PRINCIPAL_CERT,
		.cn = { "x", 1 } };
	struct canon_req *req = arena_alloc(arena, sizeof(*req));
	struct query_pair *pair = arena_alloc(arena, sizeof(*pair));
	struct policy_why why = { 0 };
	unsigned status;
	enum verdict v;

	CHECK(req != NULL && pair != NULL);
	CHECK(canon_request(arena, ops[op].list ? METHOD_GET : METHOD_POST,
		  span_of(ops[op].path), req, NULL) == ERR_OK);
	req->has_body = !ops[op].list;
	if (ops[op].list) {
		pair->key = span_of("filters");
		pair->value = input;
		req->query = pair;
		req->n_query = 1;
	}
	v = policy_begin(pol, &who, req, arena, d, &why);
	if (v == VERDICT_NEED_BODY) {
		v = policy_body(*d, input, &why);
	}
	while (v == VERDICT_NEED_FACT) {
		struct span told = answer(policy_next_fact(*d),
		    policy_fact_body(*d).len > 0, &status);

		v = policy_fact(*d, status, told, &why);
	}
	CHECK(v == VERDICT_ALLOW || why.message[0] != '\0');
	return v;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
	    "{\"clients\":[{\"match\":{\"cn\":\"x\"},\"role\":\"tenant\","
	    "\"tenant\":\"a\"}]}";
	static struct policy *pol;
	struct decision *d = NULL;
	struct arena arena;
	struct span input;
	bool replaced;
	size_t op;

	if (pol == NULL) {
		CHECK(policy_load(span_of(text), &pol, NULL) == ERR_OK);
	}
	if (size == 0) {
		return 0;
	}
	op = (uint8_t)(data[0] - '0') % NELEM(ops);
	arena_init(&arena, FUZZ_ARENA_BYTES);
	input = span_make((const char *)data + 1, size - 1);
	/* A query is UTF-8 without NUL by then (request.c). */
	if ((!ops[op].list || memchr(data, '\0', size) == NULL) &&
	    ask(&arena, pol, op, input, &d) == VERDICT_ALLOW) {
		if (ops[op].list) {
			check_list(&arena, d);
		} else if (policy_new_body(d, &replaced).len > 0) {
			check_body(op, policy_new_body(d, &replaced));
		}
	}
	arena_fini(&arena);
	return 0;
}
