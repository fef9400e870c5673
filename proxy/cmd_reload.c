/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv reload: tells a running gate to read policy and certificates again,
 * waits until that is in force, and says what came of it.
 *
 * SIGHUP does the same for those who do not care to hear: a signal has no
 * answer, so a deployment that must know whether its policy took hold asks
 * here.
 *
 * Attackers: none.  The answer is the gate's; what it quotes is escaped
 * before it reaches a terminal.
 */
#include <stdio.h>

#include "admin.h"
#include "admin_client.h"
#include "base/text.h"
#include "cmd.h"
#include "flags.h"
#include "policy/json.h"

#define LINE_BYTES 2048

/* A member's text, printable; "" where there is none. */
static const char *
member(const struct json_node *o, const char *name, char *out, size_t size)
{
	const struct json_node *v = json_get(o, name);

	admin_printable(v != NULL && json_type(v) == JSON_STRING
			    ? json_string(v)
			    : span_of(""),
	    out, size);
	return out;
}

static long long
number(const struct json_node *o, const char *name)
{
	const struct json_node *v = json_get(o, name);
	int64_t n;

	return v != NULL && json_type(v) == JSON_NUMBER &&
		       json_int(v, &n) == ERR_OK
		   ? (long long)n
		   : 0;
}

static void
print_success(const struct json_node *root)
{
	char policy[LINE_BYTES], certs[LINE_BYTES];
	long long cut = number(root, "streams_cut");

	printf("policy loaded: %s\n",
	    member(root, "policy", policy, sizeof(policy)));
	if (member(root, "certs", certs, sizeof(certs))[0] != '\0') {
		printf("certificates read: %s\n", certs);
	}
	printf("streams cut: %lld%s\n", cut,
	    cut == 0 ? "" : " (their clients have lost the right)");
}

/* As dinv policy check prints them. */
static void
print_errors(const struct json_node *root)
{
	const struct json_node *list = json_get(root, "errors"), *e;
	char file[LINE_BYTES], text[LINE_BYTES];

	member(root, "policy", file, sizeof(file));
	e = list != NULL && json_type(list) == JSON_ARRAY ? json_first(list)
							  : NULL;
	for (; e != NULL; e = json_next(e)) {
		if (json_type(e) != JSON_OBJECT) {
			continue;
		}
		member(e, "text", text, sizeof(text));
		if (number(e, "line") > 0) {
			fprintf(stderr, "%s:%lld:%lld: %s\n", file,
			    number(e, "line"), number(e, "col"), text);
		} else {
			fprintf(stderr, "%s\n", text);
		}
	}
	fprintf(stderr, "dinv reload: nothing was changed, the gate goes on "
			"with what it had\n");
}

/* A refusal in words. */
static void
print_refusal(const struct http_reply *reply)
{
	struct span s = text_trim(buf_span(&reply->body));
	char text[LINE_BYTES];

	while (s.len > 0 && s.p[s.len - 1] == '\n') {
		s.len--;
	}
	admin_printable(s, text, sizeof(text));
	fprintf(stderr, "dinv reload: the gate refused (%u): %s\n",
	    reply->status, text);
}

static int
print_reply(const struct http_reply *reply)
{
	struct diag d = { 0, 0, "" };
	struct json_doc *doc = NULL;
	bool ok = reply->status == 200;

	if ((!ok && reply->status != 422) ||
	    json_parse(buf_span(&reply->body), JSON_STRICT, &doc, &d) !=
		ERR_OK) {
		print_refusal(reply);
		return 1;
	}
	if (json_type(json_root(doc)) != JSON_OBJECT) {
		print_refusal(reply);
		ok = false;
	} else if (ok) {
		print_success(json_root(doc));
	} else {
		print_errors(json_root(doc));
	}
	json_free(doc);
	return ok ? 0 : 1;
}

int
cmd_reload(int argc, char **argv)
{
	const char *url = ADMIN_DEFAULT;
	const struct flag flags[] = {
		{ "admin", FLAG_STRING, &url, "ADDR",
		    "where the gate listens" },
	};
	const struct flag_set set = {
		.usage = "dinv reload [-admin ADDR]",
		.about = "Lets a running gate read its policy and certificates "
			 "again, whole or not at\nall.  Status 0: in force; 1: "
			 "nothing changed, and every mistake was printed.",
		.flag = flags,
		.n = NELEM(flags),
	};
	struct http_reply reply;
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (admin_ask(url, "POST", "/reload", &reply, &d) != ERR_OK) {
		fprintf(stderr, "dinv reload: %s\n",
		    d.text[0] == '\0' ? "out of memory" : d.text);
		return 1;
	}
	status = print_reply(&reply);
	buf_fini(&reply.body);
	return status;
}
