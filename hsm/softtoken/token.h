/*
 * A PKCS#11 2.40 module whose tokens are folders. Everything in this header is shared by the files of the module; what a
 * file needs alone stands in the file.
 *
 * Rules that hold everywhere:
 *   - `module_lock` guards every table. It is let go only while a key works (see session_release), so that the sessions of
 *     one token work side by side, as on a device.
 *   - A token's folder is changed under its lock file, and files are replaced, never written into.
 *   - Whatever comes from a file or a caller is measured before it is used.
 */
#ifndef SOFTTOKEN_TOKEN_H
#define SOFTTOKEN_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

enum {
    MAX_SLOTS = 16,
    MAX_SESSIONS = 256,         /* of a process, over all slots */
    MAX_OBJECTS = 512,          /* of a slot */
    MAX_ATTRIBUTES = 48,        /* of an object */
    MAX_VALUE = 256 * 1024,     /* octets of an attribute: a seal with a large picture fits */
    MAX_OBJECT = 512 * 1024,    /* octets of an object's file */
    MAX_DATA = 64 * 1024 * 1024, /* octets of one call of C_Sign or C_Digest */
    ID_SIZE = 16,               /* an object's, and a token's, random name */
    KEY_SIZE = 32,              /* of the key under which objects lie, and of what wraps it */
    WRAPPED_SIZE = 12 + KEY_SIZE + 16,
    DIGEST_SIZE = 32,           /* SM3 and SHA-256 */
    PIN_MIN = 4,
    PIN_MAX = 64,
    PATH_SIZE = 4096,
};

/* The key type of SM2 by the numbers of a vendor, and the mechanisms: what a number does, see mechanism.c. */
typedef enum {
    ROLE_NONE,
    ROLE_KEY_PAIR,        /* C_GenerateKeyPair */
    ROLE_EC_KEY_PAIR,     /* the standard mechanism; the curve is in the template */
    ROLE_SIGN_E_DER,      /* 32 octets of e in, DER out */
    ROLE_SIGN_E_RAW,      /* the same, r and s of 32 octets out */
    ROLE_SIGN_SM3_DER,    /* e = SM3(data): the caller has put Z in front */
    ROLE_SIGN_SM3_RAW,
    ROLE_SIGN_ID_DER,     /* e = SM3(Z of the ID, data); the ID is the parameter or the default one */
    ROLE_SIGN_ID_RAW,
    ROLE_DECRYPT,         /* SM2Cipher in DER in, octets out */
    ROLE_UNWRAP_ENVELOPE, /* SM2EnvelopedKey in, a private key on the token */
    ROLE_DIGEST,
} role;

typedef struct {
    CK_MECHANISM_TYPE type;
    role what;
    const char *digest; /* of ROLE_DIGEST: libcrypto's name */
} mechanism;

typedef struct {
    const char *name;
    CK_KEY_TYPE key_type;
    const mechanism *mechanisms;
    size_t count;
} vendor;

/* buffer grows; reader is bounded. Both are of octets, numbers little-endian. See codec.c. */
typedef struct {
    unsigned char *data;
    size_t size, capacity;
    bool failed;
} buffer;

typedef struct {
    const unsigned char *data;
    size_t left;
    bool failed;
} reader;

typedef struct {
    CK_ATTRIBUTE_TYPE type;
    size_t size;
    unsigned char *value;
} attribute;

typedef struct object {
    CK_OBJECT_HANDLE handle;
    CK_SESSION_HANDLE session; /* 0: it lies on the token */
    unsigned char id[ID_SIZE];
    bool is_private;
    uint64_t inode, changed;   /* of the file that was read */
    size_t count;
    attribute attributes[MAX_ATTRIBUTES];
    EVP_PKEY *key;             /* made when first needed */
    struct object *next;
} object;

/* What the token's file says, see tokenfile.c. */
typedef struct {
    bool initialised, has_user_pin;
    unsigned char label[32], serial[16], id[ID_SIZE];
    uint32_t so_tries, so_most, user_tries, user_most;
    unsigned char so_salt[16], so_wrapped[WRAPPED_SIZE];
    unsigned char user_salt[16], user_wrapped[WRAPPED_SIZE];
} token_state;

/* Faults that a test asks for, from the file `faults` of the slot. */
typedef struct {
    uint32_t delay_ms;            /* before a signature */
    uint32_t remove_at_signature; /* the token is pulled out instead of the n-th signature */
    bool wrong_encoding;          /* signatures come DER for raw and raw for DER */
    bool one_session;
} faults;

typedef struct {
    CK_SLOT_ID id;
    char folder[PATH_SIZE];
    bool present, event;
    CK_USER_TYPE logged_in; /* NOBODY, CKU_USER or CKU_SO, for the whole process */
    unsigned char token_id[ID_SIZE]; /* of the token that somebody is logged in to */
    unsigned char master[KEY_SIZE]; /* while somebody is logged in */
    object *objects;
    size_t object_count;
    uint64_t signatures, faults_inode, faults_changed; /* signatures since the faults file became what it is */
} slot;

#define NOBODY ((CK_USER_TYPE) ~0UL)

typedef struct {
    role what;
    EVP_PKEY *key;
    EVP_MD_CTX *digest; /* of what was given so far */
    bool started;       /* an update was called */
    unsigned char e[DIGEST_SIZE];
    size_t given;       /* octets of e by updates */
} operation;

typedef struct {
    CK_SESSION_HANDLE handle; /* 0: the place is free */
    slot *slot;
    bool writable, busy, doomed;
    bool finding;
    CK_OBJECT_HANDLE *found;
    size_t found_count, found_at;
    operation sign, verify, digest, decrypt;
} session;

/* module.c */
extern char module_folder[PATH_SIZE];
CK_RV module_enter(void); /* takes the lock; CKR_CRYPTOKI_NOT_INITIALIZED without having it */
CK_RV module_leave(CK_RV rv);
void module_pause(void);  /* lets the lock go and takes it again: see session_release */
void module_resume(void);
bool module_running(void); /* after module_resume: false when C_Finalize came between */

/* config.c */
typedef struct {
    uint32_t slots, sessions, tries;
    const vendor *vendor;
} configuration;
bool config_read(const char *folder, configuration *c);
void faults_read(slot *s, faults *f);

/* mechanism.c */
const vendor *vendor_named(const char *name);
const mechanism *mechanism_find(CK_MECHANISM_TYPE type);
size_t mechanism_count(void);
const mechanism *mechanism_at(size_t i);
bool is_sm2_key_type(CK_KEY_TYPE t);
extern configuration module_configuration;

/* codec.c */
void put_octets(buffer *b, const void *data, size_t size);
void put_u32(buffer *b, uint32_t v);
void put_u64(buffer *b, uint64_t v);
void buffer_free(buffer *b); /* wipes it */
const unsigned char *take_octets(reader *r, size_t size);
uint32_t take_u32(reader *r);
uint64_t take_u64(reader *r);

/* file.c */
bool file_path(char *out, const char *folder, const char *name);
int file_lock(const char *folder, bool exclusive); /* -1: not to be had */
void file_unlock(int lock);
bool file_read(const char *path, size_t most, buffer *b, uint64_t *inode, uint64_t *changed);
bool file_replace(const char *folder, const char *name, const void *data, size_t size);
bool file_exists(const char *folder, const char *name);
bool file_stamp(const char *path, uint64_t *inode, uint64_t *changed);
bool file_remove(const char *folder, const char *name);
bool folder_make(const char *path);

/* tokenfile.c */
bool token_load(const slot *s, token_state *t);
bool token_save(const slot *s, const token_state *t);
bool pin_wrap(const char *who, const unsigned char id[ID_SIZE], const unsigned char *pin, size_t size, unsigned char salt[16],
              unsigned char wrapped[WRAPPED_SIZE], const unsigned char master[KEY_SIZE]);
bool pin_unwrap(const char *who, const unsigned char id[ID_SIZE], const unsigned char *pin, size_t size,
                const unsigned char salt[16], const unsigned char wrapped[WRAPPED_SIZE], unsigned char master[KEY_SIZE]);
bool seal_octets(const unsigned char key[KEY_SIZE], const void *aad, size_t aad_size, const void *plain, size_t size, buffer *out);
bool open_octets(const unsigned char key[KEY_SIZE], const void *aad, size_t aad_size, const unsigned char *sealed, size_t size,
                 buffer *out);

/* slot.c */
slot *slot_get(CK_SLOT_ID id);
size_t slot_count(void);
slot *slot_at(size_t i);
bool slots_open(void);
void slots_close(void);
CK_RV slot_present(slot *s); /* CKR_TOKEN_NOT_PRESENT; notices that the token was pulled out */
void slot_pull(slot *s);     /* pulls the token out itself, as a fault */

/* session.c */
session *session_get(CK_SESSION_HANDLE h, CK_RV *rv);
size_t sessions_of(const slot *s, size_t *read_only);
void sessions_close(const slot *s);
void sessions_forget(void);
void sessions_end_work(const slot *s);
void session_hold(session *s);             /* the lock is let go; nobody else uses or frees the session */
CK_RV session_release(session *s);         /* the lock is had again; CKR_DEVICE_REMOVED when the token went meanwhile */
void operation_end(operation *o);

/* login.c */
void slot_logout(slot *s);
bool slot_is_of(const slot *s, const token_state *t); /* false: another process has initialised the token anew since the login */

/* object.c */
const attribute *object_attribute(const object *o, CK_ATTRIBUTE_TYPE type);
bool object_set(object *o, CK_ATTRIBUTE_TYPE type, const void *value, size_t size);
bool object_set_bool(object *o, CK_ATTRIBUTE_TYPE type, bool v);
bool object_set_ulong(object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG v);
bool object_bool(const object *o, CK_ATTRIBUTE_TYPE type, bool otherwise);
CK_ULONG object_ulong(const object *o, CK_ATTRIBUTE_TYPE type, CK_ULONG otherwise);
bool object_matches(const object *o, const CK_ATTRIBUTE *template, CK_ULONG count);
CK_RV object_fill(object *o, const CK_ATTRIBUTE *template, CK_ULONG count);
object *object_new(void);
void object_free(object *o);
CK_RV object_check(const object *o); /* what its class needs is there and fits together */
bool is_secret(const object *o, CK_ATTRIBUTE_TYPE type);

/* objectstore.c */
void objects_refresh(slot *s);
object *object_find(slot *s, CK_OBJECT_HANDLE h);
bool object_visible(const slot *s, const object *o);
CK_RV object_add(session *s, object *o, CK_OBJECT_HANDLE *handle); /* takes the object over, also when it fails */
CK_RV object_store(slot *s, object *o, bool anew); /* anew: in the place of its file, if that is still the one that was read */
CK_RV object_delete(session *s, object *o);
void objects_forget(slot *s, bool only_private);
bool objects_erase(slot *s);
void objects_doubt(slot *s);
void objects_end_session(slot *s, CK_SESSION_HANDLE h);

/* sm2.c */
extern const unsigned char sm2_parameters[10]; /* CKA_EC_PARAMS: the curve's OID in DER */
EVP_PKEY *sm2_generate(void);
EVP_PKEY *sm2_from_private(const unsigned char d[32]);
EVP_PKEY *sm2_from_point(const unsigned char *point, size_t size); /* 65 octets, or these in an OCTET STRING */
bool sm2_point(EVP_PKEY *key, unsigned char point[65]);
bool sm2_private(EVP_PKEY *key, unsigned char d[32]);
bool sm2_z(EVP_PKEY *key, const unsigned char *id, size_t size, unsigned char z[DIGEST_SIZE]);
bool sm2_sign(EVP_PKEY *key, const unsigned char e[DIGEST_SIZE], unsigned char *der, size_t *size); /* *size: room, then length */
bool sm2_verify(EVP_PKEY *key, const unsigned char e[DIGEST_SIZE], const unsigned char *der, size_t size);
bool sm2_to_raw(const unsigned char *der, size_t size, unsigned char raw[64]);
bool sm2_to_der(const unsigned char raw[64], unsigned char *der, size_t *size);
bool sm2_decrypt(EVP_PKEY *key, const unsigned char *cipher, size_t size, unsigned char *plain, size_t *plain_size);

/* envelope.c */
EVP_PKEY *envelope_open(EVP_PKEY *key, const unsigned char *data, size_t size, CK_RV *rv);

/* keys.c */
CK_RV key_of(object *o, EVP_PKEY **key); /* a reference of its own */

#endif
