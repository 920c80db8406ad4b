/* The rows of section `dataset` that hold for every format. */
#include "core/data/data.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS_FORM "auto, or a list of 1 to 4 numbers, one a channel"

static bool number_read(const struct value *v, double low, double *out, struct err *e)
{
    if (v->kind != VALUE_SCALAR) return err_at(e, v, "not a number; valid: " CHANNELS_FORM);
    char *end;
    double x = strtod(v->text, &end);
    if (end == v->text || *end || !isfinite(x))
        return err_at(e, v, "\"%s\" is not a number; valid: " CHANNELS_FORM, v->text);
    if (x < low || x > 1)
        return err_at(e, v, "%s is outside %g..1 (pixels count as 0 to 1)", v->text, low);
    *out = x;
    return true;
}

static bool channels_read(struct data_channels *c, const struct value *v, double low, struct err *e)
{
    struct data_channels read = { .n = 0 };
    if (v->kind == VALUE_SCALAR && !strcmp(v->text, "auto")) {
        *c = read;
        return true;
    }
    if (v->kind != VALUE_LIST || !v->first) return err_at(e, v, "valid: " CHANNELS_FORM);
    for (const struct value *x = v->first; x; x = x->next) {
        if (read.n == 4) return err_at(e, x, "a fifth number; valid: " CHANNELS_FORM);
        if (!number_read(x, low, &read.v[read.n++], e)) return false;
    }
    *c = read;
    return true;
}

static bool mean_read(void *at, const struct value *v, struct pool *p, struct err *e)
{
    (void)p;
    return channels_read(at, v, 0, e);
}

static bool sd_read(void *at, const struct value *v, struct pool *p, struct err *e)
{
    (void)p;
    return channels_read(at, v, 0.001, e);
}

static void channels_write(const void *at, struct text *json)
{
    const struct data_channels *c = at;
    if (!c->n) {
        text_json(json, "auto");
        return;
    }
    for (int i = 0; i < c->n; i++) {
        text_add(json, i ? "," : "[");
        text_real(json, c->v[i]);
    }
    text_add(json, "]");
}

static void channels_reset(void *at)
{
    *(struct data_channels *)at = (struct data_channels){ .n = 0 };
}

#define CHANNELS_SCHEMA(low)                                                              \
    "{\"anyOf\":[{\"const\":\"auto\"},{\"type\":\"array\",\"minItems\":1,\"maxItems\":4," \
    "\"items\":{"                                                                         \
    "\"type\":\"number\",\"minimum\":" low ",\"maximum\":1}}]}"

static const struct field_own mean_own = { CHANNELS_FORM, CHANNELS_SCHEMA("0"), "auto",
                                           mean_read,     channels_write,       channels_reset };
static const struct field_own sd_own = { CHANNELS_FORM, CHANNELS_SCHEMA("0.001"), "auto",
                                         sd_read,       channels_write,           channels_reset };

#define MAX_IMAGES 100000000

static bool split_applies(const void *of)
{
    const struct data_settings *s = of;
    return s->validation || s->train_limit || s->test_limit;
}

const struct field data_fields[] = {
    TEXT(data_settings, path, NULL,
         "folder of the data; where it is not given, the format's usual place", .path = true),
    INT(data_settings, validation, 0, 0, MAX_IMAGES,
        "images taken from the training part for validation", .zero = "none"),
    INT(data_settings, split_seed, 0, 0, 2147483647,
        "draws the images of the validation part and of the limits", .applies = split_applies),
    INT(data_settings, train_limit, 0, 0, MAX_IMAGES,
        "train on this many images at most, balanced over the classes", .zero = "none"),
    INT(data_settings, test_limit, 0, 0, MAX_IMAGES,
        "test on this many images at most, balanced over the classes", .zero = "none"),
    OWN(data_settings, mean, &mean_own,
        "subtracted from pixels in 0..1, by channel; auto: mean of the training images"),
    OWN(data_settings, sd, &sd_own,
        "pixels are divided by it, by channel; auto: standard deviation of the training images"),
    FIELDS_END,
};
