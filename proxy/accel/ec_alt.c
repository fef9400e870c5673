/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elliptic curves for Mbed TLS by OpenSSL's libcrypto: ECDSA on P-256 and
 * P-384 (MBEDTLS_ECDSA_SIGN_ALT, MBEDTLS_ECDSA_VERIFY_ALT), and the
 * multiplication of a point behind every key exchange, X25519's too.
 *
 * A mutual-TLS handshake signs once, verifies twice and multiplies twice; in
 * Mbed TLS's portable arithmetic that is nearly all of its cost.  TLS 1.3
 * reaches the multiplication through PSA, which has no hook of its own, so
 * the linker puts our function in front of Mbed TLS's (--wrap); curves that
 * we do not know go on to the real one.
 *
 * Secret scalars meet constant-time code only: libcrypto's P-256 has no other,
 * BN_FLG_CONSTTIME asks for it elsewhere, X25519 is a ladder.  Their copies
 * are wiped.  Points and scalars of the peer pass Mbed TLS's own checks first,
 * and libcrypto's.
 *
 * Rejected: libsodium for X25519 (a little faster, one more library); Everest,
 * from Mbed TLS's own tree (three times slower than this).
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#define OPENSSL_API_COMPAT 0x10100000L /* EC_KEY: EVP costs 40 us a key */
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/platform_util.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

#define EC_BYTES_MAX 48
#define X25519_BYTES 32

int __real_mbedtls_ecp_mul_restartable(mbedtls_ecp_group *grp,
    mbedtls_ecp_point *R, const mbedtls_mpi *m, const mbedtls_ecp_point *P,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng,
    mbedtls_ecp_restart_ctx *rs_ctx);
int __wrap_mbedtls_ecp_mul_restartable(mbedtls_ecp_group *grp,
    mbedtls_ecp_point *R, const mbedtls_mpi *m, const mbedtls_ecp_point *P,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng,
    mbedtls_ecp_restart_ctx *rs_ctx);
int __wrap_mbedtls_ecp_mul(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
    const mbedtls_mpi *m, const mbedtls_ecp_point *P,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng);

/* --- groups -------------------------------------------------------------- */

static pthread_once_t groups_once = PTHREAD_ONCE_INIT;
static EC_GROUP *group_p256, *group_p384; /* made once, read by all */

static void
groups_make(void)
{
	group_p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	group_p384 = EC_GROUP_new_by_curve_name(NID_secp384r1);
}

/* NULL: a curve that is not ours. */
static const EC_GROUP *
group_of(const mbedtls_ecp_group *grp)
{
	(void)pthread_once(&groups_once, groups_make);
	switch (grp->id) {
	case MBEDTLS_ECP_DP_SECP256R1:
		return group_p256;
	case MBEDTLS_ECP_DP_SECP384R1:
		return group_p384;
	default:
		return NULL;
	}
}

/* --- numbers and points -------------------------------------------------- */

static BIGNUM *
bn_of(const mbedtls_mpi *m, int secret)
{
	unsigned char raw[EC_BYTES_MAX];
	size_t n = mbedtls_mpi_size(m);
	BIGNUM *bn = NULL;

	if (m->s >= 0 && n <= sizeof(raw) &&
	    mbedtls_mpi_write_binary(m, raw, n) == 0) {
		bn = BN_bin2bn(raw, (int)n, NULL);
	}
	if (bn != NULL && secret) {
		BN_set_flags(bn, BN_FLG_CONSTTIME);
	}
	mbedtls_platform_zeroize(raw, sizeof(raw));
	return bn;
}

static int
mpi_of(const BIGNUM *bn, mbedtls_mpi *m)
{
	unsigned char raw[EC_BYTES_MAX];
	int n = BN_num_bytes(bn);

	if (n > EC_BYTES_MAX) {
		return MBEDTLS_ERR_ECP_BAD_INPUT_DATA;
	}
	(void)BN_bn2bin(bn, raw);
	return mbedtls_mpi_read_binary(m, raw, (size_t)n);
}

/* SEC 1 2.3.3, uncompressed; libcrypto checks that it is on the curve. */
static EC_POINT *
point_of(const EC_GROUP *group, const mbedtls_ecp_group *grp,
    const mbedtls_ecp_point *P)
{
	unsigned char raw[1 + 2 * EC_BYTES_MAX];
	EC_POINT *p;
	size_t n;

	if (mbedtls_ecp_point_write_binary(grp, P, MBEDTLS_ECP_PF_UNCOMPRESSED,
		&n, raw, sizeof(raw)) != 0) {
		return NULL;
	}
	p = EC_POINT_new(group);
	if (p != NULL && EC_POINT_oct2point(group, p, raw, n, NULL) != 1) {
		EC_POINT_free(p);
		return NULL;
	}
	return p;
}

/* A key that shares the curve; d or Q may be NULL. */
static EC_KEY *
key_of(const EC_GROUP *group, const BIGNUM *d, const EC_POINT *q)
{
	EC_KEY *key = EC_KEY_new();

	if (key != NULL && EC_KEY_set_group(key, group) == 1 &&
	    (d == NULL || EC_KEY_set_private_key(key, d) == 1) &&
	    (q == NULL || EC_KEY_set_public_key(key, q) == 1)) {
		return key;
	}
	EC_KEY_free(key);
	return NULL;
}

/* --- ECDSA (FIPS 186-5) -------------------------------------------------- */

int
mbedtls_ecdsa_sign(mbedtls_ecp_group *grp, mbedtls_mpi *r, mbedtls_mpi *s,
    const mbedtls_mpi *d, const unsigned char *buf, size_t blen,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng)
{
	const EC_GROUP *group = group_of(grp);
	BIGNUM *bd = NULL;
	EC_KEY *key = NULL;
	ECDSA_SIG *sig = NULL;
	int rc = MBEDTLS_ERR_ECP_BAD_INPUT_DATA;

	(void)f_rng; /* libcrypto's own, mixed with key and digest */
	(void)p_rng;
	if (group == NULL || mbedtls_ecp_check_privkey(grp, d) != 0) {
		return rc;
	}
	bd = bn_of(d, 1);
	if (bd != NULL) {
		key = key_of(group, bd, NULL);
	}
	if (key != NULL) {
		sig = ECDSA_do_sign(buf, (int)blen, key);
	}
	if (sig != NULL) {
		rc = mpi_of(ECDSA_SIG_get0_r(sig), r);
		if (rc == 0) {
			rc = mpi_of(ECDSA_SIG_get0_s(sig), s);
		}
	}
	ECDSA_SIG_free(sig);
	EC_KEY_free(key);
	BN_clear_free(bd);
	return rc;
}

static ECDSA_SIG *
signature_of(const mbedtls_mpi *r, const mbedtls_mpi *s)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *br = bn_of(r, 0), *bs = bn_of(s, 0);

	if (sig != NULL && br != NULL && bs != NULL &&
	    ECDSA_SIG_set0(sig, br, bs) == 1) {
		return sig;
	}
	BN_free(br);
	BN_free(bs);
	ECDSA_SIG_free(sig);
	return NULL;
}

int
mbedtls_ecdsa_verify(mbedtls_ecp_group *grp, const unsigned char *buf,
    size_t blen, const mbedtls_ecp_point *Q, const mbedtls_mpi *r,
    const mbedtls_mpi *s)
{
	const EC_GROUP *group = group_of(grp);
	ECDSA_SIG *sig = NULL;
	EC_POINT *q = NULL;
	EC_KEY *key = NULL;
	int rc = MBEDTLS_ERR_ECP_VERIFY_FAILED;

	if (group == NULL) {
		return MBEDTLS_ERR_ECP_BAD_INPUT_DATA;
	}
	q = point_of(group, grp, Q);
	sig = signature_of(r, s);
	if (q != NULL && sig != NULL) {
		key = key_of(group, NULL, q);
	}
	/* 1: good; 0: bad; -1: an error, which is bad too */
	if (key != NULL && ECDSA_do_verify(buf, (int)blen, sig, key) == 1) {
		rc = 0;
	}
	EC_KEY_free(key);
	EC_POINT_free(q);
	ECDSA_SIG_free(sig);
	return rc;
}

/* --- multiplication ------------------------------------------------------ */

static int
mul_nist(const EC_GROUP *group, mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
    const mbedtls_mpi *m, const mbedtls_ecp_point *P)
{
	unsigned char raw[1 + 2 * EC_BYTES_MAX];
	BIGNUM *bm = bn_of(m, 1);
	EC_POINT *p = point_of(group, grp, P), *r = EC_POINT_new(group);
	int rc = MBEDTLS_ERR_ECP_BAD_INPUT_DATA;
	size_t n = 0;

	if (bm != NULL && p != NULL && r != NULL &&
	    EC_POINT_mul(group, r, NULL, p, bm, NULL) == 1) {
		n = EC_POINT_point2oct(group, r, POINT_CONVERSION_UNCOMPRESSED,
		    raw, sizeof(raw), NULL);
	}
	if (n > 1) { /* 1: the point at infinity */
		rc = mbedtls_ecp_point_read_binary(grp, R, raw, n);
	}
	EC_POINT_clear_free(r);
	EC_POINT_free(p);
	BN_clear_free(bm);
	mbedtls_platform_zeroize(raw, sizeof(raw));
	return rc;
}

/* RFC 7748 5: u-coordinates and scalars are little-endian. */
static int
x25519(unsigned char out[X25519_BYTES], const unsigned char k[X25519_BYTES],
    const unsigned char u[X25519_BYTES])
{
	EVP_PKEY *key = NULL, *peer = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	size_t n = X25519_BYTES;
	int ok = 0;

	key = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_X25519, NULL, k, X25519_BYTES);
	if (u[0] == 9 && memcmp(u + 1, (const unsigned char[31]){ 0 }, 31) ==
			     0) { /* the base point: the public key */
		ok = key != NULL &&
		     EVP_PKEY_get_raw_public_key(key, out, &n) == 1;
		EVP_PKEY_free(key);
		return ok;
	}
	peer =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, u, X25519_BYTES);
	if (key != NULL && peer != NULL) {
		ctx = EVP_PKEY_CTX_new(key, NULL);
	}
	/* Fails for an all-zero result (RFC 7748 6.1). */
	ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	     EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	     EVP_PKEY_derive(ctx, out, &n) == 1 && n == X25519_BYTES;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(key);
	return ok;
}

static int
mul_x25519(
    mbedtls_ecp_point *R, const mbedtls_mpi *m, const mbedtls_ecp_point *P)
{
	unsigned char k[X25519_BYTES], u[X25519_BYTES], out[X25519_BYTES];
	int rc = MBEDTLS_ERR_ECP_BAD_INPUT_DATA;

	if (mbedtls_mpi_write_binary_le(m, k, sizeof(k)) == 0 &&
	    mbedtls_mpi_write_binary_le(&P->X, u, sizeof(u)) == 0 &&
	    x25519(out, k, u)) {
		rc = mbedtls_mpi_read_binary_le(&R->X, out, sizeof(out));
	}
	if (rc == 0) {
		mbedtls_mpi_free(&R->Y);
		rc = mbedtls_mpi_lset(&R->Z, 1);
	}
	mbedtls_platform_zeroize(k, sizeof(k));
	mbedtls_platform_zeroize(out, sizeof(out));
	return rc;
}

int
__wrap_mbedtls_ecp_mul_restartable(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
    const mbedtls_mpi *m, const mbedtls_ecp_point *P,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng,
    mbedtls_ecp_restart_ctx *rs_ctx)
{
	const EC_GROUP *group = group_of(grp);
	int rc;

	if (group == NULL && grp->id != MBEDTLS_ECP_DP_CURVE25519) {
		return __real_mbedtls_ecp_mul_restartable(
		    grp, R, m, P, f_rng, p_rng, rs_ctx);
	}
	rc = mbedtls_ecp_check_privkey(grp, m);
	if (rc == 0) {
		rc = mbedtls_ecp_check_pubkey(grp, P);
	}
	if (rc != 0) {
		return rc;
	}
	return group != NULL ? mul_nist(group, grp, R, m, P)
			     : mul_x25519(R, m, P);
}

int
__wrap_mbedtls_ecp_mul(mbedtls_ecp_group *grp, mbedtls_ecp_point *R,
    const mbedtls_mpi *m, const mbedtls_ecp_point *P,
    int (*f_rng)(void *, unsigned char *, size_t), void *p_rng)
{
	if (f_rng == NULL) {
		return MBEDTLS_ERR_ECP_BAD_INPUT_DATA; /* as the real one */
	}
	return __wrap_mbedtls_ecp_mul_restartable(
	    grp, R, m, P, f_rng, p_rng, NULL);
}
