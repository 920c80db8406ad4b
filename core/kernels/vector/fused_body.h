/* The fused passes, over the vector type and the helpers of body.h, which includes this once for
 * each type of matrix: LOAD and STORE reach element i of one, FUSED makes names. Each pass walks
 * blocks of rows in strips of channels: WIDE vectors of them, whose coefficients stay in registers
 * over the rows of a block. What a pass may leave out is a constant of its strip (has_...) where
 * that saves a load a row, and a neutral value where it does not. */

static void FUSED(kernel_add_to)(void *y, const void *x, size_t n)
{
    VECTORS(i, m, n)
    {
        vf sum = LOAD(y, i, m) + LOAD(x, i, m);
        STORE(y, i, sum, m);
    }
}

struct FUSED(moments_rows) {
    float *sum, *square;
    const void *x;
    const float *shift;
    size_t rows, c;
};

STRIP_INLINE void FUSED(moments_strip)(const struct FUSED(moments_rows) * r, struct block rows,
                                       size_t j, size_t m, size_t wide)
{
    vf sum[WIDE], square[WIDE], shift[WIDE];
    load_strip(sum, r->sum + j, m, wide);
    load_strip(square, r->square + j, m, wide);
    load_strip(shift, r->shift + j, m, wide);
    for (size_t i = rows.from, at = i * r->c + j; i < rows.to; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            const vf x = LOAD(r->x, at + v * LANES, m) - shift[v];
            sum[v] += x;
            square[v] = vf_fma(x, x, square[v]);
        }
    store_strip(r->sum + j, sum, m, wide);
    store_strip(r->square + j, square, m, wide);
}

static void FUSED(kernel_moments)(float *sum, float *square, const void *x, const float *shift,
                                  size_t rows, size_t c)
{
    const struct FUSED(moments_rows) r = { sum, square, x, shift, rows, c };
    STRIPS(FUSED(moments_strip), &r);
}

STRIP_INLINE void FUSED(norm_strip)(const struct norm_rows *r, struct block rows, size_t j,
                                    size_t m, size_t wide)
{
    const vf floor = vf_set(r->relu ? 0 : -INFINITY), cap = vf_cap(r->cap);
    const size_t pitch = r->y_pitch ? r->y_pitch : r->c;
    vf a[WIDE], b[WIDE], sum[WIDE];
    load_strip(a, r->a + j, m, wide);
    load_strip(b, r->b + j, m, wide);
    load_optional(sum, r->sum, j, m, wide);
    for (size_t i = rows.from, at = i * r->c + j; i < rows.to; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf y = vf_max(floor, vf_fma(a[v], LOAD(r->x, at + v * LANES, m), b[v]));
            y = vf_min(cap, y);
            STORE(r->y, i * pitch + j + v * LANES, y, m);
            sum[v] += y;
        }
    if (r->sum) store_strip(r->sum + j, sum, m, wide);
}

static void FUSED(kernel_norm)(const struct norm_rows *rows)
{
    const struct norm_rows r = *rows; /* a copy that no store can change */
    STRIPS(FUSED(norm_strip), &r);
}

/* has_a, has_sa: constants of the caller. */
STRIP_INLINE void FUSED(sum_strip_of)(const struct sum_rows *r, struct block rows, size_t j,
                                      size_t m, size_t wide, int has_a, int has_sa)
{
    const vf floor = vf_set(r->relu ? 0 : -INFINITY);
    vf a[WIDE], sa[WIDE], b[WIDE], sum[WIDE];
    if (has_a) load_strip(a, r->a + j, m, wide);
    if (has_sa) load_strip(sa, r->sa + j, m, wide);
    load_optional(b, r->b, j, m, wide);
    load_optional(sum, r->sum, j, m, wide);
    for (size_t i = rows.from, at = i * r->c + j; i < rows.to; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            const vf u = LOAD(r->u, at + v * LANES, m), s = LOAD(r->s, at + v * LANES, m);
            vf y = has_a ? vf_fma(a[v], u, b[v]) : (vf)(u + b[v]);
            y = vf_max(floor, has_sa ? vf_fma(sa[v], s, y) : (vf)(y + s));
            sum[v] += y;
            if (r->stream)
                STREAM(r->out, at + v * LANES, y);
            else
                STORE(r->out, at + v * LANES, y, m);
        }
    if (r->sum) store_strip(r->sum + j, sum, m, wide);
}

STRIP_INLINE void FUSED(sum_strip_both)(const struct sum_rows *r, struct block rows, size_t j,
                                        size_t m, size_t wide)
{
    FUSED(sum_strip_of)(r, rows, j, m, wide, 1, 1);
}

STRIP_INLINE void FUSED(sum_strip_a)(const struct sum_rows *r, struct block rows, size_t j,
                                     size_t m, size_t wide)
{
    FUSED(sum_strip_of)(r, rows, j, m, wide, 1, 0);
}

STRIP_INLINE void FUSED(sum_strip_s)(const struct sum_rows *r, struct block rows, size_t j,
                                     size_t m, size_t wide)
{
    FUSED(sum_strip_of)(r, rows, j, m, wide, 0, 1);
}

STRIP_INLINE void FUSED(sum_strip_plain)(const struct sum_rows *r, struct block rows, size_t j,
                                         size_t m, size_t wide)
{
    FUSED(sum_strip_of)(r, rows, j, m, wide, 0, 0);
}

static void FUSED(kernel_sum)(const struct sum_rows *rows)
{
    const struct sum_rows r = *rows;
    if (r.a && r.sa)
        STRIPS(FUSED(sum_strip_both), &r);
    else if (r.a)
        STRIPS(FUSED(sum_strip_a), &r);
    else if (r.sa)
        STRIPS(FUSED(sum_strip_s), &r);
    else
        STRIPS(FUSED(sum_strip_plain), &r);
}

STRIP_INLINE void FUSED(sum_grad_strip_of)(const struct sum_grad_rows *r, struct block rows,
                                           size_t j, size_t m, size_t wide, int has_u, int has_s)
{
    vf sum[WIDE], more[WIDE], dot_u[WIDE], dot_s[WIDE], mean_u[WIDE], mean_s[WIDE];
    load_optional(sum, r->sum, j, m, wide);
    load_optional(more, r->more, j, m, wide);
    if (has_u) load_strip(dot_u, r->dot_u + j, m, wide), load_strip(mean_u, r->mean_u + j, m, wide);
    if (has_s) load_strip(dot_s, r->dot_s + j, m, wide), load_strip(mean_s, r->mean_s + j, m, wide);
    for (size_t i = rows.from, at = i * r->c + j; i < rows.to; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf g = LOAD(r->g, at + v * LANES, m) + more[v];
            if (r->out) g = vf_where(LOAD(r->out, at + v * LANES, m) > vf_set(0), g);
            STORE(r->g, at + v * LANES, g, m);
            sum[v] += g;
            if (has_u) dot_u[v] = vf_fma(g, LOAD(r->u, at + v * LANES, m) - mean_u[v], dot_u[v]);
            if (has_s) dot_s[v] = vf_fma(g, LOAD(r->s, at + v * LANES, m) - mean_s[v], dot_s[v]);
        }
    if (r->sum) store_strip(r->sum + j, sum, m, wide);
    if (has_u) store_strip(r->dot_u + j, dot_u, m, wide);
    if (has_s) store_strip(r->dot_s + j, dot_s, m, wide);
}

STRIP_INLINE void FUSED(sum_grad_strip_both)(const struct sum_grad_rows *r, struct block rows,
                                             size_t j, size_t m, size_t wide)
{
    FUSED(sum_grad_strip_of)(r, rows, j, m, wide, 1, 1);
}

STRIP_INLINE void FUSED(sum_grad_strip_u)(const struct sum_grad_rows *r, struct block rows,
                                          size_t j, size_t m, size_t wide)
{
    FUSED(sum_grad_strip_of)(r, rows, j, m, wide, 1, 0);
}

STRIP_INLINE void FUSED(sum_grad_strip_s)(const struct sum_grad_rows *r, struct block rows,
                                          size_t j, size_t m, size_t wide)
{
    FUSED(sum_grad_strip_of)(r, rows, j, m, wide, 0, 1);
}

STRIP_INLINE void FUSED(sum_grad_strip_plain)(const struct sum_grad_rows *r, struct block rows,
                                              size_t j, size_t m, size_t wide)
{
    FUSED(sum_grad_strip_of)(r, rows, j, m, wide, 0, 0);
}

static void FUSED(kernel_sum_grad)(const struct sum_grad_rows *rows)
{
    const struct sum_grad_rows r = *rows;
    if (r.dot_u && r.dot_s)
        STRIPS(FUSED(sum_grad_strip_both), &r);
    else if (r.dot_u)
        STRIPS(FUSED(sum_grad_strip_u), &r);
    else if (r.dot_s)
        STRIPS(FUSED(sum_grad_strip_s), &r);
    else
        STRIPS(FUSED(sum_grad_strip_plain), &r);
}

STRIP_INLINE void FUSED(norm_sums_strip_of)(const struct norm_sums_rows *r, struct block rows,
                                            size_t j, size_t m, size_t wide, int masked)
{
    const size_t pitch = r->dy_pitch ? r->dy_pitch : r->c;
    const vf cap = vf_cap(r->cap);
    vf a[WIDE], b[WIDE], mean[WIDE], more[WIDE], sum[WIDE], dot[WIDE];
    if (masked) {
        load_strip(a, r->a + j, m, wide);
        load_strip(b, r->b + j, m, wide);
    }
    load_strip(mean, r->mean + j, m, wide);
    load_optional(more, r->more, j, m, wide);
    load_strip(sum, r->sum + j, m, wide);
    load_strip(dot, r->dot + j, m, wide);
    for (size_t i = rows.from, at = i * r->c + j; i < rows.to; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf x = LOAD(r->x, at + v * LANES, m);
            vf g = LOAD(r->dy, i * pitch + j + v * LANES, m) + more[v];
            if (masked) g = relu_passes(vf_fma(a[v], x, b[v]), cap, g);
            sum[v] += g;
            dot[v] = vf_fma(g, x - mean[v], dot[v]);
        }
    store_strip(r->sum + j, sum, m, wide);
    store_strip(r->dot + j, dot, m, wide);
}

STRIP_INLINE void FUSED(norm_sums_strip_masked)(const struct norm_sums_rows *r, struct block rows,
                                                size_t j, size_t m, size_t wide)
{
    FUSED(norm_sums_strip_of)(r, rows, j, m, wide, 1);
}

STRIP_INLINE void FUSED(norm_sums_strip_all)(const struct norm_sums_rows *r, struct block rows,
                                             size_t j, size_t m, size_t wide)
{
    FUSED(norm_sums_strip_of)(r, rows, j, m, wide, 0);
}

static void FUSED(kernel_norm_sums)(const struct norm_sums_rows *rows)
{
    const struct norm_sums_rows r = *rows;
    if (r.a)
        STRIPS(FUSED(norm_sums_strip_masked), &r);
    else
        STRIPS(FUSED(norm_sums_strip_all), &r);
}

STRIP_INLINE void FUSED(norm_grad_strip_of)(const struct norm_grad_rows *r, struct block rows,
                                            size_t j, size_t m, size_t wide, int masked)
{
    const size_t pitch = r->dy_pitch ? r->dy_pitch : r->c;
    const vf cap = vf_cap(r->cap);
    vf alpha[WIDE], beta[WIDE], gamma[WIDE], more[WIDE], a[WIDE], b[WIDE];
    load_strip(alpha, r->alpha + j, m, wide);
    load_strip(beta, r->beta + j, m, wide);
    load_strip(gamma, r->gamma + j, m, wide);
    load_optional(more, r->more, j, m, wide);
    if (masked) {
        load_strip(a, r->a + j, m, wide);
        load_strip(b, r->b + j, m, wide);
    }
    for (size_t i = rows.from, at = i * r->c + j; i < rows.to; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf x = LOAD(r->x, at + v * LANES, m);
            vf g = LOAD(r->dy, i * pitch + j + v * LANES, m) + more[v];
            if (masked) g = relu_passes(vf_fma(a[v], x, b[v]), cap, g);
            vf d = vf_fma(alpha[v], g, vf_fma(beta[v], x, gamma[v]));
            if (r->add) d += LOAD(r->dx, at + v * LANES, m);
            if (r->stream)
                STREAM(r->dx, at + v * LANES, d);
            else
                STORE(r->dx, at + v * LANES, d, m);
        }
}

STRIP_INLINE void FUSED(norm_grad_strip_masked)(const struct norm_grad_rows *r, struct block rows,
                                                size_t j, size_t m, size_t wide)
{
    FUSED(norm_grad_strip_of)(r, rows, j, m, wide, 1);
}

STRIP_INLINE void FUSED(norm_grad_strip_all)(const struct norm_grad_rows *r, struct block rows,
                                             size_t j, size_t m, size_t wide)
{
    FUSED(norm_grad_strip_of)(r, rows, j, m, wide, 0);
}

static void FUSED(kernel_norm_grad)(const struct norm_grad_rows *rows)
{
    const struct norm_grad_rows r = *rows;
    if (r.a)
        STRIPS(FUSED(norm_grad_strip_masked), &r);
    else
        STRIPS(FUSED(norm_grad_strip_all), &r);
}

static const struct fused_kernels FUSED(fused_table) = {
    .add = FUSED(kernel_add_to),
    .moments = FUSED(kernel_moments),
    .norm = FUSED(kernel_norm),
    .sum = FUSED(kernel_sum),
    .sum_grad = FUSED(kernel_sum_grad),
    .norm_sums = FUSED(kernel_norm_sums),
    .norm_grad = FUSED(kernel_norm_grad),
};
