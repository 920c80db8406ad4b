#ifndef CORE_OPS_PARTS_H
#define CORE_OPS_PARTS_H
#include "core/ops/op.h"

/* How ops cut their work for the threads: `items` (floats, pixels, images) into parts, nearly
 * equal, whose number is a function of shapes alone. */
struct part {
    size_t number, begin, end; /* items [begin, end) */
};

/* The usual number of parts, 1 to 64, for items of so many floats each. */
size_t part_count(size_t items, size_t floats);

void parts_run(const struct op_call *c, size_t items, size_t parts,
               void (*f)(const struct op_call *c, struct part p));

/* The same for an op that treats every float of its output alike. */
void floats_run(const struct op_call *c, void (*f)(const struct op_call *c, size_t at, size_t len));

/* len elements of t's contents from element at on, as floats: where they are, or widened in room.
 */
const float *tensor_floats(const struct tensor *t, size_t at, size_t len, float *room);
const float *tensor_grad_floats(const struct tensor *t, size_t at, size_t len, float *room);

/* Channels of a pixel: where they begin in t's contents, or its gradient. */
struct pixel {
    const struct tensor *t;
    size_t at;
};
/* to's contents = from's, c of them, of whatever types. */
void pixel_copy(struct pixel to, struct pixel from, size_t c);
/* to's gradient += from's, or = where nothing is there. */
void pixel_pass(struct pixel to, struct pixel from, size_t c, bool fresh);

/* sum[j] += the sum over all pixels of channel j of y's gradient: that of a bias. partial is memory
 * for channel_total_work(y) floats. */
void channel_total(float *sum, const struct tensor *y, float *partial);
size_t channel_total_work(const struct tensor *y);
#endif
