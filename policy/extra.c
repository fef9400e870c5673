/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields and query keys that no table knows; see extra.h.
 *
 * A new dockerd brings a field that an owner wants before dinv knows it.  The
 * role names it, and then it goes on unread, with all that it holds, in the
 * client's spelling; anything else unknown is refused as ever, or left out
 * where the role says so.  What is named is looked up only after the tables
 * were: a field that dinv knows is judged, whatever a role names.
 *
 * Rejected: a role that passes on all that is unknown.  It would be a hole
 * for each field that a new dockerd brings.
 *
 * Attackers send a name that folds to a judged field (the tables are asked
 * first, folding as Go does), the named field twice in two spellings (Go takes
 * the last; refused), or hope for an owner who names a judged field where
 * an older dockerd reads it (load_extra.c refuses such names).
 */
#include "extra.h"

#include "base/jsonw.h"

bool
extras_have_field(const struct extras *x, const struct op *op,
    const struct frame *at, struct span key)
{
	size_t i, last;

	for (i = 0; x != NULL && i < x->n_fields; i++) {
		const struct extra_field *f = &x->field[i];

		last = f->path.n - 1;
		if ((f->op == NULL || f->op == op) &&
		    fields_fold(key, f->path.step[last].name) &&
		    body_path_is_at(f->path.step, last, at)) {
			return true;
		}
	}
	return false;
}

enum op_key
extras_query_key(const struct extras *x, const struct op *op, struct span key)
{
	enum op_key k = ops_query_key(op, key);
	size_t i;

	if (k == OP_KEY_READ) {
		return k;
	}
	for (i = 0; i < x->n_keys; i++) {
		if (x->key[i].op == op && span_eq(x->key[i].key, key)) {
			return OP_KEY_READ;
		}
	}
	return x->drop ? OP_KEY_IGNORED : k;
}

/* --- in a walk ------------------------------------------------------------ */

/* The value as it came: numbers by their text, names as they are. */
void
extras_write_raw(struct jsonw *j, const struct json_node *v)
{
	const struct json_node *e;

	switch (json_type(v)) {
	case JSON_NULL:
		jsonw_str(j, NULL);
		return;
	case JSON_BOOL:
		jsonw_bool(j, json_bool(v));
		return;
	case JSON_NUMBER:
		jsonw_number(j, json_number(v));
		return;
	case JSON_STRING:
		jsonw_span(j, json_string(v));
		return;
	case JSON_ARRAY:
		jsonw_array(j);
		for (e = json_first(v); e != NULL; e = json_next(e)) {
			extras_write_raw(j, e);
		}
		jsonw_array_end(j);
		return;
	case JSON_OBJECT:
		jsonw_object(j);
		for (e = json_first(v); e != NULL; e = json_next(e)) {
			jsonw_key(j, json_key(e).p);
			extras_write_raw(j, e);
		}
		jsonw_object_end(j);
		return;
	}
}

/* A later member that Go takes for the same one. */
static bool
comes_again(const struct json_node *m)
{
	const struct json_node *later;

	for (later = json_next(m); later != NULL; later = json_next(later)) {
		if (fields_fold_same(json_key(m), json_key(later))) {
			return true;
		}
	}
	return false;
}

static void
pass_on(struct walk *w, const struct json_node *m, bool comma)
{
	struct jsonw j;

	if (comes_again(m)) {
		walk_refuse_all(w, RULE_DUPLICATE_FIELD,
		    "the field %s, which comes twice", quote(json_key(m)).s);
		return;
	}
	if (w->err != ERR_OK || w->out == NULL) {
		return;
	}
	jsonw_init(&j, w->out);
	j.comma = comma;
	jsonw_key(&j, json_key(m).p);
	extras_write_raw(&j, m);
	w->err = j.err;
}

static void
note(struct walk *w, const char *what)
{
	char path[128];

	if (w->note != NULL) {
		walk_path(w->at, path, sizeof(path));
		w->note(w->arg, what, path);
	}
}

bool
walk_unknown(struct walk *w, const struct json_node *m, bool comma)
{
	struct span key = json_key(m);
	struct quoted q = quote(key);
	struct frame here = { .up = w->at };
	bool extra = extras_have_field(w->extras, w->op, w->at, key);

	if (!extra && fields_zero(m)) {
		return false;
	}
	/* "HostConfig.Foo" rather than HostConfig["Foo"] where it is plain. */
	q.s[strlen(q.s) - 1] = '\0';
	here.name = q.s + 1;
	w->at = &here;
	if (extra) {
		pass_on(w, m, comma);
		note(w, "unjudged");
	} else if (w->extras != NULL && w->extras->drop) {
		note(w, "left out");
	} else {
		walk_refuse_all(w, RULE_UNKNOWN_FIELD,
		    "a field that it does not know (%s)", quote(key).s);
	}
	w->at = here.up;
	return extra;
}
