/* Memory: small checked allocations, mapped pages, pools. A size that overflows counts as a size
 * that cannot be had. */
#include "core/base/mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { MEM_ALIGN = 64, HUGE_PAGE = 2 << 20, EXIT_NO_MEMORY = 3, POOL_BLOCK = 16384 };

void mem_exhausted(size_t count, size_t size)
{
    fprintf(stderr, "senet-exp: out of memory (%zu x %zu bytes)\n", count, size);
    exit(EXIT_NO_MEMORY);
}

/* count * size rounded up to whole cache lines; never 0. */
static size_t mem_bytes(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - MEM_ALIGN)
        mem_exhausted(count, size);
    return bytes ? (bytes + MEM_ALIGN - 1) & ~(size_t)(MEM_ALIGN - 1) : MEM_ALIGN;
}

void *mem_new(size_t count, size_t size)
{
    size_t bytes = mem_bytes(count, size);
    void *p = aligned_alloc(MEM_ALIGN, bytes);
    if (!p) mem_exhausted(count, size);
    return memset(p, 0, bytes);
}

enum { PAGE = 4096 };

size_t mem_room_bytes(size_t bytes)
{
    const size_t page = bytes > HUGE_PAGE / 2 ? HUGE_PAGE : PAGE;
    if (bytes > SIZE_MAX / 2) mem_exhausted(1, bytes);
    return (bytes + page - (bytes > 0)) / page * page;
}

/* Huge pages begin at their multiples: what is mapped before and behind them is given back. */
void *mem_room(size_t bytes)
{
    const bool huge = bytes >= HUGE_PAGE;
    const size_t more = huge ? HUGE_PAGE : 0;
    char *p = mmap(NULL, bytes + more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) mem_exhausted(1, bytes);
    if (!huge) return p;
    const size_t before = (HUGE_PAGE - (uintptr_t)p % HUGE_PAGE) % HUGE_PAGE;
    if (before) munmap(p, before);
    if (more > before) munmap(p + before + bytes, more - before);
    madvise(p + before, bytes, MADV_HUGEPAGE); /* a wish: small pages work as well */
    return p + before;
}

/* Of the address sanitizer; elsewhere there are none. */
extern void __asan_poison_memory_region(void const volatile *p, size_t n) __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *p, size_t n) __attribute__((weak));

void mem_room_fence(void *p, size_t bytes, size_t used)
{
    if (!__asan_poison_memory_region || !__asan_unpoison_memory_region) return;
    __asan_unpoison_memory_region(p, bytes);
    __asan_poison_memory_region((char *)p + used, bytes - used);
}

void mem_room_free(void *p, size_t bytes)
{
    if (!p) return;
    mem_room_fence(p, bytes, bytes);
    munmap(p, bytes);
}

void *mem_grow(void *p, size_t count, size_t size)
{
    void *grown = realloc(p, mem_bytes(count, size));
    if (!grown) mem_exhausted(count, size);
    return grown;
}

char *mem_text(const char *s)
{
    size_t len = strlen(s) + 1;
    return memcpy(mem_new(len, 1), s, len);
}

void *mem_map(size_t bytes)
{
    if (bytes > SIZE_MAX - HUGE_PAGE) return NULL;
    void *p =
        mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    if (bytes >= HUGE_PAGE) madvise(p, bytes, MADV_HUGEPAGE); /* a wish: small pages work as well */
    return p;
}

void mem_unmap(void *p, size_t bytes)
{
    if (p) munmap(p, bytes ? bytes : 1);
}

struct pool_block {
    struct pool_block *next;
    size_t used, room;
    _Alignas(max_align_t) char data[];
};

void *pool_new(struct pool *p, size_t count, size_t size)
{
    size_t bytes = mem_bytes(count, size);
    struct pool_block *b = p->blocks;
    if (!b || b->room - b->used < bytes) {
        size_t room = bytes > POOL_BLOCK ? bytes : POOL_BLOCK;
        b = mem_new(1, sizeof *b + room);
        b->room = room;
        b->next = p->blocks;
        p->blocks = b;
    }
    void *out = b->data + b->used;
    b->used += bytes;
    return out;
}

char *pool_text(struct pool *p, const char *s)
{
    size_t len = strlen(s) + 1;
    return memcpy(pool_new(p, len, 1), s, len);
}

char *pool_vtextf(struct pool *p, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    char *out = pool_new(p, (size_t)len + 1, 1);
    vsnprintf(out, (size_t)len + 1, fmt, again);
    va_end(again);
    return out;
}

char *pool_textf(struct pool *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *out = pool_vtextf(p, fmt, ap);
    va_end(ap);
    return out;
}

void pool_clear(struct pool *p)
{
    while (p->blocks) {
        struct pool_block *next = p->blocks->next;
        free(p->blocks);
        p->blocks = next;
    }
}
