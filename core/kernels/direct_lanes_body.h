/* The inner loops for groups narrower than a vector, over the vector type vf; included by
 * direct_body.h. An input vector is spread out once for each channel of a group (a permutation of
 * lanes; none with groups of one) and then meets all the taps that use it. */

static const int32_t lanes_count[DIRECT_LANES] = { 0, 1, 2,  3,  4,  5,  6,  7,
                                                   8, 9, 10, 11, 12, 13, 14, 15 };

/* Lane l takes channel `channel` of its group; groups are of 1, 2, 4, ... lanes. */
INLINE vi lanes_of_group(int group, int channel)
{
    vi l;
    memcpy(&l, lanes_count, sizeof l);
    return (l & -group) + channel;
}

INLINE vf lanes_load(const float *p, int valid)
{
    return valid < LANES ? vf_load_part(p, (size_t)valid) : vf_load(p);
}

INLINE void lanes_store(float *p, vf v, int valid)
{
    if (valid < LANES)
        vf_store_part(p, v, (size_t)valid);
    else
        vf_store(p, v);
}

/* y at a pixel, or y += it: any case. */
INLINE void lanes_write(const struct direct_lanes *t, ptrdiff_t at, int valid, vf *sum)
{
    float *y = (float *)t->y + at;
    bf16 *y16 = (bf16 *)t->y + at;
    if (!t->narrow) {
        if (t->add) *sum += lanes_load(y, valid);
        lanes_store(y, *sum, valid);
    } else if (valid < LANES) {
        if (t->add) *sum += vf_load_bf16_part(y16, (size_t)valid);
        vf_store_bf16_part(y16, *sum, (size_t)valid);
    } else {
        if (t->add) *sum += vf_load_bf16(y16);
        vf_store_bf16(y16, *sum);
    }
}

enum { LANES_LINE = DIRECT_LINE / 4 / LANES }; /* vectors of a line */

/* All pixels of a tile past the caches. Halves of a line, stored with those of other pixels
 * between, would leave it as they come: all but the last wait in `near`. */
INLINE void lanes_stream(const int pixels, const struct direct_lanes *t, int n, vf *near, vf *sums)
{
    const ptrdiff_t step = t->y_pixel;
    const int part = n / LANES % LANES_LINE;
    float *y = (float *)t->y + n;
    if (part < LANES_LINE - 1)
        REPEAT (p, 0, pixels) near[part * pixels + p] = sums[p];
    else
        REPEAT (p, 0, pixels) {
            REPEAT (i, 0, LANES_LINE - 1)
                vf_stream(y + p * step - (LANES_LINE - 1 - i) * LANES, near[i * pixels + p]);
            vf_stream(y + p * step, sums[p]);
        }
}

/* All pixels of a tile, a vector from channel n; whole vectors of floats, the usual case, without a
 * question for each. */
INLINE void lanes_write_all(const int pixels, const struct direct_lanes *t, int n, vf *near,
                            vf *sums)
{
    const int valid = t->channels - n;
    const bool whole = valid >= LANES && !t->narrow && !t->add;
    const ptrdiff_t step = t->y_pixel;
    float *y = (float *)t->y + n;
    if (t->stream)
        lanes_stream(pixels, t, n, near, sums);
    else if (whole)
        REPEAT (p, 0, pixels) vf_store(y + p * step, sums[p]);
    else
        REPEAT (p, 0, pixels) lanes_write(t, p * step + n, valid, &sums[p]);
}

/* A vector of channels from n. */
INLINE void lanes_vector(const int pixels, const int span, const int stride, const bool spread,
                         const struct direct_lanes *t, int n, vf *near, struct direct_ahead *ahead)
{
    vf sums[DIRECT_ROWS];
    const int valid = t->channels - n;
    int lines = t->ahead_lines < ahead->left ? t->ahead_lines : ahead->left;
    const vf start = t->start ? lanes_load(t->start + n, valid) : (vf){ 0 };
    const ptrdiff_t pixel = t->x_pixel, column = t->w_column;
    REPEAT (p, 0, pixels) sums[p] = start;
    for (int i = 0; i < (spread ? t->group : 1); i++) {
        const vi from = spread ? lanes_of_group(t->group, i) : (vi){ 0 };
        for (int r = 0; r < t->rows; r++) {
            const float *x = t->x + t->x_rows[r] + n,
                        *at = t->w + t->w_rows[r] + i * t->w_channel + n;
            vf w[3];
            REPEAT (s, 0, span) {
                ahead_line(ahead, &lines, false);
                w[s] = vf_load(at + s * column);
            }
            REPEAT (q, 0, (pixels - 1) * stride + span) {
                vf v = vf_load(x + q * pixel);
                if (spread) v = vf_permute(v, from);
                REPEAT (s, 0, span)
                    if (q >= s && (q - s) % stride == 0 && (q - s) / stride < pixels)
                        sums[(q - s) / stride] = vf_accumulate(v, w[s], sums[(q - s) / stride]);
            }
        }
    }
    lanes_write_all(pixels, t, n, near, sums);
    if (!t->sum) return;
    vf sum = lanes_load(t->sum + n, valid), square = lanes_load(t->square + n, valid);
    vf more = { 0 }, squares = { 0 };
    REPEAT (p, 0, pixels) more += sums[p], squares = vf_fma(sums[p], sums[p], squares);
    lanes_store(t->sum + n, sum + more, valid);
    lanes_store(t->square + n, square + squares, valid);
}

INLINE void lanes_tile_body(const int pixels, const int span, const int stride, const bool spread,
                            const struct direct_lanes *t)
{
    int lines = t->ahead_lines;
    struct direct_ahead ahead = ahead_begin(t->ahead, &lines);
    vf near[DIRECT_ROWS * LANES_LINE] = { { 0 } };
    for (int n = 0; n < t->channels; n += LANES)
        lanes_vector(pixels, span, stride, spread, t, n, near, &ahead);
    if (t->ahead_lines) *t->ahead = ahead;
}

/* One column of the x that the taps of kernel row `row` meet: adds its products with one pixel of
 * dy to the sums of tap s. */
INLINE void lanes_outer(const int group, vf x, vf dy, vf *sums)
{
    REPEAT (i, 0, group)
        sums[i] = vf_fma(group > 1 ? vf_permute(x, lanes_of_group(group, i)) : x, dy, sums[i]);
}

/* kernel_rows x span taps of groups of `group`; stride 0: any. Kept in registers over all pixels.
 */
INLINE void lanes_weights_body(const int kernel_rows, const int span, const int stride,
                               const int group, const int valid,
                               const struct direct_lanes_weights *t)
{
    const ptrdiff_t step = (stride ? stride : t->stride) * t->x_pixel;
    vf sums[9][8];
    REPEAT (m, 0, kernel_rows * span)
        REPEAT (i, 0, group) sums[m][i] = vf_load(t->d + (m * group + i) * t->d_row);
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + t->x_rows[r], *dy = t->dy + t->dy_rows[r];
        for (int p = 0; p < t->pixels; p++, x += step, dy += t->dy_pixel) {
            const vf d = lanes_load(dy, valid);
            REPEAT (k, 0, kernel_rows)
                REPEAT (s, 0, span)
                    lanes_outer(group, vf_load(x + k * t->x_row + s * t->x_pixel), d,
                                sums[k * span + s]);
        }
    }
    REPEAT (m, 0, kernel_rows * span)
        REPEAT (i, 0, group) vf_store(t->d + (m * group + i) * t->d_row, sums[m][i]);
}

/* x, spread out for each channel of the groups, times the pixels of dy that meet it: dy[s] with tap
 * s, for those of the `taps` bits. */
INLINE void lanes_spread(const int group, const int taps, vf x, const vf *dy, vf (*sums)[8])
{
    REPEAT (i, 0, group) {
        const vf v = vf_permute(x, lanes_of_group(group, i));
        REPEAT (s, 0, 3)
            if (taps >> s & 1) sums[s][i] = vf_fma(v, dy[s], sums[s][i]);
    }
}

/* Three taps of one kernel row of groups of several channels. Goes along the pixels of x, so that
 * each is spread out once, and keeps the pixels of dy that it meets. */
INLINE void lanes_triple_body(const int stride, const int group, const int valid,
                              const struct direct_lanes_weights *t)
{
    vf sums[3][8];
    REPEAT (s, 0, 3)
        REPEAT (i, 0, group) sums[s][i] = vf_load(t->d + (s * group + i) * t->d_row);
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + t->x_rows[r], *at = t->dy + t->dy_rows[r];
        vf dy[3] = { { 0 }, { 0 }, { 0 } }; /* dy[s]: of the output pixel whose tap s is here */
        for (int p = 0; p < t->pixels; p++, at += t->dy_pixel, x += stride * t->x_pixel) {
            dy[2] = stride == 1 ? dy[1] : dy[0];
            dy[1] = dy[0];
            dy[0] = lanes_load(at, valid);
            lanes_spread(group, stride == 1 ? 7 : 5, vf_load(x), dy, sums);
            if (stride == 1) continue;
            dy[1] = dy[0]; /* the odd pixel is tap 1 of the same output pixel */
            lanes_spread(group, 2, vf_load(x + t->x_pixel), dy, sums);
        }
        dy[2] = stride == 1 ? dy[1] : dy[0];
        dy[1] = dy[0];
        lanes_spread(group, stride == 1 ? 6 : 4, vf_load(x), dy, sums);
        dy[2] = dy[1];
        if (stride == 1) lanes_spread(group, 4, vf_load(x + t->x_pixel), dy, sums);
    }
    REPEAT (s, 0, 3)
        REPEAT (i, 0, group) vf_store(t->d + (s * group + i) * t->d_row, sums[s][i]);
}

#define LANES_TILE(spread, span, stride, name, pixels)                        \
    static __attribute__((noinline)) void lanes_##spread##_##name##_##pixels( \
        const struct direct_lanes *t)                                         \
    {                                                                         \
        lanes_tile_body(pixels, span, stride, spread, t);                     \
    }
#define LANES_WEIGHTS(kernel_rows, span, stride, group)                              \
    static __attribute__((noinline)) void lanes_weights_##span##_##stride##_##group( \
        const struct direct_lanes_weights *t)                                        \
    {                                                                                \
        if (t->valid < LANES)                                                        \
            lanes_weights_body(kernel_rows, span, stride, group, t->valid, t);       \
        else                                                                         \
            lanes_weights_body(kernel_rows, span, stride, group, LANES, t);          \
    }

#define LANES_TRIPLES(stride, group)                                          \
    static __attribute__((noinline)) void lanes_weights_3_##stride##_##group( \
        const struct direct_lanes_weights *t)                                 \
    {                                                                         \
        if (t->valid < LANES)                                                 \
            lanes_triple_body(stride, group, t->valid, t);                    \
        else                                                                  \
            lanes_triple_body(stride, group, LANES, t);                       \
    }

#define LANES_TILES(spread, pixels)          \
    LANES_TILE(spread, 1, 1, ONE, pixels)    \
    LANES_TILE(spread, 2, 1, PAIR, pixels)   \
    LANES_TILE(spread, 3, 1, TRIPLE, pixels) \
    LANES_TILE(spread, 3, 2, TRIPLE_2, pixels)

#define LANES_EACH(f, a) f(a, 1) f(a, 2) f(a, 3) f(a, 4) f(a, 7) f(a, 8) LANES_MORE(f, a)
#if TILE_WIDE >= 14
#define LANES_MORE(f, a) f(a, 14)
#define LANES_PIXELS         \
    {                        \
        14, 8, 7, 4, 3, 2, 1 \
    }
#else
#define LANES_MORE(f, a)
#define LANES_PIXELS     \
    {                    \
        8, 7, 4, 3, 2, 1 \
    }
#endif

LANES_EACH(LANES_TILES, 0)
LANES_EACH(LANES_TILES, 1)
LANES_WEIGHTS(1, 1, 0, 1)
LANES_WEIGHTS(3, 3, 1, 1)
LANES_WEIGHTS(3, 3, 2, 1)
LANES_WEIGHTS(1, 1, 0, 4)
LANES_TRIPLES(1, 4)
LANES_TRIPLES(2, 4)
LANES_WEIGHTS(1, 1, 0, 8)
LANES_TRIPLES(1, 8)
LANES_TRIPLES(2, 8)

#define ROW_LANES_ONE(spread, pixels) [pixels] = lanes_##spread##_ONE_##pixels,
#define ROW_LANES_PAIR(spread, pixels) [pixels] = lanes_##spread##_PAIR_##pixels,
#define ROW_LANES_TRIPLE(spread, pixels) [pixels] = lanes_##spread##_TRIPLE_##pixels,
#define ROW_LANES_TRIPLE_2(spread, pixels) [pixels] = lanes_##spread##_TRIPLE_2_##pixels,
#define LANES_TABLE(spread)                                                                       \
    {                                                                                             \
        { LANES_EACH(ROW_LANES_ONE, spread) }, { LANES_EACH(ROW_LANES_PAIR, spread) },            \
            { LANES_EACH(ROW_LANES_TRIPLE, spread) }, { LANES_EACH(ROW_LANES_TRIPLE_2, spread) }, \
    }
#define LANES_WEIGHTS_TABLE(group)                                                            \
    {                                                                                         \
        lanes_weights_1_0_##group, NULL, lanes_weights_3_1_##group, lanes_weights_3_2_##group \
    }
