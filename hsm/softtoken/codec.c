/* Octets in, octets out: what the files of a token are made of. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "token.h"

void put_octets(buffer *b, const void *data, size_t size) {
    if (b->failed || size > (size_t) 1 << 30 || b->size > (size_t) 1 << 30) {
        b->failed = true;
        return;
    }
    if (b->capacity - b->size < size) {
        size_t capacity = 2 * (b->size + size) + 64;
        unsigned char *grown = malloc(capacity);
        if (grown == NULL) {
            b->failed = true;
            return;
        }
        if (b->size > 0) memcpy(grown, b->data, b->size);
        if (b->data != NULL) OPENSSL_cleanse(b->data, b->capacity);
        free(b->data);
        b->data = grown;
        b->capacity = capacity;
    }
    if (size > 0) memcpy(b->data + b->size, data, size);
    b->size += size;
}

void put_u32(buffer *b, uint32_t v) {
    unsigned char o[4];
    for (int i = 0; i < 4; i++) o[i] = (unsigned char) (v >> 8 * i);
    put_octets(b, o, sizeof o);
}

void put_u64(buffer *b, uint64_t v) {
    put_u32(b, (uint32_t) v);
    put_u32(b, (uint32_t) (v >> 32));
}

void buffer_free(buffer *b) {
    if (b->data != NULL) OPENSSL_cleanse(b->data, b->capacity);
    free(b->data);
    *b = (buffer){0};
}

const unsigned char *take_octets(reader *r, size_t size) {
    if (r->failed || r->left < size) {
        r->failed = true;
        return NULL;
    }
    const unsigned char *at = r->data;
    r->data += size;
    r->left -= size;
    return at;
}

uint32_t take_u32(reader *r) {
    const unsigned char *o = take_octets(r, 4);
    return o == NULL ? 0 : (uint32_t) o[0] | (uint32_t) o[1] << 8 | (uint32_t) o[2] << 16 | (uint32_t) o[3] << 24;
}

uint64_t take_u64(reader *r) {
    uint64_t low = take_u32(r);
    return low | (uint64_t) take_u32(r) << 32;
}
