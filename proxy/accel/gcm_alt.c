/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM by IPsec-MB; see gcm_alt.h.
 *
 * Bulk encryption is most of what a relayed gigabyte costs.  Mbed TLS's own
 * GCM multiplies with tables, 16 bytes at a time; IPsec-MB keeps 8 to 48
 * blocks in flight with AES-NI, CLMUL and, where the processor has them, VAES
 * and AVX-512.  It picks the code for the processor when it is initialised.
 *
 * The manager is only a table of functions here, shared by all threads and
 * never changed; keys and the state of a message belong to the context.
 *
 * Both sides of a tag are compared in constant time, and what was decrypted
 * under a wrong tag is wiped before anyone can look at it.  NIST SP 800-38D;
 * its test vectors are in tests/unit/test_gcm.c.
 */
#include <intel-ipsec-mb.h>
#include <mbedtls/constant_time.h>
#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define GCM_ALIGN 64
#define GCM_TAG_BYTES 16

struct gcm_alt_state {
	struct gcm_key_data key; /* 64-byte aligned, first */
	struct gcm_context_data ctx;
	unsigned bits;
	int mode;
	int started; /* AAD is in, data may follow */
	size_t iv_len;
	unsigned char iv_copy[64];
};

static pthread_once_t manager_once = PTHREAD_ONCE_INIT;
static IMB_MGR *manager;

static void
manager_make(void)
{
	IMB_ARCH arch;

	manager = alloc_mb_mgr(0);
	if (manager != NULL) {
		init_mb_mgr_auto(manager, &arch);
	}
}

void
mbedtls_gcm_init(mbedtls_gcm_context *ctx)
{
	ctx->state = NULL;
}

void
mbedtls_gcm_free(mbedtls_gcm_context *ctx)
{
	if (ctx == NULL || ctx->state == NULL) {
		return;
	}
	mbedtls_platform_zeroize(ctx->state, sizeof(*ctx->state));
	free(ctx->state);
	ctx->state = NULL;
}

int
mbedtls_gcm_setkey(mbedtls_gcm_context *ctx, mbedtls_cipher_id_t cipher,
    const unsigned char *key, unsigned int keybits)
{
	struct gcm_alt_state *s = ctx->state;

	if (cipher != MBEDTLS_CIPHER_ID_AES ||
	    (keybits != 128 && keybits != 192 && keybits != 256)) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	(void)pthread_once(&manager_once, manager_make);
	if (s == NULL && manager != NULL) {
		s = aligned_alloc(GCM_ALIGN,
		    (sizeof(*s) + GCM_ALIGN - 1) / GCM_ALIGN * GCM_ALIGN);
	}
	if (s == NULL) {
		return MBEDTLS_ERR_CIPHER_ALLOC_FAILED;
	}
	memset(s, 0, sizeof(*s));
	ctx->state = s;
	s->bits = keybits;
	if (keybits == 128) {
		IMB_AES128_GCM_PRE(manager, key, &s->key);
	} else if (keybits == 192) {
		IMB_AES192_GCM_PRE(manager, key, &s->key);
	} else {
		IMB_AES256_GCM_PRE(manager, key, &s->key);
	}
	return 0;
}

/* The counter block for an IV of any length, and the additional data. */
static void
begin(struct gcm_alt_state *s, const unsigned char *iv, size_t iv_len,
    const unsigned char *add, size_t add_len)
{
	if (s->bits == 128) {
		IMB_AES128_GCM_INIT_VAR_IV(
		    manager, &s->key, &s->ctx, iv, iv_len, add, add_len);
	} else if (s->bits == 192) {
		IMB_AES192_GCM_INIT_VAR_IV(
		    manager, &s->key, &s->ctx, iv, iv_len, add, add_len);
	} else {
		IMB_AES256_GCM_INIT_VAR_IV(
		    manager, &s->key, &s->ctx, iv, iv_len, add, add_len);
	}
	s->started = 1;
}

#define PICK(s, op, ...)                                                       \
	do {                                                                   \
		if ((s)->bits == 128) {                                        \
			IMB_AES128_GCM_##op(                                   \
			    manager, &(s)->key, &(s)->ctx, __VA_ARGS__);       \
		} else if ((s)->bits == 192) {                                 \
			IMB_AES192_GCM_##op(                                   \
			    manager, &(s)->key, &(s)->ctx, __VA_ARGS__);       \
		} else {                                                       \
			IMB_AES256_GCM_##op(                                   \
			    manager, &(s)->key, &(s)->ctx, __VA_ARGS__);       \
		}                                                              \
	} while (0)

static void
crypt(struct gcm_alt_state *s, int mode, const unsigned char *in,
    unsigned char *out, size_t len)
{
	if (len == 0) {
		return;
	}
	if (mode == MBEDTLS_GCM_ENCRYPT) {
		PICK(s, ENC_UPDATE, out, in, len);
	} else {
		PICK(s, DEC_UPDATE, out, in, len);
	}
}

static void
finish(struct gcm_alt_state *s, int mode, unsigned char tag[GCM_TAG_BYTES])
{
	if (mode == MBEDTLS_GCM_ENCRYPT) {
		PICK(s, ENC_FINALIZE, tag, GCM_TAG_BYTES);
	} else {
		PICK(s, DEC_FINALIZE, tag, GCM_TAG_BYTES);
	}
	s->started = 0;
}

/* SP 800-38D 5.2.1: lengths of IV and tag. */
static int
lengths_are_sound(size_t iv_len, size_t tag_len)
{
	return iv_len > 0 && (uint64_t)iv_len >> 61 == 0 && tag_len >= 4 &&
	       tag_len <= GCM_TAG_BYTES;
}

static int
one_message(struct gcm_alt_state *s, int mode, size_t len,
    const unsigned char *iv, size_t iv_len, const unsigned char *add,
    size_t add_len, const unsigned char *in, unsigned char *out,
    unsigned char tag[GCM_TAG_BYTES])
{
	if ((uint64_t)len > 0xfffffffe0ull || (uint64_t)add_len >> 61 != 0) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	begin(s, iv, iv_len, add, add_len);
	crypt(s, mode, in, out, len);
	finish(s, mode, tag);
	return 0;
}

int
mbedtls_gcm_crypt_and_tag(mbedtls_gcm_context *ctx, int mode, size_t length,
    const unsigned char *iv, size_t iv_len, const unsigned char *add,
    size_t add_len, const unsigned char *input, unsigned char *output,
    size_t tag_len, unsigned char *tag)
{
	unsigned char whole[GCM_TAG_BYTES];
	int rc;

	if (ctx->state == NULL || !lengths_are_sound(iv_len, tag_len)) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	rc = one_message(ctx->state, mode, length, iv, iv_len, add, add_len,
	    input, output, whole);
	if (rc == 0) {
		memcpy(tag, whole, tag_len);
	}
	return rc;
}

int
mbedtls_gcm_auth_decrypt(mbedtls_gcm_context *ctx, size_t length,
    const unsigned char *iv, size_t iv_len, const unsigned char *add,
    size_t add_len, const unsigned char *tag, size_t tag_len,
    const unsigned char *input, unsigned char *output)
{
	unsigned char whole[GCM_TAG_BYTES];
	int rc;

	if (ctx->state == NULL || !lengths_are_sound(iv_len, tag_len)) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	rc = one_message(ctx->state, MBEDTLS_GCM_DECRYPT, length, iv, iv_len,
	    add, add_len, input, output, whole);
	if (rc == 0 && mbedtls_ct_memcmp(tag, whole, tag_len) != 0) {
		mbedtls_platform_zeroize(output, length);
		rc = MBEDTLS_ERR_GCM_AUTH_FAILED;
	}
	mbedtls_platform_zeroize(whole, sizeof(whole));
	return rc;
}

/* --- in parts: starts, update_ad at most once, update, finish ------------- */

int
mbedtls_gcm_starts(
    mbedtls_gcm_context *ctx, int mode, const unsigned char *iv, size_t iv_len)
{
	struct gcm_alt_state *s = ctx->state;

	if (s == NULL || iv_len == 0 || iv_len > sizeof(s->iv_copy)) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	memcpy(s->iv_copy, iv, iv_len);
	s->iv_len = iv_len;
	s->mode = mode;
	s->started = 0;
	return 0;
}

int
mbedtls_gcm_update_ad(
    mbedtls_gcm_context *ctx, const unsigned char *add, size_t add_len)
{
	struct gcm_alt_state *s = ctx->state;

	if (s == NULL || s->iv_len == 0 || (s->started && add_len > 0)) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	if (add_len > 0) {
		begin(s, s->iv_copy, s->iv_len, add, add_len);
	}
	return 0;
}

int
mbedtls_gcm_update(mbedtls_gcm_context *ctx, const unsigned char *input,
    size_t input_length, unsigned char *output, size_t output_size,
    size_t *output_length)
{
	struct gcm_alt_state *s = ctx->state;

	if (s == NULL || s->iv_len == 0) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	if (output_size < input_length) {
		return MBEDTLS_ERR_GCM_BUFFER_TOO_SMALL;
	}
	if (!s->started) {
		begin(s, s->iv_copy, s->iv_len, NULL, 0);
	}
	crypt(s, s->mode, input, output, input_length);
	*output_length = input_length;
	return 0;
}

int
mbedtls_gcm_finish(mbedtls_gcm_context *ctx, unsigned char *output,
    size_t output_size, size_t *output_length, unsigned char *tag,
    size_t tag_len)
{
	struct gcm_alt_state *s = ctx->state;
	unsigned char whole[GCM_TAG_BYTES];

	(void)output;
	(void)output_size;
	*output_length = 0;
	if (s == NULL || s->iv_len == 0 || !lengths_are_sound(1, tag_len)) {
		return MBEDTLS_ERR_GCM_BAD_INPUT;
	}
	if (!s->started) {
		begin(s, s->iv_copy, s->iv_len, NULL, 0);
	}
	finish(s, s->mode, whole);
	memcpy(tag, whole, tag_len);
	s->iv_len = 0;
	return 0;
}
