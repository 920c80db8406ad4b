#ifndef CORE_KERNELS_SIMD_UNROLL_H
#define CORE_KERNELS_SIMD_UNROLL_H
/* For inner loops whose sums live in registers: they must be unrolled whole, in the function that
 * calls them. */
#define INLINE static inline __attribute__((always_inline))

/* A loop whose bounds are constants once its function is inlined: no loop remains. */
#ifdef __clang__
#define REPEAT(i, from, to) _Pragma("clang loop unroll(full)") for (int i = from; i < to; i++)
#else
#define REPEAT(i, from, to) _Pragma("GCC unroll 32") for (int i = from; i < to; i++)
#endif
#endif
