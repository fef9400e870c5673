/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/policy.schema.json says what the loader reads, and the other way
 * round: members by the loader's own tables, names by those of operations,
 * rules and presets.  What values may look like is held against both in
 * tests/integration/.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "load.h"

#define SCHEMA "docs/policy.schema.json"

static struct json_doc *schema;

static int
read_schema(void **state)
{
	static char text[256 * 1024];
	struct diag d = { 0, 0, "" };
	FILE *f = fopen(SCHEMA, "r");
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_true(n > 0 && n < sizeof(text));
	if (json_parse(span_make(text, n), JSON_COMMENTS, &schema, &d) !=
	    ERR_OK) {
		print_error("%s:%u:%u: %s\n", SCHEMA, d.line, d.col, d.text);
		return -1;
	}
	return 0;
}

static int
free_schema(void **state)
{
	(void)state;
	json_free(schema);
	return 0;
}

static const struct json_node *
member(const struct json_node *v, const char *name)
{
	const struct json_node *m = json_get(v, name);

	if (m == NULL) {
		fail_msg("the schema has no \"%s\"", name);
	}
	return m;
}

static const struct json_node *
definition(const char *name)
{
	return member(member(json_root(schema), "definitions"), name);
}

/* --- sets of names -------------------------------------------------------- */

#define NAMES_MAX 256

struct names {
	const char *name[NAMES_MAX];
	size_t n;
};

static void
add(struct names *s, const char *name)
{
	assert_true(s->n < NAMES_MAX);
	s->name[s->n++] = name;
}

static bool
has(const struct names *s, const char *name)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->name[i], name) != 0) {
		i++;
	}
	return i < s->n;
}

static unsigned
missing(const char *what, const char *where, const struct names *from,
    const struct names *in)
{
	unsigned wrong = 0;
	size_t i;

	for (i = 0; i < from->n; i++) {
		if (!has(in, from->name[i])) {
			print_error("%s: \"%s\" is not in the %s\n", what,
			    from->name[i], where);
			wrong++;
		}
	}
	return wrong;
}

static void
expect_same(
    const char *what, const struct names *loader, const struct names *described)
{
	assert_true(loader->n > 0);
	assert_int_equal(missing(what, "schema", loader, described) +
			     missing(what, "loader", described, loader),
	    0);
}

/* The properties of an object that takes no others. */
static struct names
properties(const struct json_node *object)
{
	const struct json_node *closed = member(object, "additionalProperties");
	const struct json_node *m = json_first(member(object, "properties"));
	struct names out = { .n = 0 };

	assert_true(json_type(closed) == JSON_BOOL && !json_bool(closed));
	for (; m != NULL; m = json_next(m)) {
		add(&out, json_key(m).p);
	}
	return out;
}

static struct names
enumerated(const struct json_node *object)
{
	const struct json_node *e = json_first(member(object, "enum"));
	struct names out = { .n = 0 };

	for (; e != NULL; e = json_next(e)) {
		add(&out, json_string(e).p);
	}
	return out;
}

/* --- members -------------------------------------------------------------- */

static void
expect_table(const struct load_table *t, const struct json_node *object)
{
	struct names loader = { .n = 0 }, described = properties(object);
	size_t i;

	for (i = 0; i < t->n; i++) {
		add(&loader, t->row[i].name);
	}
	expect_same(t->a, &loader, &described);
}

/* The object among the forms of a condition. */
static const struct json_node *
condition_object(void)
{
	const struct json_node *e =
	    json_first(member(definition("condition"), "anyOf"));

	while (e != NULL && json_get(e, "properties") == NULL) {
		e = json_next(e);
	}
	assert_non_null(e);
	return e;
}

static void
has_the_members_of_the_loader(void **state)
{
	(void)state;
	expect_table(&load_file_table, json_root(schema));
	expect_table(&load_client_table, definition("client"));
	expect_table(&load_match_table, definition("match"));
	expect_table(&load_role_table, definition("role"));
	expect_table(&load_rule_table, definition("ruleWhen"));
	expect_table(&load_condition_table, condition_object());
	expect_table(&load_limit_table, definition("byteLimit"));
	expect_table(&load_limit_table, definition("cpuLimit"));
	expect_table(&load_limit_table, definition("countLimit"));
	expect_table(&load_path_table, definition("hostPath"));
}

struct wanted {
	const char *group; /* whose members; NULL: of constraints */
	struct names names;
};

static void
take_constraint(void *arg, const char *group, const char *name)
{
	struct wanted *w = arg;

	if (group == w->group || (group != NULL && w->group != NULL &&
				     strcmp(group, w->group) == 0)) {
		add(&w->names, name);
	}
}

static void
has_the_constraints_of_the_loader(void **state)
{
	const struct json_node *all = definition("constraints"), *m;
	struct wanted top = { .group = NULL };
	struct names described = properties(all);
	unsigned groups = 0;
	size_t i;

	(void)state;
	load_each_constraint(take_constraint, &top);
	expect_same("constraints", &top.names, &described);
	for (i = 0; i < top.names.n; i++) {
		struct wanted w = { .group = top.names.name[i] };

		load_each_constraint(take_constraint, &w);
		m = member(member(all, "properties"), w.group);
		if (w.names.n == 0) {
			assert_null(json_get(m, "properties"));
			continue;
		}
		groups++;
		described = properties(m);
		expect_same(w.group, &w.names, &described);
	}
	assert_true(groups > 0);
}

/* --- names of things ------------------------------------------------------ */

static void
names_operations_rules_and_presets(void **state)
{
	static char classes[OPC_N][16];
	struct names ops = { .n = 0 }, rules = { .n = 0 };
	struct names presets = { .n = 0 }, described;
	const char *const *preset;
	const struct op *op;
	unsigned c, r;
	size_t i, n;

	(void)state;
	for (c = OPC_NONE + 1; c < OPC_N; c++) {
		snprintf(classes[c], sizeof(classes[c]), "@%s",
		    ops_class_name((enum op_class)c));
		add(&ops, classes[c]);
	}
	op = ops_all(&n);
	for (i = 0; i < n; i++) {
		add(&ops, op[i].name);
	}
	for (r = RULE_NONE + 1; r < RULE_N; r++) {
		if (rule_may((enum rule)r)) {
			add(&rules, rule_name((enum rule)r));
		}
	}
	for (preset = policy_preset_names(); *preset != NULL; preset++) {
		add(&presets, *preset);
	}
	described = enumerated(definition("operation"));
	expect_same("operations", &ops, &described);
	described = enumerated(definition("rule"));
	expect_same("rules", &rules, &described);
	described = enumerated(definition("preset"));
	expect_same("presets", &presets, &described);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_members_of_the_loader),
		cmocka_unit_test(has_the_constraints_of_the_loader),
		cmocka_unit_test(names_operations_rules_and_presets),
	};

	return cmocka_run_group_tests(tests, read_schema, free_schema);
}
