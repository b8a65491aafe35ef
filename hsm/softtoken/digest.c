/* Digests and random octets. */
#include <openssl/rand.h>

#include "token.h"

CK_RV C_DigestInit(CK_SESSION_HANDLE h, CK_MECHANISM *how) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (how == NULL) return module_leave(CKR_ARGUMENTS_BAD);
    if (s->digest.what != ROLE_NONE) return module_leave(CKR_OPERATION_ACTIVE);
    const mechanism *m = mechanism_find(how->mechanism);
    if (m == NULL || m->what != ROLE_DIGEST) return module_leave(CKR_MECHANISM_INVALID);
    s->digest.digest = EVP_MD_CTX_new();
    if (s->digest.digest == NULL || EVP_DigestInit_ex(s->digest.digest, EVP_get_digestbyname(m->digest), NULL) != 1) {
        operation_end(&s->digest);
        return module_leave(CKR_FUNCTION_FAILED);
    }
    s->digest.what = ROLE_DIGEST;
    return module_leave(CKR_OK);
}

static CK_RV more(operation *o, const unsigned char *data, CK_ULONG size) {
    if (data == NULL && size > 0) return CKR_ARGUMENTS_BAD;
    if (size > MAX_DATA) return CKR_DATA_LEN_RANGE;
    return EVP_DigestUpdate(o->digest, data, size) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
}

/* room is as for signatures: a question for the length and too little room end nothing. */
static bool room(const operation *o, const unsigned char *out, CK_ULONG *size, CK_RV *rv) {
    CK_ULONG need = (CK_ULONG) EVP_MD_CTX_get_size(o->digest);
    if (out != NULL && *size >= need) return true;
    *rv = out == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
    *size = need;
    return false;
}

static CK_RV final(operation *o, unsigned char *out, CK_ULONG *size) {
    unsigned int n = 0;
    if (EVP_DigestFinal_ex(o->digest, out, &n) != 1) return CKR_FUNCTION_FAILED;
    *size = n;
    return CKR_OK;
}

CK_RV C_Digest(CK_SESSION_HANDLE h, unsigned char *data, CK_ULONG data_size, unsigned char *out, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->digest.what == ROLE_NONE || s->digest.started) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    if (size == NULL) rv = CKR_ARGUMENTS_BAD;
    else if (!room(&s->digest, out, size, &rv)) return module_leave(rv);
    if (rv == CKR_OK) rv = more(&s->digest, data, data_size);
    if (rv == CKR_OK) rv = final(&s->digest, out, size);
    operation_end(&s->digest);
    return module_leave(rv);
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE h, unsigned char *data, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->digest.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    s->digest.started = true;
    if ((rv = more(&s->digest, data, size)) != CKR_OK) operation_end(&s->digest);
    return module_leave(rv);
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE h, unsigned char *out, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->digest.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    if (size == NULL) rv = CKR_ARGUMENTS_BAD;
    else if (!room(&s->digest, out, size, &rv)) return module_leave(rv);
    if (rv == CKR_OK) rv = final(&s->digest, out, size);
    operation_end(&s->digest);
    return module_leave(rv);
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE h, unsigned char *seed, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (seed == NULL || size > MAX_VALUE) return module_leave(CKR_ARGUMENTS_BAD);
    RAND_add(seed, (int) size, 0); /* adds to what there is, and counts for nothing */
    return module_leave(CKR_OK);
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE h, unsigned char *out, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (out == NULL || size > MAX_VALUE) return module_leave(CKR_ARGUMENTS_BAD);
    return module_leave(RAND_bytes(out, (int) size) == 1 ? CKR_OK : CKR_FUNCTION_FAILED);
}
