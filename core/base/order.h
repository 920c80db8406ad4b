#ifndef CORE_BASE_ORDER_H
#define CORE_BASE_ORDER_H

/* For qsort: doubles, the smallest first; none may be NaN. */
int order_doubles(const void *a, const void *b);
#endif
