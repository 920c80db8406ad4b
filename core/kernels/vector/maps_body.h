/* The passes of maps.h, over the vector type and the helpers of body.h, which includes this once
 * for each type of map: LOAD and STORE reach element i of one, FUSED makes names. */

/* What is written to element i: v, or what is there and v. */
static inline void FUSED(put)(void *to, size_t i, vf v, size_t m, bool add)
{
    STORE(to, i, add ? (vf)(LOAD(to, i, m) + v) : v, m);
}

static void FUSED(kernel_mix)(const struct mix_map *map)
{
    const struct mix_map r = *map; /* a copy that no store can change */
    const vf a = vf_set(r.a), b = vf_set(r.b);
    VECTORS(i, m, r.n) STORE(r.y, i, vf_fma(b, LOAD(r.z, i, m), a * LOAD(r.x, i, m)), m);
}

static void FUSED(kernel_pass)(const struct pass_map *map)
{
    const struct pass_map r = *map;
    const vf f = vf_set(r.factor);
    if (r.add)
        VECTORS(i, m, r.n) STORE(r.dx, i, vf_fma(f, LOAD(r.dy, i, m), LOAD(r.dx, i, m)), m);
    else
        VECTORS(i, m, r.n) STORE(r.dx, i, f * LOAD(r.dy, i, m), m);
}

static void FUSED(kernel_relu_map)(const struct relu_map *map)
{
    const struct relu_map r = *map;
    const vf cap = vf_cap(r.cap);
    VECTORS(i, m, r.n) STORE(r.y, i, vf_min(cap, vf_max(vf_set(0), LOAD(r.x, i, m))), m);
}

static void FUSED(kernel_relu_grad_map)(const struct relu_grad_map *map)
{
    const struct relu_grad_map r = *map;
    const vf cap = vf_cap(r.cap);
    VECTORS(i, m, r.n)
    {
        const vf y = LOAD(r.y, i, m);
        FUSED(put)(r.dx, i, relu_passes(y, cap, LOAD(r.dy, i, m)), m, r.add);
    }
}

static void FUSED(kernel_max)(const struct max_map *map)
{
    const struct max_map r = *map;
    VECTORS(i, m, r.n)
    {
        const vf x = LOAD(r.x, i, m), z = LOAD(r.z, i, m);
        STORE(r.y, i, vf_pick((x > z) | (x != x), x, z), m);
    }
}

static void FUSED(kernel_max_grad)(const struct max_grad_map *map)
{
    const struct max_grad_map r = *map;
    VECTORS(i, m, r.n)
    {
        const vf x = LOAD(r.x, i, m), z = LOAD(r.z, i, m), dy = LOAD(r.dy, i, m);
        const vf whole = vf_where(x > z, dy), half = vf_where(x == z, dy * vf_set(0.5f));
        FUSED(put)(r.dx, i, whole + half, m, r.add);
    }
}

static void FUSED(kernel_gate)(const struct gate_map *map)
{
    const struct gate_map r = *map;
    for (size_t row = 0, at = 0; row < r.rows; row++, at += r.n) VECTORS(i, m, r.n)
        {
            const vf gate = load(r.gate + i, m), x = LOAD(r.x, at + i, m);
            STORE(r.y, at + i, r.add ? vf_fma(gate, x, LOAD(r.y, at + i, m)) : (vf)(x * gate), m);
        }
}

static void FUSED(kernel_gate_grad)(const struct gate_grad_map *map)
{
    const struct gate_grad_map r = *map;
    for (size_t row = 0, at = 0; row < r.rows; row++, at += r.n) VECTORS(i, m, r.n)
        {
            const vf sum = load(r.dgate + i, m);
            store(r.dgate + i, vf_fma(LOAD(r.dy, at + i, m), LOAD(r.x, at + i, m), sum), m);
        }
}

/* Calls strip(ctx, j, m, wide) for each strip of c channels that begins at j. */
#define CHANNEL_STRIPS(strip, ctx, c)                                      \
    do {                                                                   \
        size_t j_ = 0;                                                     \
        for (; (c)-j_ >= STRIP; j_ += STRIP) strip(ctx, j_, LANES, WIDE);  \
        for (; j_ < (c); j_ += LANES) strip(ctx, j_, lanes_of((c)-j_), 1); \
    } while (0)

/* Walks the pixels of a rectangle: cell counts them, at is channel j of one. */
#define WINDOW(w, cell, at, j)                                                         \
    for (size_t row_ = 0, cell = 0; row_ < (w)->rows; row_++)                          \
        for (size_t column_ = 0, at = row_ * (w)->pitch + (j); column_ < (w)->columns; \
             column_++, cell++, at += (w)->c)

STRIP_INLINE void FUSED(window_sum_strip)(const struct window_sum *r, size_t j, size_t m,
                                          size_t wide)
{
    vf sum[WIDE];
    EACH_VECTOR(v, wide) sum[v] = vf_set(0);
    WINDOW(&r->w, cell, at, j)
    {
        const vf share = vf_set(r->share[cell]);
        EACH_VECTOR(v, wide) sum[v] = vf_fma(share, LOAD(r->w.x, at + v * LANES, m), sum[v]);
    }
    EACH_VECTOR(v, wide) FUSED(put)(r->y, j + v * LANES, sum[v], m, r->add);
}

static void FUSED(kernel_window_sum)(const struct window_sum *map)
{
    const struct window_sum r = *map;
    CHANNEL_STRIPS(FUSED(window_sum_strip), &r, r.w.c);
}

STRIP_INLINE void FUSED(window_max_strip)(const struct window_max *r, size_t j, size_t m,
                                          size_t wide)
{
    vf max[WIDE], at[WIDE];
    EACH_VECTOR(v, wide)
    {
        max[v] = LOAD(r->w.x, j + v * LANES, m);
        at[v] = vf_set((float)r->first);
    }
    WINDOW(&r->w, cell, i, j)
    {
        const vf number = vf_set((float)(r->first + row_ * r->width + column_));
        EACH_VECTOR(v, wide)
        {
            const vf x = LOAD(r->w.x, i + v * LANES, m);
            const vi larger = (x > max[v]) | (x != x);
            max[v] = vf_pick(larger, x, max[v]);
            at[v] = vf_pick(larger, number, at[v]);
        }
    }
    EACH_VECTOR(v, wide) STORE(r->y, j + v * LANES, max[v], m);
    store_strip(r->at + j, at, m, wide);
}

static void FUSED(kernel_window_max)(const struct window_max *map)
{
    const struct window_max r = *map;
    CHANNEL_STRIPS(FUSED(window_max_strip), &r, r.w.c);
}

STRIP_INLINE void FUSED(window_max_grad_strip)(const struct window_max_grad *r, size_t j, size_t m,
                                               size_t wide)
{
    const vf number = vf_set((float)r->number);
    vf sum[WIDE];
    EACH_VECTOR(v, wide) sum[v] = vf_set(0);
    WINDOW(&r->w, cell, i, j)
    {
        EACH_VECTOR(v, wide)
        {
            const vi here = load(r->at + i + v * LANES, m) == number;
            sum[v] += vf_where(here, LOAD(r->w.x, i + v * LANES, m));
        }
    }
    EACH_VECTOR(v, wide) FUSED(put)(r->dx, j + v * LANES, sum[v], m, r->add);
}

static void FUSED(kernel_window_max_grad)(const struct window_max_grad *map)
{
    const struct window_max_grad r = *map;
    CHANNEL_STRIPS(FUSED(window_max_grad_strip), &r, r.w.c);
}

#undef CHANNEL_STRIPS
#undef WINDOW

static const struct map_kernels FUSED(maps_table) = {
    .mix = FUSED(kernel_mix),
    .pass = FUSED(kernel_pass),
    .relu = FUSED(kernel_relu_map),
    .relu_grad = FUSED(kernel_relu_grad_map),
    .max = FUSED(kernel_max),
    .max_grad = FUSED(kernel_max_grad),
    .gate = FUSED(kernel_gate),
    .gate_grad = FUSED(kernel_gate_grad),
    .window_sum = FUSED(kernel_window_sum),
    .window_max = FUSED(kernel_window_max),
    .window_max_grad = FUSED(kernel_window_max_grad),
};
