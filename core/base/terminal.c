#include "core/base/terminal.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Where a terminal does not say, or is too narrow for a word: what it wraps is its own affair. */
enum { COLUMNS_USUAL = 80, ROWS_USUAL = 24, COLUMNS_LEAST = 20, PROSE = 100 };

struct terminal terminal_of(int fd)
{
    struct winsize w;
    const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
    struct terminal t = { .is = isatty(fd) };
    if (!t.is) return t;
    bool told = ioctl(fd, TIOCGWINSZ, &w) == 0;
    t.columns = told && w.ws_col ? w.ws_col : COLUMNS_USUAL;
    if (t.columns < COLUMNS_LEAST) t.columns = COLUMNS_LEAST;
    t.rows = told && w.ws_row ? w.ws_row : ROWS_USUAL;
    t.live = term && strcmp(term, "dumb") != 0;
    t.colour = t.live && !(plain && *plain);
    return t;
}

int terminal_prose(const struct terminal *t) { return t->columns < PROSE ? t->columns : PROSE; }
