/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv status: how a running gate is, at a glance; or its own JSON.
 *
 * The exit status is readiness, so that a script needs no parser.  What is
 * missing in an answer (an older gate) is printed as nothing, not as an
 * error.
 *
 * Attackers: none.  Names of roles are the policy author's; what is printed
 * is made fit for a terminal.
 */
#include <stdio.h>

#include "admin.h"
#include "admin_client.h"
#include "cmd.h"
#include "flags.h"
#include "policy/json.h"

#define TEXT_BYTES 1024

static const struct json_node *
child(const struct json_node *o, const char *name, enum json_type type)
{
	const struct json_node *v =
	    o != NULL && json_type(o) == JSON_OBJECT ? json_get(o, name) : NULL;

	return v != NULL && json_type(v) == type ? v : NULL;
}

static const char *
text(const struct json_node *o, const char *name, char out[TEXT_BYTES])
{
	const struct json_node *v = child(o, name, JSON_STRING);

	admin_printable(
	    v == NULL ? span_of("") : json_string(v), out, TEXT_BYTES);
	return out;
}

static unsigned long long
number(const struct json_node *o, const char *name)
{
	const struct json_node *v = child(o, name, JSON_NUMBER);
	int64_t n;

	return v != NULL && json_int(v, &n) == ERR_OK && n > 0
		   ? (unsigned long long)n
		   : 0;
}

static bool
is_true(const struct json_node *o, const char *name)
{
	const struct json_node *v = child(o, name, JSON_BOOL);

	return v != NULL && json_bool(v);
}

static const struct json_node *
first(const struct json_node *o, const char *name)
{
	const struct json_node *v = child(o, name, JSON_ARRAY);

	return v == NULL ? NULL : json_first(v);
}

static void
print_uptime(unsigned long long s)
{
	if (s >= 86400) {
		printf("up %llu d %llu h", s / 86400, s % 86400 / 3600);
	} else if (s >= 3600) {
		printf("up %llu h %llu min", s / 3600, s % 3600 / 60);
	} else if (s >= 60) {
		printf("up %llu min %llu s", s / 60, s % 60);
	} else {
		printf("up %llu s", s);
	}
}

static void
print_head(const struct json_node *root)
{
	const struct json_node *r;
	char a[TEXT_BYTES];

	printf("dinv %s, %s, ", text(root, "version", a),
	    is_true(root, "ready") ? "ready" : "NOT READY");
	print_uptime(number(root, "uptime_s"));
	printf("\n");
	for (r = first(root, "not_ready"); r != NULL; r = json_next(r)) {
		if (json_type(r) == JSON_STRING) {
			admin_printable(json_string(r), a, sizeof(a));
			printf("  not ready    %s\n", a);
		}
	}
}

static void
print_ways(const struct json_node *root)
{
	const struct json_node *d = child(root, "dockerd", JSON_OBJECT), *l;
	char a[TEXT_BYTES], b[TEXT_BYTES];

	for (l = first(root, "listeners"); l != NULL; l = json_next(l)) {
		printf("  listening    %s (%s)\n", text(l, "addr", a),
		    text(l, "security", b));
	}
	printf("  dockerd      %s, %s%s%s\n", is_true(d, "up") ? "up" : "DOWN",
	    text(d, "addr", a), text(d, "version", b)[0] == '\0' ? "" : ", ",
	    b);
}

static void
print_certificates(const struct json_node *root)
{
	const struct json_node *c;
	char a[TEXT_BYTES], b[TEXT_BYTES];

	for (c = first(root, "certificates"); c != NULL; c = json_next(c)) {
		printf("  certificate  %s, ", text(c, "name", a));
		if (is_true(c, "expired")) {
			printf("EXPIRED at %s\n", text(c, "not_after", b));
		} else {
			printf("%llu days left, until %s\n",
			    number(c, "days_left"), text(c, "not_after", b));
		}
	}
}

static void
print_policy(const struct json_node *root)
{
	const struct json_node *p = child(root, "policy", JSON_OBJECT);
	const struct json_node *audit = child(root, "audit", JSON_OBJECT);
	char a[TEXT_BYTES], b[TEXT_BYTES];

	printf("  policy       %s, loaded %s%s; reloads %llu, failed %llu\n",
	    text(p, "name", a), text(p, "loaded", b),
	    is_true(p, "observes") ? ", OBSERVES (what is refused may pass)"
				   : "",
	    number(p, "reloads"), number(p, "reloads_failed"));
	if (audit == NULL) {
		printf("  audit        none (-audit FILE)\n");
	} else {
		printf("  audit        %s, written %llu, lost %llu\n",
		    text(audit, "to", a), number(audit, "written"),
		    number(audit, "lost"));
	}
}

static void
print_counts(const struct json_node *root)
{
	const struct json_node *q = child(root, "requests", JSON_OBJECT), *r;
	char a[TEXT_BYTES];

	printf(
	    "  requests     %llu, allowed %llu, observed %llu, refused %llu, "
	    "failed %llu\n",
	    number(q, "total"), number(q, "allowed"), number(q, "observed"),
	    number(q, "refused"), number(q, "failed"));
	printf("  connections  %llu\n", number(root, "connections"));
	for (r = first(root, "roles"); r != NULL; r = json_next(r)) {
		printf("    %-20s connections %llu, streams %llu\n",
		    text(r, "role", a), number(r, "connections"),
		    number(r, "streams"));
	}
}

/* The exit status. */
static int
print_status(const struct http_reply *reply, bool json)
{
	struct span body = buf_span(&reply->body);
	struct diag d = { 0, 0, "" };
	struct json_doc *doc = NULL;
	const struct json_node *root;
	bool ready;

	if (reply->status != 200 ||
	    json_parse(body, JSON_STRICT, &doc, &d) != ERR_OK ||
	    json_type(json_root(doc)) != JSON_OBJECT) {
		fprintf(stderr,
		    "dinv status: what answered (%u) is no gate of this "
		    "version\n",
		    reply->status);
		json_free(doc);
		return 1;
	}
	root = json_root(doc);
	ready = is_true(root, "ready");
	if (json) {
		printf("%.*s", (int)body.len, body.p);
	} else {
		print_head(root);
		print_ways(root);
		print_certificates(root);
		print_policy(root);
		print_counts(root);
	}
	json_free(doc);
	return ready ? 0 : 1;
}

int
cmd_status(int argc, char **argv)
{
	const char *url = ADMIN_DEFAULT;
	bool json = false;
	const struct flag flags[] = {
		{ "admin", FLAG_STRING, &url, "ADDR",
		    "where the gate listens" },
		{ "json", FLAG_BOOL, &json, "", "the gate's own words" },
	};
	const struct flag_set set = {
		.usage = "dinv status [-admin ADDR] [-json]",
		.about = "Says how a running gate is.  Status 0: it is ready; "
			 "1: it is not, or there is\nnone.",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct http_reply reply;
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (admin_ask(url, "GET", "/status", &reply, &d) != ERR_OK) {
		fprintf(stderr, "dinv status: %s\n",
		    d.text[0] == '\0' ? "out of memory" : d.text);
		return 1;
	}
	status = print_status(&reply, json);
	buf_fini(&reply.body);
	return status;
}
