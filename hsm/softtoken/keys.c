/* Making keys, importing an enveloped one, and decrypting. */
#include <string.h>

#include <openssl/crypto.h>

#include "token.h"

CK_RV key_of(object *o, EVP_PKEY **key) {
    if (o->key == NULL) {
        bool is_private = object_ulong(o, CKA_CLASS, ~0UL) == CKO_PRIVATE_KEY;
        const attribute *a = object_attribute(o, is_private ? CKA_VALUE : CKA_EC_POINT);
        if (a == NULL) return CKR_KEY_TYPE_INCONSISTENT;
        o->key = is_private ? (a->size == 32 ? sm2_from_private(a->value) : NULL) : sm2_from_point(a->value, a->size);
    }
    if (o->key == NULL || EVP_PKEY_up_ref(o->key) != 1) return CKR_KEY_TYPE_INCONSISTENT;
    *key = o->key;
    return CKR_OK;
}

/* of_class says that a template may name class, key type and curve, but no other ones. */
static CK_RV of_class(object *o, CK_OBJECT_CLASS class, const mechanism *m) {
    CK_KEY_TYPE type = m != NULL && m->what == ROLE_EC_KEY_PAIR ? CKK_EC : module_configuration.vendor->key_type;
    if (object_ulong(o, CKA_CLASS, class) != class) return CKR_TEMPLATE_INCONSISTENT;
    type = object_ulong(o, CKA_KEY_TYPE, type);
    if (!is_sm2_key_type(type)) return CKR_TEMPLATE_INCONSISTENT;
    const attribute *curve = object_attribute(o, CKA_EC_PARAMS);
    if (curve != NULL && (curve->size != sizeof sm2_parameters || memcmp(curve->value, sm2_parameters, curve->size) != 0))
        return CKR_DOMAIN_PARAMS_INVALID;
    if (object_attribute(o, CKA_VALUE) != NULL || object_attribute(o, CKA_EC_POINT) != NULL) return CKR_TEMPLATE_INCONSISTENT;
    return object_set_ulong(o, CKA_CLASS, class) && object_set_ulong(o, CKA_KEY_TYPE, type) &&
                   object_set(o, CKA_EC_PARAMS, sm2_parameters, sizeof sm2_parameters)
               ? CKR_OK
               : CKR_HOST_MEMORY;
}

static bool default_flag(object *o, CK_ATTRIBUTE_TYPE type, bool v) {
    return object_attribute(o, type) != NULL || object_set_bool(o, type, v);
}

static bool set_point(object *o, EVP_PKEY *key) {
    unsigned char point[67] = {0x04, 65};
    return sm2_point(key, point + 2) && object_set(o, CKA_EC_POINT, point, sizeof point);
}

/* A key that was made or unwrapped here never leaves: sensitive whatever the template wished. */
static CK_RV complete_private(object *o, EVP_PKEY *key, bool local) {
    unsigned char d[32];
    if (object_attribute(o, CKA_SENSITIVE) != NULL && !object_bool(o, CKA_SENSITIVE, true)) return CKR_TEMPLATE_INCONSISTENT;
    if (object_bool(o, CKA_EXTRACTABLE, false)) return CKR_TEMPLATE_INCONSISTENT;
    bool ok = sm2_private(key, d) && object_set(o, CKA_VALUE, d, sizeof d) && set_point(o, key) && object_set_bool(o, CKA_SENSITIVE, true) &&
              object_set_bool(o, CKA_EXTRACTABLE, false) && object_set_bool(o, CKA_LOCAL, local) &&
              object_set_bool(o, CKA_ALWAYS_SENSITIVE, local) && object_set_bool(o, CKA_NEVER_EXTRACTABLE, local) &&
              default_flag(o, CKA_SIGN, true) && default_flag(o, CKA_DECRYPT, true) && default_flag(o, CKA_UNWRAP, true);
    OPENSSL_cleanse(d, sizeof d);
    return ok ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV complete_public(object *o, EVP_PKEY *key) {
    return set_point(o, key) && object_set_bool(o, CKA_LOCAL, true) && default_flag(o, CKA_VERIFY, true) && default_flag(o, CKA_ENCRYPT, true)
               ? CKR_OK
               : CKR_HOST_MEMORY;
}

static CK_RV make_pair(session *s, const mechanism *m, object *public, object *private, EVP_PKEY *key, CK_OBJECT_HANDLE *to_public,
                       CK_OBJECT_HANDLE *to_private) {
    CK_RV rv;
    if ((m->what == ROLE_EC_KEY_PAIR && object_attribute(public, CKA_EC_PARAMS) == NULL)) rv = CKR_TEMPLATE_INCOMPLETE;
    else if ((rv = of_class(public, CKO_PUBLIC_KEY, m)) == CKR_OK) rv = of_class(private, CKO_PRIVATE_KEY, m);
    if (rv == CKR_OK) rv = complete_public(public, key);
    if (rv == CKR_OK) rv = complete_private(private, key, true);
    if (rv == CKR_OK && !(object_set_ulong(public, CKA_KEY_GEN_MECHANISM, m->type) && object_set_ulong(private, CKA_KEY_GEN_MECHANISM, m->type)))
        rv = CKR_HOST_MEMORY;
    if (rv == CKR_OK) {
        rv = object_add(s, private, to_private);
        private = NULL;
    }
    if (rv == CKR_OK) {
        rv = object_add(s, public, to_public);
        public = NULL;
        object *half = rv == CKR_OK ? NULL : object_find(s->slot, *to_private);
        if (half != NULL) object_delete(s, half); /* no half of a pair stays */
    }
    object_free(public);
    object_free(private);
    return rv;
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_ATTRIBUTE *public_template, CK_ULONG public_count,
                        CK_ATTRIBUTE *private_template, CK_ULONG private_count, CK_OBJECT_HANDLE *to_public, CK_OBJECT_HANDLE *to_private) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (how == NULL || to_public == NULL || to_private == NULL) return module_leave(CKR_ARGUMENTS_BAD);
    const mechanism *m = mechanism_find(how->mechanism);
    if (m == NULL || (m->what != ROLE_KEY_PAIR && m->what != ROLE_EC_KEY_PAIR)) return module_leave(CKR_MECHANISM_INVALID);
    object *public = object_new(), *private = object_new();
    EVP_PKEY *key = sm2_generate();
    rv = public == NULL || private == NULL || key == NULL ? CKR_HOST_MEMORY : object_fill(public, public_template, public_count);
    if (rv == CKR_OK) rv = object_fill(private, private_template, private_count);
    if (rv == CKR_OK) rv = make_pair(s, m, public, private, key, to_public, to_private);
    else {
        object_free(public);
        object_free(private);
    }
    EVP_PKEY_free(key);
    return module_leave(rv);
}

/* private_key finds a private key that may do something. */
static CK_RV private_key(slot *at, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE may, EVP_PKEY **key) {
    objects_refresh(at);
    object *o = object_find(at, handle);
    if (o == NULL) return CKR_KEY_HANDLE_INVALID;
    if (object_ulong(o, CKA_CLASS, ~0UL) != CKO_PRIVATE_KEY) return CKR_KEY_TYPE_INCONSISTENT;
    return object_bool(o, may, false) ? key_of(o, key) : CKR_KEY_FUNCTION_NOT_PERMITTED;
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_OBJECT_HANDLE with, unsigned char *wrapped, CK_ULONG size, CK_ATTRIBUTE *template,
                  CK_ULONG count, CK_OBJECT_HANDLE *handle) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (how == NULL || wrapped == NULL || handle == NULL) return module_leave(CKR_ARGUMENTS_BAD);
    const mechanism *m = mechanism_find(how->mechanism);
    if (m == NULL || m->what != ROLE_UNWRAP_ENVELOPE) return module_leave(CKR_MECHANISM_INVALID);
    EVP_PKEY *key = NULL, *opened = NULL;
    if ((rv = private_key(s->slot, with, CKA_UNWRAP, &key)) != CKR_OK)
        return module_leave(rv == CKR_KEY_HANDLE_INVALID ? CKR_UNWRAPPING_KEY_HANDLE_INVALID : rv);
    opened = size > 4096 ? NULL : envelope_open(key, wrapped, size, &rv);
    if (size > 4096) rv = CKR_WRAPPED_KEY_LEN_RANGE;
    object *o = opened == NULL ? NULL : object_new();
    if (opened != NULL && o == NULL) rv = CKR_HOST_MEMORY;
    if (rv == CKR_OK) rv = object_fill(o, template, count);
    if (rv == CKR_OK) rv = of_class(o, CKO_PRIVATE_KEY, NULL);
    if (rv == CKR_OK) rv = complete_private(o, opened, false);
    if (rv == CKR_OK) {
        rv = object_add(s, o, handle);
        o = NULL;
    }
    object_free(o);
    EVP_PKEY_free(opened);
    EVP_PKEY_free(key);
    return module_leave(rv);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE h, CK_MECHANISM *how, CK_OBJECT_HANDLE with) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (how == NULL) return module_leave(CKR_ARGUMENTS_BAD);
    if (s->decrypt.what != ROLE_NONE) return module_leave(CKR_OPERATION_ACTIVE);
    const mechanism *m = mechanism_find(how->mechanism);
    if (m == NULL || m->what != ROLE_DECRYPT) return module_leave(CKR_MECHANISM_INVALID);
    if ((rv = private_key(s->slot, with, CKA_DECRYPT, &s->decrypt.key)) == CKR_OK) s->decrypt.what = ROLE_DECRYPT;
    return module_leave(rv);
}

/* What comes out is at most as long as what went in: the first call may ask for the room. */
CK_RV C_Decrypt(CK_SESSION_HANDLE h, unsigned char *cipher, CK_ULONG cipher_size, unsigned char *plain, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->decrypt.what == ROLE_NONE) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    if (size == NULL || cipher == NULL) rv = CKR_ARGUMENTS_BAD;
    else if (cipher_size > MAX_VALUE) rv = CKR_ENCRYPTED_DATA_LEN_RANGE;
    else if (plain == NULL) {
        *size = cipher_size;
        return module_leave(CKR_OK);
    } else {
        unsigned char *room = OPENSSL_malloc(cipher_size + 64);
        size_t n = cipher_size + 64;
        if (room == NULL) rv = CKR_HOST_MEMORY;
        else if (!sm2_decrypt(s->decrypt.key, cipher, cipher_size, room, &n)) rv = CKR_ENCRYPTED_DATA_INVALID;
        else if (n > *size) {
            *size = n;
            OPENSSL_clear_free(room, cipher_size + 64);
            return module_leave(CKR_BUFFER_TOO_SMALL);
        } else {
            memcpy(plain, room, n);
            *size = n;
        }
        OPENSSL_clear_free(room, cipher_size + 64);
    }
    operation_end(&s->decrypt);
    return module_leave(rv);
}
