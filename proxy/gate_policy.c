/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the gate's policy comes from; see gate_policy.h.
 *
 * What it means is policy/'s business; here are the file, the presets, and
 * the symbolic links of this machine.
 */
#include "gate_policy.h"

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "keeper.h"

#define GATE_POLICY_BYTES (16u << 20)

static bool
is_preset(const char *name)
{
	const char *const *p;

	for (p = policy_preset_names(); *p != NULL; p++) {
		if (strcmp(*p, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Every error of the policy to who asked, not only the first. */
static void
say_errors(struct span text, const struct admin_asker *asker)
{
	if (asker != NULL) {
		(void)policy_check(text, asker->error, asker->arg);
	}
}

static enum err
read_policy(const char *name, struct policy **out, struct diag *d,
    const struct admin_asker *asker)
{
	struct secret text = { NULL, 0 };
	struct diag why = { 0, 0, "" };
	enum err rc;

	if (is_preset(name)) {
		return policy_load_preset(name, out);
	}
	rc = secret_read_file(&text, name, GATE_POLICY_BYTES);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0,
		    "cannot read the policy %s: %s (a file, or "
		    "one of: dinv policy show)",
		    name, rc == ERR_LIMIT ? "too large" : strerror(errno));
		return rc;
	}
	rc = policy_load(span_make(text.data, text.len), out, &why);
	if (rc != ERR_OK) {
		diag_set(d, why.line, why.col, "%s:%u:%u: %s", name, why.line,
		    why.col, why.text);
		say_errors(span_make(text.data, text.len), asker);
	}
	secret_fini(&text);
	return rc;
}

enum err
gate_load_policy(const char *name, struct shared_policy **out, struct diag *d,
    const struct admin_asker *asker)
{
	struct policy *pol = NULL;
	enum err rc = read_policy(name, &pol, d, asker);

	if (rc != ERR_OK) {
		return rc;
	}
	shared_policy_warn(pol);
	policy_follow_links(pol, keeper_follow);
	*out = shared_policy_new(pol);
	if (*out == NULL) {
		policy_free(pol);
		return ERR_NOMEM;
	}
	return ERR_OK;
}
