#ifndef CORE_BASE_DIGEST_H
#define CORE_BASE_DIGEST_H
#include <stddef.h>
#include <stdint.h>

/* 64-bit XXH3 digests: equality of contents, not cryptography. Written as 16 hex digits. */
enum { DIGEST_TEXT = 17 };
struct digest; /* a running digest */

struct digest *digest_create(void);
void digest_add(struct digest *d, const void *data, size_t len);
uint64_t digest_end(struct digest *d); /* destroys d */

uint64_t digest_of(const void *data, size_t len);
void digest_text(uint64_t digest, char out[DIGEST_TEXT]);
#endif
