/* Finds the paper's row for a point of an experiment. */
#include "experiments/table/paper_rows.h"
#include "core/base/text.h"
#include <string.h>

static void value_text(const cJSON *v, struct text *out)
{
    const cJSON *i;
    if (cJSON_IsString(v))
        text_add(out, v->valuestring);
    else if (cJSON_IsNumber(v))
        text_real(out, v->valuedouble);
    else if (cJSON_IsBool(v) || cJSON_IsNull(v))
        text_add(out, cJSON_IsTrue(v) ? "true" : cJSON_IsNull(v) ? "null" : "false");
    else {
        text_add(out, cJSON_IsArray(v) ? "[" : "{");
        cJSON_ArrayForEach(i, v)
        {
            if (i != v->child) text_add(out, ", ");
            if (cJSON_IsObject(v)) text_addf(out, "%s: ", i->string);
            value_text(i, out);
        }
        text_add(out, cJSON_IsArray(v) ? "]" : "}");
    }
}

const char *mirror_text(const cJSON *v, struct pool *pool)
{
    struct text t = { 0 };
    text_add(&t, "");
    value_text(v, &t);
    const char *copy = pool_text(pool, t.s);
    text_clear(&t);
    return copy;
}

/* A dotted key, found whole or walked level by level. */
static const cJSON *setting_find(const cJSON *j, const char *key)
{
    const cJSON *whole = cJSON_GetObjectItemCaseSensitive(j, key);
    const char *dot = strchr(key, '.');
    char head[64];
    if (whole || !dot || (size_t)(dot - key) >= sizeof head) return whole;
    memcpy(head, key, (size_t)(dot - key));
    head[dot - key] = 0;
    const cJSON *level = cJSON_GetObjectItemCaseSensitive(j, head);
    return level ? setting_find(level, dot + 1) : NULL;
}

const char *mirror_setting(const struct result_point *p, const char *key, struct pool *pool)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(p->axes, key);
    if (!v) v = setting_find(p->settings, key);
    return v ? mirror_text(v, pool) : NULL;
}

static const struct {
    const char *key, *value;
} standard[] = {
    { "model.se.reduction", "16" },       { "model.se.squeeze", "avg" },
    { "model.se.excitation", "sigmoid" }, { "model.se.placement", "standard" },
    { "model.se.stages", "all" },
};

/* Do all axes but `row` leave the paper's standard block alone? */
static bool otherwise_standard(const struct result_point *p, const char *row, struct pool *pool)
{
    for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(p->axes, standard[i].key);
        if (!v || strcmp(standard[i].key, row) == 0) continue;
        if (strcmp(mirror_text(v, pool), standard[i].value) != 0) return false;
    }
    return true;
}

static bool row_matches(const struct paper_row *row, const struct result_point *p,
                        struct pool *pool)
{
    cJSON *value = cJSON_Parse(row->value);
    const char *want = mirror_text(value, pool), *have = mirror_setting(p, row->key, pool);
    cJSON_Delete(value);
    bool plain_row = strcmp(row->key, "model.se.reduction") == 0 && strcmp(want, "none") == 0;
    bool plain = p->se_parameters <= 0;
    if (plain || plain_row) return plain && plain_row;
    return have && strcmp(have, want) == 0 && otherwise_standard(p, row->key, pool);
}

const struct paper_row *mirror_row(const struct paper_table *t, const struct result_point *p)
{
    struct pool pool = { 0 };
    const struct paper_row *found = NULL;
    for (const struct paper_row *row = t->rows; row->label && !found; row++)
        if (row_matches(row, p, &pool)) found = row;
    pool_clear(&pool);
    return found;
}
