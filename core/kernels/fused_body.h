/* The fused passes, over the vector type and the helpers of body.h, which includes this. Each walks
 * strips of channels: WIDE vectors of them, whose coefficients stay in registers over all rows. */

/* Calls strip(ctx, j, m, wide) for each strip of c channels that begins at j. */
#define STRIPS(strip, ctx, c)                                              \
    do {                                                                   \
        size_t j_ = 0;                                                     \
        for (; (c)-j_ >= STRIP; j_ += STRIP) strip(ctx, j_, LANES, WIDE);  \
        for (; j_ < (c); j_ += LANES) strip(ctx, j_, lanes_of((c)-j_), 1); \
    } while (0)

STRIP_INLINE void load_strip(vf *out, const float *p, size_t m, size_t wide)
{
    EACH_VECTOR(v, wide) out[v] = load(p + v * LANES, m);
}

STRIP_INLINE void store_strip(float *p, const vf *s, size_t m, size_t wide)
{
    EACH_VECTOR(v, wide) store(p + v * LANES, s[v], m);
}

STRIP_INLINE void norm_relu_strip(const struct residual_rows *r, size_t j, size_t m, size_t wide)
{
    vf a[WIDE], b[WIDE];
    load_strip(a, r->a + j, m, wide);
    load_strip(b, r->b + j, m, wide);
    for (size_t i = 0, at = j; i < r->rows; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf y = vf_fma(a[v], load(r->u + at + v * LANES, m), b[v]);
            store(r->out + at + v * LANES, vf_max(vf_set(0), y), m);
        }
}

static void kernel_norm_relu(float *y, const float *x, const float *a, const float *b, size_t rows,
                             size_t c)
{
    const struct residual_rows r = { .out = y, .u = x, .a = a, .b = b, .rows = rows, .c = c };
    STRIPS(norm_relu_strip, &r, c);
}

/* has_a, has_sa: constants of the caller. */
STRIP_INLINE void residual_strip_of(const struct residual_rows *r, size_t j, size_t m, size_t wide,
                                    int has_a, int has_sa)
{
    vf a[WIDE], sa[WIDE], b[WIDE];
    if (has_a) load_strip(a, r->a + j, m, wide);
    if (has_sa) load_strip(sa, r->sa + j, m, wide);
    EACH_VECTOR(v, wide) b[v] = r->b ? load(r->b + j + v * LANES, m) : vf_set(0);
    for (size_t i = 0, at = j; i < r->rows; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf u = load(r->u + at + v * LANES, m), s = load(r->s + at + v * LANES, m);
            vf y = u + b[v];
            if (has_a) y = vf_fma(a[v], u, b[v]);
            y = has_sa ? vf_fma(sa[v], s, y) : (vf)(y + s);
            store(r->out + at + v * LANES, vf_max(vf_set(0), y), m);
        }
}

STRIP_INLINE void residual_strip_both(const struct residual_rows *r, size_t j, size_t m,
                                      size_t wide)
{
    residual_strip_of(r, j, m, wide, 1, 1);
}

STRIP_INLINE void residual_strip_a(const struct residual_rows *r, size_t j, size_t m, size_t wide)
{
    residual_strip_of(r, j, m, wide, 1, 0);
}

STRIP_INLINE void residual_strip_plain(const struct residual_rows *r, size_t j, size_t m,
                                       size_t wide)
{
    residual_strip_of(r, j, m, wide, 0, 0);
}

static void kernel_residual(const struct residual_rows *rows)
{
    const struct residual_rows r = *rows; /* a copy that no store can change */
    if (r.a && r.sa)
        STRIPS(residual_strip_both, &r, r.c);
    else if (r.a)
        STRIPS(residual_strip_a, &r, r.c);
    else
        STRIPS(residual_strip_plain, &r, r.c);
}

STRIP_INLINE void residual_grad_strip_of(const struct residual_grad_rows *r, size_t j, size_t m,
                                         size_t wide, int has_u, int has_s)
{
    vf sum[WIDE], dot_u[WIDE], dot_s[WIDE], mean_u[WIDE], mean_s[WIDE];
    EACH_VECTOR(v, wide) sum[v] = r->sum ? load(r->sum + j + v * LANES, m) : vf_set(0);
    if (has_u) load_strip(dot_u, r->dot_u + j, m, wide), load_strip(mean_u, r->mean_u + j, m, wide);
    if (has_s) load_strip(dot_s, r->dot_s + j, m, wide), load_strip(mean_s, r->mean_s + j, m, wide);
    for (size_t i = 0, at = j; i < r->rows; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf g = load(r->g + at + v * LANES, m), out = load(r->out + at + v * LANES, m);
            g = vf_where(out > vf_set(0), g);
            store(r->g + at + v * LANES, g, m);
            sum[v] += g;
            if (has_u) dot_u[v] = vf_fma(g, load(r->u + at + v * LANES, m) - mean_u[v], dot_u[v]);
            if (has_s) dot_s[v] = vf_fma(g, load(r->s + at + v * LANES, m) - mean_s[v], dot_s[v]);
        }
    if (r->sum) store_strip(r->sum + j, sum, m, wide);
    if (has_u) store_strip(r->dot_u + j, dot_u, m, wide);
    if (has_s) store_strip(r->dot_s + j, dot_s, m, wide);
}

STRIP_INLINE void residual_grad_strip_both(const struct residual_grad_rows *r, size_t j, size_t m,
                                           size_t wide)
{
    residual_grad_strip_of(r, j, m, wide, 1, 1);
}

STRIP_INLINE void residual_grad_strip_u(const struct residual_grad_rows *r, size_t j, size_t m,
                                        size_t wide)
{
    residual_grad_strip_of(r, j, m, wide, 1, 0);
}

STRIP_INLINE void residual_grad_strip_s(const struct residual_grad_rows *r, size_t j, size_t m,
                                        size_t wide)
{
    residual_grad_strip_of(r, j, m, wide, 0, 1);
}

STRIP_INLINE void residual_grad_strip_plain(const struct residual_grad_rows *r, size_t j, size_t m,
                                            size_t wide)
{
    residual_grad_strip_of(r, j, m, wide, 0, 0);
}

static void kernel_residual_grad(const struct residual_grad_rows *rows)
{
    const struct residual_grad_rows r = *rows;
    if (r.dot_u && r.dot_s)
        STRIPS(residual_grad_strip_both, &r, r.c);
    else if (r.dot_u)
        STRIPS(residual_grad_strip_u, &r, r.c);
    else if (r.dot_s)
        STRIPS(residual_grad_strip_s, &r, r.c);
    else
        STRIPS(residual_grad_strip_plain, &r, r.c);
}

STRIP_INLINE void norm_relu_sums_strip(const struct norm_relu_sums *r, size_t j, size_t m,
                                       size_t wide)
{
    vf a[WIDE], b[WIDE], mean[WIDE], sum[WIDE], dot[WIDE];
    load_strip(a, r->a + j, m, wide);
    load_strip(b, r->b + j, m, wide);
    load_strip(mean, r->mean + j, m, wide);
    load_strip(sum, r->sum + j, m, wide);
    load_strip(dot, r->dot + j, m, wide);
    for (size_t i = 0, at = j; i < r->rows; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf x = load(r->x + at + v * LANES, m), g = load(r->dy + at + v * LANES, m);
            g = vf_where(vf_fma(a[v], x, b[v]) > vf_set(0), g);
            sum[v] += g;
            dot[v] = vf_fma(g, x - mean[v], dot[v]);
        }
    store_strip(r->sum + j, sum, m, wide);
    store_strip(r->dot + j, dot, m, wide);
}

static void kernel_norm_relu_sums(const struct norm_relu_sums *rows)
{
    const struct norm_relu_sums r = *rows;
    STRIPS(norm_relu_sums_strip, &r, r.c);
}

STRIP_INLINE void norm_grad_strip_of(const struct norm_grad_rows *r, size_t j, size_t m,
                                     size_t wide, int masked)
{
    vf alpha[WIDE], beta[WIDE], gamma[WIDE], a[WIDE], b[WIDE];
    load_strip(alpha, r->alpha + j, m, wide);
    load_strip(beta, r->beta + j, m, wide);
    load_strip(gamma, r->gamma + j, m, wide);
    if (masked) {
        load_strip(a, r->a + j, m, wide);
        load_strip(b, r->b + j, m, wide);
    }
    for (size_t i = 0, at = j; i < r->rows; i++, at += r->c) EACH_VECTOR(v, wide)
        {
            vf x = load(r->x + at + v * LANES, m), g = load(r->dy + at + v * LANES, m);
            if (masked) g = vf_where(vf_fma(a[v], x, b[v]) > vf_set(0), g);
            vf d = vf_fma(alpha[v], g, vf_fma(beta[v], x, gamma[v]));
            store(r->dx + at + v * LANES, d, m);
        }
}

STRIP_INLINE void norm_grad_strip_masked(const struct norm_grad_rows *r, size_t j, size_t m,
                                         size_t wide)
{
    norm_grad_strip_of(r, j, m, wide, 1);
}

STRIP_INLINE void norm_grad_strip_all(const struct norm_grad_rows *r, size_t j, size_t m,
                                      size_t wide)
{
    norm_grad_strip_of(r, j, m, wide, 0);
}

static void kernel_norm_grad(const struct norm_grad_rows *rows)
{
    const struct norm_grad_rows r = *rows;
    if (r.a)
        STRIPS(norm_grad_strip_masked, &r, r.c);
    else
        STRIPS(norm_grad_strip_all, &r, r.c);
}

#define FUSED_TABLE                                                                     \
    &(const struct fused_kernels)                                                       \
    {                                                                                   \
        .norm_relu = kernel_norm_relu, .residual = kernel_residual,                     \
        .residual_grad = kernel_residual_grad, .norm_relu_sums = kernel_norm_relu_sums, \
        .norm_grad = kernel_norm_grad,                                                  \
    }
