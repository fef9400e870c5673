/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands without their secrets; see redact_words.h.
 *
 * Where two readings are possible the one that hides more is taken.  What
 * stays is what says which
 * program ran on what: its name, flags, paths, hosts.
 *
 * Rejected: a list of programs and their options, which is never whole.  A
 * short one decides where a single letter means a password to some and
 * something harmless to most.
 *
 * What cannot be known is told: a password that is a word like any other
 * ("login hunter2").
 *
 * Attackers read logs.  Who runs the command can hide what it does in many
 * ways, and is not who this keeps from anything.
 */
#include "redact_words.h"

#include "shell_text.h"

#define DEPTH_MAX 4
#define WORD_BYTES (16u << 10) /* longer ones go whole: see the end */

/* In the name of a flag, or in any word: what follows is a secret. */
static const char *const secret_words[] = { "pass", "secret", "token", "auth",
	"credential", "apikey", "api-key", "api_key", "private", "cookie",
	"bearer", "identified" };
/* In the name of a flag alone: too common elsewhere. */
static const char *const secret_flags[] = { "key", "pw", "sig", "cred" };
/* Schemes of HTTP authentication: the secret is behind them. */
static const char *const schemes[] = { "basic", "bearer", "digest", "negotiate",
	"token" };
/* What tokens of well known makers begin with. */
static const char *const token_heads[] = { "ghp_", "gho_", "ghs_", "ghu_",
	"ghr_", "github_pat_", "glpat-", "xoxa-", "xoxb-", "xoxp-", "xapp-",
	"AKIA", "ASIA", "AIza", "eyJ", "SWMTKN-", "SWMKEY-", "dckr_pat_",
	"npm_", "pypi-", "hvs.", "sk-", "-----BEGIN" };
/* Words that begin like -pVALUE and are none. */
static const char *const plain_words[] = { "-print", "-print0", "-printf",
	"-perm", "-path", "-prune", "-port", "-pid" };
/* Programs whose -p takes no password. */
static const char *const plain_programs[] = { "mkdir", "cp", "mv", "tar", "ls",
	"ps", "install", "patch" };
static const char *const user_flags[] = { "-u", "-U", "--user",
	"--proxy-user" };

/* Beginnings of names of programs, and their flags that take a secret. */
static const struct {
	const char *program;
	const char *letters;
} short_flags[] = {
	{ "redis", "a" },
	{ "valkey", "a" },
	{ "ldap", "w" },
	{ "mosquitto", "P" },
	{ "unzip", "P" },
	{ "zip", "P" },
	{ "sqlcmd", "P" },
	{ "openssl", "kK" },
	{ "ssh-keygen", "NP" },
	{ "snmp", "AX" },
	{ "curl", "b" },
	{ "cqlsh", "p" },
};

static const struct redact_words words_init = REDACT_WORDS_INIT;

static enum redact_next put_line(
    struct span s, struct redact_out *o, unsigned depth, bool escapes);
static void put_word(struct redact_words *w, struct span s,
    struct redact_out *o, unsigned depth, bool escapes);

/* --- what a text says ---------------------------------------------------- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static uint32_t
letter_bit(char c)
{
	c = lower(c);
	return c >= 'a' && c <= 'z' ? BIT(c - 'a') : 0;
}

/* Where the first of the names begins in s; s.len: none does.  Most bytes
 * begin none, and a body has many. */
static size_t
find_any(struct span s, const char *const *names, size_t n)
{
	uint32_t first = 0;
	size_t at, i, len;

	for (i = 0; i < n; i++) {
		first |= letter_bit(names[i][0]);
	}
	for (at = 0; at < s.len; at++) {
		if ((first & letter_bit(s.p[at])) == 0) {
			continue;
		}
		for (i = 0; i < n; i++) {
			len = strlen(names[i]);
			if (at + len <= s.len &&
			    strncasecmp(s.p + at, names[i], len) == 0) {
				return at;
			}
		}
	}
	return s.len;
}

static bool
is_any(struct span s, const char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (span_is_nocase(s, names[i])) {
			return true;
		}
	}
	return false;
}

static bool
is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
	       c == '_' || c == '-' || c == '.';
}

static bool
has_name_byte(struct span s, size_t at)
{
	while (at < s.len && !is_name_byte(s.p[at])) {
		at++;
	}
	return at < s.len;
}

static size_t
name_end(struct span s, size_t at)
{
	while (at < s.len && is_name_byte(s.p[at])) {
		at++;
	}
	return at;
}

/* The end of the name in s that says "secret"; 0: none does. */
static size_t
secret_end(struct span s, bool flag)
{
	size_t at = find_any(s, secret_words, NELEM(secret_words));

	if (at == s.len && flag) {
		at = find_any(s, secret_flags, NELEM(secret_flags));
	}
	return at == s.len ? 0 : name_end(s, at);
}

/* "/etc/passwd", "./secrets/run": it is a file, whatever its name says. */
static bool
is_path(struct span s)
{
	size_t i;

	if (!(span_starts(s, "/") || span_starts(s, "./") ||
		span_starts(s, "../") || span_starts(s, "~/")) ||
	    span_starts(s, "//")) {
		return false;
	}
	for (i = 0; i < s.len; i++) {
		if (!is_name_byte(s.p[i]) && s.p[i] != '/' && s.p[i] != '~' &&
		    s.p[i] != '+') {
			return false;
		}
	}
	return true;
}

/* "NAME=", "NAME+=": their length; 0: s does not begin so. */
static size_t
assignment_length(struct span s)
{
	size_t n = name_end(s, 0);

	if (n == 0 || s.p[0] == '-') {
		return 0;
	}
	n += n < s.len && s.p[n] == '+';
	return n < s.len && s.p[n] == '=' ? n + 1 : 0;
}

static bool
is_token(struct span s)
{
	size_t i;

	for (i = 0; i < NELEM(token_heads); i++) {
		if (span_starts(s, token_heads[i])) {
			return true;
		}
	}
	return false;
}

/* --- words --------------------------------------------------------------- */

/* Nothing in it can be taken apart: URLs, and "user:password@host". */
static void
put_leaf(struct span s, struct redact_out *o)
{
	const char *at = s.len == 0 ? NULL : memrchr(s.p, '@', s.len);

	if (at != NULL && memmem(s.p, s.len, "://", 3) == NULL &&
	    memchr(s.p, ':', (size_t)(at - s.p)) != NULL) {
		redact_hide(o);
		s = span_make(at, (size_t)(s.p + s.len - at));
	}
	redact_urls(o, s);
}

/*
 * A word that is to be shown, with quotes and substitutions in it.  What a
 * piece says of what follows is true of the rest of the word as well.
 */
static void
put_pieces(struct redact_words *w, struct span s, struct redact_out *o,
    unsigned depth, bool escapes)
{
	struct redact_words piece = { .begun = true };
	size_t n;

	while (s.len > 0 && piece.next == REDACT_SHOW) {
		n = shell_special(s);
		if (n == 0 && !shell_quotes(s.p[0])) {
			n = shell_substitutes(s, 0) ? 1 : 0;
			redact_put(o, s.p, n);
			w->next = put_line(span_make(s.p + n, s.len - n), o,
			    depth + 1, escapes);
			return;
		}
		if (n == 0) {
			n = shell_quote_end(s, 0, escapes);
			put_word(
			    &piece, span_make(s.p, n), o, depth + 1, escapes);
		} else {
			put_leaf(span_make(s.p, n), o);
		}
		if (memchr(s.p, '=', n) != NULL) { /* 'A='value */
			piece.next = REDACT_NEXT;
		}
		s = span_make(s.p + n, s.len - n);
	}
	if (s.len > 0) {
		redact_hide(o);
	}
	w->next =
	    s.len > 0 && piece.next != REDACT_REST ? REDACT_SHOW : piece.next;
	w->owed = piece.owed;
}

/* What is behind n bytes goes. */
static void
put_cut(struct span s, size_t n, struct redact_out *o)
{
	redact_put(o, s.p, n);
	if (n < s.len) {
		redact_hide(o);
	}
}

/* "user:password", "user%password": false: it is neither. */
static bool
put_user(struct span s, struct redact_out *o)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (s.p[i] == ':' || s.p[i] == '%') {
			put_cut(s, i + 1, o);
			return true;
		}
	}
	return false;
}

static void
note_program(struct redact_words *w, struct span s)
{
	const char *slash = s.len == 0 ? NULL : memrchr(s.p, '/', s.len);
	size_t i;

	if (slash != NULL) {
		s = span_make(slash + 1, (size_t)(s.p + s.len - slash) - 1);
	}
	w->line = span_is(s, "CMD-SHELL"); /* of a health check */
	if (!w->begun) {
		w->plain_p = is_any(s, plain_programs, NELEM(plain_programs));
	}
	for (i = 0; i < NELEM(short_flags); i++) {
		if (span_starts(s, short_flags[i].program)) {
			w->programs |= BIT(i);
		}
	}
}

/* -p of most programs; other letters of those that are known. */
static bool
is_secret_letter(const struct redact_words *w, struct span s)
{
	size_t i;

	if (s.p[1] == 'p') {
		return s.len == 2 ? !w->plain_p
				  : !is_any(s, plain_words, NELEM(plain_words));
	}
	for (i = 0; i < NELEM(short_flags); i++) {
		if ((w->programs & BIT(i)) != 0 &&
		    strchr(short_flags[i].letters, s.p[1]) != NULL) {
			return true;
		}
	}
	return false;
}

/* "-u", "--user", "-uNAME:...", "--user=NAME:..."; false: it is none. */
static bool
put_user_flag(struct redact_words *w, struct span s, struct redact_out *o)
{
	size_t i, n;

	for (i = 0; i < NELEM(user_flags); i++) {
		n = strlen(user_flags[i]);
		if (!span_starts(s, user_flags[i])) {
			continue;
		}
		if (s.len == n) {
			w->next = REDACT_USER;
			redact_put(o, s.p, n);
			return true;
		}
		if (n == 2 || s.p[n] == '=') {
			return put_user(s, o);
		}
	}
	return false;
}

/* "--flag=value", where the flag names no secret: its value may. */
static void
put_flag_value(struct redact_words *w, struct span s, size_t eq,
    struct redact_out *o, unsigned depth)
{
	struct redact_words fresh = { .begun = true };

	redact_put(o, s.p, eq + 1);
	put_word(&fresh, span_make(s.p + eq + 1, s.len - eq - 1), o, depth + 1,
	    true);
	w->next = fresh.next;
	w->owed = fresh.owed;
}

static bool
asks_for_a_line(struct span s)
{
	return (s.p[1] != '-' && s.p[s.len - 1] == 'c') ||
	       span_is(s, "--command");
}

static void
put_flag(struct redact_words *w, struct span s, struct redact_out *o,
    unsigned depth, bool escapes)
{
	const char *eq = memchr(s.p, '=', s.len);
	size_t n = secret_end(s, true);

	if (s.p[1] != '-' && is_secret_letter(w, s)) {
		put_cut(s, 2, o);
		if (s.len == 2 || n == s.len) { /* or it is one long name */
			w->next = REDACT_NEXT;
		}
		return;
	}
	if (put_user_flag(w, s, o)) {
		return;
	}
	if (n > 0 && (eq == NULL || n <= (size_t)(eq - s.p))) {
		n += n < s.len && s.p[n] == '=';
		put_cut(s, n, o);
		w->next = n == s.len ? REDACT_NEXT : REDACT_SHOW;
		return;
	}
	if (eq != NULL) {
		put_flag_value(w, s, (size_t)(eq - s.p), o, depth);
		return;
	}
	w->line = asks_for_a_line(s);
	put_pieces(w, s, o, depth, escapes);
}

/* Where it is, and what it was does not matter.  What was meant to follow it
 * may be the secret still. */
static void
hide_word(struct redact_words *w, struct span s, struct redact_out *o)
{
	redact_hide(o);
	w->begun = true;
	if (w->next == REDACT_REST) {
		w->owed = false;
		return;
	}
	w->next = REDACT_SHOW;
	if ((s.len > 1 && s.p[0] == '-' && secret_end(s, true) == s.len) ||
	    is_any(s, schemes, NELEM(schemes))) {
		w->next = REDACT_NEXT;
	}
}

/* One value, whatever is in it. */
static void
put_value(struct redact_words *w, struct span s, struct redact_out *o,
    unsigned depth, bool escapes)
{
	const char *url = memmem(s.p, s.len, "://", 3);
	size_t n = assignment_length(s);

	if (is_token(s)) {
		redact_hide(o);
		return;
	}
	if (s.len > 1 && s.p[0] == '-') {
		put_flag(w, s, o, depth, escapes);
		return;
	}
	if (n > 0) {
		put_cut(s, n, o);
		return;
	}
	n = is_path(s) ? 0 : secret_end(s, false);
	if (n > 0 && (url == NULL || s.p + n <= url)) {
		w->next = REDACT_REST;
		w->owed = !has_name_byte(s, n);
		n += n + 1 == s.len && s.p[n] == ':';
		put_cut(s, n, o);
		return;
	}
	if (shell_word_end(s, 0, escapes) < s.len) {
		w->next = put_line(s, o, depth + 1, escapes);
	} else {
		put_pieces(w, s, o, depth, escapes);
	}
}

/* s as it stands, quotes and all. */
static void
put_word(struct redact_words *w, struct span s, struct redact_out *o,
    unsigned depth, bool escapes)
{
	bool line = !w->begun || w->line, quoted;
	struct span in = s;

	quoted = s.len > 1 && shell_quotes(s.p[0]) &&
		 shell_quote_end(s, 0, escapes) == s.len &&
		 s.p[s.len - 1] == s.p[0];
	if (quoted) {
		in = span_make(s.p + 1, s.len - 2);
		escapes = escapes && s.p[0] != '"';
		line = line || s.p[0] == '`';
	}
	if (s.len > WORD_BYTES || depth > DEPTH_MAX || w->next == REDACT_NEXT ||
	    w->next == REDACT_REST) {
		hide_word(w, in, o);
		return;
	}
	if (w->next == REDACT_USER && put_user(in, o)) {
		w->next = REDACT_SHOW;
		return;
	}
	note_program(w, in);
	w->next = REDACT_SHOW;
	w->begun = assignment_length(in) == 0 || w->begun;
	redact_put(o, s.p, quoted);
	if (line && shell_word_end(in, 0, escapes) < in.len) {
		w->next = put_line(in, o, depth + 1, escapes);
	} else {
		put_value(w, in, o, depth, escapes);
	}
	redact_put(o, s.p, quoted);
}

/* --- lines --------------------------------------------------------------- */

/* Does what this command writes go to another one? */
static bool
is_piped(struct span s, size_t at, bool escapes)
{
	size_t end;

	while (at < s.len &&
	       (s.p[at] == '<' || s.p[at] == '>' || !shell_separates(s.p[at]) ||
		   (s.p[at] == '&' && s.p[at - 1] == '>'))) {
		end = shell_word_end(s, at, escapes);
		at = end > at ? end : at + 1;
	}
	return at < s.len && s.p[at] == '|' &&
	       !(at + 1 < s.len && s.p[at + 1] == '|');
}

static bool
is_echo(struct span s)
{
	return span_is(s, "echo") || span_is(s, "printf");
}

/* After a separator: a new command, which may still owe its secret. */
static void
end_command(struct redact_words *w, char c)
{
	struct redact_words was = *w;

	*w = words_init;
	if (c == '(' || c == ')' ||
	    (c == '\n' && was.next == REDACT_REST && was.owed)) {
		w->next = was.next;
		w->owed = was.owed;
	}
}

/* "<", ">", ">&", "<<" and "<<<": *here: a document begins behind the line. */
static size_t
put_redirection(struct redact_words *w, struct span s, size_t at, bool *here,
    struct redact_out *o)
{
	size_t n = 1;

	while (
	    at + n < s.len && n < 3 && s.p[at] == '<' && s.p[at + n] == '<') {
		n++;
	}
	if (n == 3) {
		w->next = REDACT_NEXT;
	}
	n += s.p[at] == '>' && at + 1 < s.len && s.p[at + 1] == '&';
	*here = *here || n == 2;
	redact_put(o, s.p + at, n);
	return n;
}

/* What its last word says of whatever is behind it. */
static enum redact_next
put_line(struct span s, struct redact_out *o, unsigned depth, bool escapes)
{
	struct redact_words w = words_init;
	bool here = false, first;
	size_t at = 0, n;

	if (depth > DEPTH_MAX) {
		redact_hide(o);
		return REDACT_SHOW;
	}
	while (at < s.len && o->rc == ERR_OK) {
		n = shell_blank(s, at);
		if (n > 0) {
			redact_put(o, s.p + at, n);
		} else if (s.p[at] == '<' || s.p[at] == '>') {
			n = put_redirection(&w, s, at, &here, o);
		} else if (shell_separates(s.p[at])) {
			n = 1;
			redact_put(o, s.p + at, 1);
			end_command(&w, s.p[at]);
			if (here && s.p[at] == '\n') {
				redact_hide(o);
				return REDACT_SHOW;
			}
		} else {
			n = shell_word_end(s, at, escapes) - at;
			first = !w.begun;
			put_word(&w, span_make(s.p + at, n), o, depth, escapes);
			if (first && is_echo(span_make(s.p + at, n)) &&
			    is_piped(s, at + n, escapes)) {
				w.next = REDACT_REST;
			}
		}
		at += n;
	}
	return w.next;
}

void
redact_word(struct redact_words *words, struct span word, struct redact_out *o)
{
	put_word(words, word, o, 0, true);
}
