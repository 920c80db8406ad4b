/* Weight gradients of dense convolutions: dw[tap][c][k] += sum over output pixels of x dy. A task
 * owns a block of input channels x output channels, and one of `parts` of the output rows where
 * there are few blocks. It walks its rows in pieces: copies the piece's input with its zero border,
 * lays dy out in panels, and adds the outer products of the piece to its block of dw. Where parts
 * > 1, the blocks are partial sums in work, added up in order afterwards.
 *
 * Where x and dy are bf16, images go two by two: the copies hold pairs of the same channel of two
 * images (image_pairs), half as many "images" of elements, and nothing else changes. The last image
 * of an odd number is paired with zeros.
 *
 * Letters: M = kw * channels, the cells of one kernel row that one pixel of dy meets. */
#include "core/base/parallel.h"
#include "core/kernels/conv/direct/dense.h"
#include "core/kernels/conv/direct/panels.h"
#include "core/kernels/tiles/tiles.h"
#include <string.h>

enum {
    PIECE_PIXELS = 224,   /* of one piece, about: a panel of dy (28 KiB) stays in the first-level
                           * cache   while the block's rows of x pass by, and the sums (loaded and
                           * stored once   a piece) cost 2 moves in 224 multiplications */
    POINT_CHANNELS = 256, /* of a block: a 1x1 kernel's, */
    TAPS_CHANNELS = 64,   /* any other's where there are more than TAPS_ALL, */
    TAPS_ALL = 128,
    BLOCK_COLUMNS = 256, /* output channels of a block */
};

struct dense_weights {
    const struct direct_isa *isa;
    const struct conv_shape *s;
    const struct conv_call *call;
    bool image_pairs;
    int images;            /* n, or pairs of them */
    bool point;            /* a 1x1 kernel: the copy of x leaves out what no tap reads */
    bool in_place;         /* ... and x, of few channels, is read where it stands */
    bool swapped;          /* few output channels: vectors run along M, dy is the other factor */
    int depth, width;      /* input and output channels of a group */
    int channels, columns; /* of a block at most */
    int channel_blocks, column_blocks, blocks; /* of a group, and in all */
    int parts;                                 /* of the output rows */
    int piece_rows;                            /* output rows of a piece at most */
    ptrdiff_t block_len;                       /* floats of a block */
    float *partial;                            /* [parts][blocks][block_len] */
};

/* One block: which channels, where they lie in dw. d is [columns / width][kh][M][width]; swapped,
 * it is [M / width][kh][columns][width]. */
struct dense_weights_block {
    const struct dense_weights *w;
    int from, channels;  /* input channels */
    int row;             /* the first of them in its group */
    int column, columns; /* output channels */
    float *d;
};

/* Output rows [row, row + rows) of all images, numbered image * oh + y, of one block; the scratch
 * that holds them. */
struct dense_weights_piece {
    int row, rows;
    int pixels;          /* rows * ow */
    int lines, line;     /* pixels again, as lines x line: what lies without a gap in x is a line */
    const float *x, *dy; /* the copies, or the tensors */
    ptrdiff_t dy_pixel;  /* swapped: from a pixel of dy to the next */
    ptrdiff_t *x_rows;   /* where each row's pixels begin in x */
    ptrdiff_t *dy_rows;  /* and in a panel of dy */
    bool first;
    struct direct_ahead next[4]; /* x and dy of the piece after this one, of both image_pairs */
    int next_lines;              /* of them for each outer product */
};

static int dense_weights_m(const struct dense_weights_block *b)
{
    return b->w->s->kw * b->channels;
}

static struct dense_weights dense_weights_plan(const struct conv_shape *s,
                                               const struct conv_call *c)
{
    struct dense_weights w = { .isa = direct_isa(), .s = s, .call = c };
    w.image_pairs = s->pairs && s->n > 1;
    w.images = w.image_pairs ? direct_div_up(s->n, 2) : s->n;
    const int lanes = w.isa->lanes, rows = w.images * s->oh;
    w.point = s->kh == 1 && s->kw == 1;
    w.depth = s->c / s->groups, w.width = s->k / s->groups;
    w.channels = w.point                                      ? POINT_CHANNELS
                 : w.depth <= TAPS_ALL && w.width <= TAPS_ALL ? TAPS_ALL
                                                              : TAPS_CHANNELS;
    w.channels = direct_min(w.channels, w.depth);
    w.columns = direct_min(BLOCK_COLUMNS, w.width);
    w.swapped = w.width <= lanes && s->kw * w.channels >= 2 * lanes;
    w.in_place = w.point && s->stride == 1 && s->pad_top == 0 && s->pad_left == 0 &&
                 s->oh == s->h && s->ow == s->w && !s->bf16_x && !c->in_scale && !w.swapped &&
                 s->c <= POINT_CHANNELS;
    w.channel_blocks = direct_div_up(w.depth, w.channels);
    w.column_blocks = direct_div_up(w.width, w.columns);
    w.blocks = s->groups * w.channel_blocks * w.column_blocks;
    w.piece_rows = direct_max(1, direct_min(rows, PIECE_PIXELS / s->ow));
    w.parts = direct_div_up(DIRECT_TASKS, w.blocks);
    w.parts = direct_min(w.parts, direct_div_up(rows, w.piece_rows));
    const int m = s->kw * w.channels;
    w.block_len = (ptrdiff_t)s->kh * (w.swapped ? direct_round_up(m, lanes) * w.columns
                                                : direct_round_up(w.columns, lanes) * m);
    return w;
}

/* The copy of x that `rows` output rows of one image see. */
static int dense_weights_window_rows(const struct dense_weights *w, int rows)
{
    return w->point ? rows : (rows - 1) * w->s->stride + w->s->kh;
}

static int dense_weights_window_cols(const struct dense_weights *w)
{
    return w->point ? w->s->ow : (w->s->ow - 1) * w->s->stride + w->s->kw;
}

/* How the copies of a tensor are made. */
static enum direct_kind dense_weights_kind(const struct dense_weights *w, bool is_bf16)
{
    return w->image_pairs ? DIRECT_IMAGE_PAIRS : is_bf16 ? DIRECT_WIDEN : DIRECT_FLOATS;
}

/* Channel 0 of an image of x, or of a pixel of an image of dy; NULL for a second image that is not
 * there.
 */
static const void *dense_weights_x(const struct dense_weights *w, int image)
{
    const struct conv_shape *s = w->s;
    if (image >= s->n) return NULL;
    return (const char *)w->call->x +
           direct_bytes(s->bf16_x, (ptrdiff_t)image * s->h * s->w * s->c);
}

static const void *dense_weights_dy(const struct dense_weights *w, int image, int pixel)
{
    const struct conv_shape *s = w->s;
    if (image >= s->n) return NULL;
    return (const char *)w->call->dy +
           direct_bytes(s->bf16_y, ((ptrdiff_t)image * s->oh * s->ow + pixel) * s->k);
}

/* Copies the input of the piece, image by image, and notes where rows begin. */
static float *piece_copy_x(const struct dense_weights_block *b, struct dense_weights_piece *p,
                           float *scratch)
{
    const struct dense_weights *w = b->w;
    const struct conv_shape *s = w->s;
    const ptrdiff_t cols = dense_weights_window_cols(w) * (ptrdiff_t)b->channels;
    ptrdiff_t at = 0;
    for (int r = 0; r < p->rows;) {
        const int image = (p->row + r) / s->oh, y = (p->row + r) % s->oh;
        const int rows = direct_min(s->oh - y, p->rows - r),
                  window = dense_weights_window_rows(w, rows);
        direct_window_copy(
            &(struct direct_window){
                .isa = w->isa,
                .kind = dense_weights_kind(w, s->bf16_x),
                .x = dense_weights_x(w, w->image_pairs ? 2 * image : image),
                .x2 = w->image_pairs ? dense_weights_x(w, 2 * image + 1) : NULL,
                .h = s->h,
                .w = s->w,
                .c = s->c,
                .row = y * s->stride - s->pad_top,
                .col = -s->pad_left,
                .rows = window,
                .cols = dense_weights_window_cols(w),
                .step = w->point ? s->stride : 1,
                .from = b->from,
                .channels = b->channels,
                .pixel = b->channels,
                .scale = w->call->in_scale,
                .shift = w->call->in_shift,
                .cap = w->call->in_cap,
            },
            scratch + at);
        for (int i = 0; i < rows && !w->point; i++) p->x_rows[r + i] = at + i * s->stride * cols;
        r += rows;
        at += window * cols;
    }
    p->x = scratch;
    return scratch + at;
}

/* Output channels [column, column + valid) of the piece's dy, image by image. */
static void piece_copy_columns(const struct dense_weights *w, const struct dense_weights_piece *p,
                               int column, int valid, float *out, int out_pixel)
{
    const struct conv_shape *s = w->s;
    for (int r = 0, rows; r < p->rows; r += rows, out += (ptrdiff_t)rows * s->ow * out_pixel) {
        const int image = (p->row + r) / s->oh, y = (p->row + r) % s->oh;
        const void *dy = dense_weights_dy(w, w->image_pairs ? 2 * image : image, y * s->ow);
        const void *dy2 = w->image_pairs ? dense_weights_dy(w, 2 * image + 1, y * s->ow) : NULL;
        const ptrdiff_t from = direct_bytes(s->bf16_y, column);
        rows = direct_min(s->oh - y, p->rows - r);
        w->isa->copy[dense_weights_kind(w, s->bf16_y)](&(struct direct_copy){
            .out = out,
            .x = (const char *)dy + from,
            .x2 = dy2 ? (const char *)dy2 + from : NULL,
            .out_pixel = out_pixel,
            .x_pixel = s->k,
            .pixels = rows * s->ow,
            .c = valid,
        });
    }
}

/* Lays the piece's dy out in panels of two vectors, [columns / width][pixels][width], the last one
 * filled up with zeros. */
static void piece_copy_dy(const struct dense_weights_block *b, struct dense_weights_piece *p,
                          float *scratch)
{
    for (int n0 = 0; n0 < b->columns; n0 += 2 * b->w->isa->lanes) {
        const int width = direct_panel_width(b->w->isa, b->columns, n0);
        const int valid = direct_min(width, b->columns - n0);
        float *panel = scratch + (ptrdiff_t)n0 * p->pixels;
        if (valid < width) memset(panel, 0, (size_t)p->pixels * (size_t)width * sizeof *panel);
        piece_copy_columns(b->w, p, b->column + n0, valid, panel, width);
    }
    p->dy = scratch;
}

/* All M rows of an outer product, as many at once as registers hold. */
static void piece_outer(const struct dense_weights_block *b, struct dense_weights_piece *p,
                        const struct direct_outer *all, int vectors, int m)
{
    const struct direct_isa *isa = b->w->isa;
    const int count = direct_div_up(m, isa->outer_rows[vectors]);
    struct direct_outer o = *all;
    o.ahead = p->next, o.ahead_lines = p->next_lines;
    for (int i = 0; i < count; i++) {
        const int rows = direct_part(m, count, i);
        for (int n = 0; n < 4 && !o.ahead->left; n++) o.ahead = &p->next[n];
        isa->outer[b->w->image_pairs][vectors][rows](&o);
        o.a += rows, o.d += rows * o.d_row;
    }
}

/* Floats from a pixel of a line of x to the next. */
static ptrdiff_t piece_x_pixel(const struct dense_weights_block *b)
{
    if (b->w->in_place) return b->w->s->c;
    return (b->w->point ? 1 : b->w->s->stride) * (ptrdiff_t)b->channels;
}

/* Vectors along the output channels: d[M][width] for each kernel row and panel of dy. */
static void piece_plain(const struct dense_weights_block *b, struct dense_weights_piece *p)
{
    const int lanes = b->w->isa->lanes, m = dense_weights_m(b), kh = b->w->s->kh;
    const ptrdiff_t row = (ptrdiff_t)dense_weights_window_cols(b->w) * b->channels;
    for (int n0 = 0; n0 < b->columns; n0 += 2 * lanes) {
        const int width = direct_panel_width(b->w->isa, b->columns, n0);
        for (int i = 0; i < p->lines; i++) p->dy_rows[i] = (ptrdiff_t)i * p->line * width;
        for (int y = 0; y < kh; y++)
            piece_outer(b, p,
                        &(struct direct_outer){
                            .a = p->x + y * row,
                            .a_rows = p->x_rows,
                            .a_pixel = piece_x_pixel(b),
                            .b = p->dy + (ptrdiff_t)n0 * p->pixels,
                            .b_rows = p->dy_rows,
                            .b_pixel = width,
                            .rows = p->lines,
                            .pixels = p->line,
                            .d = b->d + ((ptrdiff_t)n0 * kh + (ptrdiff_t)y * width) * m,
                            .d_row = width,
                            .add = !p->first,
                        },
                        width / lanes, m);
    }
}

/* Vectors along M: the same with the factors' roles exchanged, d[columns][width]. The last vector
 * may reach into the next pixel; what it sums there is never read. */
static int swapped_vectors(const struct dense_weights_block *b, int n0)
{
    const int left = direct_div_up(dense_weights_m(b) - n0, b->w->isa->lanes);
    return left == 3 || left > 4 ? 3 : direct_min(left, 2);
}

static void piece_swapped(const struct dense_weights_block *b, struct dense_weights_piece *p)
{
    const int lanes = b->w->isa->lanes, m = dense_weights_m(b), kh = b->w->s->kh;
    const ptrdiff_t row = (ptrdiff_t)dense_weights_window_cols(b->w) * b->channels;
    for (int i = 0; i < p->lines; i++) p->dy_rows[i] = (ptrdiff_t)i * p->line * p->dy_pixel;
    for (int n0 = 0, width; n0 < m; n0 += width) {
        width = swapped_vectors(b, n0) * lanes;
        for (int y = 0; y < kh; y++)
            piece_outer(b, p,
                        &(struct direct_outer){
                            .a = p->dy,
                            .a_rows = p->dy_rows,
                            .a_pixel = p->dy_pixel,
                            .b = p->x + y * row + n0,
                            .b_rows = p->x_rows,
                            .b_pixel = piece_x_pixel(b),
                            .rows = p->lines,
                            .pixels = p->line,
                            .d = b->d + ((ptrdiff_t)n0 * kh + (ptrdiff_t)y * width) * b->columns,
                            .d_row = width,
                            .add = !p->first,
                        },
                        width / lanes, b->columns);
    }
}

/* What the next piece will read, and how much of it each outer product of this one asks for. */
static void piece_look_ahead(const struct dense_weights_block *b, struct dense_weights_piece *p,
                             int rows)
{
    const struct dense_weights *w = b->w;
    const struct conv_shape *s = w->s;
    const int row = p->row + p->rows, y = row % s->oh * s->stride;
    const int calls = s->kh * direct_div_up(b->columns, 2 * w->isa->lanes) *
                      direct_div_up(dense_weights_m(b), w->isa->outer_rows[2]);
    const int image = row / s->oh, image_pairs = w->image_pairs ? 2 : 1,
              pixel = row % s->oh * s->ow;
    memset(p->next, 0, sizeof p->next);
    for (int i = 0; i < image_pairs && rows; i++) {
        const char *x = dense_weights_x(w, image * image_pairs + i),
                   *dy = dense_weights_dy(w, image * image_pairs + i, pixel);
        const ptrdiff_t x_at = (ptrdiff_t)y * s->w * s->c + b->from;
        if (!x) break;
        const ptrdiff_t x_pixel = direct_bytes(s->bf16_x, s->c), line = s->w * x_pixel;
        x += direct_bytes(s->bf16_x, x_at);
        p->next[2 * i] =
            w->point && s->stride > 1
                ? direct_pixels_ahead(x, rows, (int)line, s->stride * line)
                : direct_pixels_ahead(x, rows * s->stride * s->w,
                                      (int)direct_bytes(s->bf16_x, b->channels), x_pixel);
        p->next[2 * i + 1] = direct_pixels_ahead(
            dy + direct_bytes(s->bf16_y, b->column), rows * s->ow,
            (int)direct_bytes(s->bf16_y, b->columns), direct_bytes(s->bf16_y, s->k));
    }
    p->next_lines = 0;
    for (int i = 0; i < 2 * image_pairs; i++)
        p->next_lines += direct_div_up(p->next[i].left, calls);
}

static void block_piece(const struct dense_weights_block *b, struct dense_weights_piece *p,
                        float *scratch)
{
    const struct dense_weights *w = b->w;
    const struct conv_shape *s = w->s;
    p->pixels = p->rows * s->ow;
    p->lines = w->point ? 1 : p->rows;
    p->line = p->pixels / p->lines;
    p->x_rows[0] = 0;
    if (w->in_place)
        p->x = (const float *)w->call->x + (ptrdiff_t)p->row * s->ow * s->c + b->from;
    else
        scratch = piece_copy_x(b, p, scratch) + 3 * DIRECT_LANES;
    if (w->swapped) {
        p->dy = (const float *)w->call->dy + (ptrdiff_t)p->row * s->ow * s->k + b->column;
        p->dy_pixel = s->k;
        if (s->bf16_y) {
            piece_copy_columns(w, p, b->column, b->columns, scratch, b->columns);
            p->dy = scratch, p->dy_pixel = b->columns;
        }
        piece_swapped(b, p);
    } else {
        piece_copy_dy(b, p, scratch);
        piece_plain(b, p);
    }
}

/* Floats of scratch for a piece: its lists of rows, the copies of x and of dy. */
static size_t piece_lists(const struct dense_weights *w)
{
    return ((size_t)w->piece_rows * sizeof(ptrdiff_t) + 63) / 64 * 16;
}

static size_t piece_scratch(const struct dense_weights *w)
{
    const struct conv_shape *s = w->s;
    const int images = w->piece_rows / s->oh + 2;
    const size_t x_rows = (size_t)(w->piece_rows * s->stride + images * s->kh);
    const size_t x = x_rows * (size_t)dense_weights_window_cols(w) * (size_t)w->channels;
    const size_t dy =
        (size_t)w->piece_rows * (size_t)s->ow * (size_t)direct_round_up(w->columns, w->isa->lanes);
    return 2 * piece_lists(w) + x + 3 * DIRECT_LANES + dy;
}

/* Where the sums of output channels [0, valid) of cell m of kernel row y lie in a block, the first
 * of panel n0; and how far apart. */
static const float *block_at(const struct dense_weights_block *b, int y, int m, int n0,
                             ptrdiff_t *apart)
{
    const int kh = b->w->s->kh, lanes = b->w->isa->lanes;
    if (!b->w->swapped) {
        const int width = direct_panel_width(b->w->isa, b->columns, n0);
        *apart = 1;
        return b->d + ((ptrdiff_t)n0 * kh + (ptrdiff_t)y * width) * dense_weights_m(b) +
               (ptrdiff_t)m * width;
    }
    int at = 0, width = swapped_vectors(b, 0) * lanes;
    for (; at + width <= m; width = swapped_vectors(b, at) * lanes) at += width;
    *apart = width;
    return b->d + ((ptrdiff_t)at * kh + (ptrdiff_t)y * width) * b->columns + m - at;
}

static void cell_add(float *restrict sum, const float *restrict d, ptrdiff_t apart, int valid)
{
    if (apart == 1) /* a loop of its own: the compiler makes vectors of it */
        for (int n = 0; n < valid; n++) sum[n] += d[n];
    else
        for (int n = 0; n < valid; n++) sum[n] += d[n * apart];
}

/* dw += the sum of the block's parts, in order, for cell m of kernel row y. */
static void block_add_cell(const struct dense_weights_block *b, int y, int m, int parts,
                           ptrdiff_t part_len)
{
    const struct conv_shape *s = b->w->s;
    const int tap = y * s->kw + m / b->channels, c = b->row + m % b->channels;
    float *dw = b->w->call->dw + ((ptrdiff_t)tap * b->w->depth + c) * s->k + b->column;
    for (int n0 = 0; n0 < b->columns; n0 += 2 * b->w->isa->lanes) {
        const int valid = direct_min(2 * b->w->isa->lanes, b->columns - n0);
        ptrdiff_t apart;
        const float *d = block_at(b, y, m, n0, &apart);
        float sum[DIRECT_WIDTH] = { 0 };
        for (int p = 0; p < parts; p++, d += part_len) cell_add(sum, d, apart, valid);
        for (int n = 0; n < valid; n++) dw[n0 + n] += sum[n];
    }
}

static struct dense_weights_block dense_weights_block(const struct dense_weights *w, int i)
{
    const int each = w->channel_blocks * w->column_blocks, group = i / each;
    const int from = i % each / w->column_blocks * w->channels;
    const int column = i % w->column_blocks * w->columns;
    return (struct dense_weights_block){ .w = w,
                                         .from = group * w->depth + from,
                                         .row = from,
                                         .channels = direct_min(w->channels, w->depth - from),
                                         .column = group * w->width + column,
                                         .columns = direct_min(w->columns, w->width - column) };
}

/* Of a block that has no place but its task's scratch. */
static size_t dense_weights_own(const struct dense_weights *w)
{
    return w->parts == 1 ? (size_t)w->block_len : 0;
}

size_t direct_weights_scratch(const struct conv_shape *s, const struct conv_call *c)
{
    const struct dense_weights w = dense_weights_plan(s, c);
    return piece_scratch(&w) + dense_weights_own(&w);
}

static void dense_weights_chunk(void *ctx, size_t chunk)
{
    const struct dense_weights *w = ctx;
    const int part = (int)chunk % w->parts, block = (int)chunk / w->parts;
    struct dense_weights_block b = dense_weights_block(w, block);
    const size_t lists = piece_lists(w), own = dense_weights_own(w);
    float *scratch = parallel_scratch(piece_scratch(w) + own);
    struct dense_weights_piece p = { .x_rows = (ptrdiff_t *)(void *)scratch,
                                     .dy_rows = (ptrdiff_t *)(void *)(scratch + lists) };
    scratch += 2 * lists;
    b.d = own ? scratch : w->partial + ((ptrdiff_t)part * w->blocks + block) * w->block_len;

    size_t begin, end;
    parallel_part((size_t)(w->images * w->s->oh), (size_t)w->parts, (size_t)part, &begin, &end);
    const int pieces = direct_div_up((int)(end - begin), w->piece_rows);
    p.row = (int)begin;
    for (int i = 0; i < pieces; i++, p.row += p.rows) {
        p.rows = direct_part((int)(end - begin), pieces, i);
        p.first = i == 0;
        memset(p.next, 0, sizeof p.next);
        piece_look_ahead(&b, &p,
                         i + 1 < pieces ? direct_part((int)(end - begin), pieces, i + 1) : 0);
        block_piece(&b, &p, scratch + own);
    }
    for (int y = 0; own && y < w->s->kh; y++)
        for (int m = 0; m < dense_weights_m(&b); m++) block_add_cell(&b, y, m, 1, 0);
}

enum { ADD_CELLS = 32 }; /* of one kernel row, in a chunk of the final sum */

static int dense_weights_slices(const struct dense_weights *w)
{
    return direct_div_up(w->s->kw * w->channels, ADD_CELLS);
}

static void dense_weights_add_chunk(void *ctx, size_t chunk)
{
    const struct dense_weights *w = ctx;
    const int slices = dense_weights_slices(w);
    const int slice = (int)chunk % slices, y = (int)chunk / slices % w->s->kh,
              block = (int)chunk / slices / w->s->kh;
    struct dense_weights_block b = dense_weights_block(w, block);
    b.d = w->partial + block * w->block_len;
    const int end = direct_min(dense_weights_m(&b), (slice + 1) * ADD_CELLS);
    for (int m = slice * ADD_CELLS; m < end; m++)
        block_add_cell(&b, y, m, w->parts, w->blocks * w->block_len);
}

size_t direct_weights_work(const struct conv_shape *s)
{
    const struct dense_weights w = dense_weights_plan(s, &(struct conv_call){ 0 });
    if (w.parts == 1) return 0;
    return (size_t)w.parts * (size_t)w.blocks * (size_t)w.block_len;
}

void direct_dense_backward_weights(const struct conv_shape *s, const struct conv_call *c)
{
    struct dense_weights w = dense_weights_plan(s, c);
    w.partial = c->work;
    parallel_for((size_t)(w.blocks * w.parts), dense_weights_chunk, &w);
    if (w.parts > 1)
        parallel_for((size_t)(w.blocks * s->kh * dense_weights_slices(&w)), dense_weights_add_chunk,
                     &w);
}
