/* Logging in, and the PINs. A try is taken off the counter, and the counter is on disk, before a PIN is looked at. */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "token.h"

void slot_logout(slot *s) {
    s->logged_in = NOBODY;
    sessions_end_work(s);
    OPENSSL_cleanse(s->master, sizeof s->master);
    objects_forget(s, true);
}

bool slot_is_of(const slot *s, const token_state *t) {
    return s->logged_in == NOBODY || memcmp(s->token_id, t->id, ID_SIZE) == 0;
}

static bool pin_fits(const unsigned char *pin, CK_ULONG size) { return pin != NULL && size >= PIN_MIN && size <= PIN_MAX; }

/* try_pin gives the key that the PIN opens; the caller holds the token's lock file. */
static CK_RV try_pin(slot *s, token_state *t, CK_USER_TYPE who, const unsigned char *pin, CK_ULONG size, unsigned char master[KEY_SIZE]) {
    bool so = who == CKU_SO;
    uint32_t *tries = so ? &t->so_tries : &t->user_tries;
    if (!so && !t->has_user_pin) return CKR_USER_PIN_NOT_INITIALIZED;
    if (*tries == 0) return CKR_PIN_LOCKED;
    if (pin == NULL) return CKR_ARGUMENTS_BAD;
    --*tries;
    if (!token_save(s, t)) return CKR_DEVICE_ERROR;
    if (size > PIN_MAX || !pin_unwrap(so ? "so" : "user", t->id, pin, size, so ? t->so_salt : t->user_salt,
                                      so ? t->so_wrapped : t->user_wrapped, master))
        return *tries == 0 ? CKR_PIN_LOCKED : CKR_PIN_INCORRECT;
    *tries = so ? t->so_most : t->user_most;
    if (token_save(s, t)) return CKR_OK;
    OPENSSL_cleanse(master, KEY_SIZE);
    return CKR_DEVICE_ERROR;
}

static CK_RV load(slot *s, token_state *t) {
    if (!token_load(s, t)) return CKR_DEVICE_ERROR;
    return t->initialised ? CKR_OK : CKR_TOKEN_NOT_RECOGNIZED;
}

CK_RV C_Login(CK_SESSION_HANDLE h, CK_USER_TYPE who, unsigned char *pin, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    slot *at = s->slot;
    size_t read_only;
    sessions_of(at, &read_only);
    if (who != CKU_USER && who != CKU_SO) rv = CKR_USER_TYPE_INVALID;
    else if (at->logged_in == who) rv = CKR_USER_ALREADY_LOGGED_IN;
    else if (at->logged_in != NOBODY) rv = CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
    else if (who == CKU_SO && read_only > 0) rv = CKR_SESSION_READ_ONLY_EXISTS;
    if (rv != CKR_OK) return module_leave(rv);
    int lock = file_lock(at->folder, true);
    if (lock < 0) return module_leave(CKR_DEVICE_ERROR);
    token_state t;
    if ((rv = load(at, &t)) == CKR_OK) rv = try_pin(at, &t, who, pin, size, at->master);
    file_unlock(lock);
    if (rv == CKR_OK) {
        at->logged_in = who;
        memcpy(at->token_id, t.id, ID_SIZE);
        objects_doubt(at);
    }
    return module_leave(rv);
}

CK_RV C_Logout(CK_SESSION_HANDLE h) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    if (s->slot->logged_in == NOBODY) return module_leave(CKR_USER_NOT_LOGGED_IN);
    slot_logout(s->slot);
    return module_leave(CKR_OK);
}

/* new_token makes a token with a key of its own: what lay under the old one is gone. */
static CK_RV new_token(slot *s, token_state *t, const unsigned char *pin, CK_ULONG size, const unsigned char *label) {
    unsigned char master[KEY_SIZE], random[8];
    static const char digits[] = "0123456789ABCDEF";
    token_state fresh = {.initialised = true, .so_tries = module_configuration.tries, .so_most = module_configuration.tries,
                         .user_tries = module_configuration.tries, .user_most = module_configuration.tries};
    if (RAND_bytes(master, sizeof master) != 1 || RAND_bytes(fresh.id, sizeof fresh.id) != 1 || RAND_bytes(random, sizeof random) != 1)
        return CKR_DEVICE_ERROR;
    if (t->initialised) memcpy(fresh.serial, t->serial, sizeof fresh.serial); /* the device stays the same one */
    else
        for (size_t i = 0; i < sizeof random; i++) {
            fresh.serial[2 * i] = (unsigned char) digits[random[i] >> 4];
            fresh.serial[2 * i + 1] = (unsigned char) digits[random[i] & 15];
        }
    memcpy(fresh.label, label, sizeof fresh.label);
    bool ok = pin_wrap("so", fresh.id, pin, size, fresh.so_salt, fresh.so_wrapped, master) && token_save(s, &fresh);
    OPENSSL_cleanse(master, sizeof master);
    return ok ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV C_InitToken(CK_SLOT_ID id, unsigned char *pin, CK_ULONG size, unsigned char *label) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *s = slot_get(id);
    if (s == NULL || label == NULL) return module_leave(s == NULL ? CKR_SLOT_ID_INVALID : CKR_ARGUMENTS_BAD);
    if ((rv = slot_present(s)) != CKR_OK) return module_leave(rv);
    size_t read_only;
    if (sessions_of(s, &read_only) > 0) return module_leave(CKR_SESSION_EXISTS);
    if (!pin_fits(pin, size)) return module_leave(CKR_PIN_LEN_RANGE);
    int lock = file_lock(s->folder, true);
    if (lock < 0) return module_leave(CKR_DEVICE_ERROR);
    token_state t;
    unsigned char master[KEY_SIZE];
    if (!token_load(s, &t)) rv = CKR_DEVICE_ERROR;
    else if (t.initialised) rv = try_pin(s, &t, CKU_SO, pin, size, master);
    OPENSSL_cleanse(master, sizeof master);
    if (rv == CKR_OK && !objects_erase(s)) rv = CKR_DEVICE_ERROR;
    if (rv == CKR_OK) rv = new_token(s, &t, pin, size, label);
    file_unlock(lock);
    return module_leave(rv);
}

CK_RV C_InitPIN(CK_SESSION_HANDLE h, unsigned char *pin, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    slot *at = s->slot;
    if (at->logged_in != CKU_SO) return module_leave(CKR_USER_NOT_LOGGED_IN);
    if (!pin_fits(pin, size)) return module_leave(CKR_PIN_LEN_RANGE);
    int lock = file_lock(at->folder, true);
    if (lock < 0) return module_leave(CKR_DEVICE_ERROR);
    token_state t;
    if ((rv = load(at, &t)) == CKR_OK && !slot_is_of(at, &t)) {
        slot_logout(at);
        rv = CKR_USER_NOT_LOGGED_IN;
    }
    if (rv == CKR_OK) {
        t.has_user_pin = true;
        t.user_tries = t.user_most;
        if (!pin_wrap("user", t.id, pin, size, t.user_salt, t.user_wrapped, at->master) || !token_save(at, &t)) rv = CKR_DEVICE_ERROR;
    }
    file_unlock(lock);
    return module_leave(rv);
}

/* The user's PIN is changed by the user, or by nobody yet; the SO's by the SO. */
CK_RV C_SetPIN(CK_SESSION_HANDLE h, unsigned char *old, CK_ULONG old_size, unsigned char *pin, CK_ULONG size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    session *s = session_get(h, &rv);
    if (s == NULL) return module_leave(rv);
    slot *at = s->slot;
    if (!s->writable) return module_leave(CKR_SESSION_READ_ONLY);
    if (!pin_fits(pin, size)) return module_leave(CKR_PIN_LEN_RANGE);
    int lock = file_lock(at->folder, true);
    if (lock < 0) return module_leave(CKR_DEVICE_ERROR);
    bool so = at->logged_in == CKU_SO;
    token_state t;
    unsigned char master[KEY_SIZE];
    if ((rv = load(at, &t)) == CKR_OK) rv = try_pin(at, &t, so ? CKU_SO : CKU_USER, old, old_size, master);
    if (rv == CKR_OK) {
        bool ok = so ? pin_wrap("so", t.id, pin, size, t.so_salt, t.so_wrapped, master)
                     : pin_wrap("user", t.id, pin, size, t.user_salt, t.user_wrapped, master);
        if (!ok || !token_save(at, &t)) rv = CKR_DEVICE_ERROR;
    }
    OPENSSL_cleanse(master, sizeof master);
    file_unlock(lock);
    return module_leave(rv);
}
