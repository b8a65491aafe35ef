/*
 * The file `token` of a slot, and what a PIN opens.
 *
 *   magic 8 · flags 4 · label 32 · serial 16 · id 16
 *   SO tries left, most · user tries left, most        4 each
 *   SO: salt 16, wrapped 60 · user: salt 16, wrapped 60
 *   SHA-256 of all that                                32
 *
 * Objects lie under one random key. It is wrapped twice by AES-256-GCM, under keys that scrypt makes of the SO's and the
 * user's PIN. The counters of tries cannot be under a PIN, since they change before one is known to be right.
 */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "token.h"

static const char magic[8] = "YXSOFT1";
enum { HAS_USER_PIN = 1, STATE_SIZE = 8 + 4 + 32 + 16 + ID_SIZE + 16 + 2 * (16 + WRAPPED_SIZE) + DIGEST_SIZE };

static bool digest_of(const buffer *b, size_t size, unsigned char out[DIGEST_SIZE]) {
    return EVP_Digest(b->data, size, out, NULL, EVP_sha256(), NULL) == 1;
}

static void copy(reader *r, void *to, size_t size) {
    const unsigned char *o = take_octets(r, size);
    if (o != NULL) memcpy(to, o, size);
}

static bool decode(const buffer *b, token_state *t) {
    unsigned char digest[DIGEST_SIZE];
    if (b->size != STATE_SIZE || !digest_of(b, STATE_SIZE - DIGEST_SIZE, digest) ||
        CRYPTO_memcmp(digest, b->data + STATE_SIZE - DIGEST_SIZE, DIGEST_SIZE) != 0 || memcmp(b->data, magic, sizeof magic) != 0)
        return false;
    reader r = {b->data + sizeof magic, b->size - sizeof magic, false};
    uint32_t flags = take_u32(&r);
    t->has_user_pin = (flags & HAS_USER_PIN) != 0;
    copy(&r, t->label, sizeof t->label);
    copy(&r, t->serial, sizeof t->serial);
    copy(&r, t->id, sizeof t->id);
    t->so_tries = take_u32(&r);
    t->so_most = take_u32(&r);
    t->user_tries = take_u32(&r);
    t->user_most = take_u32(&r);
    copy(&r, t->so_salt, sizeof t->so_salt);
    copy(&r, t->so_wrapped, sizeof t->so_wrapped);
    copy(&r, t->user_salt, sizeof t->user_salt);
    copy(&r, t->user_wrapped, sizeof t->user_wrapped);
    t->initialised = !r.failed && t->so_tries <= t->so_most && t->user_tries <= t->user_most && t->so_most <= 15 && t->user_most <= 15;
    return t->initialised;
}

/* A slot without the file has a token that was never initialised; a file that cannot be read is an error. */
bool token_load(const slot *s, token_state *t) {
    *t = (token_state){0};
    if (!file_exists(s->folder, "token")) return true;
    char path[PATH_SIZE];
    buffer b = {0};
    bool ok = file_path(path, s->folder, "token") && file_read(path, STATE_SIZE, &b, NULL, NULL) && decode(&b, t);
    buffer_free(&b);
    return ok;
}

bool token_save(const slot *s, const token_state *t) {
    buffer b = {0};
    put_octets(&b, magic, sizeof magic);
    put_u32(&b, t->has_user_pin ? HAS_USER_PIN : 0);
    put_octets(&b, t->label, sizeof t->label);
    put_octets(&b, t->serial, sizeof t->serial);
    put_octets(&b, t->id, sizeof t->id);
    put_u32(&b, t->so_tries);
    put_u32(&b, t->so_most);
    put_u32(&b, t->user_tries);
    put_u32(&b, t->user_most);
    put_octets(&b, t->so_salt, sizeof t->so_salt);
    put_octets(&b, t->so_wrapped, sizeof t->so_wrapped);
    put_octets(&b, t->user_salt, sizeof t->user_salt);
    put_octets(&b, t->user_wrapped, sizeof t->user_wrapped);
    unsigned char digest[DIGEST_SIZE];
    bool ok = !b.failed && digest_of(&b, b.size, digest);
    put_octets(&b, digest, sizeof digest);
    ok = ok && !b.failed && file_replace(s->folder, "token", b.data, b.size);
    buffer_free(&b);
    return ok;
}

static bool pin_key(const unsigned char *pin, size_t size, const unsigned char salt[16], unsigned char key[KEY_SIZE]) {
    return EVP_PBE_scrypt((const char *) pin, size, salt, 16, 1 << 14, 8, 1, 64 << 20, key, KEY_SIZE) == 1;
}

static size_t wrap_context(const char *who, const unsigned char id[ID_SIZE], unsigned char aad[32]) {
    size_t n = strlen(who);
    memcpy(aad, who, n);
    memcpy(aad + n, id, ID_SIZE);
    return n + ID_SIZE;
}

bool pin_wrap(const char *who, const unsigned char id[ID_SIZE], const unsigned char *pin, size_t size, unsigned char salt[16],
              unsigned char wrapped[WRAPPED_SIZE], const unsigned char master[KEY_SIZE]) {
    unsigned char key[KEY_SIZE], aad[32];
    buffer out = {0};
    size_t n = wrap_context(who, id, aad);
    bool ok = RAND_bytes(salt, 16) == 1 && pin_key(pin, size, salt, key) && seal_octets(key, aad, n, master, KEY_SIZE, &out) &&
              out.size == WRAPPED_SIZE;
    if (ok) memcpy(wrapped, out.data, WRAPPED_SIZE);
    OPENSSL_cleanse(key, sizeof key);
    buffer_free(&out);
    return ok;
}

bool pin_unwrap(const char *who, const unsigned char id[ID_SIZE], const unsigned char *pin, size_t size,
                const unsigned char salt[16], const unsigned char wrapped[WRAPPED_SIZE], unsigned char master[KEY_SIZE]) {
    unsigned char key[KEY_SIZE], aad[32];
    buffer out = {0};
    size_t n = wrap_context(who, id, aad);
    bool ok = pin_key(pin, size, salt, key) && open_octets(key, aad, n, wrapped, WRAPPED_SIZE, &out) && out.size == KEY_SIZE;
    if (ok) memcpy(master, out.data, KEY_SIZE);
    OPENSSL_cleanse(key, sizeof key);
    buffer_free(&out);
    return ok;
}

/* nonce 12 · ciphertext · tag 16 */
bool seal_octets(const unsigned char key[KEY_SIZE], const void *aad, size_t aad_size, const void *plain, size_t size, buffer *out) {
    unsigned char nonce[12], tag[16];
    int n = 0, m = 0;
    if (size > MAX_OBJECT || RAND_bytes(nonce, sizeof nonce) != 1) return false;
    buffer cipher = {0};
    put_octets(&cipher, plain, size); /* room */
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c != NULL && !cipher.failed && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
              EVP_EncryptUpdate(c, NULL, &n, aad, (int) aad_size) == 1 &&
              (size == 0 || EVP_EncryptUpdate(c, cipher.data, &n, plain, (int) size) == 1) &&
              EVP_EncryptFinal_ex(c, tag, &m) == 1 && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag) == 1;
    EVP_CIPHER_CTX_free(c);
    if (ok) {
        put_octets(out, nonce, sizeof nonce);
        put_octets(out, cipher.data, size);
        put_octets(out, tag, sizeof tag);
    }
    buffer_free(&cipher);
    return ok && !out->failed;
}

bool open_octets(const unsigned char key[KEY_SIZE], const void *aad, size_t aad_size, const unsigned char *sealed, size_t size,
                 buffer *out) {
    if (size < 12 + 16 || size > MAX_OBJECT + 28) return false;
    size_t inside = size - 28;
    unsigned char tag[16];
    memcpy(tag, sealed + size - 16, sizeof tag);
    put_octets(out, sealed + 12, inside);
    int n = 0, m = 0;
    unsigned char none[16];
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool ok = c != NULL && !out->failed && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, sealed) == 1 &&
              EVP_DecryptUpdate(c, NULL, &n, aad, (int) aad_size) == 1 &&
              (inside == 0 || EVP_DecryptUpdate(c, out->data, &n, sealed + 12, (int) inside) == 1) &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag) == 1 && EVP_DecryptFinal_ex(c, none, &m) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!ok) buffer_free(out);
    return ok;
}
