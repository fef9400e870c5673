/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line flags; see flags.h.
 *
 * getopt_long(3) was rejected: with one dash it reads "-tlsverify" as eight
 * short options, and DinV's users type one dash.  The values come from the
 * operator, who is trusted; what is wrong is said in one line that names the
 * flag.
 */
#include "flags.h"

#include <stdlib.h>

#include "base/text.h"

enum err
str_list_add(struct str_list *l, const char *item)
{
	const char **grown;

	grown = realloc(l->item, (l->n + 1) * sizeof(*grown));
	if (grown == NULL) {
		return ERR_NOMEM;
	}
	grown[l->n] = item;
	l->item = grown;
	l->n++;
	return ERR_OK;
}

void
str_list_fini(struct str_list *l)
{
	free(l->item);
	l->item = NULL;
	l->n = 0;
}

static const struct flag *
find_flag(const struct flag_set *set, struct span name)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (span_is(name, set->flag[i].name)) {
			return &set->flag[i];
		}
	}
	return NULL;
}

static enum err
set_bool(const struct flag *f, const char *value, struct diag *d)
{
	bool *out = f->out;

	if (value == NULL || strcmp(value, "true") == 0 ||
	    strcmp(value, "1") == 0) {
		*out = true;
		return ERR_OK;
	}
	if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0) {
		*out = false;
		return ERR_OK;
	}
	diag_set(d, 0, 0, "-%s takes true or false", f->name);
	return ERR_USAGE;
}

static enum err
set_value(const struct flag *f, const char *value, struct diag *d)
{
	uint64_t v;

	switch (f->kind) {
	case FLAG_STRING:
		*(const char **)f->out = value;
		return ERR_OK;
	case FLAG_LIST:
		return str_list_add(f->out, value);
	case FLAG_UINT:
		if (text_parse_u64(span_of(value), UINT32_MAX, &v) != ERR_OK) {
			diag_set(d, 0, 0, "-%s takes a whole number", f->name);
			return ERR_USAGE;
		}
		*(unsigned *)f->out = (unsigned)v;
		return ERR_OK;
	case FLAG_BOOL:
		return set_bool(f, value, d);
	}
	return ERR_USAGE;
}

/* One flag at argv[*i]; takes its value from argv[*i + 1] if it must. */
static enum err
take_flag(
    const struct flag_set *set, int argc, char **argv, int *i, struct diag *d)
{
	const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1);
	const char *eq = strchr(name, '=');
	size_t len = eq == NULL ? strlen(name) : (size_t)(eq - name);
	const struct flag *f = find_flag(set, span_make(name, len));

	if (f == NULL) {
		diag_set(d, 0, 0, "unknown flag -%.*s", (int)len, name);
		return ERR_USAGE;
	}
	if (f->kind == FLAG_BOOL) {
		return set_bool(f, eq == NULL ? NULL : eq + 1, d);
	}
	if (eq != NULL) {
		return set_value(f, eq + 1, d);
	}
	if (*i + 1 >= argc) {
		diag_set(d, 0, 0, "-%s needs a value: %s", f->name, f->arg);
		return ERR_USAGE;
	}
	(*i)++;
	return set_value(f, argv[*i], d);
}

static bool
is_help(const char *arg)
{
	return strcmp(arg, "-h") == 0 || strcmp(arg, "-help") == 0 ||
	       strcmp(arg, "--help") == 0 || strcmp(arg, "--h") == 0;
}

enum err
flags_parse(const struct flag_set *set, int *argc, char **argv, char ***rest,
    bool *help, struct diag *d)
{
	enum err rc;
	int i, n = 1;

	*help = false;
	for (i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (is_help(argv[i])) {
			*help = true;
			return ERR_OK;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[n++] = argv[i];
			continue;
		}
		rc = take_flag(set, *argc, argv, &i, d);
		if (rc != ERR_OK) {
			return rc;
		}
	}
	if (rest != NULL) {
		*rest = &argv[i];
	} else {
		for (; i < *argc; i++) {
			argv[n++] = argv[i];
		}
	}
	if ((unsigned)(n - 1) > set->max_operands) {
		diag_set(d, 0, 0, "unexpected argument \"%s\"",
		    argv[set->max_operands + 1]);
		return ERR_USAGE;
	}
	*argc = n;
	return ERR_OK;
}

static void
print_default(const struct flag *f, FILE *to)
{
	const char *s;

	if (f->kind == FLAG_STRING) {
		s = *(const char **)f->out;
		if (s != NULL && s[0] != '\0') {
			fprintf(to, " (default %s)", s);
		}
	} else if (f->kind == FLAG_UINT) {
		fprintf(to, " (default %u)", *(unsigned *)f->out);
	} else if (f->kind == FLAG_LIST) {
		fprintf(to, " (repeatable)");
	}
}

void
flags_help(const struct flag_set *set, FILE *to)
{
	const char *p, *nl;
	size_t i;

	fprintf(to, "Usage: %s\n", set->usage);
	if (set->about != NULL) {
		fprintf(to, "\n%s\n", set->about);
	}
	if (set->n > 0) {
		fprintf(to, "\nFlags (one dash or two):\n");
	}
	for (i = 0; i < set->n; i++) {
		const struct flag *f = &set->flag[i];

		fprintf(to, "  -%s %s\n", f->name, f->arg);
		for (p = f->help; (nl = strchr(p, '\n')) != NULL; p = nl + 1) {
			fprintf(to, "        %.*s\n", (int)(nl - p), p);
		}
		fprintf(to, "        %s", p);
		print_default(f, to);
		fprintf(to, "\n");
	}
}

int
flags_start(const struct flag_set *set, int *argc, char **argv, char ***rest)
{
	struct diag d = { 0, 0, "" };
	bool help;

	if (flags_parse(set, argc, argv, rest, &help, &d) != ERR_OK) {
		fprintf(stderr, "dinv: %s; usage: %s (-h tells more)\n",
		    d.text[0] == '\0' ? "out of memory" : d.text, set->usage);
		return 2;
	}
	if (help) {
		flags_help(set, stdout);
		return 0;
	}
	return -1;
}
