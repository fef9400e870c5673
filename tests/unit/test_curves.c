/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P-256 and P-384 beside what test_ec.c has, by libcrypto or by Mbed TLS
 * (ACCEL=0): ECDSA of RFC 6979 A.2.6 as well, with every number at the edges;
 * ECDH of NIST's CAVS (KAS ECC CDH); hashes of all lengths; no point at all.
 */
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

#include <cmocka.h>

static int
random_bytes(void *arg, unsigned char *to, size_t n)
{
	(void)arg;
	return getrandom(to, n, 0) == (ssize_t)n ? 0 : -1;
}

static void
unhex(const char *hex, uint8_t *to, size_t n)
{
	size_t i;

	assert_int_equal(strlen(hex), 2 * n);
	for (i = 0; i < n; i++) {
		to[i] = (uint8_t)(text_hex_digit(hex[2 * i]) << 4 |
				  text_hex_digit(hex[2 * i + 1]));
	}
}

struct pair {
	mbedtls_ecp_group_id id;
	const char *d, *x, *y; /* the private key, and the point of it */
	const char *hash, *r, *s;
};

/* RFC 6979 A.2.5 with SHA-256 and A.2.6 with SHA-384, both of "sample" */
static const struct pair pairs[] = {
	{ MBEDTLS_ECP_DP_SECP256R1,
	    "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
	    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
	    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
	    "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
	    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
	    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA"
	    "8" },
	{ MBEDTLS_ECP_DP_SECP384R1,
	    "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8"
	    "96D5724E4C70A825F872C9EA60D2EDF5",
	    "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64"
	    "DEF8F0EA9055866064A254515480BC13",
	    "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1"
	    "288B231C3AE0D4FE7344FD2533264720",
	    "9a9083505bc92276aec4be312696ef7bf3bf603f4bbd381196a029f340585312"
	    "313bca4a9b5b890efee42c77b1ee25fe",
	    "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C"
	    "81A648152E44ACF96E36DD1E80FABE46",
	    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F"
	    "A329C145786E679E7B82C71A38628AC8" },
};

struct curve {
	mbedtls_ecp_group grp;
	mbedtls_ecp_point q;
	mbedtls_mpi d, r, s;
	uint8_t hash[64];
	size_t hash_len;
};

static void
read_mpi(mbedtls_mpi *to, const char *hex)
{
	assert_int_equal(mbedtls_mpi_read_string(to, 16, hex), 0);
}

static void
curve_init(struct curve *c, const struct pair *p)
{
	uint8_t point[1 + 2 * 48];
	size_t n = strlen(p->x) / 2;

	memset(c, 0, sizeof(*c));
	mbedtls_ecp_group_init(&c->grp);
	mbedtls_ecp_point_init(&c->q);
	mbedtls_mpi_init(&c->d);
	mbedtls_mpi_init(&c->r);
	mbedtls_mpi_init(&c->s);
	assert_int_equal(mbedtls_ecp_group_load(&c->grp, p->id), 0);
	point[0] = 4; /* SEC 1 2.3.3: not compressed */
	unhex(p->x, point + 1, n);
	unhex(p->y, point + 1 + n, n);
	assert_int_equal(
	    mbedtls_ecp_point_read_binary(&c->grp, &c->q, point, 1 + 2 * n), 0);
	read_mpi(&c->d, p->d);
	read_mpi(&c->r, p->r);
	read_mpi(&c->s, p->s);
	c->hash_len = strlen(p->hash) / 2;
	unhex(p->hash, c->hash, c->hash_len);
}

static void
curve_fini(struct curve *c)
{
	mbedtls_mpi_free(&c->s);
	mbedtls_mpi_free(&c->r);
	mbedtls_mpi_free(&c->d);
	mbedtls_ecp_point_free(&c->q);
	mbedtls_ecp_group_free(&c->grp);
}

static int
verifies(struct curve *c, const mbedtls_mpi *r, const mbedtls_mpi *s)
{
	return mbedtls_ecdsa_verify(
		   &c->grp, c->hash, c->hash_len, &c->q, r, s) == 0;
}

static void
known_signatures_verify(void **state)
{
	struct curve c;
	mbedtls_mpi other;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(pairs); i++) {
		curve_init(&c, &pairs[i]);
		assert_true(verifies(&c, &c.r, &c.s));
		/* -s is as good: ECDSA has two for each. */
		mbedtls_mpi_init(&other);
		assert_int_equal(
		    mbedtls_mpi_sub_mpi(&other, &c.grp.N, &c.s), 0);
		assert_true(verifies(&c, &c.r, &other));
		mbedtls_mpi_free(&other);
		curve_fini(&c);
	}
}

/* One number of a signature is v. */
static void
refuses_number(struct curve *c, const mbedtls_mpi *v)
{
	assert_false(verifies(c, v, &c->s));
	assert_false(verifies(c, &c->r, v));
	assert_false(verifies(c, v, v));
}

static void
numbers_at_the_edges_are_refused(void **state)
{
	struct curve c;
	mbedtls_mpi v;
	size_t i;

	(void)state;
	for (i = 0; i < NELEM(pairs); i++) {
		curve_init(&c, &pairs[i]);
		mbedtls_mpi_init(&v);
		refuses_number(&c, &v); /* 0 */
		assert_int_equal(mbedtls_mpi_lset(&v, 1), 0);
		refuses_number(&c, &v);
		assert_int_equal(mbedtls_mpi_lset(&v, -1), 0);
		refuses_number(&c, &v);
		refuses_number(&c, &c.grp.N);
		refuses_number(&c, &c.grp.P);
		/* the same modulo the order, and out of its range */
		assert_int_equal(mbedtls_mpi_add_mpi(&v, &c.r, &c.grp.N), 0);
		assert_false(verifies(&c, &v, &c.s));
		assert_int_equal(mbedtls_mpi_add_mpi(&v, &c.s, &c.grp.N), 0);
		assert_false(verifies(&c, &c.r, &v));
		mbedtls_mpi_free(&v);
		curve_fini(&c);
	}
}

static void
every_changed_bit_is_noticed(void **state)
{
	struct curve c;
	size_t i, bit;

	(void)state;
	for (i = 0; i < NELEM(pairs); i++) {
		curve_init(&c, &pairs[i]);
		for (bit = 0; bit < 8 * c.hash_len; bit += 7) {
			c.hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(verifies(&c, &c.r, &c.s));
			c.hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(verifies(&c, &c.r, &c.s));
		curve_fini(&c);
	}
}

/* Hashes of all lengths and of odd values: what is signed verifies, and
 * verifies for nothing else. */
static void
what_is_signed_verifies(void **state)
{
	static const size_t lengths[] = { 20, 32, 48, 64 };
	static const uint8_t fills[] = { 0x00, 0xff, 0x01, 0x80 };
	struct curve c;
	size_t i, j, k;

	(void)state;
	for (i = 0; i < NELEM(pairs); i++) {
		curve_init(&c, &pairs[i]);
		for (j = 0; j < NELEM(lengths); j++) {
			for (k = 0; k < NELEM(fills); k++) {
				memset(c.hash, fills[k], sizeof(c.hash));
				c.hash_len = lengths[j];
				assert_int_equal(
				    mbedtls_ecdsa_sign(&c.grp, &c.r, &c.s, &c.d,
					c.hash, c.hash_len, random_bytes, NULL),
				    0);
				assert_true(verifies(&c, &c.r, &c.s));
				c.hash[0] ^= 0x40;
				assert_false(verifies(&c, &c.r, &c.s));
			}
		}
		curve_fini(&c);
	}
}

static void
a_key_that_is_none_signs_nothing(void **state)
{
	struct curve c;
	mbedtls_mpi r, s, zero;
	size_t i;

	(void)state;
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	mbedtls_mpi_init(&zero);
	for (i = 0; i < NELEM(pairs); i++) {
		curve_init(&c, &pairs[i]);
		assert_int_not_equal(
		    mbedtls_ecdsa_sign(&c.grp, &r, &s, &zero, c.hash,
			c.hash_len, random_bytes, NULL),
		    0);
		assert_int_not_equal(
		    mbedtls_ecdsa_sign(&c.grp, &r, &s, &c.grp.N, c.hash,
			c.hash_len, random_bytes, NULL),
		    0);
		curve_fini(&c);
	}
	mbedtls_mpi_free(&r);
	mbedtls_mpi_free(&s);
	mbedtls_mpi_free(&zero);
}

/* CAVS 14.1, KAS ECC CDH primitive, P-256, count 0 */
static void
ecdh_gives_what_nist_says(void **state)
{
	static const struct pair nist = { MBEDTLS_ECP_DP_SECP256R1,
		"7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a"
		"534",
		"700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d"
		"287",
		"db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa"
		"4ac",
		"00", "1", "1" };
	uint8_t want[32], got[65];
	mbedtls_ecp_point z;
	struct curve c;
	size_t n;

	(void)state;
	curve_init(&c, &nist);
	mbedtls_ecp_point_init(&z);
	assert_int_equal(
	    mbedtls_ecp_mul(&c.grp, &z, &c.d, &c.q, random_bytes, NULL), 0);
	assert_int_equal(mbedtls_ecp_point_write_binary(&c.grp, &z,
			     MBEDTLS_ECP_PF_UNCOMPRESSED, &n, got, sizeof(got)),
	    0);
	unhex("46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd"
	      "7b",
	    want, sizeof(want));
	assert_memory_equal(got + 1, want, sizeof(want));
	mbedtls_ecp_point_free(&z);
	curve_fini(&c);
}

/* A secret times a point of another curve tells of the secret. */
static void
points_off_the_curve_are_refused(void **state)
{
	mbedtls_ecp_point z;
	struct curve c;
	size_t i;

	(void)state;
	mbedtls_ecp_point_init(&z);
	for (i = 0; i < NELEM(pairs); i++) {
		curve_init(&c, &pairs[i]);
		assert_int_equal(mbedtls_mpi_add_int(&c.q.MBEDTLS_PRIVATE(Y),
				     &c.q.MBEDTLS_PRIVATE(Y), 1),
		    0);
		assert_int_not_equal(
		    mbedtls_ecp_mul(&c.grp, &z, &c.d, &c.q, random_bytes, NULL),
		    0);
		assert_false(verifies(&c, &c.r, &c.s));
		curve_fini(&c);
		curve_init(&c, &pairs[i]);
		assert_int_equal(mbedtls_ecp_set_zero(&c.q), 0);
		assert_int_not_equal(
		    mbedtls_ecp_mul(&c.grp, &z, &c.d, &c.q, random_bytes, NULL),
		    0);
		assert_false(verifies(&c, &c.r, &c.s));
		curve_fini(&c);
	}
	mbedtls_ecp_point_free(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_signatures_verify),
		cmocka_unit_test(numbers_at_the_edges_are_refused),
		cmocka_unit_test(every_changed_bit_is_noticed),
		cmocka_unit_test(what_is_signed_verifies),
		cmocka_unit_test(a_key_that_is_none_signs_nothing),
		cmocka_unit_test(ecdh_gives_what_nist_says),
		cmocka_unit_test(points_off_the_curve_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
