/* Which way of computing convolutions is used for a shape. */
#include "core/kernels/conv.h"
#include <string.h>

/* Best first. */
static const struct conv_kernels *const conv_ways[] = { &conv_depthwise, &conv_reference, NULL };

static const struct conv_kernels *conv_named; /* by conv_use, or NULL */

static bool conv_takes(const struct conv_kernels *k, const struct conv_shape *s)
{
    return !k->takes || k->takes(s);
}

const struct conv_kernels *conv_at(int i) { return conv_ways[i]; }

const struct conv_kernels *conv_for(const struct conv_shape *s)
{
    if (conv_named && conv_takes(conv_named, s)) return conv_named;
    const struct conv_kernels *const *k = conv_ways;
    while (!conv_takes(*k, s)) k++;
    return *k;
}

bool conv_use(const char *name)
{
    if (!name) {
        conv_named = NULL;
        return true;
    }
    for (const struct conv_kernels *const *k = conv_ways; *k; k++)
        if (strcmp((*k)->name, name) == 0) {
            conv_named = *k;
            return true;
        }
    return false;
}
