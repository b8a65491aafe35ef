/* Signing and verifying. A key works with the module's lock let go. */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>

#include "token.h"

static const char default_id[] = "1234567812345678"; /* GM/T 0009, clause 10 */

static bool gives_raw(role r) { return r == ROLE_SIGN_E_RAW || r == ROLE_SIGN_SM3_RAW || r == ROLE_SIGN_ID_RAW; }
static bool takes_e(role r) { return r == ROLE_SIGN_E_DER || r == ROLE_SIGN_E_RAW; }
static bool takes_id(role r) { return r == ROLE_SIGN_ID_DER || r == ROLE_SIGN_ID_RAW; }

/* begin makes an operation ready; for a message its digest begins with Z where the mechanism has the ID inside. */
static CK_RV begin(session *s, operation *o, CK_MECHANISM *how, CK_OBJECT_HANDLE with, bool verify) {
    if (how == NULL) return CKR_ARGUMENTS_BAD;
    if (o->what != ROLE_NONE) return CKR_OPERATION_ACTIVE;
    const mechanism *m = mechanism_find(how->mechanism);
    if (m == NULL || m->what < ROLE_SIGN_E_DER || m->what > ROLE_SIGN_ID_RAW) return CKR_MECHANISM_INVALID;
    if (how->ulParameterLen > 0 && (!takes_id(m->what) || how->pParameter == NULL || how->ulParameterLen > 8191)) return CKR_MECHANISM_PARAM_INVALID;
    objects_refresh(s->slot);
    object *key = object_find(s->slot, with);
    if (key == NULL) return CKR_KEY_HANDLE_INVALID;
    if (object_ulong(key, CKA_CLASS, ~0UL) != (verify ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY)) return CKR_KEY_TYPE_INCONSISTENT;
    if (!object_bool(key, verify ? CKA_VERIFY : CKA_SIGN, false)) return CKR_KEY_FUNCTION_NOT_PERMITTED;
    CK_RV rv = key_of(key, &o->key);
    if (rv != CKR_OK) return rv;
    unsigned char z[DIGEST_SIZE];
    bool ok = true;
    if (!takes_e(m->what)) ok = (o->digest = EVP_MD_CTX_new()) != NULL && EVP_DigestInit_ex(o->digest, EVP_sm3(), NULL) == 1;
    if (takes_id(m->what)) {
        bool given = how->ulParameterLen > 0;
        ok = ok && sm2_z(o->key, given ? how->pParameter : default_id, given ? how->ulParameterLen : sizeof default_id - 1, z) &&
             EVP_DigestUpdate(o->digest, z, sizeof z) == 1;
    }
    if (!ok) {
        operation_end(o);
        return CKR_FUNCTION_FAILED;
    }
    o->what = m->what;
    return CKR_OK;
}

static CK_RV update(operation *o, const unsigned char *data, CK_ULONG size) {
    if (data == NULL && size > 0) return CKR_ARGUMENTS_BAD;
    if (size > MAX_DATA) return CKR_DATA_LEN_RANGE;
    if (!takes_e(o->what)) return EVP_DigestUpdate(o->digest, data, size) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
    if (size > DIGEST_SIZE - o->given) return CKR_DATA_LEN_RANGE;
    if (size > 0) memcpy(o->e + o->given, data, size);
    o->given += size;
    return CKR_OK;
}

static CK_RV end(operation *o) {
    if (takes_e(o->what)) return o->given == DIGEST_SIZE ? CKR_OK : CKR_DATA_LEN_RANGE;
    return EVP_DigestFinal_ex(o->digest, o->e, NULL) == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
}

static void wait_ms(uint32_t ms) {
    struct timespec t = {ms / 1000, (long) (ms % 1000) * 1000000};
    while (ms > 0 && nanosleep(&t, &t) != 0) continue;
}

/* sign_now signs e, with the faults that the slot asks for. */
static CK_RV sign_now(session *s, unsigned char *signature, CK_ULONG *size) {
    faults f;
    faults_read(s->slot, &f);
    s->slot->signatures++;
    if (f.remove_at_signature > 0 && s->slot->signatures == f.remove_at_signature) {
        slot_pull(s->slot);
        return CKR_DEVICE_REMOVED;
    }
    unsigned char der[80], raw[64], e[DIGEST_SIZE];
    size_t n = sizeof der;
    bool to_raw = gives_raw(s->sign.what) != f.wrong_encoding;
    EVP_PKEY *key = s->sign.key;
    memcpy(e, s->sign.e, sizeof e);
    session_hold(s);
    wait_ms(f.delay_ms);
    bool ok = sm2_sign(key, e, der, &n) && (!to_raw || sm2_to_raw(der, n, raw));
    CK_RV rv = session_release(s);
    if (rv != CKR_OK) return rv;
    if (!ok) return CKR_FUNCTION_FAILED;
    if (to_raw) n = sizeof raw;
    if (*size < n) return CKR_FUNCTION_FAILED; /* cannot be: the caller has room for the longest */
    memcpy(signature, to_raw ? raw : der, n);
    *size = n;
    return CKR_OK;
}

enum { LONGEST = 72 };

CK_RV C_SignInit(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_OBJECT_HANDLE with) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    return module_leave(s == NULL ? rv : begin(s, &s->sign, how, with, false));
}

/* room answers a question for the length and refuses too little of it; both leave the operation as it is. */
static bool room(const operation *o, const unsigned char *signature, CK_ULONG *size, CK_RV *rv) {
    CK_ULONG need = gives_raw(o->what) ? 64 : LONGEST;
    if (signature != NULL && *size >= need) return true;
    *rv = signature == NULL ? CKR_OK : CKR_BUFFER_TOO_SMALL;
    *size = need;
    return false;
}

/* finish_sign ends the operation: after session_release a session may be gone. */
static CK_RV finish_sign(CK_SESSION_HANDLE h, session *s, unsigned char *signature, CK_ULONG *size) {
    unsigned char made[80];
    CK_ULONG n = sizeof made;
    CK_RV rv = sign_now(s, made, &n);
    if (s->handle == h) operation_end(&s->sign);
    if (rv == CKR_OK && n > *size) rv = CKR_BUFFER_TOO_SMALL; /* the fault of a wrong encoding */
    if (rv != CKR_OK) return rv;
    memcpy(signature, made, n);
    *size = n;
    return CKR_OK;
}

CK_RV C_Sign(CK_SESSION_HANDLE h, unsigned char *data, CK_ULONG data_size, unsigned char *signature, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->sign.what == ROLE_NONE || s->sign.started) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    if (size == NULL) rv = CKR_ARGUMENTS_BAD;
    else if (!room(&s->sign, signature, size, &rv)) return module_leave(rv);
    if (rv == CKR_OK) rv = update(&s->sign, data, data_size);
    if (rv == CKR_OK) rv = end(&s->sign);
    if (rv == CKR_OK) rv = finish_sign(h, s, signature, size);
    else operation_end(&s->sign);
    return module_leave(rv);
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE h, unsigned char *data, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->sign.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    s->sign.started = true;
    if ((rv = update(&s->sign, data, size)) != CKR_OK) operation_end(&s->sign);
    return module_leave(rv);
}

CK_RV C_SignFinal(CK_SESSION_HANDLE h, unsigned char *signature, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->sign.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    if (size == NULL) rv = CKR_ARGUMENTS_BAD;
    else if (!room(&s->sign, signature, size, &rv)) return module_leave(rv);
    if (rv == CKR_OK) rv = end(&s->sign);
    if (rv == CKR_OK) rv = finish_sign(h, s, signature, size);
    else operation_end(&s->sign);
    return module_leave(rv);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_OBJECT_HANDLE with) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    return module_leave(s == NULL ? rv : begin(s, &s->verify, how, with, true));
}

static CK_RV verify_now(operation *o, const unsigned char *signature, CK_ULONG size) {
    unsigned char der[80];
    size_t n = sizeof der;
    if (signature == NULL) return CKR_ARGUMENTS_BAD;
    if (!gives_raw(o->what)) {
        if (size > LONGEST) return CKR_SIGNATURE_LEN_RANGE;
        return sm2_verify(o->key, o->e, signature, size) ? CKR_OK : CKR_SIGNATURE_INVALID;
    }
    if (size != 64) return CKR_SIGNATURE_LEN_RANGE;
    return sm2_to_der(signature, der, &n) && sm2_verify(o->key, o->e, der, n) ? CKR_OK : CKR_SIGNATURE_INVALID;
}

CK_RV C_Verify(CK_SESSION_HANDLE h, unsigned char *data, CK_ULONG data_size, unsigned char *signature, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->verify.what == ROLE_NONE || s->verify.started) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    rv = update(&s->verify, data, data_size);
    if (rv == CKR_OK) rv = end(&s->verify);
    if (rv == CKR_OK) rv = verify_now(&s->verify, signature, size);
    operation_end(&s->verify);
    return module_leave(rv);
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE h, unsigned char *data, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->verify.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    s->verify.started = true;
    if ((rv = update(&s->verify, data, size)) != CKR_OK) operation_end(&s->verify);
    return module_leave(rv);
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE h, unsigned char *signature, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->verify.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    rv = end(&s->verify);
    if (rv == CKR_OK) rv = verify_now(&s->verify, signature, size);
    operation_end(&s->verify);
    return module_leave(rv);
}
