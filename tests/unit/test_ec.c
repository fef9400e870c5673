/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elliptic curves as the program has them, by libcrypto or by Mbed TLS
 * (ACCEL=0): vectors of RFC 6979 (ECDSA) and RFC 7748 (X25519), what must be
 * refused, and that a product does not depend on the order.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#include <cmocka.h>

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;

#define RNG mbedtls_ctr_drbg_random, &drbg

/* RFC 6979 A.2.5, message "sample", SHA-256. */
#define KEY_X "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define KEY_UX                                                                 \
	"60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
#define KEY_UY                                                                 \
	"7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
#define SIG_R "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
#define SIG_S "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
#define DIGEST                                                                 \
	"AF2BDBE1AA9B6EC1E2ADE1D694F41FC71A831D0268E9891562113D8A62ADD1BF"

static void
unhex(const char *s, unsigned char *out)
{
	for (; *s != '\0'; s += 2) {
		*out++ = (unsigned char)(text_hex_digit(s[0]) * 16 +
					 text_hex_digit(s[1]));
	}
}

struct ec {
	mbedtls_ecp_group grp;
	mbedtls_mpi d, r, s;
	mbedtls_ecp_point q;
	unsigned char digest[32];
};

static void
ec_init(struct ec *e, mbedtls_ecp_group_id id)
{
	mbedtls_ecp_group_init(&e->grp);
	mbedtls_mpi_init(&e->d);
	mbedtls_mpi_init(&e->r);
	mbedtls_mpi_init(&e->s);
	mbedtls_ecp_point_init(&e->q);
	assert_int_equal(mbedtls_ecp_group_load(&e->grp, id), 0);
	unhex(DIGEST, e->digest);
}

static void
ec_free(struct ec *e)
{
	mbedtls_ecp_group_free(&e->grp);
	mbedtls_mpi_free(&e->d);
	mbedtls_mpi_free(&e->r);
	mbedtls_mpi_free(&e->s);
	mbedtls_ecp_point_free(&e->q);
}

static void
ec_rfc6979(struct ec *e)
{
	ec_init(e, MBEDTLS_ECP_DP_SECP256R1);
	assert_int_equal(mbedtls_mpi_read_string(&e->d, 16, KEY_X), 0);
	assert_int_equal(
	    mbedtls_ecp_point_read_string(&e->q, 16, KEY_UX, KEY_UY), 0);
	assert_int_equal(mbedtls_mpi_read_string(&e->r, 16, SIG_R), 0);
	assert_int_equal(mbedtls_mpi_read_string(&e->s, 16, SIG_S), 0);
}

static int
verify(struct ec *e)
{
	return mbedtls_ecdsa_verify(
	    &e->grp, e->digest, sizeof(e->digest), &e->q, &e->r, &e->s);
}

static void
bad_signatures_are_refused(void **state)
{
	struct ec e;
	size_t bit;

	(void)state;
	ec_rfc6979(&e);
	for (bit = 0; bit < 256; bit++) {
		e.digest[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_not_equal(verify(&e), 0);
		e.digest[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	assert_int_equal(verify(&e), 0);
	assert_int_equal(mbedtls_mpi_lset(&e.r, 0), 0);
	assert_int_not_equal(verify(&e), 0);
	assert_int_equal(mbedtls_mpi_copy(&e.r, &e.grp.N), 0);
	assert_int_not_equal(verify(&e), 0);
	assert_int_equal(mbedtls_mpi_read_string(&e.r, 16, SIG_R), 0);
	assert_int_equal(mbedtls_mpi_lset(&e.s, 0), 0);
	assert_int_not_equal(verify(&e), 0);
	assert_int_equal(mbedtls_mpi_lset(&e.s, -1), 0);
	assert_int_not_equal(verify(&e), 0);
	assert_int_equal(mbedtls_mpi_read_string(&e.s, 16, SIG_S), 0);
	assert_int_equal(mbedtls_mpi_add_mpi(&e.s, &e.s, &e.grp.N), 0);
	assert_int_not_equal(verify(&e), 0);
	ec_free(&e);
}

static void
points_off_the_curve_are_refused(void **state)
{
	mbedtls_ecp_point out;
	struct ec e;

	(void)state;
	ec_rfc6979(&e);
	mbedtls_ecp_point_init(&out);
	assert_int_equal(mbedtls_mpi_add_int(&e.q.Y, &e.q.Y, 1), 0);
	assert_int_not_equal(verify(&e), 0);
	assert_int_not_equal(mbedtls_ecp_mul(&e.grp, &out, &e.d, &e.q, RNG), 0);
	assert_int_equal(mbedtls_mpi_lset(&e.d, 0), 0);
	assert_int_not_equal(
	    mbedtls_ecp_mul(&e.grp, &out, &e.d, &e.grp.G, RNG), 0);
	assert_int_equal(mbedtls_mpi_copy(&e.d, &e.grp.N), 0);
	assert_int_not_equal(
	    mbedtls_ecp_mul(&e.grp, &out, &e.d, &e.grp.G, RNG), 0);
	assert_int_not_equal(
	    mbedtls_ecdsa_sign(&e.grp, &e.r, &e.s, &e.d, e.digest, 32, RNG), 0);
	mbedtls_ecp_point_free(&out);
	ec_free(&e);
}

static void
rfc6979_key_and_signature(void **state)
{
	mbedtls_ecp_point out;
	struct ec e;

	(void)state;
	ec_rfc6979(&e);
	mbedtls_ecp_point_init(&out);
	assert_int_equal(verify(&e), 0);
	assert_int_equal(mbedtls_ecp_mul(&e.grp, &out, &e.d, &e.grp.G, RNG), 0);
	assert_int_equal(mbedtls_ecp_point_cmp(&out, &e.q), 0);
	mbedtls_ecp_point_free(&out);
	ec_free(&e);
}

static void
what_is_signed_verifies(void **state)
{
	static const mbedtls_ecp_group_id ids[] = { MBEDTLS_ECP_DP_SECP256R1,
		MBEDTLS_ECP_DP_SECP384R1 };
	struct ec e;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < 2; i++) {
		ec_init(&e, ids[i]);
		for (n = 0; n < 20; n++) {
			assert_int_equal(
			    mbedtls_ecp_gen_keypair(&e.grp, &e.d, &e.q, RNG),
			    0);
			assert_int_equal(mbedtls_ecdsa_sign(&e.grp, &e.r, &e.s,
					     &e.d, e.digest, 32, RNG),
			    0);
			assert_int_equal(verify(&e), 0);
			e.digest[n] ^= 1;
			assert_int_not_equal(verify(&e), 0);
		}
		ec_free(&e);
	}
}

/* a(bG) = b(aG), on every curve that a handshake may choose. */
static void
both_sides_agree(void **state)
{
	static const mbedtls_ecp_group_id ids[] = { MBEDTLS_ECP_DP_CURVE25519,
		MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_SECP384R1 };
	mbedtls_ecp_point ab, ba;
	struct ec a, b;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		ec_init(&a, ids[i]);
		ec_init(&b, ids[i]);
		mbedtls_ecp_point_init(&ab);
		mbedtls_ecp_point_init(&ba);
		assert_int_equal(
		    mbedtls_ecp_gen_keypair(&a.grp, &a.d, &a.q, RNG), 0);
		assert_int_equal(
		    mbedtls_ecp_gen_keypair(&b.grp, &b.d, &b.q, RNG), 0);
		assert_int_equal(
		    mbedtls_ecp_mul(&a.grp, &ab, &a.d, &b.q, RNG), 0);
		assert_int_equal(
		    mbedtls_ecp_mul(&b.grp, &ba, &b.d, &a.q, RNG), 0);
		assert_int_equal(mbedtls_mpi_cmp_mpi(&ab.X, &ba.X), 0);
		mbedtls_ecp_point_free(&ab);
		mbedtls_ecp_point_free(&ba);
		ec_free(&a);
		ec_free(&b);
	}
}

/* out = X25519(k, u), the scalar clamped as RFC 7748 5 says. */
static int
x25519(
    unsigned char out[32], const unsigned char k[32], const unsigned char u[32])
{
	unsigned char clamped[32], masked[32];
	mbedtls_ecp_point result;
	struct ec e;
	int rc;

	memcpy(clamped, k, 32);
	memcpy(masked, u, 32);
	clamped[0] &= 248;
	clamped[31] = (clamped[31] & 127) | 64;
	masked[31] &= 127;
	ec_init(&e, MBEDTLS_ECP_DP_CURVE25519);
	mbedtls_ecp_point_init(&result);
	assert_int_equal(mbedtls_mpi_read_binary_le(&e.d, clamped, 32), 0);
	assert_int_equal(mbedtls_mpi_read_binary_le(&e.q.X, masked, 32), 0);
	assert_int_equal(mbedtls_mpi_lset(&e.q.Z, 1), 0);
	rc = mbedtls_ecp_mul(&e.grp, &result, &e.d, &e.q, RNG);
	if (rc == 0) {
		assert_int_equal(
		    mbedtls_mpi_write_binary_le(&result.X, out, 32), 0);
	}
	mbedtls_ecp_point_free(&result);
	ec_free(&e);
	return rc;
}

static void
rfc7748_vectors(void **state)
{
	static const char *const v[][3] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba44"
		  "9ac4",
		    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0"
		    "ab1c4c",
		    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577"
		    "a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918"
		  "ba0d",
		    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c7"
		    "15a493",
		    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647a"
		    "ac7957" },
	};
	unsigned char k[32], u[32], want[32], out[32];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		unhex(v[i][0], k);
		unhex(v[i][1], u);
		unhex(v[i][2], want);
		assert_int_equal(x25519(out, k, u), 0);
		assert_memory_equal(out, want, 32);
	}
}

static void
rfc7748_a_thousand_times(void **state)
{
	unsigned char k[32] = { 9 }, u[32] = { 9 }, out[32], want[32];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		assert_int_equal(x25519(out, k, u), 0);
		memcpy(u, k, 32);
		memcpy(k, out, 32);
	}
	unhex(
	    "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
	    want);
	assert_memory_equal(k, want, 32);
}

/* RFC 7748 6.1: points of small order give zero, which is no secret. */
static void
small_order_points_are_refused(void **state)
{
	static const char *const low[] = {
		"00000000000000000000000000000000000000000000000000000000000000"
		"00",
		"01000000000000000000000000000000000000000000000000000000000000"
		"00",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b8"
		"00",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11"
		"57",
		/* p - 1, p, p + 1 */
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
	};
	unsigned char k[32], u[32], out[32];
	size_t i;

	(void)state;
	memset(k, 0x55, sizeof(k));
	for (i = 0; i < sizeof(low) / sizeof(low[0]); i++) {
		unhex(low[i], u);
		assert_int_not_equal(x25519(out, k, u), 0);
		u[31] |= 0x80; /* which does not count */
		assert_int_not_equal(x25519(out, k, u), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_signatures_are_refused),
		cmocka_unit_test(points_off_the_curve_are_refused),
		cmocka_unit_test(small_order_points_are_refused),
		cmocka_unit_test(rfc6979_key_and_signature),
		cmocka_unit_test(what_is_signed_verifies),
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(rfc7748_vectors),
		cmocka_unit_test(rfc7748_a_thousand_times),
	};
	int rc;

	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&drbg);
	if (mbedtls_ctr_drbg_seed(
		&drbg, mbedtls_entropy_func, &entropy, NULL, 0) != 0) {
		return 1;
	}
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	mbedtls_ctr_drbg_free(&drbg);
	mbedtls_entropy_free(&entropy);
	return rc;
}
