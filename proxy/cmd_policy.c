/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv policy: check a policy file, explain a decision, print a preset;
 * docs/policy.md is the manual of the language.
 *
 * "explain" asks the very code that the gate runs, with a principal made of
 * flags: what it prints is what a client would get.  Where the gate would ask
 * dockerd about an object first, it says so; it never connects to anything.
 *
 * Rejected: a simulator of its own with nicer output, which would agree with
 * the gate until the day it matters.
 *
 * Attackers: a request copied from a log into a shell's command line; what is
 * printed of it is escaped by the messages themselves.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/secret.h"
#include "cmd.h"
#include "flags.h"
#include "policy.h"

#define POLICY_FILE_MAX ((size_t)4 * 1024 * 1024)
#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define EXIT_DENY 3

static bool
read_file(const char *path, struct secret *text)
{
	enum err rc = secret_read_file(text, path, POLICY_FILE_MAX);

	if (rc != ERR_OK) {
		fprintf(
		    stderr, "dinv: cannot read %s: %s\n", path, err_text(rc));
	}
	return rc == ERR_OK;
}

static struct span
text_span(const struct secret *text)
{
	return span_make(text->data, text->len);
}

/* --- check --------------------------------------------------------------- */

static void
print_error(void *arg, const struct diag *d)
{
	fprintf(stderr, "%s:%u:%u: %s\n", (const char *)arg, d->line, d->col,
	    d->text);
}

static int
policy_cmd_check(int argc, char **argv)
{
	const struct flag_set set = {
		.usage = "dinv policy check FILE",
		.about = "Prints every error of a policy file with its line "
			 "and column; nothing and\nstatus 0 where there is "
			 "none.",
		.max_operands = 1,
	};
	struct secret text = { NULL, 0 };
	int rc = flags_start(&set, &argc, argv, NULL);
	size_t errors;

	if (rc >= 0) {
		return rc;
	}
	if (argc != 2) {
		fprintf(stderr, "dinv: usage: %s\n", set.usage);
		return 2;
	}
	if (!read_file(argv[1], &text)) {
		return 1;
	}
	errors = policy_check(text_span(&text), print_error, argv[1]);
	secret_fini(&text);
	return errors == 0 ? 0 : 1;
}

/* --- show ---------------------------------------------------------------- */

static int
policy_cmd_show(int argc, char **argv)
{
	const struct flag_set set = {
		.usage = "dinv policy show PRESET",
		.about = "Prints a preset; without one, the names of all.",
		.max_operands = 1,
	};
	const char *const *name;
	struct span text;
	int rc = flags_start(&set, &argc, argv, NULL);

	if (rc >= 0) {
		return rc;
	}
	if (argc < 2) {
		for (name = policy_preset_names(); *name != NULL; name++) {
			puts(*name);
		}
		return 0;
	}
	text = policy_preset_text(argv[1]);
	if (text.p == NULL) {
		fprintf(stderr,
		    "dinv: no preset \"%s\"; dinv policy show "
		    "lists them\n",
		    argv[1]);
		return 1;
	}
	fwrite(text.p, 1, text.len, stdout);
	return 0;
}

/* --- explain ------------------------------------------------------------- */

struct question {
	const char *policy;
	const char *cn;
	const char *body_file;
	struct str_list ou;
	struct str_list o;
	struct secret text; /* of the policy */
	struct secret body;
};

static bool
fill_names(struct principal_names *names, const struct str_list *l)
{
	size_t i;

	if (l->n > PRINCIPAL_MAX_NAMES) {
		fprintf(stderr, "dinv: more than %d names of one kind\n",
		    PRINCIPAL_MAX_NAMES);
		return false;
	}
	for (i = 0; i < l->n; i++) {
		names->name[i] = span_of(l->item[i]);
	}
	names->n = l->n;
	return true;
}

static const char *
or_dash(const char *s)
{
	return s[0] == '\0' ? "-" : s;
}

static void
print_findings(const struct policy_findings *list)
{
	const struct policy_finding *f;

	for (f = list->first; f != NULL; f = f->next) {
		printf("would refuse  %s\n", f->message);
	}
	if (list->more > 0) {
		printf("would refuse  %u more\n", list->more);
	}
}

/* What an enforcing role would refuse; false: it would allow it. */
static bool
print_observed(
    enum verdict v, const struct decision *d, const struct policy_why *why)
{
	const struct policy_report *r =
	    v == VERDICT_DENY ? NULL : policy_report(d);

	if (r == NULL || r->refused.n + r->refused.more == 0) {
		return false;
	}
	puts("observe");
	printf("role  %s\nrule  %s\nline  %u\npath  %s\n", why->role,
	    or_dash(why->rule), why->line, or_dash(why->path));
	print_findings(&r->refused);
	if (v == VERDICT_NEED_FACT) {
		printf("and what the role refuses in\n  GET %.*s\n",
		    SPAN_ARG(policy_next_fact(d)));
	}
	return true;
}

static int
print_answer(
    enum verdict v, const struct decision *d, const struct policy_why *why)
{
	struct span target;

	if (print_observed(v, d, why)) {
		return 0;
	}
	if (v == VERDICT_NEED_FACT) {
		target = policy_next_fact(d);
		printf("allow, if dockerd shows nothing that the role refuses "
		       "in\n  %s %.*s\n",
		    policy_fact_body(d).len > 0 ? "POST" : "GET",
		    SPAN_ARG(target));
	} else {
		puts(v == VERDICT_DENY ? "deny" : "allow");
	}
	printf("role  %s\n", or_dash(why->role));
	printf("rule  %s\n", or_dash(why->rule));
	printf("line  %u\n", why->line);
	printf("path  %s\n", or_dash(why->path));
	if (v == VERDICT_DENY) {
		printf("says  %s\n", why->message);
	} else if (policy_notes(d)[0] != '\0') {
		printf("notes %s\n", policy_notes(d));
	}
	return v == VERDICT_DENY ? EXIT_DENY : 0;
}

static int
ask(const struct policy *pol, const struct question *q, struct arena *arena,
    const char *method, const char *target)
{
	struct principal who = { .kind = PRINCIPAL_CERT };
	struct decision *decision = NULL;
	struct diag d = { 0, 0, "" };
	struct policy_why why;
	struct canon_req req;
	enum verdict v;
	enum method m = method_parse(span_of(method));

	who.cn = span_of(q->cn);
	if (!fill_names(&who.ou, &q->ou) || !fill_names(&who.o, &q->o)) {
		return 2;
	}
	if (m == METHOD_NONE) {
		fprintf(stderr, "dinv: no method %s\n", method);
		return 2;
	}
	if (canon_request(arena, m, span_of(target), &req, &d) != ERR_OK) {
		printf("deny\nrole  -\nrule  target\nline  0\npath  -\n"
		       "says  dinv: %s\n",
		    d.text);
		return EXIT_DENY;
	}
	req.has_body = q->body_file != NULL;
	v = policy_begin(pol, &who, &req, arena, &decision, &why);
	if (v == VERDICT_NEED_BODY) {
		v = policy_body(decision, text_span(&q->body), &why);
	}
	return print_answer(v, decision, &why);
}

/* A file, or the name of a preset, as for dinv gate. */
static struct policy *
load(struct question *q)
{
	struct policy *pol = NULL;
	struct diag d = { 0, 0, "out of memory" };

	if (policy_preset_text(q->policy).p != NULL) {
		if (policy_load_preset(q->policy, &pol) != ERR_OK) {
			fprintf(stderr, "dinv: %s\n", d.text);
		}
		return pol;
	}
	if (read_file(q->policy, &q->text) &&
	    policy_load(text_span(&q->text), &pol, &d) != ERR_OK) {
		fprintf(
		    stderr, "%s:%u:%u: %s\n", q->policy, d.line, d.col, d.text);
	}
	return pol;
}

static int
explain(struct question *q, const char *method, const char *target)
{
	struct policy *pol;
	struct arena arena;
	int status;

	if (q->body_file != NULL && !read_file(q->body_file, &q->body)) {
		return 1;
	}
	pol = load(q);
	if (pol == NULL) {
		return 1;
	}
	arena_init(&arena, ARENA_MAX);
	status = ask(pol, q, &arena, method, target);
	arena_fini(&arena);
	policy_free(pol);
	return status;
}

static int
policy_cmd_explain(int argc, char **argv)
{
	struct question q = { .cn = NULL };
	const struct flag flags[] = {
		{ "policy", FLAG_STRING, &q.policy, "FILE",
		    "the policy file, or a preset" },
		{ "cn", FLAG_STRING, &q.cn, "NAME",
		    "common name of the client's certificate" },
		{ "ou", FLAG_LIST, &q.ou, "UNIT", "a unit in it" },
		{ "o", FLAG_LIST, &q.o, "ORG", "an organisation in it" },
		{ "body", FLAG_STRING, &q.body_file, "FILE",
		    "the request's JSON body" },
	};
	const struct flag_set set = {
		.usage = "dinv policy explain -policy FILE -cn NAME [flags] "
			 "METHOD TARGET",
		.about = "Prints allow, deny or observe, and the role, the "
			 "rule, the line of the policy and\nthe place in the "
			 "request that decided.  Status 0: allow, or observe: "
			 "it would\npass, and be recorded with all that the "
			 "role refuses of it; 3: deny.",
		.flag = flags,
		.n = NELEM(flags),
		.max_operands = 2,
	};
	int rc = flags_start(&set, &argc, argv, NULL);

	if (rc >= 0) {
		return rc;
	}
	if (argc != 3 || q.policy == NULL || q.cn == NULL) {
		fprintf(stderr, "dinv: usage: %s\n", set.usage);
		return 2;
	}
	rc = explain(&q, argv[1], argv[2]);
	secret_fini(&q.text);
	secret_fini(&q.body);
	str_list_fini(&q.ou);
	str_list_fini(&q.o);
	return rc;
}

/* --- the command --------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "check", policy_cmd_check, "print every error of a policy file" },
	{ "explain", policy_cmd_explain, "print what a request would get" },
	{ "learn", policy_cmd_learn, "print what observed roles needed" },
	{ "show", policy_cmd_show, "print a preset" },
};

static void
print_usage(FILE *to)
{
	size_t i;

	fprintf(to, "Usage: dinv policy COMMAND ...\n\nCommands (each has "
		    "-h):\n");
	for (i = 0; i < NELEM(commands); i++) {
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	}
}

int
cmd_policy(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		print_usage(stderr);
		return 2;
	}
	for (i = 0; i < NELEM(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-help") == 0) {
		print_usage(stdout);
		return 0;
	}
	fprintf(stderr,
	    "dinv: no command \"policy %s\"; dinv policy -h lists "
	    "them\n",
	    argv[1]);
	return 2;
}
