/* The layers of an experiment: its file, the files that this one extends, the command line. */
#include "core/base/file.h"
#include "core/base/path.h"
#include "experiments/design/builder.h"
#include "experiments/spec/yaml.h"
#include <stdlib.h>
#include <string.h>

enum {
    FILES = LAYERS - 2, /* that extend one another */
    FILE_BYTES = 1000000
};

/* A file being read, and who asked for it. */
struct reading {
    const char *path;          /* as the messages call it */
    const struct value *asked; /* the value of extends, or NULL */
    const struct reading *from;
    char *real; /* the same path however it is written */
    int depth;
};

static bool layer_file(struct draft *f, struct reading *r);

static bool layer_extends(struct draft *f, const struct reading *r, const struct value *extends)
{
    if (f->request->text) {
        diag_at(f->d, extends, NULL, "extends: there is no file beside this text");
        return false;
    }
    if (extends->kind != VALUE_SCALAR) {
        diag_at(f->d, extends, NULL, "extends: the path of one file is expected");
        return false;
    }
    struct reading next = { .path = path_beside(f->pool, r->path, extends->text),
                            .asked = extends,
                            .from = r,
                            .depth = r->depth + 1 };
    next.real = realpath(next.path, NULL);
    bool ok = true;
    for (const struct reading *o = r; o && next.real; o = o->from)
        if (o->real && strcmp(o->real, next.real) == 0) ok = false;
    if (!ok) diag_at(f->d, extends, NULL, "extends: %s extends itself in the end", next.path);
    if (ok && next.depth >= FILES) {
        diag_at(f->d, extends, NULL, "extends: more than %d files extend one another", FILES);
        ok = false;
    }
    ok = ok && layer_file(f, &next);
    free(next.real);
    return ok;
}

/* One text as the next layer, after the one it extends. */
static bool layer_text(struct draft *f, struct reading *r, const char *text, size_t len)
{
    diags_source(f->d, r->path, text);
    struct value *v = yaml_read(r->path, text, len, f->pool, f->d);
    if (!v) return false;
    if (v->kind != VALUE_MAP) {
        diag_at(f->d, v, NULL,
                "an experiment is a map of keys, such as `model: {backbone: resnet20}`");
        return false;
    }
    const struct value *extends = value_find(v, "extends");
    bool ok = !extends || layer_extends(f, r, extends);
    f->layers[f->n_layers++] = v;
    return ok;
}

static bool layer_file(struct draft *f, struct reading *r)
{
    struct bytes bytes;
    struct err e;
    if (!file_read_most(r->path, 64 * (size_t)FILE_BYTES, &bytes, &e)) {
        diag_at(f->d, r->asked, NULL, "%s", e.text);
        return false;
    }
    bool ok = bytes.len <= FILE_BYTES;
    if (ok)
        ok = layer_text(f, r, (const char *)bytes.data, bytes.len);
    else
        diag_at(f->d, r->asked, NULL, "%s: %.1f MB; an experiment file has 1 MB at most", r->path,
                (double)bytes.len / 1e6);
    free(bytes.data);
    return ok;
}

/* The text between KEY= and the end as a list of values, at their places on the i-th line. */
static const struct value *assignment_values(struct draft *f, const char *text, int line)
{
    struct text padded = { NULL, 0, 0 };
    const char *value = strchr(text, '=') + 1;
    for (int i = 1; i < line; i++) text_add(&padded, "\n");
    for (const char *c = text; c < value - 1; c++)
        text_add(&padded, (*c & 0xc0) == 0x80 ? "" : " ");
    text_addf(&padded, "[%s]", value);
    struct value *v = yaml_read("command line", padded.s, padded.len, f->pool, f->d);
    text_clear(&padded);
    return v;
}

/* Is a list no value of this setting, but several values of it? */
static bool is_several(const char *key, const struct value *list)
{
    const struct setting x = { key, list };
    struct run_spec s;
    struct err e = { .at = NULL };
    if (component_of(key)) return true; /* train.schedule=[step,cosine] */
    struct pool scratch = { NULL };
    struct text ignored = { NULL, 0, 0 };
    spec_start(&s, &x, 1, &scratch);
    bool several = spec_try(&s, &x, &ignored, &e) == ASSIGN_REFUSED && e.at == list;
    text_clear(&ignored);
    pool_clear(&scratch);
    return several;
}

/* What KEY=V1,V2 or KEY=[V1,V2] says: the value, or for an axis the list of all. NULL after a
 * diagnosis. */
static const struct value *assignment_value(struct draft *f, const struct value *list,
                                            const struct value *at, bool *axis)
{
    if (!list->first) {
        diag_at(f->d, at, NULL, "%s has no value", at->text);
        return NULL;
    }
    bool one = !list->first->next;
    if (one && (list->first->kind != VALUE_LIST || !is_several(at->text, list->first)))
        return list->first;
    if (!one && strcmp(at->text, "seeds") == 0) return list;
    if (one) list = list->first;
    *axis = f->request->sweep;
    if (*axis) return list;
    diag_at(f->d, one ? list : list->first->next, NULL,
            "%s takes one value here; `senet-exp sweep` tries several", at->text);
    return NULL;
}

/* The name of a point holds what YAML would take apart: "reduction=4, squeeze=max". */
static const struct value *baseline_named(struct draft *f, const char *text,
                                          const struct value *key)
{
    const char *name = strchr(text, '=') + 1;
    if (strcmp(key->text, "baseline") != 0 || !*name || strchr("{[\"'", *name)) return NULL;
    struct value *v = pool_new(f->pool, 1, sizeof *v);
    *v = *key;
    v->text = pool_text(f->pool, name);
    v->column = (int)strlen("baseline=") + 1;
    return v;
}

/* "KEY=VALUE" as an entry of the command line's map or of its sweep. */
static void assignment_add(struct draft *f, const char *text, int line, struct value *into[2])
{
    struct value *key = pool_new(f->pool, 1, sizeof *key);
    *key =
        (struct value){ .kind = VALUE_SCALAR, .file = "command line", .line = line, .column = 1 };
    const char *equals = strchr(text, '=');
    key->text = pool_text(f->pool, text);
    if (!equals || equals == text) {
        diag_at(f->d, key, NULL, "KEY=VALUE is expected");
        return;
    }
    key->text = pool_textf(f->pool, "%.*s", (int)(equals - text), text);
    bool axis = false;
    const struct value *found = baseline_named(f, text, key);
    const struct value *list = found ? NULL : assignment_values(f, text, line);
    if (list) found = assignment_value(f, list, key, &axis);
    if (!found) return;
    for (int i = 0; i < 2; i++)
        if (value_find(into[i], key->text)) {
            diag_at(f->d, key, NULL, "%s is given twice", key->text);
            return;
        }
    struct value *v = pool_new(f->pool, 1, sizeof *v), **end = &into[axis]->first;
    *v = *found;
    v->key = key;
    v->next = NULL;
    while (*end) end = &(*end)->next;
    *end = v;
}

/* All assignments as the last layer: each is a line of the text "command line". */
static void layer_assignments(struct draft *f)
{
    struct text lines = { NULL, 0, 0 };
    int n = f->request->n_assignments;
    for (int i = 0; i < n; i++) {
        size_t at = lines.len;
        text_addf(&lines, "%s", f->request->assignments[i]);
        for (size_t c = at; c < lines.len; c++)
            if (lines.s[c] == '\n' || lines.s[c] == '\r') lines.s[c] = ' ';
        text_add(&lines, "\n");
    }
    diags_source(f->d, "command line", lines.s ? lines.s : "");
    struct value *map = pool_new(f->pool, 1, sizeof *map),
                 *sweep = pool_new(f->pool, 1, sizeof *map);
    *map = (struct value){ .kind = VALUE_MAP, .file = "command line", .line = 1, .column = 1 };
    *sweep = *map;
    char *line = lines.s;
    for (int i = 0; line && i < n; i++) {
        char *end = strchr(line, '\n');
        *end = 0;
        assignment_add(f, line, i + 1, (struct value *[2]){ map, sweep });
        line = end + 1;
    }
    text_clear(&lines);
    f->layers[f->n_layers++] = map;
    f->axes_layer = sweep;
}

bool draft_files(struct draft *f)
{
    const struct design_request *q = f->request;
    struct reading r = { .path = q->path ? q->path : "-" };
    bool ok = true;
    if (q->text) {
        ok = layer_text(f, &r, q->text, strlen(q->text));
    } else if (q->path) {
        r.real = realpath(q->path, NULL);
        ok = layer_file(f, &r);
        free(r.real);
    }
    layer_assignments(f);
    return ok;
}
