/* The design as JSON, version 1: what the experiment asks, and nothing that another revision of the
 * program may plan otherwise, so that one experiment stays one design. */
#include "core/base/digest.h"
#include "core/base/escape.h"
#include "experiments/design/design.h"

static void write_text(struct text *j, const char *key, const char *value)
{
    text_addf(j, "\"%s\":", key);
    if (value)
        text_json(j, value);
    else
        text_add(j, "null");
}

static void write_index(struct text *j, const char *key, int index)
{
    if (index < 0)
        text_addf(j, "\"%s\":null", key);
    else
        text_addf(j, "\"%s\":%d", key, index);
}

/* A value as it was written, all scalars as texts: for a key that the run does not have. */
static void write_value(struct text *j, const struct value *v)
{
    if (v->kind == VALUE_SCALAR) {
        text_json(j, v->text);
        return;
    }
    text_add(j, v->kind == VALUE_LIST ? "[" : "{");
    for (const struct value *c = v->first; c; c = c->next) {
        if (c->key) {
            text_json(j, c->key->text);
            text_add(j, ":");
        }
        write_value(j, c);
        if (c->next) text_add(j, ",");
    }
    text_add(j, v->kind == VALUE_LIST ? "]" : "}");
}

void point_write_axes(const struct design_point *p, struct text *j)
{
    text_add(j, "{");
    for (int i = 0; i < p->n_axes; i++) {
        void *at;
        const struct field *f = spec_field(&p->spec, p->axes[i].key, &at);
        if (i) text_add(j, ",");
        text_json(j, p->axes[i].key);
        text_add(j, ":");
        if (f)
            field_write(f, at, j);
        else
            write_value(j, p->axes[i].value);
    }
    text_add(j, "}");
}

static void write_counts(struct text *j, const struct design_point *p)
{
    const struct model_counts *c = &p->counts;
    char structure[DIGEST_TEXT];
    digest_text(p->structure, structure);
    text_addf(j, "\"structure\":\"%s\",\"parameters\":%zu,\"parameters_with_statistics\":%zu,",
              structure, c->trainable, c->with_statistics);
    text_addf(j, "\"se_parameters\":%zu,\"macs\":%llu,\"conv_fc\":%llu,\"se_fc\":%llu,", c->se,
              (unsigned long long)(c->conv_fc + c->se_fc), (unsigned long long)c->conv_fc,
              (unsigned long long)c->se_fc);
    text_addf(j, "\"adds\":%llu,\"scaling\":%llu,\"pooling\":%llu,\"hidden\":{",
              (unsigned long long)c->adds, (unsigned long long)c->scaling,
              (unsigned long long)c->pooling);
    const char *comma = "";
    for (int k = 0; k < SE_STAGES; k++) {
        if (!c->hidden[k]) continue;
        text_addf(j, "%s\"%d\":%d", comma, k, c->hidden[k]);
        comma = ",";
    }
    text_add(j, "},");
}

static void write_point(struct text *j, const struct design *d, int i, const char (*ids)[RUN_ID])
{
    const struct design_point *p = &d->points[i];
    text_add(j, "{");
    write_text(j, "label", p->label);
    text_add(j, ",");
    text_add(j, "\"axes\":");
    point_write_axes(p, j);
    text_add(j, ",");
    write_index(j, "same_as", p->same_as);
    text_add(j, ",");
    write_counts(j, p);
    text_add(j, "\"settings\":");
    spec_write(&p->spec, j);
    text_add(j, ",\"runs\":");
    for (int s = 0; ids && s < d->n_seeds; s++)
        text_addf(j, "%s\"%s\"", s ? "," : "[", ids[i * d->n_seeds + s]);
    text_add(j, ids ? "]}" : "null}");
}

static void design_members(const struct design *d, const char (*ids)[RUN_ID], struct text *json)
{
    text_add(json, "{\"version\":1,");
    write_text(json, "experiment", d->experiment);
    text_add(json, ",");
    write_text(json, "question", d->question);
    text_add(json, ",");
    write_text(json, "mirrors", d->mirrors);
    text_add(json, ",");
    write_index(json, "baseline", d->baseline);
    text_add(json, ",\"seeds\":[");
    for (int i = 0; i < d->n_seeds; i++)
        text_addf(json, "%s%llu", i ? "," : "", (unsigned long long)d->seeds[i]);
    text_add(json, "],\"axis_keys\":[");
    for (int i = 0; i < d->n_axis_keys; i++) {
        if (i) text_add(json, ",");
        text_json(json, d->axis_keys[i]);
    }
    text_add(json, "],\"points\":[");
    for (int i = 0; i < d->n_points; i++) {
        text_add(json, i ? ",\n" : "\n");
        write_point(json, d, i, ids);
    }
    text_add(json, "\n]}\n");
}

void design_write(const struct design *d, const char (*ids)[RUN_ID], struct text *json)
{
    struct text members = { NULL, 0, 0 };
    design_members(d, ids, &members);
    text_json_escaped(json, members.s);
    text_clear(&members);
}
