#ifndef CORE_BASE_MEM_H
#define CORE_BASE_MEM_H
#include <stdarg.h>
#include <stddef.h>

/* Small allocations never return NULL: where the machine has no memory left for them, the program
 * says so and exits with status 3. Large ones (the arena of a graph) use mem_map, which can refuse.
 */
void *mem_new(size_t count, size_t size);           /* zeroed, 64-byte aligned; free() it */
void *mem_grow(void *p, size_t count, size_t size); /* realloc; p may be NULL */
char *mem_text(const char *s);                      /* a copy of s; free() it */

/* Says that there is no memory for count times size bytes, and exits with status 3. */
_Noreturn void mem_exhausted(size_t count, size_t size);

/* Floats that len floats take up where each array begins on a 64-byte boundary. */
static inline size_t mem_floats(size_t len) { return (len + 15) / 16 * 16; }

/* Zeroed pages, huge ones where the system has them; NULL where there is no memory. */
void *mem_map(size_t bytes);
void mem_unmap(void *p, size_t bytes);

/* Pages that go back to the system when they are freed, on huge ones where they are large and the
 * system has them: mem_room_bytes tells how many are taken for so many, and room and room_free take
 * what it gave. Never NULL, as mem_new. */
size_t mem_room_bytes(size_t bytes);
void *mem_room(size_t bytes);
void mem_room_free(void *p, size_t bytes); /* p may be NULL */
/* Under the address sanitizer: only the first `used` bytes of a room may be touched from now on. */
void mem_room_fence(void *p, size_t bytes, size_t used);

/* A pool hands out memory that lives until the whole pool is cleared. Zero is an empty pool. */
struct pool {
    struct pool_block *blocks;
};
void *pool_new(struct pool *p, size_t count, size_t size); /* zeroed, aligned for any type */
char *pool_text(struct pool *p, const char *s);
char *pool_textf(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *pool_vtextf(struct pool *p, const char *fmt, va_list ap);
void pool_clear(struct pool *p);
#endif
