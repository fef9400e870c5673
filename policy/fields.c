/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over a JSON body; see fields.h.
 *
 * Judging and writing are one pass, so no value can be written that was not
 * judged.  Names are compared as Go's encoding/json does (exact, or equal
 * under simple case folding) and written in dockerd's spelling; two members
 * that fold to one field are refused, because Go merges them in ways that
 * depend on their types.  A zero value is passed on as it is: clients send
 * all fields, and null, [] and "" differ for some.  A field that no table
 * knows is left out if it is zero and refused otherwise, so that a new
 * dockerd adds a refusal and not a hole.
 *
 * Rejected: dropping unknown fields in silence (a container would start with
 * less than was asked for), and judging the tree first and writing later.
 *
 * Attackers write "HoſtConfig" and "privileged", a string for a list,
 * HostConfig fields at the top level (dockerd 26 and older merge them), one
 * name twice.
 */
#include "fields.h"

#include "base/jsonw.h"
#include "constraint.h"
#include "judge.h"

/* --- writing ------------------------------------------------------------- */

static void
put(struct walk *w, struct span s)
{
	if (w->err == ERR_OK && w->out != NULL) {
		w->err = buf_append(w->out, s.p, s.len);
	}
}

static void
put_str(struct walk *w, const char *s)
{
	put(w, span_of(s));
}

static void
put_text(struct walk *w, struct span s)
{
	struct jsonw j;

	if (w->err == ERR_OK && w->out != NULL) {
		jsonw_init(&j, w->out);
		jsonw_span(&j, s);
		w->err = j.err;
	}
}

/* --- values -------------------------------------------------------------- */

static const char *const type_names[] = {
	[FT_STR] = "a string",
	[FT_BOOL] = "true or false",
	[FT_INT] = "an integer",
	[FT_NUMBER] = "a number",
	[FT_INTS] = "a list of integers",
	[FT_STRS] = "a list of strings",
	[FT_STRSLICE] = "a list of strings",
	[FT_STRLISTS] = "a list of lists of strings",
	[FT_STRMAP] = "an object of strings",
	[FT_SET] = "an object of empty objects",
	[FT_OBJ] = "an object",
	[FT_OBJS] = "a list of objects",
	[FT_OBJMAP] = "an object of objects",
	[FT_LISTMAP] = "an object of lists",
};

static void
refuse_type(struct walk *w, enum field_type type)
{
	w->mistyped = true;
	walk_refuse_all(w, RULE_TYPE, "what is not %s", type_names[type]);
}

static void
write_string(struct walk *w, const struct json_node *v)
{
	if (json_type(v) != JSON_STRING) {
		refuse_type(w, FT_STR);
		return;
	}
	put_text(w, json_string(v));
}

/* Go reads no fraction, no exponent and nothing past 64 bits. */
static void
write_int(struct walk *w, const struct json_node *v)
{
	int64_t i;

	if (json_type(v) != JSON_NUMBER || json_int(v, &i) != ERR_OK) {
		refuse_type(w, FT_INT);
		return;
	}
	put(w, json_number(v));
}

/* float32; past its range dockerd refuses it. */
static void
write_number(struct walk *w, const struct json_node *v)
{
	if (json_type(v) != JSON_NUMBER) {
		refuse_type(w, FT_NUMBER);
		return;
	}
	put(w, json_number(v));
}

static void
write_bool(struct walk *w, const struct json_node *v)
{
	if (json_type(v) != JSON_BOOL) {
		refuse_type(w, FT_BOOL);
		return;
	}
	put_str(w, json_bool(v) ? "true" : "false");
}

/* An array; item writes each element, with its index on the path. */
static void
write_array(struct walk *w, const struct field *f, const struct json_node *v,
    void (*item)(struct walk *, const struct field *, const struct json_node *))
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		refuse_type(w, f->type);
		return;
	}
	put_str(w, "[");
	for (e = json_first(v); e != NULL && w->err == ERR_OK;
	     e = json_next(e)) {
		if (here.index > 0) {
			put_str(w, ",");
		}
		w->at = &here;
		item(w, f, e);
		w->at = here.up;
		here.index++;
	}
	put_str(w, "]");
}

/* A map: its keys are data, told apart letter by letter. */
static void
write_map(struct walk *w, const struct field *f, const struct json_node *v,
    void (*item)(struct walk *, const struct field *, const struct json_node *))
{
	struct frame here = { .up = w->at };
	const struct json_node *e;

	if (json_type(v) != JSON_OBJECT) {
		refuse_type(w, f->type);
		return;
	}
	put_str(w, "{");
	for (e = json_first(v); e != NULL && w->err == ERR_OK;
	     e = json_next(e)) {
		if (here.index++ > 0) {
			put_str(w, ",");
		}
		here.key = json_key(e);
		put_text(w, here.key);
		put_str(w, ":");
		w->at = &here;
		item(w, f, e);
		w->at = here.up;
	}
	put_str(w, "}");
}

static void
item_string(struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	write_string(w, v);
}

static void
item_int(struct walk *w, const struct field *f, const struct json_node *v)
{
	(void)f;
	write_int(w, v);
}

static void
item_strings(struct walk *w, const struct field *f, const struct json_node *v)
{
	write_array(w, f, v, item_string);
}

/* struct{}: Go takes any object or null. */
static void
item_empty(struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) != JSON_OBJECT && json_type(v) != JSON_NULL) {
		refuse_type(w, f->type);
		return;
	}
	put_str(w, "{}");
}

static void write_object(
    struct walk *w, const struct fields *t, const struct json_node *v);

static void
item_object(struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) != JSON_OBJECT) {
		refuse_type(w, FT_OBJ);
		return;
	}
	write_object(w, f->sub, v);
}

/* A map's values may be null where they are pointers (EndpointSettings). */
static void
item_object_or_null(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) == JSON_NULL) {
		put_str(w, "null");
		return;
	}
	item_object(w, f, v);
}

static void
item_objects_or_null(
    struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) == JSON_NULL) {
		put_str(w, "null");
		return;
	}
	write_array(w, f, v, item_object);
}

static void
write_strslice(struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) != JSON_STRING) {
		write_array(w, f, v, item_string);
		return;
	}
	put_str(w, "[");
	write_string(w, v);
	put_str(w, "]");
}

static void
write_value(struct walk *w, const struct field *f, const struct json_node *v)
{
	if (json_type(v) == JSON_NULL) {
		put_str(w, "null");
		return;
	}
	switch (f->type) {
	case FT_DROP:
	case FT_NEVER:
		break; /* not written: see write_member() */
	case FT_STR:
		write_string(w, v);
		break;
	case FT_BOOL:
		write_bool(w, v);
		break;
	case FT_INT:
		write_int(w, v);
		break;
	case FT_NUMBER:
		write_number(w, v);
		break;
	case FT_INTS:
		write_array(w, f, v, item_int);
		break;
	case FT_STRS:
		write_array(w, f, v, item_string);
		break;
	case FT_STRSLICE:
		write_strslice(w, f, v);
		break;
	case FT_STRLISTS:
		write_array(w, f, v, item_strings);
		break;
	case FT_STRMAP:
		write_map(w, f, v, item_string);
		break;
	case FT_SET:
		write_map(w, f, v, item_empty);
		break;
	case FT_OBJ:
		item_object(w, f, v);
		break;
	case FT_OBJS:
		write_array(w, f, v, item_object);
		break;
	case FT_OBJMAP:
		write_map(w, f, v, item_object_or_null);
		break;
	case FT_LISTMAP:
		write_map(w, f, v, item_objects_or_null);
		break;
	}
}

/* --- judging ------------------------------------------------------------- */

static bool
in_list(struct span s, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (span_is(s, *list)) {
			return true;
		}
	}
	return false;
}

/* The list of the role for this field, or NULL. */
static const struct words *
list_of(const struct walk *w, const struct field *f,
    bool (**match)(const struct words *list, struct span s))
{
	if (w->limits == NULL || !w->limits->any || f->rule == RULE_NONE) {
		return NULL;
	}
	return constraint_list(
	    w->limits, f->rule, f->name, w->at->up == NULL, match);
}

static void
judge_text(struct walk *w, const struct field *f, const struct words *list,
    bool (*match)(const struct words *list, struct span s), struct span s)
{
	if (f->allow != NULL && in_list(s, f->allow)) {
		return;
	}
	/* Join tokens and keys: secrets, which no message or record shows. */
	s = f->rule == RULE_SWARM_HOST ? span_of("not shown") : s;
	walk_about(w, s, NULL);
	if (list == NULL) {
		walk_refuse(
		    w, f->rule, "%s (%s)", rule_what(f->rule), quote(s).s);
	} else if (!match(list, s)) {
		walk_refuse_all(w, f->rule, "%s (%s; allowed: %s)",
		    rule_what(f->rule), quote(s).s, words_show(list).s);
	}
	walk_about(w, span_make(NULL, 0), NULL);
}

/* The type was checked when it was written. */
static void
judge_allow(struct walk *w, const struct field *f, const struct json_node *v)
{
	bool (*match)(const struct words *list, struct span s) = NULL;
	const struct words *list = list_of(w, f, &match);
	struct frame here = { .up = w->at };
	const struct json_node *e;

	if (json_type(v) == JSON_STRING) {
		judge_text(w, f, list, match, json_string(v));
		return;
	}
	if (json_type(v) == JSON_NULL) {
		return;
	}
	w->at = &here;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (json_type(v) == JSON_OBJECT) {
			here.key = json_key(e);
			judge_text(w, f, list, match, here.key);
		} else {
			judge_text(w, f, list, match, json_string(e));
			here.index++;
		}
	}
	w->at = here.up;
}

static void
judge_value(struct walk *w, const struct field *f, const struct json_node *v)
{
	bool (*match)(const struct words *list, struct span s);

	if (w->err != ERR_OK || w->mistyped) {
		return;
	}
	if (f->judge != NULL) {
		f->judge(w, f, v);
	} else if (f->allow != NULL) {
		judge_allow(w, f, v);
	} else if (f->rule != RULE_NONE && !fields_nothing(f, v)) {
		if (list_of(w, f, &match) != NULL ||
		    (w->refused != NULL && fields_is_text(f))) {
			judge_allow(w, f, v);
		} else {
			walk_refuse(w, f->rule, "%s", rule_what(f->rule));
		}
	}
}

/* --- objects ------------------------------------------------------------- */

/*
 * The field of that name, looked for from near on: clients write members in
 * the order of dockerd's structs, and so do the tables.
 */
static const struct field *
find_field(const struct fields *t, struct span key, size_t near)
{
	size_t i, at;

	for (i = 0; i < t->n; i++) {
		at = near + i < t->n ? near + i : near + i - t->n;
		if (fields_fold(key, t->field[at].name)) {
			return &t->field[at];
		}
	}
	return NULL;
}

/* The client's labels, but those that the role has its own values for. */
static void
write_forced(struct walk *w, const struct field *f, const struct json_node *v)
{
	const struct json_node *e;
	size_t i;

	if (v != NULL && json_type(v) != JSON_NULL &&
	    json_type(v) != JSON_OBJECT) {
		refuse_type(w, f->type);
		return;
	}
	for (i = 0; i < w->force->n; i++) {
		put_str(w, i == 0 ? "{" : ",");
		put_text(w, w->force->item[i].key);
		put_str(w, ":");
		put_text(w, w->force->item[i].value);
	}
	for (e = v == NULL ? NULL : json_first(v); e != NULL;
	     e = json_next(e)) {
		if (constraint_forced(w->force, json_key(e)) != NULL) {
			continue;
		}
		put_str(w, ",");
		put_text(w, json_key(e));
		put_str(w, ":");
		write_string(w, e);
	}
	put_str(w, "}");
}

/*
 * Where the role forces labels: those of the body itself, and of the
 * containers that a service's body asks for.
 */
static bool
is_forced(const struct walk *w, const struct field *f, bool top)
{
	return w->force != NULL && strcmp(f->name, "Labels") == 0 &&
	       (top || f->judge == judge_own_labels);
}

/* The row of forced labels in a table, or NULL. */
static const struct field *
forced_field(const struct walk *w, const struct fields *t)
{
	const struct field *f =
	    w->force == NULL ? NULL : find_field(t, span_of("Labels"), 0);

	return f != NULL && is_forced(w, f, w->at == NULL) ? f : NULL;
}

/* Returns whether something was written. */
static bool
write_member(struct walk *w, const struct field *f, const struct json_node *v,
    bool comma)
{
	struct frame here = { .up = w->at, .name = f->name };
	bool mistyped = w->mistyped;

	if (f->type == FT_DROP) {
		return false;
	}
	w->at = &here;
	w->mistyped = false; /* of those beside it each is judged */
	if (f->type == FT_NEVER) {
		if (!fields_zero(v)) {
			walk_refuse_all(w, f->rule, "%s", rule_what(f->rule));
		}
	} else {
		put_str(w, comma ? ",\"" : "\"");
		put_str(w, f->name);
		put_str(w, "\":");
		if (is_forced(w, f, here.up == NULL)) {
			write_forced(w, f, v);
		} else {
			write_value(w, f, v);
		}
		judge_value(w, f, v);
	}
	w->at = here.up;
	w->mistyped = w->mistyped || mistyped;
	return f->type != FT_NEVER;
}

static void
write_object(struct walk *w, const struct fields *t, const struct json_node *v)
{
	const struct json_node *seen[FIELDS_MAX] = { NULL };
	bool comma = false;
	const struct json_node *m;
	const struct field *f;
	size_t near = 0;

	put_str(w, "{");
	for (m = json_first(v); m != NULL && w->err == ERR_OK;
	     m = json_next(m)) {
		f = find_field(t, json_key(m), near);
		if (f == NULL) {
			comma = walk_unknown(w, m, comma) || comma;
			continue;
		}
		near = (size_t)(f - t->field) + 1;
		if (seen[f - t->field] != NULL) {
			if (!fields_same(seen[f - t->field], m)) {
				walk_refuse_all(w, RULE_DUPLICATE_FIELD,
				    "the field %s, which comes twice", f->name);
			}
			continue;
		}
		seen[f - t->field] = m;
		if (write_member(w, f, m, comma)) {
			comma = true;
		}
	}
	f = forced_field(w, t);
	if (f != NULL && seen[f - t->field] == NULL) {
		put_str(w, comma ? ",\"Labels\":" : "\"Labels\":");
		write_forced(w, f, NULL);
	}
	put_str(w, "}");
}

static void
judge_fields(struct walk *w, const struct fields *t, const struct json_node *v)
{
	struct frame here = { .up = w->at };
	const struct json_node *m;
	size_t i;

	for (i = 0; i < t->n && w->err == ERR_OK; i++) {
		m = fields_get(v, t->field[i].name);
		if (m == NULL) {
			continue;
		}
		here.name = t->field[i].name;
		w->at = &here;
		if (t->field[i].sub != NULL) {
			judge_fields(w, t->field[i].sub, m);
		} else {
			judge_value(w, &t->field[i], m);
		}
		w->at = here.up;
	}
}

enum err
fields_judge(struct walk *w, const struct fields *t, const struct json_node *v)
{
	judge_fields(w, t, v);
	return walk_result(w);
}

enum err
fields_walk(struct walk *w, const struct fields *t, const struct json_node *v)
{
	w->err = ERR_OK;
	memset(&w->found, 0, sizeof(w->found));
	if (t->whole != NULL) {
		write_value(w, t->whole, v);
		judge_value(w, t->whole, v);
	} else if (json_type(v) == JSON_NULL && w->force == NULL) {
		put_str(w, "null");
	} else if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_NULL) {
		write_object(w, t, v);
	} else {
		refuse_type(w, FT_OBJ);
	}
	return walk_result(w);
}
