/* The squeeze-and-excitation block and its settings. A variant is a line of se.def; what it does is
 * one function from a tensor to a tensor. */
#include "core/nn/se.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_LEN = 128 }; /* of all stages, or of all placements */

typedef struct tensor *se_function(struct net *n, struct tensor *x);

/* No squeeze: every position has a gate of its own, and the two layers become 1 x 1 convolutions.
 */
static struct tensor *squeeze_none(struct net *n, struct tensor *x)
{
    (void)n;
    return x;
}

static se_function *const se_squeezes[] = {
#define SQUEEZE(id, name, apply) apply,
#include "core/nn/se.def"
};
static se_function *const se_excitations[] = {
#define EXCITATION(id, name, apply) apply,
#include "core/nn/se.def"
};

static const char *const se_squeeze_names[] = {
#define SQUEEZE(id, name, apply) name,
#include "core/nn/se.def"
    NULL
};
static const char *const se_excitation_names[] = {
#define EXCITATION(id, name, apply) name,
#include "core/nn/se.def"
    NULL
};
static const char *const se_placement_names[] = {
#define PLACEMENT(id, name) name,
#include "core/nn/se.def"
    NULL
};

static int se_ratio(const struct se_settings *s, int stage)
{
    BUG_IF(stage < 0 || stage >= SE_STAGES, "stage %d", stage);
    return s->reduction.all ? s->reduction.all : s->reduction.stage[stage];
}

static bool se_in_stage(const struct se_settings *s, int stage)
{
    return se_ratio(s, stage) && (!s->stages || s->stages >> stage & 1);
}

bool se_any(const struct se_settings *s)
{
    for (int k = 1; k < SE_STAGES; k++)
        if (se_in_stage(s, k)) return true;
    return false;
}

int se_hidden(const struct se_settings *s, int stage, int channels)
{
    if (!se_in_stage(s, stage)) return 0;
    int hidden = channels / se_ratio(s, stage);
    return hidden < s->min_hidden ? s->min_hidden : hidden;
}

/* A layer of the gate; on a vector per image a linear layer, which a 1 x 1 convolution then is. */
static struct tensor *se_layer(struct net *n, struct tensor *x, const char *name, int out)
{
    if (n->failed) return NULL;
    bool bias = n->se->bias;
    if (x->h * x->w == 1)
        return nn_linear(n, x, name,
                         (struct linear_layer){ .out = out, .bias = bias, .as_conv = true });
    return nn_conv(
        n, x, name,
        (struct conv_layer){ .channels = out, .kernel = 1, .bias = bias, .uniform = true });
}

struct tensor *se_apply(struct net *n, struct tensor *x, enum se_placement here, const char *block)
{
    const struct se_settings *s = n->se;
    if (n->failed) return x;
    BUG_IF(n->stage < 1, "%s: a place for SE blocks outside all stages", block);
    n->se_placements |= 1u << here;
    if (s->placement != (int)here) return x;
    n->se_stages |= 1u << n->stage;
    int hidden = se_hidden(s, n->stage, x->c);
    if (!hidden) return x;
    graph_mark(n->graph, n->stage, true);
    struct tensor *z = se_squeezes[s->squeeze](n, x);
    z = nn_relu(n, se_layer(n, z, net_name(n, "%s.se.fc1", block), hidden));
    z = se_excitations[s->excitation](n, se_layer(n, z, net_name(n, "%s.se.fc2", block), x->c));
    z = nn_scale_channels(n, x, z);
    graph_mark(n->graph, n->stage, false);
    return z;
}

/* "2, 3, 4" */
static void stages_list(unsigned stages, char *out, size_t room)
{
    size_t len = 0;
    for (int k = 0; k < SE_STAGES; k++)
        if (stages >> k & 1)
            len += (size_t)snprintf(out + len, room - len, "%s%d", len ? ", " : "", k);
}

static bool se_check_placement(const struct net *n, struct err *e)
{
    char has[LIST_LEN] = "none";
    size_t len = 0;
    for (int p = 0; p < SE_PLACEMENTS; p++)
        if (n->se_placements >> p & 1)
            len += (size_t)snprintf(has + len, sizeof has - len, "%s%s", len ? ", " : "",
                                    se_placement_names[p]);
    if (n->se_placements >> n->se->placement & 1 || !se_any(n->se)) return true;
    return err_set(e, "model.se.placement: this network has no place %s for SE blocks; it has %s",
                   se_placement_names[n->se->placement], has);
}

bool se_check(const struct net *n, struct err *e)
{
    const struct se_settings *s = n->se;
    char has[LIST_LEN] = "";
    if (!se_check_placement(n, e)) return false;
    stages_list(n->se_stages, has, sizeof has);
    for (int k = 1; k < SE_STAGES; k++) {
        bool ratio = s->reduction.stage[k], listed = s->stages >> k & 1;
        if ((ratio || (listed && s->reduction.all)) && !(n->se_stages >> k & 1))
            return err_set(e, "model.se.%s: stage %d is asked for, but this network has stages %s",
                           ratio ? "reduction" : "stages", k, has);
        if (ratio && s->stages && !listed)
            return err_set(e,
                           "model.se.stages leaves out stage %d, to which model.se.reduction "
                           "gives a ratio: use one of the two",
                           k);
        if (listed && !s->reduction.all && !ratio && se_any(s))
            return err_set(e, "model.se.stages: stage %d has no ratio in model.se.reduction", k);
    }
    return true;
}

/* A whole number first..last, nothing else. */
static bool read_whole(const struct value *v, int first, int last, int *out)
{
    const char *s = v->kind == VALUE_SCALAR ? v->text : "";
    if (!*s || strlen(s) > 10 || strspn(s, "0123456789") != strlen(s)) return false;
    long long x = strtoll(s, NULL, 10);
    *out = (int)x;
    return x >= first && x <= last;
}

static const char reduction_form[] =
    "none, an integer >= 1, or a map from stages to these: {2: 8, 4: none}";

/* "none" reads as 0. */
static bool read_ratio(const struct value *v, int *out, struct err *e)
{
    *out = 0;
    if (v->kind == VALUE_SCALAR && strcmp(v->text, "none") == 0) return true;
    if (read_whole(v, 1, INT_MAX, out)) return true;
    if (v->kind != VALUE_SCALAR) return err_at(e, v, "a reduction is not %s", reduction_form);
    return err_at(e, v, "\"%s\" is not %s", v->text, reduction_form);
}

static bool read_stage(const struct value *v, int *out, struct err *e)
{
    if (read_whole(v, 1, SE_STAGES - 1, out)) return true;
    return err_at(e, v, "\"%s\" is not a stage: stage k is conv k_x of the paper, 1..%d",
                  v->kind == VALUE_SCALAR ? v->text : "a list or map", SE_STAGES - 1);
}

static bool reduction_read(void *at, const struct value *v, struct pool *p, struct err *e)
{
    (void)p;
    struct se_reduction r = { 0, { 0 } };
    if (v->kind != VALUE_MAP) {
        if (!read_ratio(v, &r.all, e)) return false;
    } else if (!v->first) {
        return err_at(e, v, "an empty map is not %s", reduction_form);
    }
    for (const struct value *c = v->kind == VALUE_MAP ? v->first : NULL; c; c = c->next) {
        int stage = 0, ratio = 0;
        if (!read_stage(c->key, &stage, e) || !read_ratio(c, &ratio, e)) return false;
        r.stage[stage] = ratio;
    }
    *(struct se_reduction *)at = r;
    return true;
}

static void reduction_write(const void *at, struct text *json)
{
    const struct se_reduction *r = at;
    const char *sep = "{";
    if (r->all) {
        text_addf(json, "%d", r->all);
        return;
    }
    for (int k = 0; k < SE_STAGES; k++) {
        if (!r->stage[k]) continue;
        text_addf(json, "%s\"%d\":%d", sep, k, r->stage[k]);
        sep = ",";
    }
    text_add(json, *sep == '{' ? "\"none\"" : "}");
}

static void reduction_reset(void *at)
{
    *(struct se_reduction *)at = (struct se_reduction){ .all = 16 };
}

static bool stages_read(void *at, const struct value *v, struct pool *p, struct err *e)
{
    (void)p;
    unsigned stages = 0;
    bool all = v->kind == VALUE_SCALAR && strcmp(v->text, "all") == 0;
    if (!all && (v->kind != VALUE_LIST || !v->first))
        return err_at(e, v, "\"%s\" is not all or a list of stages: [2, 3]",
                      v->kind == VALUE_SCALAR ? v->text
                      : v->kind == VALUE_LIST ? "[]"
                                              : "a map");
    for (const struct value *c = all ? NULL : v->first; c; c = c->next) {
        int stage = 0;
        if (!read_stage(c, &stage, e)) return false;
        if (stages >> stage & 1) return err_at(e, c, "stage %d is listed twice", stage);
        stages |= 1u << stage;
    }
    *(unsigned *)at = stages;
    return true;
}

static void stages_write(const void *at, struct text *json)
{
    char list[LIST_LEN] = "";
    unsigned stages = *(const unsigned *)at;
    stages_list(stages, list, sizeof list);
    if (stages)
        text_addf(json, "[%s]", list);
    else
        text_json(json, "all");
}

static void stages_reset(void *at) { *(unsigned *)at = 0; }

#define RATIO_SCHEMA "{\"const\":\"none\"},{\"type\":\"integer\",\"minimum\":1}"
static const struct field_own reduction_own = {
    reduction_form,
    "{\"anyOf\":[" RATIO_SCHEMA ",{\"type\":\"object\",\"minProperties\":1,"
    "\"propertyNames\":{\"pattern\":\"^[1-7]$\"},\"additionalProperties\":{\"anyOf\":[" RATIO_SCHEMA
    "]}}]}",
    "16",
    reduction_read,
    reduction_write,
    reduction_reset
};
static const struct field_own stages_own = {
    "all, or a list of stages: [2, 3]",
    "{\"anyOf\":[{\"const\":\"all\"},{\"type\":\"array\",\"minItems\":1,\"uniqueItems\":true,"
    "\"items\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":7}}]}",
    "all",
    stages_read,
    stages_write,
    stages_reset
};

static bool se_in_use(const void *of)
{
    const struct se_settings *s = of;
    struct se_settings everywhere = { .reduction = s->reduction };
    return se_any(&everywhere);
}

const struct field se_fields[] = {
    OWN(se_settings, reduction, &reduction_own,
        "reduction ratio r: the gate's hidden width is channels / r; none: no SE blocks, as where "
        "neither a setting of model.se nor the backbone's name (se-...) asks for them"),
    CHOICE(se_settings, squeeze, se_squeeze_names, SE_SQUEEZE_AVG,
           "how a channel becomes one number; none: a gate for every position",
           .applies = se_in_use),
    CHOICE(se_settings, excitation, se_excitation_names, SE_SIGMOID, "the gate's last function",
           .applies = se_in_use),
    CHOICE(se_settings, placement, se_placement_names, SE_STANDARD,
           "where in the residual unit the SE block stands", .applies = se_in_use),
    OWN(se_settings, stages, &stages_own, "stages that have SE blocks: k is conv k_x of the paper",
        .applies = se_in_use),
    BOOL(se_settings, bias, true, "the two layers of the gate have biases", .applies = se_in_use),
    INT(se_settings, min_hidden, 1, 1, 4096, "smallest hidden width of a gate",
        .applies = se_in_use),
    FIELDS_END,
};

void se_leave_out(struct se_settings *s) { s->reduction = (struct se_reduction){ 0 }; }

/* JSON as YAML writes it: {2: 8, 3: 4} */
static void add_plain(struct text *t, const char *json)
{
    for (; *json; json++) {
        if (*json != '"') text_addn(t, json, 1);
        if (strchr(":,", *json) && json[1] != ' ') text_add(t, " ");
    }
}

void se_text(const struct se_settings *s, struct text *t)
{
    struct se_settings usual;
    fields_default(se_fields, &usual);
    for (const struct field *f = se_fields; f->key; f++) {
        struct text has = { 0 }, def = { 0 };
        field_write(f, s, &has);
        field_write(f, &usual, &def);
        bool shown = f == se_fields || strcmp(has.s, def.s) != 0;
        if (shown) text_addf(t, f == se_fields ? "r = " : ", %s ", f->key);
        if (shown) add_plain(t, has.s);
        text_clear(&has);
        text_clear(&def);
    }
}
