/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads "fields", "query" and "unknown_fields" of a role; see extra.h.
 *
 * A field is named by its path, with its operation before it where the body
 * itself is its parent: "Foo" alone would be a field of every body there is.
 * Its parent must be an object of dinv's tables, and its name none of a field
 * anywhere in that body: dockerd embeds structs in one another, so that an
 * older one reads HostConfig's fields at the top of a container's body too.
 *
 * Rejected: names that differ from a known one in case only, which Go would
 * take for it.
 *
 * Attackers do not write policies.  Owners copy a name from a message of the
 * gate's and must not thereby allow what a rule refuses.
 */
#include "base/text.h"
#include "load.h"

/* The operation before a colon; false: there is none of that name. */
static bool
split_op(struct span *s, const struct op **op)
{
	size_t n = 0;

	*op = NULL;
	while (
	    n < s->len && s->p[n] != ':' && s->p[n] != '.' && s->p[n] != '[') {
		n++;
	}
	if (n == s->len || s->p[n] != ':') {
		return true;
	}
	*op = ops_by_name(span_make(s->p, n));
	s->p += n + 1;
	s->len -= n + 1;
	return *op != NULL;
}

/* --- fields --------------------------------------------------------------- */

static bool
leads_to_object(const struct op *op, const struct body_path *path)
{
	return op->fields != NULL && op->fields->whole == NULL &&
	       body_path_follow(op->fields, path->step, path->n - 1).end ==
		   PATH_END_OBJECT;
}

/* Complains unless the parent is an object and the name a new one. */
static bool
is_new_field(
    struct loader *l, const struct json_node *v, const struct extra_field *f)
{
	const struct path_step *last = &f->path.step[f->path.n - 1];
	size_t i, n, found = 0;
	const struct op *op = ops_all(&n);

	if (f->op == NULL && f->path.n == 1) {
		load_complain(l, v,
		    "a field of the body itself needs its operation, as in "
		    "\"ContainerCreate:%s\"",
		    last->name);
		return false;
	}
	for (i = 0; i < n; i++) {
		if ((f->op != NULL && f->op != &op[i]) ||
		    !leads_to_object(&op[i], &f->path)) {
			continue;
		}
		found++;
		if (body_path_knows(op[i].fields, last->name)) {
			load_complain(l, v,
			    "%s has a field that dockerd may take for \"%s\", "
			    "and dinv judges it: rules, \"may\" and "
			    "\"constraints\" speak of it",
			    op[i].name, last->name);
			return false;
		}
	}
	if (found == 0) {
		load_complain(l, v,
		    "no body that dinv knows has an object where %s would be",
		    quote(f->path.text).s);
	}
	return found > 0;
}

static bool
read_field(struct loader *l, const struct json_node *v, struct extra_field *out)
{
	struct span s;
	enum err rc;

	if (!load_want_text(l, v, "a field such as \"HostConfig.Foo\"", &s)) {
		return false;
	}
	if (!split_op(&s, &out->op)) {
		load_complain(l, v,
		    "no operation before the colon of %s; expected an "
		    "operation id of the Engine API",
		    quote(json_string(v)).s);
		return false;
	}
	rc = body_path_parse(&l->pol->arena, s, &out->path);
	l->nomem = l->nomem || rc == ERR_NOMEM;
	if (rc != ERR_OK ||
	    out->path.step[out->path.n - 1].kind != PATH_FIELD) {
		load_complain(l, v,
		    "expected a field such as \"HostConfig.Foo\" or "
		    "\"ContainerCreate:HostConfig.Mounts[].Bar\"");
		return false;
	}
	return is_new_field(l, v, out);
}

/* What a role names is added to what it inherited. */
void
load_extra_fields(struct loader *l, void *to, const struct json_node *v)
{
	struct extras *x = &((struct role *)to)->extras;
	struct extra_field *item;
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of fields");
		return;
	}
	item = load_take(l, (x->n_fields + json_count(v) + 1) * sizeof(*item));
	if (item == NULL) {
		return;
	}
	if (x->n_fields > 0) {
		memcpy(item, x->field, x->n_fields * sizeof(*item));
	}
	x->field = item;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (read_field(l, e, &item[x->n_fields])) {
			x->n_fields++;
		}
	}
}

/* --- query keys ----------------------------------------------------------- */

static bool
read_key(struct loader *l, const struct json_node *v, struct extra_key *out)
{
	struct span s;

	if (!load_want_text(
		l, v, "a query key such as \"ContainerCreate:foo\"", &s)) {
		return false;
	}
	if (!split_op(&s, &out->op) || out->op == NULL || s.len == 0 ||
	    !text_is_printable(s)) {
		load_complain(l, v,
		    "expected an operation and a query key of it, such as "
		    "\"ContainerCreate:foo\"");
		return false;
	}
	if (ops_query_key(out->op, s) == OP_KEY_READ) {
		load_complain(l, v, "dinv knows the query key %s of %s already",
		    quote(s).s, out->op->name);
		return false;
	}
	out->key = load_keep(l, s);
	return true;
}

void
load_extra_query(struct loader *l, void *to, const struct json_node *v)
{
	struct extras *x = &((struct role *)to)->extras;
	struct extra_key *item;
	const struct json_node *e;

	if (json_type(v) != JSON_ARRAY) {
		load_complain(l, v, "expected a list of query keys");
		return;
	}
	item = load_take(l, (x->n_keys + json_count(v) + 1) * sizeof(*item));
	if (item == NULL) {
		return;
	}
	if (x->n_keys > 0) {
		memcpy(item, x->key, x->n_keys * sizeof(*item));
	}
	x->key = item;
	for (e = json_first(v); e != NULL; e = json_next(e)) {
		if (read_key(l, e, &item[x->n_keys])) {
			x->n_keys++;
		}
	}
}

void
load_unknown_fields(struct loader *l, void *to, const struct json_node *v)
{
	struct extras *x = &((struct role *)to)->extras;

	if (json_type(v) != JSON_STRING ||
	    (!span_is(json_string(v), "drop") &&
		!span_is(json_string(v), "refuse"))) {
		load_complain(l, v, "expected \"refuse\" or \"drop\"");
		return;
	}
	x->drop = span_is(json_string(v), "drop");
}
