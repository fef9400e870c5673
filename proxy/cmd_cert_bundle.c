/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dinv cert bundle, and dinv cert issue -context: what a user needs, as one
 * file; docs/pki.md is the manual.
 *
 * Two forms: a tar with the three files in a folder, to unpack anywhere, and
 * one that "docker context import" takes (docker/cli, cli/context/store: a
 * meta.json, and tls/docker/ with the same three).  Both hold a key, so they
 * are made 0600, never in place of another, and their bytes are wiped here.
 *
 * Rejected: sending it anywhere.  How a key travels is the operator's
 * business; -csr spares him the question.
 *
 * Attackers: names that lead out of the folder when it is unpacked; they are
 * refused before anything is read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/secret.h"
#include "base/text.h"
#include "cert.h"
#include "cmd_cert.h"
#include "file.h"
#include "flags.h"
#include "store.h"
#include "tar.h"

#define PEM_MAX ((size_t)4 * 1024 * 1024)
#define META_MAX 4096
#define TAR_EXTRA 8192 /* meta.json, the end, and then some */

static const char *const names[] = { "ca.pem", "cert.pem", "key.pem" };

struct pems {
	struct secret text[NELEM(names)];
};

static void
pems_fini(struct pems *p)
{
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		secret_fini(&p->text[i]);
	}
}

static enum err
pems_load(struct pems *p, const char *dir, struct diag *d)
{
	char path[STORE_PATH_SIZE];
	enum err rc = ERR_OK;
	size_t i;
	int n;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < NELEM(names) && rc == ERR_OK; i++) {
		n = snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (n < 0 || (size_t)n >= sizeof(path)) {
			return ERR_LIMIT;
		}
		errno = 0;
		rc = secret_read_file(&p->text[i], path, PEM_MAX);
		if (rc == ERR_NOTFOUND) {
			diag_set(d, 0, 0,
			    "there is no %s beside the others: -out says where "
			    "dinv cert issue put them",
			    names[i]);
		} else if (rc != ERR_OK) {
			diag_set(d, 0, 0, "%s cannot be read: %s", names[i],
			    rc == ERR_IO ? strerror(errno) : err_text(rc));
		}
	}
	return rc;
}

/* prefix/ca.pem and so on. */
static enum err
add_pems(struct buf *tar, const struct pems *p, const char *prefix, time_t now)
{
	char name[256];
	enum err rc = ERR_OK;
	size_t i;

	for (i = 0; i < NELEM(names) && rc == ERR_OK; i++) {
		snprintf(name, sizeof(name), "%s/%s", prefix, names[i]);
		rc = tar_add(tar, name, i == 2 ? 0600 : 0644, now,
		    span_make(p->text[i].data, p->text[i].len));
	}
	return rc;
}

/* docker/cli, cli/context/store/store.go: Metadata. */
static enum err
add_meta(struct buf *tar, const char *context, const char *gate, time_t now)
{
	struct buf text;
	struct jsonw w;
	char url[300];
	enum err rc;

	snprintf(url, sizeof(url), "tcp://%s", gate);
	buf_init(&text, META_MAX);
	jsonw_init(&w, &text);
	jsonw_object(&w);
	jsonw_kv_str(&w, "Name", context);
	jsonw_key(&w, "Metadata");
	jsonw_object(&w);
	jsonw_object_end(&w);
	jsonw_key(&w, "Endpoints");
	jsonw_object(&w);
	jsonw_key(&w, "docker");
	jsonw_object(&w);
	jsonw_kv_str(&w, "Host", url);
	jsonw_kv_bool(&w, "SkipTLSVerify", false);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	rc = w.err != ERR_OK
		 ? w.err
		 : tar_add(tar, "meta.json", 0644, now, buf_span(&text));
	buf_fini(&text);
	return rc;
}

/* A new file here, 0600. */
static enum err
write_tar(const char *name, const struct buf *tar, struct diag *d)
{
	enum err rc;
	bool made;
	int fd;

	rc = dir_open(".", 0700, &fd, &made, d);
	if (rc != ERR_OK) {
		return rc;
	}
	rc = file_create(fd, name, 0600, buf_span(tar));
	close(fd);
	if (rc == ERR_EXISTS) {
		diag_set(d, 0, 0, "%.100s exists already: remove it", name);
	} else if (rc != ERR_OK) {
		diag_set(d, 0, 0, "%.100s cannot be written: %s", name,
		    rc == ERR_IO ? strerror(errno) : err_text(rc));
	}
	return rc;
}

enum err
cert_write_tar(const struct cert_tar *t, struct diag *d)
{
	struct pems p;
	struct buf tar;
	size_t i, size = TAR_EXTRA;
	enum err rc = pems_load(&p, t->dir, d);

	for (i = 0; i < NELEM(names); i++) {
		size += tar_size(p.text[i].len);
	}
	buf_init(&tar, size);
	/* All at once: growing would leave copies of the key behind. */
	if (rc == ERR_OK && buf_reserve(&tar, size) == NULL) {
		rc = ERR_NOMEM;
	}
	if (rc == ERR_OK && t->context != NULL) {
		rc = add_meta(&tar, t->context, t->gate, t->now);
	}
	if (rc == ERR_OK) {
		rc = add_pems(&tar, &p,
		    t->context != NULL ? "tls/docker" : t->name, t->now);
	}
	if (rc == ERR_OK) {
		rc = tar_end(&tar);
	}
	if (rc == ERR_OK) {
		rc = write_tar(t->file, &tar, d);
	}
	if (tar.data != NULL) {
		secret_wipe(tar.data, tar.cap);
	}
	buf_fini(&tar);
	pems_fini(&p);
	return rc;
}

/* docker/cli: ^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$ */
enum err
cert_check_context(const char *s, struct diag *d)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";

	if (strlen(s) < 2 || strlen(s) > 100 || strspn(s, more) != strlen(s) ||
	    strchr("_.+-", s[0]) != NULL || strcmp(s, "default") == 0) {
		diag_set(d, 0, 0,
		    "the context's name must be 2 to 100 letters, digits or "
		    "_.+- , the first a letter or digit, and not \"default\"");
		return ERR_USAGE;
	}
	return ERR_OK;
}

/* The first name that the server's certificate has. */
static bool
first_name(const char *certs, char *out, size_t size)
{
	char path[STORE_PATH_SIZE];
	struct cert *c = NULL;
	struct host h;
	bool found;

	found = store_path(certs, STORE_SERVER_CERT, path, sizeof(path)) ==
		    ERR_OK &&
		cert_load(path, "", &c, NULL) == ERR_OK &&
		cert_hosts(c, &h, 1) == 1;
	if (found) {
		snprintf(out, size, h.addr_len == 16 ? "[%s]:2376" : "%s:2376",
		    h.text);
	}
	cert_free(c);
	return found;
}

enum err
cert_gate_address(const char *given, const char *certs, char *out, size_t size,
    struct diag *d)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._:[]-";
	const char *port;

	if (given == NULL) {
		if (!first_name(certs, out, size)) {
			snprintf(out, size, "HOST:2376");
		}
		return ERR_OK;
	}
	if (strncmp(given, "tcp://", 6) == 0) {
		given += 6;
	}
	if (given[0] == '\0' || strlen(given) > 260 ||
	    strspn(given, good) != strlen(given)) {
		diag_set(d, 0, 0,
		    "-gate must be HOST or HOST:PORT, as clients dial it");
		return ERR_USAGE;
	}
	port = strrchr(given, ':');
	snprintf(out, size, "%s%s", given,
	    port == NULL || strchr(port, ']') != NULL ? ":2376" : "");
	return ERR_OK;
}

static int
bundle(struct cert_tar *t, const char *certs, const char *gate)
{
	char out[4096], file[300], address[300];
	struct diag d = { 0, 0, "" };
	enum err rc;

	rc = cert_gate_address(gate, certs, address, sizeof(address), &d);
	if (rc == ERR_OK && t->context != NULL) {
		rc = cert_check_context(t->context, &d);
	}
	if (rc == ERR_OK) {
		rc = cert_default_out(t->name, out, sizeof(out), &d);
	}
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	if (t->dir == NULL) {
		t->dir = out;
	}
	snprintf(file, sizeof(file), "%s.%s",
	    t->context != NULL ? t->context : t->name,
	    t->context != NULL ? "dockercontext" : "tar");
	t->file = file;
	t->gate = address;
	rc = cert_write_tar(t, &d);
	if (rc != ERR_OK) {
		return cert_fail(&d, rc);
	}
	fprintf(stderr,
	    "dinv: made %s, which holds a key; paste, where it "
	    "is:\n",
	    file);
	cert_print_use(t, address);
	return 0;
}

int
cert_bundle(int argc, char **argv)
{
	const char *certs = CERTS_DEFAULT, *gate = NULL;
	struct cert_tar t = { .now = time(NULL) };
	const struct flag flags[] = {
		{ "certs", FLAG_STRING, &certs, "DIR",
		    "the certificate directory" },
		{ "out", FLAG_STRING, &t.dir, "DIR",
		    "where the client's three files are (default ./NAME)" },
		{ "gate", FLAG_STRING, &gate, "HOST[:PORT]",
		    "the gate, as clients dial it (default: the first name in\n"
		    "docker.crt)" },
		{ "context", FLAG_STRING, &t.context, "CONTEXT",
		    "for docker context import" },
	};
	const struct flag_set set = {
		.usage = "dinv cert bundle [flags] NAME",
		.about = "Packs a client's three files into ./NAME.tar (or "
			 "./CONTEXT.dockercontext),\nand prints the lines to "
			 "paste.",
		.flag = flags,
		.n = NELEM(flags),
		.max_operands = 1,
	};
	struct diag d = { 0, 0, "" };
	int status = flags_start(&set, &argc, argv, NULL);

	if (status >= 0) {
		return status;
	}
	if (argc != 2 || argv[1][0] == '\0' || strlen(argv[1]) > 80) {
		diag_set(&d, 0, 0, "bundle needs the name of a client");
		return cert_fail(&d, ERR_USAGE);
	}
	t.name = argv[1];
	return bundle(&t, certs, gate);
}
