/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of JSON bodies in policies; see body_path.h.
 *
 *	path  = name *( "." name / "[]" / "[" key "]" )
 *	name  = letters, digits, "-" and "_"
 *	key   = printable ASCII without "]"
 *
 * Names are dockerd's, letter by letter: a policy that writes "hostconfig"
 * would be read by people who look for "HostConfig".  What a field holds is a
 * word of one letter for each level, so that a path is followed by eating
 * letters: "[o" is a list of objects, "{[o" a map of lists of them.
 *
 * Rejected: indices ("Cmd[0]"), and patterns for keys; neither was needed,
 * and both are easy to get wrong by one.
 *
 * Attackers do not write policies.  Owners misspell: what is followed by no
 * table is an error that says how far the path led.
 */
#include "body_path.h"

#include "base/text.h"

/* A path of a policy has a handful. */
#define PATH_MAX_STEPS 16

/* --- reading -------------------------------------------------------------- */

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static size_t
name_length(struct span s)
{
	size_t n = 0;

	while (n < s.len && is_name(s.p[n])) {
		n++;
	}
	return n;
}

/* One step from the front of *s; first: nothing stands before it. */
static enum err
read_step(
    struct arena *arena, struct span *s, bool first, struct path_step *out)
{
	struct span word = *s;
	const char *end;
	size_t eaten;

	if (!first && s->p[0] == '[') {
		end = memchr(s->p, ']', s->len);
		if (end == NULL) {
			return ERR_USAGE;
		}
		word = span_make(s->p + 1, (size_t)(end - s->p) - 1);
		eaten = word.len + 2;
		out->kind = word.len == 0 ? PATH_ANY : PATH_KEY;
	} else {
		if (!first && s->p[0] != '.') {
			return ERR_USAGE;
		}
		word.p += first ? 0 : 1;
		word.len -= first ? 0 : 1;
		word.len = name_length(word);
		eaten = word.len + (first ? 0 : 1);
		out->kind = PATH_FIELD;
		if (word.len == 0) {
			return ERR_USAGE;
		}
	}
	if (!text_is_printable(word)) {
		return ERR_USAGE;
	}
	s->p += eaten;
	s->len -= eaten;
	out->name = arena_dup(arena, word);
	return out->name == NULL ? ERR_NOMEM : ERR_OK;
}

enum err
body_path_parse(struct arena *arena, struct span text, struct body_path *out)
{
	struct path_step step[PATH_MAX_STEPS] = { { PATH_FIELD, NULL } }, *kept;
	struct span rest = text;
	enum err rc = ERR_OK;
	size_t n = 0;

	while (rc == ERR_OK && rest.len > 0) {
		if (n == PATH_MAX_STEPS) {
			return ERR_USAGE;
		}
		rc = read_step(arena, &rest, n == 0, &step[n]);
		n++;
	}
	if (rc != ERR_OK || n == 0) {
		return rc == ERR_OK ? ERR_USAGE : rc;
	}
	kept = arena_alloc(arena, n * sizeof(*kept));
	out->text = arena_span(arena, text);
	if (kept == NULL || out->text.p == NULL) {
		return ERR_NOMEM;
	}
	memcpy(kept, step, n * sizeof(*kept));
	out->step = kept;
	out->n = n;
	return ERR_OK;
}

/* --- following ------------------------------------------------------------ */

/* '[' list of, '{' map of, 'o' object of the sub table, 'e' empty object. */
static const char *const shapes[] = {
	[FT_DROP] = "",
	[FT_NEVER] = "",
	[FT_STR] = "s",
	[FT_BOOL] = "b",
	[FT_INT] = "i",
	[FT_NUMBER] = "", /* no condition speaks of fractions */
	[FT_INTS] = "[i",
	[FT_STRS] = "[s",
	[FT_STRSLICE] = "[s",
	[FT_STRLISTS] = "[[s",
	[FT_STRMAP] = "{s",
	[FT_SET] = "{e",
	[FT_OBJ] = "o",
	[FT_OBJS] = "[o",
	[FT_OBJMAP] = "{o",
	[FT_LISTMAP] = "{[o",
};

static enum path_end
end_of(char shape)
{
	switch (shape) {
	case 's':
		return PATH_END_STR;
	case 'b':
		return PATH_END_BOOL;
	case 'i':
		return PATH_END_INT;
	case '[':
		return PATH_END_LIST;
	case '{':
		return PATH_END_MAP;
	case 'o':
		return PATH_END_OBJECT;
	case 'e':
		return PATH_END_EMPTY;
	default:
		return PATH_END_NONE;
	}
}

static const struct field *
exact_field(const struct fields *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (strcmp(t->field[i].name, name) == 0) {
			return &t->field[i];
		}
	}
	return NULL;
}

struct path_place
body_path_follow(const struct fields *t, const struct path_step *step, size_t n)
{
	struct path_place at = { PATH_END_NONE, NULL, t, 0 };
	const char *shape = "o";

	for (; at.known < n; at.known++) {
		const struct path_step *s = &step[at.known];

		if (s->kind == PATH_FIELD) {
			at.field = *shape == 'o'
				       ? exact_field(at.table, s->name)
				       : NULL;
			if (at.field == NULL) {
				return at;
			}
			shape = shapes[at.field->type];
			at.table = at.field->sub;
		} else if (*shape == '{' ||
			   (*shape == '[' && s->kind == PATH_ANY)) {
			shape++;
		} else {
			return at;
		}
	}
	at.end = end_of(*shape);
	return at;
}

bool
body_path_knows(const struct fields *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (fields_fold(span_of(name), t->field[i].name) ||
		    (t->field[i].sub != NULL &&
			body_path_knows(t->field[i].sub, name))) {
			return true;
		}
	}
	return false;
}

/* From the innermost frame outwards. */
bool
body_path_is_at(const struct path_step *step, size_t n, const struct frame *at)
{
	for (; n > 0 && at != NULL; n--, at = at->up) {
		const struct path_step *s = &step[n - 1];

		if (s->kind == PATH_FIELD) {
			if (at->name == NULL ||
			    strcmp(at->name, s->name) != 0) {
				return false;
			}
		} else if (at->name != NULL ||
			   (s->kind == PATH_KEY &&
			       (at->key.p == NULL ||
				   !span_is(at->key, s->name)))) {
			return false;
		}
	}
	return n == 0 && at == NULL;
}
