/* The inner loops for groups narrower than a vector, over the vector type vf; included by
 * tiles_body.h. An input vector is spread out once for each channel of a group (a permutation of
 * lanes; none with groups of one) and then meets all the taps that use it. */

static const int32_t depthwise_count[DIRECT_LANES] = { 0, 1, 2,  3,  4,  5,  6,  7,
                                                       8, 9, 10, 11, 12, 13, 14, 15 };

/* Lane l takes channel `channel` of its group; groups are of 1, 2, 4, ... lanes. */
INLINE vi lanes_of_group(int group, int channel)
{
    vi l;
    memcpy(&l, depthwise_count, sizeof l);
    return (l & -group) + channel;
}

INLINE vf depthwise_load(const float *p, int valid)
{
    return valid < LANES ? vf_load_part(p, (size_t)valid) : vf_load(p);
}

INLINE void depthwise_store(float *p, vf v, int valid)
{
    if (valid < LANES)
        vf_store_part(p, v, (size_t)valid);
    else
        vf_store(p, v);
}

/* y at a pixel, or y += it: any case. */
INLINE void depthwise_write(const struct direct_depthwise *t, ptrdiff_t at, int valid, vf *sum)
{
    float *y = (float *)t->y + at;
    bf16 *y16 = (bf16 *)t->y + at;
    if (!t->narrow) {
        if (t->add) *sum += depthwise_load(y, valid);
        depthwise_store(y, *sum, valid);
    } else if (valid < LANES) {
        if (t->add) *sum += vf_load_bf16_part(y16, (size_t)valid);
        vf_store_bf16_part(y16, *sum, (size_t)valid);
    } else {
        if (t->add) *sum += vf_load_bf16(y16);
        vf_store_bf16(y16, *sum);
    }
}

enum { DEPTHWISE_LINE = DIRECT_LINE / 4 / LANES }; /* vectors of a line */

/* All pixels of a tile past the caches. A streaming store of half a line is written out alone: the
 * first vectors of a line wait in `near` until its last one is ready. */
INLINE void depthwise_stream(const int pixels, const struct direct_depthwise *t, int n, vf *near,
                             vf *sums)
{
    const ptrdiff_t step = t->y_pixel;
    const int part = n / LANES % DEPTHWISE_LINE;
    float *y = (float *)t->y + n;
    if (part < DEPTHWISE_LINE - 1)
        REPEAT (p, 0, pixels) near[part * pixels + p] = sums[p];
    else
        REPEAT (p, 0, pixels) {
            REPEAT (i, 0, DEPTHWISE_LINE - 1)
                vf_stream(y + p * step - (DEPTHWISE_LINE - 1 - i) * LANES, near[i * pixels + p]);
            vf_stream(y + p * step, sums[p]);
        }
}

/* All pixels of a tile, a vector from channel n; whole vectors of floats, the usual case, without a
 * question for each. */
INLINE void depthwise_write_all(const int pixels, const struct direct_depthwise *t, int n, vf *near,
                                vf *sums)
{
    const int valid = t->channels - n;
    const bool whole = valid >= LANES && !t->narrow && !t->add;
    const ptrdiff_t step = t->y_pixel;
    float *y = (float *)t->y + n;
    if (t->stream)
        depthwise_stream(pixels, t, n, near, sums);
    else if (whole)
        REPEAT (p, 0, pixels) vf_store(y + p * step, sums[p]);
    else
        REPEAT (p, 0, pixels) depthwise_write(t, p * step + n, valid, &sums[p]);
}

/* The pixels of y, a vector from channel n. */
INLINE void depthwise_read_all(const int pixels, const struct direct_depthwise *t, int n, vf *y)
{
    const int valid = t->channels - n;
    const float *wide = (const float *)t->y + n;
    const bf16 *narrow = (const bf16 *)t->y + n;
    const ptrdiff_t step = t->y_pixel;
    if (t->narrow)
        REPEAT (p, 0, pixels) {
            const bf16 *from = narrow + p * step;
            y[p] = valid < LANES ? vf_load_bf16_part(from, (size_t)valid) : vf_load_bf16(from);
        }
    else if (valid < LANES)
        REPEAT (p, 0, pixels) y[p] = vf_load_part(wide + p * step, (size_t)valid);
    else
        REPEAT (p, 0, pixels) y[p] = vf_load(wide + p * step);
}

/* A vector of channels from n: y from x and w, or (outer) what y and x add to dw. Either y or the
 * taps of a kernel row are sums; the other stays in registers while x passes by. */
INLINE void depthwise_vector(const bool outer, const int pixels, const int span, const int stride,
                             const bool spread, const struct direct_depthwise *t, int n, vf *near,
                             struct direct_ahead *ahead)
{
    vf y[DIRECT_ROWS];
    const int valid = t->channels - n;
    int lines = t->ahead_lines < ahead->left ? t->ahead_lines : ahead->left;
    const ptrdiff_t pixel = t->x_pixel, column = t->w_column;
    const vf start = !outer && t->start ? depthwise_load(t->start + n, valid) : (vf){ 0 };
    REPEAT (p, 0, pixels) y[p] = start;
    if (outer) depthwise_read_all(pixels, t, n, y);
    for (int i = 0; i < (spread ? t->group : 1); i++) {
        const vi from = spread ? lanes_of_group(t->group, i) : (vi){ 0 };
        for (int r = 0; r < t->rows; r++) {
            const ptrdiff_t at = t->w_rows[r] + i * t->w_channel + n;
            const float *x = t->x + t->x_rows[r] + n, *taps = (outer ? t->dw : t->w) + at;
            vf w[3];
            REPEAT (s, 0, span) {
                ahead_line(ahead, &lines, false);
                w[s] = vf_load(taps + s * column);
            }
            REPEAT (q, 0, (pixels - 1) * stride + span) {
                vf v = vf_load(x + q * pixel);
                if (spread) v = vf_permute(v, from);
                REPEAT (s, 0, span) {
                    const int p = (q - s) / stride;
                    if (q < s || (q - s) % stride || p >= pixels) continue;
                    if (outer)
                        w[s] = vf_accumulate(v, y[p], w[s]);
                    else
                        y[p] = vf_accumulate(v, w[s], y[p]);
                }
            }
            if (outer)
                REPEAT (s, 0, span) vf_store(t->dw + at + s * column, w[s]);
        }
    }
    if (outer) return;
    depthwise_write_all(pixels, t, n, near, y);
    if (!t->sum) return;
    vf sum = depthwise_load(t->sum + n, valid), square = depthwise_load(t->square + n, valid);
    vf more = { 0 }, squares = { 0 };
    REPEAT (p, 0, pixels) more += y[p], squares = vf_fma(y[p], y[p], squares);
    depthwise_store(t->sum + n, sum + more, valid);
    depthwise_store(t->square + n, square + squares, valid);
}

INLINE void depthwise_body(const bool outer, const int pixels, const int span, const int stride,
                           const bool spread, const struct direct_depthwise *t)
{
    int lines = t->ahead_lines;
    struct direct_ahead ahead = ahead_begin(t->ahead, &lines);
    vf near[DIRECT_ROWS * DEPTHWISE_LINE] = {
        { 0 }
    }; /* gcc does not see that it is written first */
    for (int n = 0; n < t->channels; n += LANES)
        depthwise_vector(outer, pixels, span, stride, spread, t, n, near, &ahead);
    if (t->ahead_lines) *t->ahead = ahead;
}

#define DEPTHWISE_TILE(spread, span, stride, name, pixels)                          \
    static __attribute__((noinline)) void lanes_TILE_##spread##_##name##_##pixels(  \
        const struct direct_depthwise *t)                                           \
    {                                                                               \
        depthwise_body(false, pixels, span, stride, spread, t);                     \
    }                                                                               \
    static __attribute__((noinline)) void lanes_OUTER_##spread##_##name##_##pixels( \
        const struct direct_depthwise *t)                                           \
    {                                                                               \
        depthwise_body(true, pixels, span, stride, spread, t);                      \
    }

#define DEPTHWISE_TILES(spread, pixels)          \
    DEPTHWISE_TILE(spread, 1, 1, ONE, pixels)    \
    DEPTHWISE_TILE(spread, 2, 1, PAIR, pixels)   \
    DEPTHWISE_TILE(spread, 3, 1, TRIPLE, pixels) \
    DEPTHWISE_TILE(spread, 3, 2, TRIPLE_2, pixels)

#define DEPTHWISE_COUNTS(f, ...)                                                              \
    f(__VA_ARGS__, 1) f(__VA_ARGS__, 2) f(__VA_ARGS__, 3) f(__VA_ARGS__, 4) f(__VA_ARGS__, 7) \
        f(__VA_ARGS__, 8) DEPTHWISE_MORE(f, __VA_ARGS__)
#if TILE_WIDE >= 14
#define DEPTHWISE_MORE(f, ...) f(__VA_ARGS__, 14)
#define DEPTHWISE_PIXELS     \
    {                        \
        14, 8, 7, 4, 3, 2, 1 \
    }
#else
#define DEPTHWISE_MORE(f, ...)
#define DEPTHWISE_PIXELS \
    {                    \
        8, 7, 4, 3, 2, 1 \
    }
#endif

DEPTHWISE_COUNTS(DEPTHWISE_TILES, 0)
DEPTHWISE_COUNTS(DEPTHWISE_TILES, 1)

#define ROW_LANES(spread, kind, span, pixels) \
    [pixels] = lanes_##kind##_##spread##_##span##_##pixels,
#define DEPTHWISE_ROW(spread, kind, span)               \
    {                                                   \
        DEPTHWISE_COUNTS(ROW_LANES, spread, kind, span) \
    }
#define DEPTHWISE_TABLE(spread, kind)                                                   \
    {                                                                                   \
        DEPTHWISE_ROW(spread, kind, ONE), DEPTHWISE_ROW(spread, kind, PAIR),            \
            DEPTHWISE_ROW(spread, kind, TRIPLE), DEPTHWISE_ROW(spread, kind, TRIPLE_2), \
    }
