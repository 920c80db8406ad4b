#include "experiments/run/run_data.h"
#include <stdlib.h>
#include <string.h>

void run_data_open(struct run_data_all *all, const struct design *d, const struct data_notes *notes)
{
    *all = (struct run_data_all){ .n_sets = d->n_data_sets, .notes = *notes };
    all->sets = mem_new((size_t)d->n_data_sets, sizeof *all->sets);
}

static const struct dataset *set_open(struct run_data_all *all, const struct design_point *p,
                                      struct err *e)
{
    const struct run_spec *s = &p->spec;
    struct dataset *set = &all->sets[p->data_set];
    if (set->format) return set;
    const struct data_source from = {
        .format = s->format,
        .path = s->data.path,
        .settings = s->format_settings,
        .size = p->shape.size,
        .notes = &all->notes,
    };
    return dataset_open(set, &from, e) ? set : NULL;
}

static struct run_data *data_create(struct run_data_all *all, const struct design_point *p,
                                    struct err *e)
{
    const struct dataset *set = set_open(all, p, e);
    if (!set) return NULL;
    struct run_data *d = mem_new(1, sizeof *d);
    d->data = set;
    if (data_split(&d->split, set, &p->spec.data, e)) return d;
    free(d);
    return NULL;
}

const struct run_data *run_data_of(struct run_data_all *all, const struct design_point *p,
                                   struct err *e)
{
    struct text t = { 0 };
    spec_write_data(&p->spec, &p->shape, &t);
    for (struct run_data *d = all->splits; d; d = d->next) {
        if (strcmp(d->key, t.s) != 0) continue;
        text_clear(&t);
        return d;
    }
    struct run_data *d = data_create(all, p, e);
    if (d) {
        d->key = mem_text(t.s);
        d->next = all->splits;
        all->splits = d;
    }
    text_clear(&t);
    return d;
}

void run_data_close(struct run_data_all *all, int data_set) { dataset_close(&all->sets[data_set]); }

void run_data_clear(struct run_data_all *all)
{
    for (struct run_data *d = all->splits, *next; d; d = next) {
        next = d->next;
        data_split_clear(&d->split);
        free(d->key);
        free(d);
    }
    for (int i = 0; i < all->n_sets; i++) run_data_close(all, i);
    free(all->sets);
    *all = (struct run_data_all){ .n_sets = 0 };
}
