/* Reads YAML events into values. Depth, keys and values are limited, so that no text costs more
 * than it weighs. */
#include "experiments/spec/yaml.h"
#include "core/base/text.h"
#include <string.h>
#include <yaml.h>

enum { YAML_DEPTH = 16, YAML_KEYS = 1000, YAML_VALUES = 100000, YAML_TEXT = 2000 };

struct reader {
    yaml_parser_t parser;
    const char *file;
    const char *text;
    size_t len;
    struct pool *pool;
    struct diags *d;
    int values;
};

static struct value *reader_value(struct reader *r, const yaml_event_t *e, int depth);

/* A place in the text as libyaml counts: lines and characters. */
struct place {
    int line, column; /* from 1 */
    size_t at;        /* its offset */
};

/* On to the next character. */
static void place_step(struct place *p, const char *text)
{
    size_t broken = line_break(text + p->at);
    p->at += broken ? broken : 1;
    if (broken) p->line++, p->column = 1;
    if (!broken && !text_continues(text[p->at])) p->column++;
}

/* Bytes that cannot be characters have an offset, but no place yet. */
static void reader_complain_bytes(struct reader *r)
{
    struct place p = { 1, 1, 0 };
    size_t offset = r->parser.problem_offset;
    while (p.at < offset && p.at < r->len) place_step(&p, r->text);
    diag_place(r->d, r->file, p.line, p.column, "not valid YAML: %s (byte %zu of the file)",
               r->parser.problem, offset + 1);
}

/* libyaml's mark; the end of the text where it counts one line more than there is. */
static struct place reader_place(const struct reader *r, const yaml_mark_t *m)
{
    struct place p = { 1, 1, 0 };
    while (p.at < r->len && !(p.line == (int)m->line + 1 && p.column == (int)m->column + 1))
        place_step(&p, r->text);
    return p;
}

static void reader_complain(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_READER_ERROR) {
        reader_complain_bytes(r);
        return;
    }
    struct place at = reader_place(r, &p->problem_mark);
    if (r->text[at.at] == '\t')
        diag_place(r->d, r->file, at.line, at.column,
                   "not valid YAML: indent with spaces, not with tabs");
    else
        diag_place(r->d, r->file, at.line, at.column, "not valid YAML: %s%s%s",
                   p->problem ? p->problem : "it cannot be read", p->context ? " " : "",
                   p->context ? p->context : "");
}

static bool reader_next(struct reader *r, yaml_event_t *e)
{
    if (yaml_parser_parse(&r->parser, e)) return true;
    reader_complain(r);
    return false;
}

/* Says what is wrong at an event; NULL, so that a refusal is one line. */
static struct value *reader_refuse(struct reader *r, const yaml_event_t *e, const char *what)
{
    diag_place(r->d, r->file, (int)e->start_mark.line + 1, (int)e->start_mark.column + 1, "%s",
               what);
    return NULL;
}

static struct value *reader_new(struct reader *r, const yaml_event_t *e, enum value_kind kind)
{
    struct value *v = pool_new(r->pool, 1, sizeof *v);
    v->kind = kind;
    v->file = r->file;
    v->line = (int)e->start_mark.line + 1;
    v->column = (int)e->start_mark.column + 1;
    return v;
}

static struct value *reader_scalar(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    if (strlen(text) != e->data.scalar.length)
        return reader_refuse(r, e, "a text cannot hold the character NUL");
    if (e->data.scalar.length > YAML_TEXT)
        return reader_refuse(r, e, "a text of more than 2,000 bytes");
    struct value *v = reader_new(r, e, VALUE_SCALAR);
    v->text = pool_text(r->pool, text);
    return v;
}

/* The children of a list, up to its end. */
static bool reader_list(struct reader *r, struct value *list, int depth)
{
    struct value **end = &list->first;
    for (;;) {
        yaml_event_t e;
        if (!reader_next(r, &e)) return false;
        bool over = e.type == YAML_SEQUENCE_END_EVENT;
        *end = over ? NULL : reader_value(r, &e, depth);
        bool read = over || *end;
        yaml_event_delete(&e);
        if (over || !read) return read;
        end = &(*end)->next;
    }
}

/* A key; NULL after a diagnosis. */
static struct value *reader_key(struct reader *r, const yaml_event_t *e)
{
    if (e->type == YAML_SCALAR_EVENT) return reader_value(r, e, 0);
    if (e->type == YAML_ALIAS_EVENT) return reader_value(r, e, 0);
    return reader_refuse(r, e, "a key must be a plain word");
}

static bool is_nothing(const yaml_event_t *e)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.length == 0 &&
           e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.anchor &&
           !e->data.scalar.tag;
}

/* Appends key: v, unless the map has the key. Returns where the next entry goes. */
static struct value **map_append(struct reader *r, struct value *map, struct value **end,
                                 struct value *v)
{
    const struct value *twin = value_find(map, v->key->text);
    if (twin) {
        diag_at(r->d, v->key, NULL, "%s is given twice, first on line %d", v->key->text,
                twin->key->line);
        return end;
    }
    *end = v;
    return &v->next;
}

/* The entries of a map, up to its end. */
static bool reader_map(struct reader *r, struct value *map, int depth)
{
    struct value **end = &map->first;
    for (int keys = 0;; keys++) {
        yaml_event_t e;
        if (!reader_next(r, &e)) return false;
        bool over = e.type == YAML_MAPPING_END_EVENT;
        const struct value *key = over ? NULL : reader_key(r, &e);
        if (key && keys >= YAML_KEYS) key = reader_refuse(r, &e, "a map of more than 1,000 keys");
        yaml_event_delete(&e);
        if (!key) return over;
        if (!reader_next(r, &e)) return false;
        bool nothing = is_nothing(&e);
        struct value *v = nothing ? NULL : reader_value(r, &e, depth);
        yaml_event_delete(&e);
        if (nothing)
            diag_at(r->d, key, NULL, "%s has no value: give it one, or leave the line out",
                    key->text);
        else if (!v)
            return false;
        if (!v) continue;
        v->key = key;
        end = map_append(r, map, end, v);
    }
}

/* The value that begins with event e; NULL after a diagnosis. */
static struct value *reader_value(struct reader *r, const yaml_event_t *e, int depth)
{
    if (e->type == YAML_ALIAS_EVENT)
        return reader_refuse(r, e, "aliases (*name) are not allowed; write the value out");
    bool scalar = e->type == YAML_SCALAR_EVENT, list = e->type == YAML_SEQUENCE_START_EVENT;
    /* anchor and tag of all three kinds of event, which libyaml keeps in three structs */
    const void *anchor = scalar ? e->data.scalar.anchor
                         : list ? e->data.sequence_start.anchor
                                : e->data.mapping_start.anchor;
    const void *tag = scalar ? e->data.scalar.tag
                      : list ? e->data.sequence_start.tag
                             : e->data.mapping_start.tag;
    if (anchor) return reader_refuse(r, e, "anchors (&name) are not allowed; write the value out");
    if (tag)
        return reader_refuse(r, e, "tags (!name) are not allowed; the settings know their types");
    if (++r->values > YAML_VALUES)
        return reader_refuse(r, e, "more than 100,000 values in one file");
    if (scalar) return reader_scalar(r, e);
    if (depth >= YAML_DEPTH) return reader_refuse(r, e, "nested more than 16 deep");
    struct value *v = reader_new(r, e, list ? VALUE_LIST : VALUE_MAP);
    bool read = list ? reader_list(r, v, depth + 1) : reader_map(r, v, depth + 1);
    return read ? v : NULL;
}

/* Passes over an event that carries nothing; false where it is another one. */
static bool reader_pass(struct reader *r, yaml_event_type_t type)
{
    yaml_event_t e;
    if (!reader_next(r, &e)) return false;
    bool expected = e.type == type;
    if (!expected && type == YAML_DOCUMENT_START_EVENT)
        diag_place(r->d, r->file, 1, 1, "there is nothing in it");
    if (!expected && type == YAML_STREAM_END_EVENT)
        reader_refuse(r, &e, "a second document begins here; an experiment is one document");
    yaml_event_delete(&e);
    return expected;
}

static struct value *reader_document(struct reader *r)
{
    if (!reader_pass(r, YAML_STREAM_START_EVENT) || !reader_pass(r, YAML_DOCUMENT_START_EVENT))
        return NULL;
    yaml_event_t e;
    if (!reader_next(r, &e)) return NULL;
    struct value *v = reader_value(r, &e, 0);
    yaml_event_delete(&e);
    if (!v || !reader_pass(r, YAML_DOCUMENT_END_EVENT) || !reader_pass(r, YAML_STREAM_END_EVENT))
        return NULL;
    return v;
}

struct value *yaml_read(const char *file, const char *text, size_t len, struct pool *p,
                        struct diags *d)
{
    struct reader r = { .file = pool_text(p, file), .text = text, .len = len, .pool = p, .d = d };
    BUG_IF(!yaml_parser_initialize(&r.parser), "no YAML parser");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    struct value *v = reader_document(&r);
    yaml_parser_delete(&r.parser);
    return v;
}
