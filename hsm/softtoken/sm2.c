/* SM2 (GB/T 32918) by libcrypto. Signing takes e; who made it, and of what, is the mechanism's. */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "token.h"

const unsigned char sm2_parameters[10] = {0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d};

/* a, b, xG, yG of the curve, GB/T 32918.5 */
static const char curve[] =
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0";

EVP_PKEY *sm2_generate(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "SM2"); }

static EVP_PKEY *from_parts(const unsigned char point[65], const unsigned char *d) {
    EVP_PKEY *key = NULL;
    BIGNUM *n = d == NULL ? NULL : BN_secure_new(); /* what libcrypto copies of it is wiped, too */
    if (n != NULL) BN_bin2bn(d, 32, n);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    OSSL_PARAM *p = NULL;
    if (b != NULL && c != NULL && (d == NULL || n != NULL) && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, 65) == 1 &&
        (n == NULL || OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, n) == 1) && (p = OSSL_PARAM_BLD_to_param(b)) != NULL &&
        EVP_PKEY_fromdata_init(c) == 1 && EVP_PKEY_fromdata(c, &key, n == NULL ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, p) != 1)
        key = NULL;
    OSSL_PARAM_free(p);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(c);
    BN_clear_free(n);
    return key;
}

/* A private key is from 1 to n-2 (GB/T 32918.1, 6.1): with n-1, 1+d has no inverse. */
EVP_PKEY *sm2_from_private(const unsigned char d[32]) {
    EVP_PKEY *key = NULL;
    unsigned char point[65];
    EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_sm2);
    EC_POINT *q = g == NULL ? NULL : EC_POINT_new(g);
    BIGNUM *n = BN_secure_new();
    BN_CTX *c = BN_CTX_new();
    BIGNUM *most = g == NULL ? NULL : BN_dup(EC_GROUP_get0_order(g));
    if (q != NULL && n != NULL && c != NULL && most != NULL && BN_sub_word(most, 2) == 1 && BN_bin2bn(d, 32, n) != NULL && !BN_is_zero(n) &&
        BN_cmp(n, most) <= 0 && EC_POINT_mul(g, q, n, NULL, NULL, c) == 1 &&
        EC_POINT_point2oct(g, q, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, c) == sizeof point)
        key = from_parts(point, d);
    BN_free(most);
    BN_CTX_free(c);
    BN_clear_free(n);
    EC_POINT_free(q);
    EC_GROUP_free(g);
    return key;
}

EVP_PKEY *sm2_from_point(const unsigned char *point, size_t size) {
    if (size == 67 && point[0] == 0x04 && point[1] == 65) {
        point += 2;
        size -= 2;
    }
    if (size != 65 || point[0] != 0x04) return NULL;
    EVP_PKEY *key = from_parts(point, NULL);
    if (key == NULL) return NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = c != NULL && EVP_PKEY_public_check(c) == 1; /* on the curve */
    EVP_PKEY_CTX_free(c);
    if (ok) return key;
    EVP_PKEY_free(key);
    return NULL;
}

bool sm2_point(EVP_PKEY *key, unsigned char point[65]) {
    BIGNUM *x = NULL, *y = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
              BN_bn2binpad(x, point + 1, 32) == 32 && BN_bn2binpad(y, point + 33, 32) == 32;
    point[0] = 0x04;
    BN_free(x);
    BN_free(y);
    return ok;
}

bool sm2_private(EVP_PKEY *key, unsigned char d[32]) {
    BIGNUM *n = NULL;
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &n) == 1 && BN_bn2binpad(n, d, 32) == 32;
    BN_clear_free(n);
    return ok;
}

/* Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA), GB/T 32918.2, 5.5 */
bool sm2_z(EVP_PKEY *key, const unsigned char *id, size_t size, unsigned char z[DIGEST_SIZE]) {
    unsigned char bits[2] = {(unsigned char) (size >> 5), (unsigned char) (size << 3)}, point[65], constants[128];
    size_t n = 0;
    if (size > 8191 || !sm2_point(key, point) || OPENSSL_hexstr2buf_ex(constants, sizeof constants, &n, curve, '\0') != 1) return false;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c != NULL && EVP_DigestInit_ex(c, EVP_sm3(), NULL) == 1 && EVP_DigestUpdate(c, bits, 2) == 1 &&
              EVP_DigestUpdate(c, id, size) == 1 && EVP_DigestUpdate(c, constants, n) == 1 && EVP_DigestUpdate(c, point + 1, 64) == 1 &&
              EVP_DigestFinal_ex(c, z, NULL) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}

bool sm2_sign(EVP_PKEY *key, const unsigned char e[DIGEST_SIZE], unsigned char *der, size_t *size) {
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = c != NULL && EVP_PKEY_sign_init(c) == 1 && EVP_PKEY_sign(c, der, size, e, DIGEST_SIZE) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

bool sm2_verify(EVP_PKEY *key, const unsigned char e[DIGEST_SIZE], const unsigned char *der, size_t size) {
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = c != NULL && EVP_PKEY_verify_init(c) == 1 && EVP_PKEY_verify(c, der, size, e, DIGEST_SIZE) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}

bool sm2_to_raw(const unsigned char *der, size_t size, unsigned char raw[64]) {
    const unsigned char *at = der;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long) size);
    bool ok = s != NULL && at == der + size && BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32) == 32;
    ECDSA_SIG_free(s);
    return ok;
}

bool sm2_to_der(const unsigned char raw[64], unsigned char *der, size_t *size) {
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
    int n = 0;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(sig, NULL);
        if (n > 0 && (size_t) n <= *size) n = i2d_ECDSA_SIG(sig, &der);
        else n = 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    *size = (size_t) (n > 0 ? n : 0);
    return n > 0;
}

bool sm2_decrypt(EVP_PKEY *key, const unsigned char *cipher, size_t size, unsigned char *plain, size_t *plain_size) {
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool ok = c != NULL && EVP_PKEY_decrypt_init(c) == 1 && EVP_PKEY_decrypt(c, plain, plain_size, cipher, size) == 1;
    EVP_PKEY_CTX_free(c);
    return ok;
}
