/* Objects as lists of attributes: reading, matching, and what each class must have. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "token.h"

object *object_new(void) { return calloc(1, sizeof(object)); }

void object_free(object *o) {
    if (o == NULL) return;
    for (size_t i = 0; i < o->count; i++) {
        OPENSSL_cleanse(o->attributes[i].value, o->attributes[i].size);
        free(o->attributes[i].value);
    }
    EVP_PKEY_free(o->key);
    free(o);
}

const attribute *object_attribute(const object *o, CK_ATTRIBUTE_TYPE type) {
    for (size_t i = 0; i < o->count; i++)
        if (o->attributes[i].type == type) return &o->attributes[i];
    return NULL;
}

bool object_set(object *o, CK_ATTRIBUTE_TYPE type, const void *value, size_t size) {
    if (size > MAX_VALUE || (value == NULL && size > 0)) return false;
    unsigned char *copy = malloc(size + 1);
    if (copy == NULL) return false;
    if (size > 0) memcpy(copy, value, size);
    attribute *a = (attribute *) object_attribute(o, type);
    if (a == NULL) {
        if (o->count == MAX_ATTRIBUTES) {
            free(copy);
            return false;
        }
        a = &o->attributes[o->count++];
        *a = (attribute){.type = type};
    } else if (a->value != NULL) {
        OPENSSL_cleanse(a->value, a->size);
        free(a->value);
    }
    a->value = copy;
    a->size = size;
    return true;
}

bool object_set_bool(object *o, CK_ATTRIBUTE_TYPE type, bool v) {
    CK_BBOOL b = v ? CK_TRUE : CK_FALSE;
    return object_set(o, type, &b, sizeof b);
}

bool object_set_ulong(object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG v) { return object_set(o, type, &v, sizeof v); }

bool object_bool(const object *o, CK_ATTRIBUTE_TYPE type, bool otherwise) {
    const attribute *a = object_attribute(o, type);
    return a == NULL || a->size != sizeof(CK_BBOOL) ? otherwise : a->value[0] != CK_FALSE;
}

CK_ULONG object_ulong(const object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise) {
    const attribute *a = object_attribute(o, type);
    CK_ULONG v;
    if (a == NULL || a->size != sizeof v) return otherwise;
    memcpy(&v, a->value, sizeof v);
    return v;
}

bool object_matches(const object *o, const CK_ATTRIBUTE *template, CK_ULONG count) {
    for (CK_ULONG i = 0; i < count; i++) {
        const attribute *a = object_attribute(o, template[i].type);
        if (is_secret(o, template[i].type)) return false; /* a search must not find out what reading does not tell */
        if (a == NULL || a->size != template[i].ulValueLen || (a->size > 0 && template[i].pValue == NULL) ||
            (a->size > 0 && memcmp(a->value, template[i].pValue, a->size) != 0))
            return false;
    }
    return true;
}

static bool is_flag(CK_ATTRIBUTE_TYPE t) {
    switch (t) {
    case CKA_TOKEN: case CKA_PRIVATE: case CKA_MODIFIABLE: case CKA_SENSITIVE: case CKA_EXTRACTABLE: case CKA_SIGN: case CKA_VERIFY:
    case CKA_ENCRYPT: case CKA_DECRYPT: case CKA_WRAP: case CKA_UNWRAP: case CKA_DERIVE: case CKA_SIGN_RECOVER:
    case CKA_VERIFY_RECOVER: case CKA_LOCAL: case CKA_ALWAYS_SENSITIVE: case CKA_NEVER_EXTRACTABLE: case CKA_TRUSTED:
    case CKA_ALWAYS_AUTHENTICATE: case CKA_WRAP_WITH_TRUSTED: case CKA_DESTROYABLE: case CKA_COPYABLE:
        return true;
    }
    return false;
}

static bool is_number(CK_ATTRIBUTE_TYPE t) {
    return t == CKA_CLASS || t == CKA_KEY_TYPE || t == CKA_CERTIFICATE_TYPE || t == CKA_CERTIFICATE_CATEGORY || t == CKA_KEY_GEN_MECHANISM ||
           t == CKA_MODULUS_BITS;
}

/* What a template asks for and the module does not do is refused: a key must not seem to be guarded better than it is. */
static CK_RV unkept_promise(const CK_ATTRIBUTE *a) {
    if (a->type & CKF_ARRAY_ATTRIBUTE) return CKR_ATTRIBUTE_TYPE_INVALID; /* allowed mechanisms, templates */
    if ((a->type != CKA_ALWAYS_AUTHENTICATE && a->type != CKA_TRUSTED) || *(const CK_BBOOL *) a->pValue == CK_FALSE) return CKR_OK;
    return a->type == CKA_TRUSTED ? CKR_ATTRIBUTE_READ_ONLY : CKR_ATTRIBUTE_VALUE_INVALID;
}

/* object_fill takes a template over; what the token alone decides is refused. */
CK_RV object_fill(object *o, const CK_ATTRIBUTE *template, CK_ULONG count) {
    if (count > MAX_ATTRIBUTES || (template == NULL && count > 0)) return CKR_ARGUMENTS_BAD;
    size_t all = 0;
    for (CK_ULONG i = 0; i < count; i++) {
        const CK_ATTRIBUTE *a = &template[i];
        if (a->pValue == NULL && a->ulValueLen > 0) return CKR_ATTRIBUTE_VALUE_INVALID;
        if ((is_flag(a->type) && a->ulValueLen != sizeof(CK_BBOOL)) || (is_number(a->type) && a->ulValueLen != sizeof(CK_ULONG)))
            return CKR_ATTRIBUTE_VALUE_INVALID;
        if (a->type == CKA_LOCAL || a->type == CKA_ALWAYS_SENSITIVE || a->type == CKA_NEVER_EXTRACTABLE || a->type == CKA_KEY_GEN_MECHANISM)
            return CKR_ATTRIBUTE_READ_ONLY;
        CK_RV rv = unkept_promise(a);
        if (rv != CKR_OK) return rv;
        for (CK_ULONG k = 0; k < i; k++)
            if (template[k].type == a->type) return CKR_TEMPLATE_INCONSISTENT;
        if (a->ulValueLen > MAX_VALUE || (all += a->ulValueLen) > MAX_OBJECT / 2) return CKR_ATTRIBUTE_VALUE_INVALID;
        if (!object_set(o, a->type, a->pValue, a->ulValueLen)) return CKR_HOST_MEMORY;
    }
    return CKR_OK;
}

/* What is secret is told to nobody, with or without PIN. */
bool is_secret(const object *o, CK_ATTRIBUTE_TYPE type) {
    return type == CKA_VALUE && object_ulong(o, CKA_CLASS, 0) == CKO_PRIVATE_KEY;
}

static bool has_size(const object *o, CK_ATTRIBUTE_TYPE type, size_t size) {
    const attribute *a = object_attribute(o, type);
    return a != NULL && a->size == size;
}

static bool on_our_curve(const object *o) {
    const attribute *a = object_attribute(o, CKA_EC_PARAMS);
    return a == NULL || (a->size == sizeof sm2_parameters && memcmp(a->value, sm2_parameters, a->size) == 0);
}

static CK_RV check_key(const object *o, CK_ATTRIBUTE_TYPE material) {
    if (object_attribute(o, CKA_KEY_TYPE) == NULL || object_attribute(o, material) == NULL) return CKR_TEMPLATE_INCOMPLETE;
    if (!is_sm2_key_type(object_ulong(o, CKA_KEY_TYPE, ~0UL))) return CKR_ATTRIBUTE_VALUE_INVALID;
    return on_our_curve(o) ? CKR_OK : CKR_DOMAIN_PARAMS_INVALID;
}

CK_RV object_check(const object *o) {
    EVP_PKEY *key = NULL;
    CK_RV rv = CKR_OK;
    const attribute *a;
    if (object_attribute(o, CKA_CLASS) == NULL) return CKR_TEMPLATE_INCOMPLETE;
    switch (object_ulong(o, CKA_CLASS, ~0UL)) {
    case CKO_DATA: return CKR_OK;
    case CKO_CERTIFICATE:
        a = object_attribute(o, CKA_VALUE);
        if (a == NULL || object_attribute(o, CKA_CERTIFICATE_TYPE) == NULL) return CKR_TEMPLATE_INCOMPLETE;
        if (object_ulong(o, CKA_CERTIFICATE_TYPE, ~0UL) != CKC_X_509 || a->size < 2 || a->value[0] != 0x30) return CKR_ATTRIBUTE_VALUE_INVALID;
        return CKR_OK;
    case CKO_PUBLIC_KEY:
        if ((rv = check_key(o, CKA_EC_POINT)) != CKR_OK) return rv;
        a = object_attribute(o, CKA_EC_POINT);
        key = sm2_from_point(a->value, a->size);
        break;
    case CKO_PRIVATE_KEY:
        if ((rv = check_key(o, CKA_VALUE)) != CKR_OK) return rv;
        if (!has_size(o, CKA_VALUE, 32)) return CKR_ATTRIBUTE_VALUE_INVALID;
        key = sm2_from_private(object_attribute(o, CKA_VALUE)->value);
        break;
    default: return CKR_ATTRIBUTE_VALUE_INVALID;
    }
    if (key == NULL) rv = CKR_ATTRIBUTE_VALUE_INVALID;
    EVP_PKEY_free(key);
    return rv;
}

static session *with_object(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE at, object **o, CK_RV *rv) {
    session *s = session_get(h, rv);
    if (s == NULL) return NULL;
    objects_refresh(s->slot);
    *o = object_find(s->slot, at);
    if (*o == NULL) *rv = CKR_OBJECT_HANDLE_INVALID;
    return *o == NULL ? NULL : s;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE at, CK_ATTRIBUTE *template, CK_ULONG count) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    object *o;
    if (with_object(h, at, &o, &rv) == NULL || template == NULL) return module_leave(rv == CKR_OK ? CKR_ARGUMENTS_BAD : rv);
    for (CK_ULONG i = 0; i < count; i++) {
        const attribute *a = object_attribute(o, template[i].type);
        CK_RV here = CKR_OK;
        if (is_secret(o, template[i].type)) here = CKR_ATTRIBUTE_SENSITIVE;
        else if (a == NULL) here = CKR_ATTRIBUTE_TYPE_INVALID;
        else if (template[i].pValue != NULL && template[i].ulValueLen < a->size) here = CKR_BUFFER_TOO_SMALL;
        if (here == CKR_OK) {
            if (template[i].pValue != NULL && a->size > 0) memcpy(template[i].pValue, a->value, a->size);
            template[i].ulValueLen = a->size;
        } else {
            template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = here;
        }
    }
    return module_leave(rv);
}

/* What may change is how an object is called and found, and the content of data. */
static bool may_change(const object *o, CK_ATTRIBUTE_TYPE t) {
    return t == CKA_LABEL || t == CKA_ID || t == CKA_SUBJECT ||
           (object_ulong(o, CKA_CLASS, ~0UL) == CKO_DATA && (t == CKA_VALUE || t == CKA_APPLICATION));
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE at, CK_ATTRIBUTE *template, CK_ULONG count) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    object *o;
    session *s = with_object(h, at, &o, &rv);
    if (s == NULL || template == NULL) return module_leave(s == NULL ? rv : CKR_ARGUMENTS_BAD);
    if (o->session == 0 && !s->writable) return module_leave(CKR_SESSION_READ_ONLY);
    if (o->session == 0 && s->slot->logged_in != CKU_USER) return module_leave(CKR_USER_NOT_LOGGED_IN);
    if (!object_bool(o, CKA_MODIFIABLE, true)) return module_leave(CKR_ACTION_PROHIBITED);
    for (CK_ULONG i = 0; i < count; i++) {
        if (!may_change(o, template[i].type)) return module_leave(CKR_ATTRIBUTE_READ_ONLY);
        if (template[i].ulValueLen > MAX_VALUE || (template[i].pValue == NULL && template[i].ulValueLen > 0))
            return module_leave(CKR_ATTRIBUTE_VALUE_INVALID);
    }
    for (CK_ULONG i = 0; i < count; i++)
        if (!object_set(o, template[i].type, template[i].pValue, template[i].ulValueLen)) rv = CKR_HOST_MEMORY;
    if (o->session == 0 && rv != CKR_OK) o->inode = o->changed = 0; /* it is read again */
    if (o->session == 0 && rv == CKR_OK) rv = object_store(s->slot, o, true);
    return module_leave(rv);
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE at, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    object *o;
    if (with_object(h, at, &o, &rv) == NULL || size == NULL) return module_leave(rv == CKR_OK ? CKR_ARGUMENTS_BAD : rv);
    *size = 0;
    for (size_t i = 0; i < o->count; i++) *size += o->attributes[i].size;
    return module_leave(CKR_OK);
}

CK_RV C_CreateObject(CK_SESSION_HANDLE h, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *handle) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL || handle == NULL) return module_leave(s == NULL ? rv : CKR_ARGUMENTS_BAD);
    object *o = object_new();
    if (o == NULL) return module_leave(CKR_HOST_MEMORY);
    rv = object_fill(o, template, count);
    if (rv == CKR_OK) rv = object_check(o);
    if (rv != CKR_OK) {
        object_free(o);
        return module_leave(rv);
    }
    if (object_ulong(o, CKA_CLASS, ~0UL) == CKO_PRIVATE_KEY &&
        !(object_set_bool(o, CKA_LOCAL, false) && object_set_bool(o, CKA_SENSITIVE, true) && object_set_bool(o, CKA_EXTRACTABLE, false) &&
          object_set_bool(o, CKA_ALWAYS_SENSITIVE, false) && object_set_bool(o, CKA_NEVER_EXTRACTABLE, false))) {
        object_free(o);
        return module_leave(CKR_HOST_MEMORY);
    }
    return module_leave(object_add(s, o, handle));
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE at) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    object *o;
    session *s = with_object(h, at, &o, &rv);
    if (s != NULL) rv = object_bool(o, CKA_DESTROYABLE, true) ? object_delete(s, o) : CKR_ACTION_PROHIBITED;
    return module_leave(rv);
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE h, CK_ATTRIBUTE *template, CK_ULONG count) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->finding) return module_leave(CKR_OPERATION_ACTIVE);
    if (template == NULL && count > 0) return module_leave(CKR_ARGUMENTS_BAD);
    objects_refresh(s->slot);
    s->found = calloc(s->slot->object_count + 1, sizeof *s->found);
    if (s->found == NULL) return module_leave(CKR_HOST_MEMORY);
    s->found_count = s->found_at = 0;
    for (object *o = s->slot->objects; o != NULL; o = o->next)
        if (object_visible(s->slot, o) && object_matches(o, template, count)) s->found[s->found_count++] = o->handle;
    s->finding = true;
    return module_leave(CKR_OK);
}

CK_RV C_FindObjects(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE *list, CK_ULONG most, CK_ULONG *count) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL || list == NULL || count == NULL) return module_leave(s == NULL ? rv : CKR_ARGUMENTS_BAD);
    if (!s->finding) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    for (*count = 0; *count < most && s->found_at < s->found_count; ++*count) list[*count] = s->found[s->found_at++];
    return module_leave(CKR_OK);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE h) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (!s->finding) return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    free(s->found);
    s->found = NULL;
    s->finding = false;
    return module_leave(CKR_OK);
}
