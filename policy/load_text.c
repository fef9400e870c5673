/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of a policy to its tree; see load.h.
 *
 * What is no JSON has no tree, and is one complaint.  A member that comes
 * twice is refused by the reader as well, but a tree there is: it is built
 * for this file alone, so that everything that is wrong with it is told at
 * once.  A complaint was made by then, and no policy comes of it.
 *
 * Rejected: a reader that lets such members pass and trusts its callers to
 * look for them.
 */
#include "base/text.h"
#include "load.h"

/* An object of a policy has few members; more are not compared. */
#define TWICE_MAX 1000

static bool
came_before(const struct json_node *object, const struct json_node *m)
{
	const struct json_node *e = json_first(object);

	while (e != m && !span_eq(json_key(e), json_key(m))) {
		e = json_next(e);
	}
	return e != m;
}

/* Recursion ends with the depth that json_parse() allows. */
static void
complain_twice(struct loader *l, const struct json_node *v)
{
	bool object = json_type(v) == JSON_OBJECT && json_count(v) < TWICE_MAX;
	const struct json_node *m;

	for (m = json_first(v); m != NULL; m = json_next(m)) {
		if (object && came_before(v, m)) {
			load_complain(l, m,
			    "an object names a member twice: %s",
			    quote(json_key(m)).s);
		}
		complain_twice(l, m);
	}
}

enum err
load_parse(struct loader *l, struct span text, struct json_doc **doc)
{
	struct diag d = { 0, 0, "" };
	enum err rc = json_parse(text, JSON_COMMENTS, doc, &d);
	size_t before = l->errors;

	if (rc == ERR_JSON_DUPKEY &&
	    json_parse(text, JSON_COMMENTS_TWICE, doc, NULL) == ERR_OK) {
		complain_twice(l, json_root(*doc));
		if (l->errors > before) {
			return ERR_OK;
		}
		json_free(*doc);
	}
	if (rc != ERR_OK && rc != ERR_NOMEM) {
		l->errors++;
		l->report(l->arg, &d);
	}
	return rc;
}
