#include "experiments/run/run_log.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct text run_path(const char *dir, const char *id, const char *name)
{
    struct text path = { 0 };
    text_addf(&path, "%s/runs/%s/%s", dir, id, name);
    return path;
}

/* One write a line: a log that is read meanwhile, or cut by a kill, holds whole lines. */
bool run_log(const char *dir, const char *id, const char *text, struct err *e)
{
    struct text path = run_path(dir, id, "log"), line = { 0 };
    char when[DATE_TEXT];
    clock_date(when);
    text_addf(&line, "%s %s\n", when, text);
    int fd =
        open(path.s, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0666);
    bool ok = fd >= 0 && write(fd, line.s, line.len) == (ssize_t)line.len;
    int why = errno;
    if (fd >= 0) close(fd);
    if (!ok) err_set(e, "%s: cannot be written: %s", path.s, strerror(why));
    text_clear(&path);
    text_clear(&line);
    return ok;
}

/* The members of progress.json; those of a record have the same names. */
static const struct {
    const char *key;
    size_t at;
} glimpse_reals[] = {
    { "epoch_done", offsetof(struct glimpse, done) },
    { "train_loss", offsetof(struct glimpse, loss) },
    { "train_error", offsetof(struct glimpse, error) },
    { "validation_error", offsetof(struct glimpse, validation_error) },
    { "images_per_second", offsetof(struct glimpse, images_per_second) },
    { "seconds_left", offsetof(struct glimpse, seconds_left) },
    { "seconds", offsetof(struct glimpse, seconds) },
};
enum { GLIMPSE_REALS = sizeof glimpse_reals / sizeof *glimpse_reals };

bool glimpse_write(const char *dir, const char *id, const struct glimpse *g, struct err *e)
{
    struct text path = run_path(dir, id, "progress.json"), json = { 0 };
    text_addf(&json, "{\"epoch\": %d, \"epochs\": %d, \"jobs\": %d", g->epoch, g->epochs, g->jobs);
    for (int i = 0; i < GLIMPSE_REALS; i++) {
        const void *real = (const char *)g + glimpse_reals[i].at;
        text_addf(&json, ", \"%s\": ", glimpse_reals[i].key);
        text_real(&json, *(const double *)real);
    }
    text_add(&json, "}\n");
    bool ok = file_replace(path.s, json.s, json.len, e);
    text_clear(&path);
    text_clear(&json);
    return ok;
}

static int json_count(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    return cJSON_IsNumber(v) && v->valuedouble >= 1 && v->valuedouble <= 1e6 ? v->valueint : 0;
}

bool glimpse_read(const char *dir, const char *id, struct glimpse *g)
{
    struct text path = run_path(dir, id, "progress.json");
    struct bytes b;
    struct err e;
    bool read = file_exists(path.s) && file_read(path.s, &b, &e);
    text_clear(&path);
    if (!read) return false;
    cJSON *o = cJSON_Parse((const char *)b.data);
    free(b.data);
    *g = (struct glimpse){ .epoch = json_count(o, "epoch"),
                           .epochs = json_count(o, "epochs"),
                           .jobs = json_count(o, "jobs") };
    for (int i = 0; i < GLIMPSE_REALS; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, glimpse_reals[i].key);
        void *real = (char *)g + glimpse_reals[i].at;
        *(double *)real = cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
    }
    cJSON_Delete(o);
    return g->epoch && g->epochs && g->jobs;
}

bool glimpse_remove(const char *dir, const char *id, struct err *e)
{
    struct text path = run_path(dir, id, "progress.json");
    bool ok = file_remove(path.s, e);
    text_clear(&path);
    return ok;
}
