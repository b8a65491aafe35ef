/*
 * Which number does what. OASIS has no mechanism for SM2; vendors took numbers of their own, and the module speaks those of
 * one of them, named in softtoken.conf. Where a vendor's encoding of a signature is not known, raw (r and s) is taken, as
 * PKCS#11 has it for ECDSA.
 */
#include <string.h>

#include "token.h"

#define V 0x80000000UL
#define OWN (V + 0x59580000UL) /* of this module: what no vendor has published */

static const mechanism sansec[] = {
    {V + 0x8001, ROLE_KEY_PAIR, NULL},     {V + 0x8104, ROLE_SIGN_E_DER, NULL},   {V + 0x8105, ROLE_SIGN_E_RAW, NULL},
    {V + 0x8100, ROLE_SIGN_SM3_RAW, NULL}, {V + 0x8101, ROLE_SIGN_SM3_DER, NULL}, {V + 0x8102, ROLE_SIGN_ID_RAW, NULL},
    {V + 0x8103, ROLE_SIGN_ID_DER, NULL},  {V + 0x9001, ROLE_DIGEST, "SM3"},
};
static const mechanism tass[] = {
    {V + 0x8001, ROLE_KEY_PAIR, NULL},    {V + 0x8000, ROLE_SIGN_E_RAW, NULL},
    {V + 0x8100, ROLE_SIGN_ID_DER, NULL}, {V + 0x5, ROLE_DIGEST, "SM3"},
};
static const mechanism koal[] = {
    {V + 0x8001, ROLE_KEY_PAIR, NULL},    {V + 0x8104, ROLE_SIGN_E_DER, NULL}, {V + 0x8100, ROLE_SIGN_ID_RAW, NULL},
    {V + 0x8101, ROLE_SIGN_ID_DER, NULL}, {V + 0x6, ROLE_DIGEST, "SM3"},
};
static const mechanism westone[] = {
    {V + 0x1, ROLE_KEY_PAIR, NULL}, {V + 0x2, ROLE_SIGN_E_RAW, NULL}, {V + 0x1f, ROLE_DIGEST, "SM3"},
};
static const mechanism westone_old[] = {
    {V + 0x3, ROLE_KEY_PAIR, NULL}, {V + 0x4, ROLE_SIGN_E_RAW, NULL}, {V + 0x1f, ROLE_DIGEST, "SM3"},
};
static const mechanism mssince[] = {
    {0x10009, ROLE_KEY_PAIR, NULL}, {0x10002, ROLE_SIGN_E_RAW, NULL},
    {0x10004, ROLE_SIGN_ID_RAW, NULL}, {0x10005, ROLE_DIGEST, "SM3"},
};
static const mechanism luna[] = {
    {V + 0xb20, ROLE_KEY_PAIR, NULL}, {V + 0xb21, ROLE_SIGN_E_RAW, NULL},
    {V + 0xb22, ROLE_SIGN_ID_RAW, NULL}, {V + 0xb01, ROLE_DIGEST, "SM3"},
};
static const mechanism ep11[] = {
    {V + 0x5000a, ROLE_KEY_PAIR, NULL}, {V + 0x5000b, ROLE_SIGN_E_RAW, NULL},
    {V + 0x5000c, ROLE_SIGN_ID_RAW, NULL}, {V + 0x5000e, ROLE_DIGEST, "SM3"},
};

/* Every token has these. */
static const mechanism common[] = {
    {CKM_EC_KEY_PAIR_GEN, ROLE_EC_KEY_PAIR, NULL},
    {OWN + 1, ROLE_DECRYPT, NULL},
    {OWN + 2, ROLE_UNWRAP_ENVELOPE, NULL},
    {OWN + 3, ROLE_DIGEST, "SM3"},
    {CKM_SHA256, ROLE_DIGEST, "SHA256"},
    {CKM_SHA384, ROLE_DIGEST, "SHA384"},
    {CKM_SHA512, ROLE_DIGEST, "SHA512"},
};

/* The standard alone can make a key on the curve, and nothing signs with it but what is the module's own. */
static const mechanism standard[] = {
    {OWN + 4, ROLE_SIGN_E_DER, NULL}, {OWN + 5, ROLE_SIGN_E_RAW, NULL},
    {OWN + 6, ROLE_SIGN_ID_DER, NULL}, {OWN + 7, ROLE_SIGN_ID_RAW, NULL},
};

#define NAMED(text, name, key_type) {text, key_type, name, sizeof name / sizeof *name}
#define VENDOR(name, key_type) NAMED(#name, name, key_type)
static const vendor vendors[] = {
    VENDOR(sansec, V + 0x4), VENDOR(tass, V + 0x4), VENDOR(koal, V + 0x4), VENDOR(westone, V + 0x1), NAMED("westone-old", westone_old, V + 0x1),
    VENDOR(mssince, 0x10001),
    VENDOR(luna, V + 0x16), VENDOR(ep11, V + 0x50002), VENDOR(standard, CKK_EC),
};

const vendor *vendor_named(const char *name) {
    for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
        if (strcmp(vendors[i].name, name) == 0) return &vendors[i];
    return NULL;
}

size_t mechanism_count(void) { return module_configuration.vendor->count + sizeof common / sizeof *common; }

const mechanism *mechanism_at(size_t i) {
    size_t own = module_configuration.vendor->count;
    return i < own ? &module_configuration.vendor->mechanisms[i] : &common[i - own];
}

const mechanism *mechanism_find(CK_MECHANISM_TYPE type) {
    for (size_t i = 0; i < mechanism_count(); i++)
        if (mechanism_at(i)->type == type) return mechanism_at(i);
    return NULL;
}

bool is_sm2_key_type(CK_KEY_TYPE t) { return t == CKK_EC || t == module_configuration.vendor->key_type; }
