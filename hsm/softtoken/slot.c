/* Slots are the folders 0, 1, … of the module's folder. A file `absent` in one says that its token is pulled out. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "token.h"

static slot slots[MAX_SLOTS];
static size_t count;

size_t slot_count(void) { return count; }
slot *slot_at(size_t i) { return &slots[i]; }
slot *slot_get(CK_SLOT_ID id) { return id < count ? &slots[id] : NULL; }

bool slots_open(void) {
    if (!folder_make(module_folder)) return false;
    count = module_configuration.slots;
    for (size_t i = 0; i < count; i++) {
        char name[24], objects[PATH_SIZE];
        slot *s = &slots[i];
        *s = (slot){.id = i, .logged_in = NOBODY};
        snprintf(name, sizeof name, "%zu", i);
        if (!file_path(s->folder, module_folder, name) || !folder_make(s->folder) || !file_path(objects, s->folder, "objects") ||
            !folder_make(objects))
            return false;
        s->present = !file_exists(s->folder, "absent");
    }
    return true;
}

void slots_close(void) {
    for (size_t i = 0; i < count; i++) {
        slot_logout(&slots[i]);
        objects_forget(&slots[i], false);
    }
    count = 0;
}

/* notice looks whether the token is there, and ends everything of one that went. */
static void notice(slot *s) {
    bool present = !file_exists(s->folder, "absent");
    if (present == s->present) return;
    s->present = present;
    s->event = true;
    if (!present) {
        sessions_close(s);
        slot_logout(s);
        objects_forget(s, false);
    }
}

CK_RV slot_present(slot *s) {
    notice(s);
    return s->present ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
}

void slot_pull(slot *s) {
    file_replace(s->folder, "absent", "", 0);
    notice(s);
}

CK_RV C_GetSlotList(CK_BBOOL with_token, CK_SLOT_ID *list, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    if (size == NULL) return module_leave(CKR_ARGUMENTS_BAD);
    CK_ULONG n = 0;
    for (size_t i = 0; i < count; i++) {
        if (slot_present(&slots[i]) != CKR_OK && with_token) continue;
        if (list != NULL && n < *size) list[n] = slots[i].id;
        n++;
    }
    rv = list != NULL && n > *size ? CKR_BUFFER_TOO_SMALL : CKR_OK;
    *size = n;
    return module_leave(rv);
}

static void padded(unsigned char *to, size_t size, const char *text) {
    size_t n = strlen(text);
    memset(to, ' ', size);
    memcpy(to, text, n < size ? n : size);
}

CK_RV C_GetSlotInfo(CK_SLOT_ID id, CK_SLOT_INFO *info) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *s = slot_get(id);
    if (s == NULL || info == NULL) return module_leave(s == NULL ? CKR_SLOT_ID_INVALID : CKR_ARGUMENTS_BAD);
    char name[48];
    snprintf(name, sizeof name, "Yinxin soft token %lu", id);
    *info = (CK_SLOT_INFO){.flags = CKF_REMOVABLE_DEVICE};
    if (slot_present(s) == CKR_OK) info->flags |= CKF_TOKEN_PRESENT;
    padded(info->slotDescription, sizeof info->slotDescription, name);
    padded(info->manufacturerID, sizeof info->manufacturerID, "Yinxin");
    info->hardwareVersion.major = info->firmwareVersion.major = 1;
    return module_leave(CKR_OK);
}

static CK_FLAGS pin_flags(const token_state *t) {
    CK_FLAGS f = 0;
    if (t->user_tries < t->user_most) f |= CKF_USER_PIN_COUNT_LOW;
    if (t->user_tries == 1) f |= CKF_USER_PIN_FINAL_TRY;
    if (t->user_tries == 0) f |= CKF_USER_PIN_LOCKED;
    if (t->so_tries < t->so_most) f |= CKF_SO_PIN_COUNT_LOW;
    if (t->so_tries == 1) f |= CKF_SO_PIN_FINAL_TRY;
    if (t->so_tries == 0) f |= CKF_SO_PIN_LOCKED;
    return f;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID id, CK_TOKEN_INFO *info) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *s = slot_get(id);
    if (s == NULL || info == NULL) return module_leave(s == NULL ? CKR_SLOT_ID_INVALID : CKR_ARGUMENTS_BAD);
    if ((rv = slot_present(s)) != CKR_OK) return module_leave(rv);
    token_state t;
    int lock = file_lock(s->folder, false);
    bool read = lock >= 0 && token_load(s, &t);
    file_unlock(lock);
    if (!read) return module_leave(CKR_TOKEN_NOT_RECOGNIZED);
    faults f;
    faults_read(s, &f);
    size_t read_only, open = sessions_of(s, &read_only);
    *info = (CK_TOKEN_INFO){.flags = CKF_RNG | CKF_LOGIN_REQUIRED};
    memset(info->label, ' ', sizeof info->label);
    memset(info->serialNumber, ' ', sizeof info->serialNumber);
    padded(info->manufacturerID, sizeof info->manufacturerID, "Yinxin");
    padded(info->model, sizeof info->model, module_configuration.vendor->name);
    padded(info->utcTime, sizeof info->utcTime, "");
    if (t.initialised) {
        info->flags |= CKF_TOKEN_INITIALIZED | pin_flags(&t);
        memcpy(info->label, t.label, sizeof info->label);
        memcpy(info->serialNumber, t.serial, sizeof info->serialNumber);
    }
    if (t.has_user_pin) info->flags |= CKF_USER_PIN_INITIALIZED;
    info->ulMaxSessionCount = f.one_session ? 1 : module_configuration.sessions;
    info->ulMaxRwSessionCount = info->ulMaxSessionCount;
    info->ulSessionCount = open;
    info->ulRwSessionCount = open - read_only;
    info->ulMinPinLen = PIN_MIN;
    info->ulMaxPinLen = PIN_MAX;
    info->ulTotalPublicMemory = info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
    info->ulTotalPrivateMemory = info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    info->hardwareVersion.major = info->firmwareVersion.major = 1;
    return module_leave(CKR_OK);
}

/* pending finds a slot whose token came or went since it was last asked about. */
static slot *pending(void) {
    for (size_t i = 0; i < count; i++) {
        notice(&slots[i]);
        if (slots[i].event) return &slots[i];
    }
    return NULL;
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *id, void *reserved) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    if (id == NULL || reserved != NULL) return module_leave(CKR_ARGUMENTS_BAD);
    for (;;) {
        slot *s = pending();
        if (s != NULL) {
            s->event = false;
            *id = s->id;
            return module_leave(CKR_OK);
        }
        if (flags & CKF_DONT_BLOCK) return module_leave(CKR_NO_EVENT);
        module_pause(); /* C_Finalize waits until this call is out: the library may be unloaded then */
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        module_resume();
        if (!module_running()) return module_leave(CKR_CRYPTOKI_NOT_INITIALIZED);
    }
}

CK_RV C_GetMechanismList(CK_SLOT_ID id, CK_MECHANISM_TYPE *list, CK_ULONG *size) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *s = slot_get(id);
    if (s == NULL || size == NULL) return module_leave(s == NULL ? CKR_SLOT_ID_INVALID : CKR_ARGUMENTS_BAD);
    if ((rv = slot_present(s)) != CKR_OK) return module_leave(rv);
    CK_ULONG n = mechanism_count();
    if (list != NULL && *size < n) rv = CKR_BUFFER_TOO_SMALL;
    else if (list != NULL)
        for (CK_ULONG i = 0; i < n; i++) list[i] = mechanism_at(i)->type;
    *size = n;
    return module_leave(rv);
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info) {
    CK_RV rv = module_enter();
    if (rv != CKR_OK) return rv;
    slot *s = slot_get(id);
    if (s == NULL || info == NULL) return module_leave(s == NULL ? CKR_SLOT_ID_INVALID : CKR_ARGUMENTS_BAD);
    if ((rv = slot_present(s)) != CKR_OK) return module_leave(rv);
    const mechanism *m = mechanism_find(type);
    if (m == NULL) return module_leave(CKR_MECHANISM_INVALID);
    *info = (CK_MECHANISM_INFO){.ulMinKeySize = 256, .ulMaxKeySize = 256};
    switch (m->what) {
    case ROLE_KEY_PAIR:
    case ROLE_EC_KEY_PAIR: info->flags = CKF_GENERATE_KEY_PAIR | CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS; break;
    case ROLE_DECRYPT: info->flags = CKF_DECRYPT; break;
    case ROLE_UNWRAP_ENVELOPE: info->flags = CKF_UNWRAP; break;
    case ROLE_DIGEST: *info = (CK_MECHANISM_INFO){.flags = CKF_DIGEST}; break;
    default: info->flags = CKF_SIGN | CKF_VERIFY;
    }
    return module_leave(CKR_OK);
}
