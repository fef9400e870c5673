/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the entrypoint's flags to two command lines; see entry.h.
 *
 * Everything that decides who may reach dockerd is here, in functions of
 * their input alone, so that tests/unit/test_proxy_entry.c can hold them to
 * it: dockerd gets one unix socket and no TCP, the gate gets the TCP and
 * says -tlsverify, -tls or -insecure-plain in so many words.
 *
 * dockerd's flags from behind "--" and from DOCKER_OPTS are passed on as they
 * are, since the operator may tune dockerd as he likes; but a listener of
 * dockerd's own would be a door without a gate, and users of the old images
 * did say "-H tcp://0.0.0.0:2375" there.  It is refused with a hint, not
 * dropped: silently dropped flags are looked for with a debugger.
 *
 * Those flags are read as pflag reads them, short ones in one word included
 * ("-DH tcp://..."), without a table of which flags take a value: a value
 * that looks like a -H flag is then refused although dockerd would take it
 * for a label.  That is the safe side to err on.
 *
 * Who attacks: whoever can set DOCKER_OPTS but not the command line, such as
 * the author of a CI job's "variables:".
 */
#include "entry.h"

#include "admin.h"
#include "ping.h"
#include "preload.h"

/* Words besides the lists': more than the functions below ever add. */
#define FIXED_WORDS 40

struct words {
	struct arena *a;
	char **v;
	size_t n, max;
	bool failed;
};

static struct words
words_start(struct arena *a, size_t lists)
{
	struct words w = { a, NULL, 0, FIXED_WORDS + 2 * lists, false };

	w.v = arena_array(a, w.max + 1, sizeof(*w.v));
	w.failed = w.v == NULL;
	return w;
}

static void
put(struct words *w, const char *word)
{
	if (w->failed || w->n == w->max) {
		w->failed = true;
		return;
	}
	w->v[w->n] = arena_dup(w->a, span_of(word));
	w->failed = w->v[w->n] == NULL;
	w->n++;
}

/* "-name value"; nothing without a value. */
static void
put_pair(struct words *w, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0') {
		put(w, name);
		put(w, value);
	}
}

/* "-name value" where the value was made for it; without one, memory ran out:
 * a flag that is left out must not pass for one that was not asked for. */
static void
put_made(struct words *w, const char *name, const char *value)
{
	w->failed = w->failed || value == NULL;
	put_pair(w, name, value);
}

static enum err
words_end(struct words *w, char ***argv)
{
	if (w->failed) {
		return ERR_NOMEM;
	}
	*argv = w->v; /* the arena gave zeroes: NULL ends it */
	return ERR_OK;
}

/* ---- dockerd's own flags ---------------------------------------------- */

/*
 * The value of --name or -c at list->item[i], which may be the next word;
 * NULL where another flag stands there.
 */
static const char *
flag_value(const struct str_list *l, size_t i, const char *name, char c)
{
	const char *word = l->item[i];
	const char *next = i + 1 < l->n ? l->item[i + 1] : "";
	size_t len = strlen(name);

	if (word[0] != '-') {
		return NULL;
	}
	if (word[1] == '-') {
		if (strncmp(word + 2, name, len) != 0) {
			return NULL;
		}
		word += 2 + len;
		return *word == '=' ? word + 1 : *word == '\0' ? next : NULL;
	}
	word++;
	while (
	    *word == 'D' || *word == 'v') { /* the short ones without value */
		word++;
	}
	if (c == '\0' || *word != c) {
		return NULL;
	}
	word++;
	return *word == '=' ? word + 1 : *word != '\0' ? word : next;
}

const char *
entry_dockerd_value(
    const struct entry_opts *o, const char *name, char c, const char *fallback)
{
	const struct str_list *l = &o->dockerd_flags;
	const char *value, *last = fallback;
	size_t i;

	for (i = 0; i < l->n; i++) {
		value = flag_value(l, i, name, c);
		if (value != NULL) {
			last = value;
		}
	}
	return last;
}

static enum err
check_dockerd_flags(const struct str_list *l, struct diag *d)
{
	const char *value;
	size_t i;

	for (i = 0; i < l->n; i++) {
		value = flag_value(l, i, "host", 'H');
		if (value == NULL || strncmp(value, "unix://", 7) == 0) {
			continue;
		}
		diag_set(d, 0, 0,
		    "dockerd must not listen on \"%.60s\" itself, past the "
		    "gate; give dinv -listen tcp://ADDRESS:PORT instead",
		    value);
		return ERR_USAGE;
	}
	return ERR_OK;
}

/* ---- checks ------------------------------------------------------------ */

enum entry_mode
entry_mode(const struct entry_opts *o)
{
	if (o->tlsverify) {
		return ENTRY_TLSVERIFY;
	}
	if (o->tls) {
		return ENTRY_TLS;
	}
	return o->config == NULL ? ENTRY_PLAIN : ENTRY_CONFIG;
}

enum err
entry_check(const struct entry_opts *o, struct diag *d)
{
	if (o->socket[0] != '/') {
		diag_set(d, 0, 0, "-socket must be an absolute path");
		return ERR_USAGE;
	}
	if (strlen(o->socket) > PING_PATH_MAX) {
		diag_set(d, 0, 0,
		    "-socket has %zu bytes; a unix socket's path has %d at "
		    "most",
		    strlen(o->socket), PING_PATH_MAX);
		return ERR_USAGE;
	}
	if (o->local && o->listen.n > 0) {
		diag_set(d, 0, 0,
		    "-local (or LOCAL=true) means no listener; drop it or "
		    "-listen");
		return ERR_USAGE;
	}
	if (o->dockerd[0] == '\0') {
		diag_set(d, 0, 0, "-dockerd must name a program");
		return ERR_USAGE;
	}
	if (o->grace_s < 1 || o->grace_s > ENTRY_GRACE_MAX_S) {
		diag_set(d, 0, 0, "-grace takes 1 to %d seconds, got %u",
		    ENTRY_GRACE_MAX_S, o->grace_s);
		return ERR_USAGE;
	}
	return check_dockerd_flags(&o->dockerd_flags, d);
}

/* ---- command lines ------------------------------------------------------ */

static size_t
count_commas(const char *s)
{
	size_t n = 0;

	while ((s = strchr(s, ',')) != NULL) {
		s++;
		n++;
	}
	return n;
}

/* "a,b" is a list too: DinV's manual called the flag one. */
static void
put_registries(struct words *w, const char *names)
{
	size_t len;

	for (;;) {
		len = strcspn(names, ",");
		if (len > 0) {
			put_made(w, "--insecure-registry",
			    arena_dup(w->a, span_make(names, len)));
		}
		if (names[len] == '\0') {
			return;
		}
		names += len + 1;
	}
}

enum err
entry_dockerd_argv(const struct entry_opts *o, struct arena *a, char ***argv)
{
	const struct str_list *regs = &o->insecure_registry;
	size_t i, lists = regs->n + o->dockerd_flags.n;
	struct words w;

	for (i = 0; i < regs->n; i++) {
		lists += count_commas(regs->item[i]);
	}
	w = words_start(a, lists);

	put(&w, "dockerd");
	put_made(&w, "-H", arena_printf(a, "unix://%s", o->socket));
	put_pair(&w, "--storage-driver", o->storage);
	put_pair(&w, "--data-root", o->data);
	if (o->debug) {
		put_pair(&w, "--log-level", "debug");
	}
	for (i = 0; i < regs->n; i++) {
		put_registries(&w, regs->item[i]);
	}
	for (i = 0; i < o->dockerd_flags.n; i++) {
		put(&w, o->dockerd_flags.item[i]);
	}
	return words_end(&w, argv);
}

static void
put_listeners(struct words *w, const struct entry_opts *o)
{
	static const char *const port[] = {
		[ENTRY_TLSVERIFY] = "2376",
		[ENTRY_TLS] = "2376",
		[ENTRY_PLAIN] = "2375",
		[ENTRY_CONFIG] = NULL,
	};
	const char *p = port[entry_mode(o)];
	size_t i;

	for (i = 0; i < o->listen.n; i++) {
		put_pair(w, "-listen", o->listen.item[i]);
	}
	if (o->listen.n > 0 || p == NULL) {
		return;
	}
	put_made(w, "-listen", arena_printf(w->a, "tcp://0.0.0.0:%s", p));
	if (o->ipv6) {
		put_made(w, "-listen", arena_printf(w->a, "tcp://[::]:%s", p));
	}
}

enum err
entry_gate_argv(const struct entry_opts *o, struct arena *a, char ***argv)
{
	static const char *const mode[] = {
		[ENTRY_TLSVERIFY] = "-tlsverify",
		[ENTRY_TLS] = "-tls",
		[ENTRY_PLAIN] = "-insecure-plain",
		[ENTRY_CONFIG] = NULL,
	};
	struct words w = words_start(a, o->listen.n + o->enroll.n);
	enum entry_mode m = entry_mode(o);
	const char *policy = o->policy;
	size_t i;

	if (policy == NULL && o->config == NULL) {
		policy = "admin";
	}
	put(&w, "dinv");
	put(&w, "gate");
	put_listeners(&w, o);
	put_made(&w, "-upstream", arena_printf(a, "unix://%s", o->socket));
	if (mode[m] != NULL) {
		put(&w, mode[m]);
	}
	put_pair(&w, "-certs", m == ENTRY_PLAIN ? NULL : o->certs);
	put_pair(&w, "-key-pass-file", o->key_pass_file);
	put_pair(&w, "-ca-pass-file", o->ca_pass_file);
	for (i = 0; i < o->enroll.n; i++) {
		put_pair(&w, "-enroll", o->enroll.item[i]);
	}
	put_pair(&w, "-policy", policy);
	put_pair(&w, "-audit", o->audit);
	put_pair(&w, "-config", o->config);
	put_pair(&w, o->admin == NULL ? "-admin-default" : "-admin",
	    o->admin == NULL ? ADMIN_DEFAULT : o->admin);
	if (o->debug) {
		put(&w, "-debug");
	}
	return words_end(&w, argv);
}

const char *
entry_data(const struct entry_opts *o)
{
	const char *data = o->data == NULL ? "/var/lib/docker" : o->data;

	/* -g and --graph: what dockerd called it first, and still takes. */
	data = entry_dockerd_value(o, "graph", 'g', data);
	return entry_dockerd_value(o, "data-root", '\0', data);
}

enum err
entry_preload_argv(const struct entry_opts *o, struct arena *a, char ***argv)
{
	struct words w = words_start(a, 0);

	put(&w, "dinv");
	put(&w, "preload");
	put_pair(&w, "-dir", o->preload);
	put_pair(&w, "-socket", o->socket);
	put_made(
	    &w, "-stamp", arena_printf(a, "%s/" PRELOAD_STAMP, entry_data(o)));
	return words_end(&w, argv);
}

enum err
entry_app_argv(const struct entry_opts *o, struct arena *a, char ***argv)
{
	struct words w = words_start(a, o->app.n);
	size_t i;

	for (i = 0; i < o->app.n; i++) {
		put(&w, o->app.item[i]);
	}
	return words_end(&w, argv);
}
