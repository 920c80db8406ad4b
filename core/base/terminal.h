#ifndef CORE_BASE_TERMINAL_H
#define CORE_BASE_TERMINAL_H
#include <stdbool.h>

/* Who reads what is written to a descriptor. Zero is a pipe or a file. */
struct terminal {
    bool is;           /* a person at a terminal */
    bool live;         /* whose cursor can be moved: TERM is there and is not dumb */
    bool colour;       /* and NO_COLOR is not set: bold shows */
    int columns, rows; /* as they are now: a window changes its size */
};
struct terminal terminal_of(int fd);

/* Columns for running text: long lines are hard to read. 0: no terminal, no limit. */
int terminal_prose(const struct terminal *t);
#endif
