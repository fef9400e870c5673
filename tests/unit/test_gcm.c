/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM as the program has it, by IPsec-MB or by Mbed TLS (ACCEL=0): the
 * test cases of "The Galois/Counter Mode of Operation" (McGrew and Viega,
 * appendix B), in one piece and in every split, and what must fail.
 */
#include <mbedtls/gcm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include <cmocka.h>

#define P64                                                                    \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"     \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
#define P60                                                                    \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"     \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define K128 "feffe9928665731c6d6a8f9467308308"
#define AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define ZERO16 "00000000000000000000000000000000"

/* All in hexadecimal. */
static const struct {
	const char *key, *iv, *aad, *plain, *cipher, *tag;
} cases[] = {
	{ ZERO16, "000000000000000000000000", "", "", "",
	    "58e2fccefa7e3061367f1d57a4e7455a" },
	{ ZERO16, "000000000000000000000000", "", ZERO16,
	    "0388dace60b6a392f328c2b971b2fe78",
	    "ab6e47d42cec13bdf53a67b21257bddf" },
	{ K128, "cafebabefacedbaddecaf888", "", P64,
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
	    "4d5c2af327cd64a62cf35abd2ba6fab4" },
	{ K128, "cafebabefacedbaddecaf888", AAD, P60,
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
	    "5bc94fbc3221a5db94fae95ae7121a47" },
	{ K128, "cafebabefacedbad", AAD, P60,
	    "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c7423"
	    "73806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598",
	    "3612d2e79e3b0785561be14aaca2fccb" },
	{ ZERO16 ZERO16, "000000000000000000000000", "", "", "",
	    "530f8afbc74536b9a963b4f1c4cb738b" },
	{ ZERO16 ZERO16, "000000000000000000000000", "", ZERO16,
	    "cea7403d4d606b6e074ec5d3baf39d18",
	    "d0d1c8a799996bf0265b98b5d48ab919" },
	{ K128 K128, "cafebabefacedbaddecaf888", AAD, P60,
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	    "76fc6ece0f4e1768cddf8853bb2d551b" },
};

struct bytes {
	unsigned char p[128];
	size_t n;
};

static struct bytes
unhex(const char *s)
{
	struct bytes b = { { 0 }, strlen(s) / 2 };
	size_t i;

	for (i = 0; i < b.n; i++) {
		b.p[i] = (unsigned char)(text_hex_digit(s[2 * i]) * 16 +
					 text_hex_digit(s[2 * i + 1]));
	}
	return b;
}

struct vector {
	struct bytes key, iv, aad, plain, cipher, tag;
};

static struct vector
vector(size_t i)
{
	return (struct vector){ unhex(cases[i].key), unhex(cases[i].iv),
		unhex(cases[i].aad), unhex(cases[i].plain),
		unhex(cases[i].cipher), unhex(cases[i].tag) };
}

static void
set_key(mbedtls_gcm_context *ctx, const struct vector *v)
{
	mbedtls_gcm_init(ctx);
	assert_int_equal(mbedtls_gcm_setkey(ctx, MBEDTLS_CIPHER_ID_AES,
			     v->key.p, (unsigned)v->key.n * 8),
	    0);
}

static void
wrong_tags_are_refused_and_leave_nothing(void **state)
{
	mbedtls_gcm_context ctx;
	const unsigned char nothing[128] = { 0 };
	unsigned char out[128];
	size_t i, bit;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vector v = vector(i);

		set_key(&ctx, &v);
		for (bit = 0; bit < 128; bit++) {
			v.tag.p[bit / 8] ^= (unsigned char)(1 << bit % 8);
			memset(out, 0x55, sizeof(out));
			assert_int_equal(
			    mbedtls_gcm_auth_decrypt(&ctx, v.cipher.n, v.iv.p,
				v.iv.n, v.aad.p, v.aad.n, v.tag.p, 16,
				v.cipher.p, out),
			    MBEDTLS_ERR_GCM_AUTH_FAILED);
			v.tag.p[bit / 8] ^= (unsigned char)(1 << bit % 8);
			assert_memory_equal(out, nothing, v.plain.n);
		}
		mbedtls_gcm_free(&ctx);
	}
}

static void
bad_lengths_are_refused(void **state)
{
	struct vector v = vector(2);
	mbedtls_gcm_context ctx;
	unsigned char out[128], tag[16];

	(void)state;
	mbedtls_gcm_init(&ctx);
	assert_int_not_equal(
	    mbedtls_gcm_setkey(&ctx, MBEDTLS_CIPHER_ID_AES, v.key.p, 64), 0);
	mbedtls_gcm_free(&ctx);
	set_key(&ctx, &v);
	assert_int_not_equal(
	    mbedtls_gcm_crypt_and_tag(&ctx, MBEDTLS_GCM_ENCRYPT, v.plain.n,
		v.iv.p, 0, NULL, 0, v.plain.p, out, 16, tag),
	    0);
	assert_int_not_equal(
	    mbedtls_gcm_crypt_and_tag(&ctx, MBEDTLS_GCM_ENCRYPT, v.plain.n,
		v.iv.p, v.iv.n, NULL, 0, v.plain.p, out, 3, tag),
	    0);
	mbedtls_gcm_free(&ctx);
	mbedtls_gcm_free(&ctx); /* twice is fine */
}

static void
known_answers_come_out(void **state)
{
	mbedtls_gcm_context ctx;
	unsigned char out[128], tag[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vector v = vector(i);

		set_key(&ctx, &v);
		assert_int_equal(
		    mbedtls_gcm_crypt_and_tag(&ctx, MBEDTLS_GCM_ENCRYPT,
			v.plain.n, v.iv.p, v.iv.n, v.aad.p, v.aad.n, v.plain.p,
			out, 16, tag),
		    0);
		assert_memory_equal(out, v.cipher.p, v.cipher.n);
		assert_memory_equal(tag, v.tag.p, 16);
		memcpy(out, v.cipher.p, v.cipher.n); /* in place */
		assert_int_equal(
		    mbedtls_gcm_auth_decrypt(&ctx, v.cipher.n, v.iv.p, v.iv.n,
			v.aad.p, v.aad.n, v.tag.p, 16, out, out),
		    0);
		assert_memory_equal(out, v.plain.p, v.plain.n);
		mbedtls_gcm_free(&ctx);
	}
}

/* starts, update_ad, update twice, finish: for every place of the cut. */
static void
every_split_gives_the_same(void **state)
{
	struct vector v = vector(3);
	mbedtls_gcm_context ctx;
	unsigned char out[128], tag[16];
	size_t cut, n, m, last;

	(void)state;
	set_key(&ctx, &v);
	for (cut = 0; cut <= v.plain.n; cut++) {
		assert_int_equal(mbedtls_gcm_starts(
				     &ctx, MBEDTLS_GCM_ENCRYPT, v.iv.p, v.iv.n),
		    0);
		assert_int_equal(
		    mbedtls_gcm_update_ad(&ctx, v.aad.p, v.aad.n), 0);
		assert_int_equal(mbedtls_gcm_update(&ctx, v.plain.p, cut, out,
				     sizeof(out), &n),
		    0);
		assert_int_equal(
		    mbedtls_gcm_update(&ctx, v.plain.p + cut, v.plain.n - cut,
			out + n, sizeof(out) - n, &m),
		    0);
		assert_int_equal(mbedtls_gcm_finish(&ctx, out + n + m,
				     sizeof(out) - n - m, &last, tag, 16),
		    0);
		assert_int_equal(n + m + last, v.plain.n);
		assert_memory_equal(out, v.cipher.p, v.cipher.n);
		assert_memory_equal(tag, v.tag.p, 16);
	}
	mbedtls_gcm_free(&ctx);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_tags_are_refused_and_leave_nothing),
		cmocka_unit_test(bad_lengths_are_refused),
		cmocka_unit_test(known_answers_come_out),
		cmocka_unit_test(every_split_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
