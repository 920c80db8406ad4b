/* Writes the record of a run. Numbers that are not finite become null; digests are hex strings;
 * the record names the predictions file only after that file is on disk. */
#include "experiments/results/record.h"
#include "core/base/digest.h"
#include "core/base/file.h"
#include "experiments/results/json.h"
#include "experiments/results/provenance.h"
#include "experiments/results/seal.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void record_real(cJSON *into, const char *key, double v)
{
    if (isfinite(v))
        cJSON_AddNumberToObject(into, key, v);
    else
        cJSON_AddNullToObject(into, key);
}

static void record_hex(cJSON *into, const char *key, uint64_t digest)
{
    char hex[DIGEST_TEXT];
    digest_text(digest, hex);
    cJSON_AddStringToObject(into, key, hex);
}

static void record_whole(cJSON *into, const char *key, uint64_t v)
{
    BUG_IF(v > UINT64_C(1) << 53, "%s: %" PRIu64 " does not survive as a JSON number", key, v);
    cJSON_AddNumberToObject(into, key, (double)v);
}

static void record_text(cJSON *into, const char *key, const char *s)
{
    if (s)
        cJSON_AddStringToObject(into, key, s);
    else
        cJSON_AddNullToObject(into, key);
}

/* Adds what a function of the design writes as JSON; an object. */
static void record_parsed(cJSON *into, const char *key, struct text *json)
{
    cJSON *parsed = cJSON_Parse(json->s);
    BUG_IF(!cJSON_IsObject(parsed), "%s: no JSON object: %s", key, json->s);
    cJSON_AddItemToObject(into, key, parsed);
    text_clear(json);
}

static void record_point(cJSON *into, const struct design_point *p)
{
    struct text axes = { 0 }, settings = { 0 };
    cJSON_AddStringToObject(into, "label", p->label);
    point_write_axes(p, &axes);
    record_parsed(into, "axes", &axes);
    spec_write(&p->spec, &settings);
    record_parsed(into, "settings", &settings);
}

static void record_backbone(cJSON *into, const struct design_point *p)
{
    const struct model_counts *c = &p->counts;
    cJSON *b = cJSON_AddObjectToObject(into, "backbone");
    struct text name = { 0 };
    backbone_built(p->spec.backbone, &p->spec.se, &name);
    cJSON_AddStringToObject(b, "name", name.s);
    text_clear(&name);
    record_hex(b, "structure", p->structure);
    record_whole(b, "parameters", c->trainable);
    record_whole(b, "parameters_with_statistics", c->with_statistics);
    record_whole(b, "se_parameters", c->se);
    record_whole(b, "se_weights", c->se_weights);
    record_whole(b, "conv_fc", c->conv_fc);
    record_whole(b, "se_fc", c->se_fc);
    record_whole(b, "adds", c->adds);
    record_whole(b, "scaling", c->scaling);
    record_whole(b, "pooling", c->pooling);
    record_whole(b, "unfused", p->unfused);
    cJSON *hidden = cJSON_AddObjectToObject(b, "hidden");
    for (int k = 0; k < SE_STAGES; k++)
        if (c->hidden[k])
            cJSON_AddNumberToObject(hidden, (char[]){ (char)('0' + k), 0 }, c->hidden[k]);
}

static void record_channels(cJSON *into, const char *key, const float *x, int n)
{
    cJSON *all = cJSON_AddArrayToObject(into, key);
    for (int c = 0; c < n; c++)
        cJSON_AddItemToArray(all, isfinite(x[c]) ? cJSON_CreateNumber((double)x[c])
                                                 : cJSON_CreateNull());
}

static void record_data(cJSON *into, const struct dataset *d, const struct data_split *s)
{
    if (!d) {
        cJSON_AddNullToObject(into, "data");
        return;
    }
    cJSON *data = cJSON_AddObjectToObject(into, "data");
    cJSON_AddStringToObject(data, "format", d->format->name);
    cJSON_AddNumberToObject(data, "size", d->size);
    cJSON_AddNumberToObject(data, "channels", d->channels);
    cJSON_AddNumberToObject(data, "classes", d->classes);
    cJSON_AddNumberToObject(data, "train_part", d->count[DATA_TRAIN]);
    cJSON_AddNumberToObject(data, "test_part", d->count[DATA_TEST]);
    record_hex(data, "digest", d->digest);
    cJSON_AddItemToObject(data, "class_names",
                          d->class_names ? cJSON_CreateStringArray(d->class_names, d->classes)
                                         : cJSON_CreateNull());
    if (!s) {
        cJSON_AddNullToObject(data, "split");
        return;
    }
    cJSON *split = cJSON_AddObjectToObject(data, "split");
    cJSON_AddNumberToObject(split, "train", s->train.count);
    cJSON_AddNumberToObject(split, "validation", s->validation.count);
    cJSON_AddNumberToObject(split, "test", s->test.count);
    record_hex(split, "digest", s->digest);
    record_channels(split, "mean", s->mean, d->channels);
    record_channels(split, "sd", s->sd, d->channels);
}

static void record_history(cJSON *into, const struct train_result *r)
{
    cJSON *history = cJSON_AddArrayToObject(into, "history");
    for (int i = 0; r && i < r->epochs; i++) {
        const struct epoch_record *h = &r->history[i];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "epoch", h->epoch);
        record_real(one, "lr", h->lr);
        record_real(one, "train_loss", h->train_loss);
        record_real(one, "train_error", h->train_error);
        record_real(one, "validation_loss", h->validation_loss);
        record_real(one, "validation_error", h->validation_error);
        record_real(one, "seconds", h->seconds);
        record_real(one, "images_per_second", h->images_per_second);
        record_hex(one, "weights_digest", h->weights_digest);
        cJSON_AddItemToArray(history, one);
    }
    if (r && r->epochs > 0)
        record_hex(into, "weights_digest", r->history[r->epochs - 1].weights_digest);
    else
        cJSON_AddNullToObject(into, "weights_digest");
}

static void record_test(cJSON *into, const struct record_facts *f)
{
    if (f->status != RECORD_COMPLETED) {
        cJSON_AddNullToObject(into, "test");
        return;
    }
    const struct evaluation *t = &f->result->test;
    cJSON *test = cJSON_AddObjectToObject(into, "test");
    record_real(test, "loss", t->loss);
    record_real(test, "top1", t->top1);
    record_real(test, "top5", t->top5);
    cJSON_AddNumberToObject(test, "count", t->count);
    char path[64];
    snprintf(path, sizeof path, "%s/predictions.csv", f->id);
    cJSON_AddStringToObject(test, "predictions", path);
}

static cJSON *record_json(const struct record_facts *f)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "version", RECORD_VERSION);
    cJSON_AddStringToObject(j, "id", f->id);
    cJSON_AddStringToObject(j, "status", record_status_name(f->status));
    record_text(j, "why", f->why);
    if (f->status == RECORD_DIVERGED)
        record_whole(j, "diverged_step", f->result->diverged_step);
    else
        cJSON_AddNullToObject(j, "diverged_step");
    record_whole(j, "seed", f->seed);
    record_point(j, f->point);
    record_backbone(j, f->point);
    record_data(j, f->data, f->split);
    record_history(j, f->result);
    record_test(j, f);
    record_real(j, "seconds", f->seconds);
    cJSON_AddNumberToObject(machine_describe(j, f->threads), "jobs", f->jobs);
    program_describe(j);
    return j;
}

static void prediction_name(struct text *csv, const char *s)
{
    text_add(csv, ",");
    text_csv(csv, s);
}

/* Names follow where the data set has them: of the classes, and of the files. */
static void predictions_text(struct text *csv, const struct record_facts *f)
{
    const struct evaluation *t = &f->result->test;
    const struct dataset *d = f->data;
    const char *const *classes = d ? d->class_names : NULL;
    const char *const *files = d ? d->file_names[DATA_TEST] : NULL;
    text_addf(csv, "index,label,predicted%s%s\n", classes ? ",label_name,predicted_name" : "",
              files ? ",file" : "");
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t index = f->split ? f->split->test.index[i] : i;
        text_addf(csv, "%" PRIu32 ",%u,%u", index, t->label[i], t->predicted[i]);
        if (classes) prediction_name(csv, classes[t->label[i]]);
        if (classes) prediction_name(csv, classes[t->predicted[i]]);
        if (files) prediction_name(csv, files[index]);
        text_add(csv, "\n");
    }
}

/* Numbers in the first column are those of the test part, so that runs on parts of it line up. */
static bool predictions_write(const char *dir, const struct record_facts *f, struct err *e)
{
    struct text csv = { 0 }, path = { 0 };
    text_addf(&path, "%s/runs/%s", dir, f->id);
    bool ok = dir_make(path.s, e);
    text_add(&path, "/predictions.csv");
    predictions_text(&csv, f);
    ok = ok && file_write(path.s, csv.s, csv.len, e);
    text_clear(&csv);
    text_clear(&path);
    return ok;
}

bool record_write(const char *dir, const struct record_facts *f, struct err *e)
{
    BUG_IF(!f->result && (f->status == RECORD_COMPLETED || f->status == RECORD_DIVERGED),
           "a %s run without a result", record_status_name(f->status));
    struct text path = { 0 };
    text_addf(&path, "%s/runs", dir);
    bool ok =
        dir_make(path.s, e) && (f->status != RECORD_COMPLETED || predictions_write(dir, f, e));
    if (ok) {
        cJSON *j = record_json(f);
        struct text json = { 0 };
        json_print(&json, j);
        seal_add(&json);
        text_addf(&path, "/%s.json", f->id);
        ok = file_write(path.s, json.s, json.len, e);
        text_clear(&json);
        cJSON_Delete(j);
    }
    text_clear(&path);
    return ok;
}
