/*
 * SM2EnvelopedKey (GM/T 0009-2012, 7.4): an encryption key that a key centre made, for the holder of a signing key.
 *
 *   SEQUENCE { SEQUENCE { OID of SM4, [NULL] }, SM2Cipher, BIT STRING public point, BIT STRING private key under SM4-ECB }
 *
 * The private key is 32 octets, or 64 with zeros in front as GM/T 0016 has it in its blob. Lengths are definite and
 * minimal; there is nothing after the end.
 */
#include <string.h>

#include <openssl/crypto.h>

#include "token.h"

typedef struct {
    const unsigned char *at;
    size_t left;
} der;

/* der_take gives the content of the next element of a tag. */
static bool der_take(der *d, unsigned char tag, der *content) {
    if (d->left < 2 || d->at[0] != tag) return false;
    size_t head = 2, size = d->at[1];
    if (size > 0x82) return false;
    if (size == 0x81) {
        if (d->left < 3 || d->at[2] < 0x80) return false;
        size = d->at[2];
        head = 3;
    } else if (size == 0x82) {
        if (d->left < 4) return false;
        size = (size_t) d->at[2] << 8 | d->at[3];
        head = 4;
        if (size < 0x100) return false;
    } else if (size == 0x80) return false;
    if (d->left - head < size) return false;
    *content = (der){d->at + head, size};
    d->at += head + size;
    d->left -= head + size;
    return true;
}

/* 1.2.156.10197.1.104 and 1.2.156.10197.1.104.1: SM4, SM4 in mode ECB */
static bool is_sm4(der algorithm) {
    static const unsigned char sm4[] = {0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68}, ecb[] = {0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68, 0x01};
    der oid, null;
    if (!der_take(&algorithm, 0x06, &oid)) return false;
    if (algorithm.left > 0 && (!der_take(&algorithm, 0x05, &null) || null.left != 0 || algorithm.left != 0)) return false;
    return (oid.left == sizeof sm4 && memcmp(oid.at, sm4, sizeof sm4) == 0) || (oid.left == sizeof ecb && memcmp(oid.at, ecb, sizeof ecb) == 0);
}

static bool unlock(const unsigned char key[16], const unsigned char *cipher, size_t size, unsigned char d[64]) {
    int n = 0, m = 0;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c != NULL && EVP_DecryptInit_ex(c, EVP_sm4_ecb(), NULL, key, NULL) == 1 && EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
              EVP_DecryptUpdate(c, d, &n, cipher, (int) size) == 1 && EVP_DecryptFinal_ex(c, d + n, &m) == 1 && (size_t) (n + m) == size;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

static bool all_zero(const unsigned char *data, size_t size) {
    unsigned char any = 0;
    for (size_t i = 0; i < size; i++) any |= data[i];
    return any == 0;
}

EVP_PKEY *envelope_open(EVP_PKEY *key, const unsigned char *data, size_t size, CK_RV *rv) {
    der all = {data, size}, inside, algorithm, point, cipher, body;
    *rv = CKR_WRAPPED_KEY_INVALID;
    if (!der_take(&all, 0x30, &inside) || all.left != 0 || !der_take(&inside, 0x30, &algorithm) || !is_sm4(algorithm)) return NULL;
    const unsigned char *start = inside.at;
    if (!der_take(&inside, 0x30, &body)) return NULL;
    size_t cipher_size = (size_t) (inside.at - start);
    if (!der_take(&inside, 0x03, &point) || point.left != 66 || point.at[0] != 0 || !der_take(&inside, 0x03, &cipher) || inside.left != 0 ||
        (cipher.left != 33 && cipher.left != 65) || cipher.at[0] != 0)
        return NULL;
    unsigned char symmetric[256], d[64], made[65];
    size_t symmetric_size = sizeof symmetric, private_size = cipher.left - 1;
    EVP_PKEY *opened = NULL;
    if (cipher_size < sizeof symmetric && sm2_decrypt(key, start, cipher_size, symmetric, &symmetric_size) && symmetric_size == 16 &&
        unlock(symmetric, cipher.at + 1, private_size, d) && all_zero(d, private_size - 32))
        opened = sm2_from_private(d + private_size - 32);
    if (opened != NULL && (!sm2_point(opened, made) || CRYPTO_memcmp(made, point.at + 1, sizeof made) != 0)) {
        EVP_PKEY_free(opened);
        opened = NULL;
    }
    OPENSSL_cleanse(symmetric, sizeof symmetric);
    OPENSSL_cleanse(d, sizeof d);
    if (opened != NULL) *rv = CKR_OK;
    return opened;
}
