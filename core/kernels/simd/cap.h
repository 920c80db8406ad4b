#ifndef CORE_KERNELS_SIMD_CAP_H
#define CORE_KERNELS_SIMD_CAP_H
/* Behind the header of an instruction set. */
#include <math.h>

/* What a ReLU's output is cut to: vf_min(vf_cap(cap), y); 0: to nothing. */
static inline vf vf_cap(float cap) { return vf_set(cap > 0 ? cap : INFINITY); }
#endif
