/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys; see key.h.
 *
 * New keys are P-256: every TLS library and every docker client takes them,
 * and signing is cheap.  A key that the operator supplies may be anything
 * Mbed TLS was built to read.  Its bytes pass through struct secret on the
 * way in and out, so each copy that is ours is wiped.
 *
 * Rejected: asking for a passphrase.  A gate starts unattended, and one in
 * the environment is in every core file.  It comes from a file, which is
 * worth something where that lies elsewhere than the key (a secret of the
 * orchestrator, a stick); without one, a key that has a passphrase is refused
 * with the command that takes it off.
 *
 * Attackers read keys from memory, core files, logs and over-wide file
 * modes; a malformed key file is the operator's own, so it is only made sure
 * that the complaint is clear and quotes no byte of it.
 */
#include "key.h"

#include <errno.h>
#include <stdlib.h>

#include "mbed.h"

#define KEY_FILE_MAX ((size_t)64 * 1024) /* bytes; RSA 16384 needs 13 KiB */
#define KEY_PASS_MAX 4096		 /* bytes */
#define KEY_PEM_MAX 4096		 /* bytes; a P-256 key needs 230 */

static struct key *
key_alloc(void)
{
	struct key *k = calloc(1, sizeof(*k));

	if (k != NULL) {
		mbedtls_pk_init(&k->pk);
	}
	return k;
}

void
key_free(struct key *k)
{
	if (k != NULL) {
		mbedtls_pk_free(&k->pk); /* wipes */
		free(k);
	}
}

enum err
key_new(struct rng *r, struct key **out)
{
	struct key *k = key_alloc();
	const mbedtls_pk_info_t *info;

	if (k == NULL) {
		return ERR_NOMEM;
	}
	info = mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY);
	if (mbedtls_pk_setup(&k->pk, info) != 0 ||
	    mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(k->pk),
		mbedtls_ctr_drbg_random, &r->drbg) != 0) {
		key_free(k);
		return ERR_RANDOM;
	}
	*out = k;
	return ERR_OK;
}

static void
explain_key(int ret, const char *name, bool given, struct diag *d)
{
	/* The last: the old form (RFC 1421), which wants MD5. */
	if (ret == MBEDTLS_ERR_PK_PASSWORD_REQUIRED ||
	    ret == MBEDTLS_ERR_PK_PASSWORD_MISMATCH ||
	    ret == MBEDTLS_ERR_PEM_FEATURE_UNAVAILABLE) {
		diag_set(d, 0, 0,
		    given ? "%s: the passphrase is not the one in the file, or "
			    "the key is in the old form: openssl pkcs8 -topk8 "
			    "-in %s -out NEW"
			  : "%s has a passphrase, which nobody can type at "
			    "start: give -key-pass-file FILE where there is "
			    "that flag, or take it off: openssl pkey -in %s "
			    "-out NEW",
		    name, name);
		return;
	}
	diag_set(d, 0, 0,
	    "%s is not a private key in PEM that can be read (code -0x%04x)",
	    name, (unsigned)-ret);
}

enum err
key_load(const char *path, const char *name, struct rng *r, struct key **out,
    struct diag *d)
{
	return key_load_with(path, name, NULL, r, out, d);
}

enum err
key_pass_load(const char *path, struct secret *out, struct diag *d)
{
	struct secret s = { NULL, 0 };
	const uint8_t *end;
	size_t n;
	enum err rc;

	errno = 0;
	rc = secret_read_file(&s, path, KEY_PASS_MAX);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "the file of -key-pass-file: %s",
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		return rc;
	}
	end = s.len == 0 ? NULL : memchr(s.data, '\n', s.len);
	n = end == NULL ? s.len : (size_t)(end - s.data);
	if (n > 0 && s.data[n - 1] == '\r') {
		n--;
	}
	secret_wipe(s.data + n, s.len - n);
	s.len = n;
	if (s.len == 0) {
		secret_fini(&s);
		diag_set(d, 0, 0,
		    "the file of -key-pass-file has nothing in its first line");
		return ERR_KEY;
	}
	*out = s;
	return ERR_OK;
}

enum err
key_load_with(const char *path, const char *name, const struct secret *pass,
    struct rng *r, struct key **out, struct diag *d)
{
	enum err rc;
	struct secret pem = { NULL, 0 };
	struct key *k = NULL;
	int ret;

	errno = 0;
	rc = secret_read_file(&pem, path, KEY_FILE_MAX);
	if (rc != ERR_OK) {
		diag_set(d, 0, 0, "%s: %s", name,
		    rc == ERR_IO && errno != 0 ? strerror(errno)
					       : err_text(rc));
		goto out;
	}
	k = key_alloc();
	if (k == NULL) {
		rc = ERR_NOMEM;
		goto out;
	}
	/* Mbed TLS wants the NUL of PEM text counted. */
	ret = mbedtls_pk_parse_key(&k->pk, pem.data, pem.len + 1,
	    pass == NULL ? NULL : pass->data, pass == NULL ? 0 : pass->len,
	    mbedtls_ctr_drbg_random, &r->drbg);
	if (ret != 0) {
		explain_key(ret, name, pass != NULL, d);
		rc = ERR_KEY;
		goto out;
	}
	*out = k;
	k = NULL;
out:
	key_free(k);
	secret_fini(&pem);
	return rc;
}

enum err
key_to_pem(const struct key *k, struct secret *out)
{
	struct secret s = { calloc(1, KEY_PEM_MAX), KEY_PEM_MAX };

	if (s.data == NULL) {
		return ERR_NOMEM;
	}
	if (mbedtls_pk_write_key_pem(&k->pk, s.data, s.len) != 0) {
		secret_fini(&s);
		return ERR_KEY;
	}
	s.len = strlen((const char *)s.data); /* what follows is zero */
	*out = s;
	return ERR_OK;
}
