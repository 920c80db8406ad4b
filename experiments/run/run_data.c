#include "experiments/run/run_data.h"
#include <stdlib.h>
#include <string.h>

static void data_close(struct run_data *d)
{
    data_split_clear(&d->split);
    dataset_close(&d->data);
    free(d->key);
    free(d);
}

static struct run_data *data_create(const struct design_point *p, struct err *e)
{
    const struct run_spec *s = &p->spec;
    struct run_data *d = mem_new(1, sizeof *d);
    const char *path = s->data.path ? s->data.path : s->format->default_path;
    if (!dataset_open(&d->data, s->format, path, s->format_settings, p->shape.size, e)) {
        free(d);
        return NULL;
    }
    if (!data_split(&d->split, &d->data, &s->data, e)) {
        dataset_close(&d->data);
        free(d);
        return NULL;
    }
    return d;
}

const struct run_data *run_data_of(struct run_data **all, const struct design_point *p,
                                   struct err *e)
{
    struct text t = { 0 };
    spec_write_data(&p->spec, &p->shape, &t);
    char *key = mem_text(t.s);
    text_clear(&t);
    for (const struct run_data *d = *all; d; d = d->next) {
        if (strcmp(d->key, key) != 0) continue;
        free(key);
        return d;
    }
    struct run_data *d = data_create(p, e);
    if (!d) {
        free(key);
        return NULL;
    }
    d->key = key;
    d->next = *all;
    *all = d;
    return d;
}

void run_data_clear(struct run_data **all)
{
    while (*all) {
        struct run_data *next = (*all)->next;
        data_close(*all);
        *all = next;
    }
}
