/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies under a role with constraints.  What is allowed is written anew,
 * and what was written is allowed again and written as the same bytes:
 * nothing that was judged is lost or made up on the way to dockerd.
 *
 * Input: a digit chooses the operation (a letter: under a role that has
 * constraints too), the rest is its body.
 */
#include "fuzz.h"

#include "policy/json.h"
#include "policy/policy.h"

static const char *const targets[] = {
	"/v1.41/containers/create?name=a",
	"/containers/create",
	"/v1.44/containers/a/exec",
	"/v1.41/exec/a/start",
	"/v1.41/containers/a/update",
	"/v1.41/networks/create",
	"/v1.41/networks/a/connect",
	"/v1.41/volumes/create",
	"/v1.24/commit?container=a",
	"/v1.41/auth",
};

static const char constrained[] =
    "{\"clients\":[{\"match\":{\"cn\":\"ci\"},\"role\":\"ci\"}],"
    "\"roles\":{\"ci\":{\"extends\":\"ci-runner\",\"constraints\":{"
    "\"images\":{\"run\":[\"docker.io/library/*\"]},"
    "\"resources\":{\"memory\":{\"max\":\"2g\",\"required\":true},"
    "\"swap\":{\"max\":\"4g\"},\"cpus\":{\"max\":\"2.5\"},"
    "\"pids\":{\"max\":512},\"shm\":{\"max\":\"1g\"}},"
    "\"capabilities\":{\"allow\":[\"CHOWN\"],\"drop\":[\"NET_RAW\"]},"
    "\"host_paths\":[{\"path\":\"/srv/in\",\"mode\":\"ro\"},"
    "{\"path\":\"/srv/out\",\"mode\":\"rw\"}],"
    "\"volumes\":{\"drivers\":[\"nfs\"],\"names\":[\"ci-*\"]}},"
    "\"fields\":[\"HostConfig.Foo\",\"ContainerCreate:Bar\","
    "\"HostConfig.Mounts[].Baz\",\"VolumeCreate:Qux\"],"
    "\"unknown_fields\":\"drop\",\"rules\":["
    "{\"deny\":[\"@run\"],\"when\":{\"body.HostConfig.Dns[]\":\"10.*\"}},"
    "{\"deny\":[\"@volume\"],\"when\":{\"body.Labels[t]\":{\"not\":\"a\"}}},"
    "{\"deny\":[\"ContainerExec\"],\"when\":{\"body.Cmd[]\":\"sh\"}}]}}}";

struct outcome {
	enum verdict v;
	bool replaced;
	struct span body; /* in the arena */
};

static void
judge(struct arena *arena, const struct policy *pol, const char *target,
    struct span body, struct outcome *o)
{
	static const struct header json = { { "Content-Type", 12 },
		{ "application/json", 16 } };
	static const struct principal who = { .kind = PRINCIPAL_CERT,
		.cn = { "ci", 2 } };
	struct decision *decision = NULL;
	struct canon_req *req = arena_alloc(arena, sizeof(*req));
	struct policy_why why = { 0 };

	CHECK(req != NULL);
	CHECK(canon_request(arena, METHOD_POST, span_of(target), req, NULL) ==
	      ERR_OK);
	CHECK(req->op != NULL);
	req->headers = &json;
	req->n_headers = 1;
	req->has_body = true;
	memset(o, 0, sizeof(*o));
	o->v = policy_begin(pol, &who, req, arena, &decision, &why);
	if (o->v == VERDICT_NEED_BODY) {
		o->v = policy_body(decision, body, &why);
	}
	if (o->v == VERDICT_DENY) {
		CHECK(why.message[0] != '\0' && why.status >= 400);
		return;
	}
	o->body = policy_new_body(decision, &o->replaced);
}

static void
load(struct policy **plain, struct policy **finer)
{
	struct diag d = { 0, 0, "" };

	CHECK(policy_load_preset("ci-runner", plain) == ERR_OK);
	if (policy_load(span_of(constrained), finer, &d) != ERR_OK) {
		fprintf(stderr, "%u:%u: %s\n", d.line, d.col, d.text);
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy *plain, *finer;
	const struct policy *pol;
	struct json_doc *doc;
	struct outcome a, b;
	struct arena arena;
	const char *target;

	if (plain == NULL) {
		load(&plain, &finer);
	}
	if (size == 0) {
		return 0;
	}
	pol = data[0] < 'a' ? plain : finer;
	target = targets[(uint8_t)(data[0] - (data[0] < 'a' ? '0' : 'a')) %
			 NELEM(targets)];
	arena_init(&arena, FUZZ_ARENA_BYTES);
	judge(&arena, pol, target, span_make(data + 1, size - 1), &a);
	if (a.v != VERDICT_DENY && a.replaced && a.body.len == 0) {
		CHECK(size == 1); /* only nothing becomes nothing */
	} else if (a.v != VERDICT_DENY && a.replaced) {
		CHECK(json_parse(a.body, JSON_STRICT, &doc, NULL) == ERR_OK);
		json_free(doc);
		judge(&arena, pol, target, a.body, &b);
		CHECK(b.v == a.v && b.replaced);
		CHECK(span_eq(a.body, b.body));
	}
	arena_fini(&arena);
	return 0;
}
