#include "experiments/results/differences.h"
#include <string.h>

/* A setting that differs, and how it is to be said. */
struct difference {
    struct text *t;
    const struct results *axes; /* settings that are axes of it are left out; NULL: none are */
    void (*say)(struct text *t, const char *key, const char *was, const char *is);
};

static void say_change(struct text *t, const char *key, const char *was, const char *is)
{
    text_addf(t, "%s is now %s (was %s)", key, is, was);
}

static void say_value(struct text *t, const char *key, const char *was, const char *is)
{
    (void)was;
    text_addf(t, "%s %s", key, is);
}

static void difference_add(const struct difference *d, const char *key, const cJSON *was,
                           const cJSON *is)
{
    char *a = was ? cJSON_PrintUnformatted(was) : NULL, *b = cJSON_PrintUnformatted(is);
    struct text one = { 0 };
    d->say(&one, key, a ? a : "not there", b);
    if (!d->t->s || !strstr(d->t->s, one.s)) text_addf(d->t, "%s%s", d->t->len ? ", " : "", one.s);
    text_clear(&one);
    cJSON_free(a);
    cJSON_free(b);
}

static bool is_axis(const struct difference *d, const char *key)
{
    for (int i = 0; d->axes && i < d->axes->n_axis_keys; i++)
        if (strcmp(d->axes->axis_keys[i], key) == 0) return true;
    return false;
}

/* Members that differ, by their dotted keys; maps are gone into. */
static void differ(const struct difference *d, const char *prefix, const cJSON *was,
                   const cJSON *is)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, is)
    {
        const cJSON *old = cJSON_GetObjectItemCaseSensitive(was, v->string);
        struct text key = { 0 };
        text_addf(&key, "%s%s%s", prefix, *prefix ? "." : "", v->string);
        if (!is_axis(d, key.s) && !(old && cJSON_Compare(old, v, true))) {
            if (cJSON_IsObject(v) && cJSON_IsObject(old))
                differ(d, key.s, old, v);
            else
                difference_add(d, key.s, old, v);
        }
        text_clear(&key);
    }
}

void settings_differ(struct text *t, const cJSON *was, const cJSON *is)
{
    differ(&(struct difference){ .t = t, .say = say_change }, "", was, is);
}

static void seeds_differ(struct text *t, const struct results *shown, const struct results *other)
{
    size_t bytes = (size_t)other->n_seeds * sizeof *other->seeds;
    if (shown->n_seeds == other->n_seeds && memcmp(shown->seeds, other->seeds, bytes) == 0) return;
    text_addf(t, "%sseeds", t->len ? ", " : "");
    for (int i = 0; i < other->n_seeds && i < 6; i++)
        text_addf(t, " %llu", (unsigned long long)other->seeds[i]);
    if (other->n_seeds > 6) text_addf(t, " and %d more", other->n_seeds - 6);
}

static bool labels_are_same(const struct results *a, const struct results *b)
{
    bool same = a->n_points == b->n_points;
    for (int i = 0; same && i < a->n_points; i++)
        same = strcmp(a->points[i].label, b->points[i].label) == 0;
    return same;
}

void designs_differ(struct text *t, const struct results *shown, const struct results *other)
{
    if (strcmp(shown->experiment, other->experiment) != 0)
        text_addf(t, "experiment %s", other->experiment);
    struct difference d = { .t = t, .axes = other, .say = say_value };
    differ(&d, "", shown->points[0].settings, other->points[0].settings);
    seeds_differ(t, shown, other);
    if (!labels_are_same(shown, other)) text_addf(t, "%sother points", t->len ? ", " : "");
}
