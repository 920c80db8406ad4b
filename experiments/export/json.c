/* One JSON object: the design's heading, the columns, a flat object for each row (ready for a data
 * frame), the runs behind it, the notes. A number that does not exist is null. */
#include "experiments/results/json.h"
#include "experiments/export/writer.h"
#include "experiments/table/numbers.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

static void json_text(cJSON *into, const char *key, const char *s)
{
    bool there = s && strcmp(s, FORMAT_NONE) != 0;
    cJSON_AddItemToObject(into, key, there ? cJSON_CreateString(s) : cJSON_CreateNull());
}

static void json_real(cJSON *into, const char *key, double v)
{
    cJSON_AddItemToObject(into, key, isfinite(v) ? cJSON_CreateNumber(v) : cJSON_CreateNull());
}

static void json_columns(cJSON *into, const struct table *t)
{
    cJSON *all = cJSON_AddArrayToObject(into, "columns");
    for (int c = 0; c < t->n_columns; c++) {
        cJSON *one = cJSON_CreateObject();
        json_text(one, "key", t->columns[c].key);
        json_text(one, "title", t->columns[c].title);
        json_text(one, "unit", t->columns[c].unit);
        cJSON_AddItemToArray(all, one);
    }
}

static void json_runs(cJSON *into, const struct results *r, int point)
{
    cJSON *all = cJSON_AddArrayToObject(into, "runs");
    for (int s = 0; s < r->n_seeds; s++) {
        const struct record *run = r->points[point].runs[s];
        cJSON *one = cJSON_CreateObject();
        cJSON_AddNumberToObject(one, "seed", (double)r->seeds[s]);
        json_text(one, "id", run ? run->id : NULL);
        json_text(one, "status", run ? record_status_name(run->status) : "not done");
        json_real(one, "top1", run ? run->top1 : (double)NAN);
        json_real(one, "top5", run ? run->top5 : (double)NAN);
        cJSON_AddItemToArray(all, one);
    }
}

static void json_rows(cJSON *into, const struct table *t, const struct results *r)
{
    cJSON *all = cJSON_AddArrayToObject(into, "rows");
    for (int i = 0; i < t->n_rows; i++) {
        cJSON *row = cJSON_CreateObject();
        bool best = false;
        for (int c = 0; c < t->n_columns; c++) {
            const struct cell *cell = &t->cells[i * t->n_columns + c];
            best = best || cell->best;
            if (t->columns[c].number)
                json_real(row, t->columns[c].key, cell->value);
            else
                json_text(row, t->columns[c].key, cell->text);
        }
        if (t->rows == TABLE_POINTS) {
            cJSON_AddBoolToObject(row, "best", best);
            json_runs(row, r, i);
        }
        cJSON_AddItemToArray(all, row);
    }
}

static void json_write(struct text *out, const struct table *t, const struct results *r)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "version", 1);
    json_text(j, "experiment", r->experiment);
    json_text(j, "question", r->question);
    json_text(j, "mirrors", r->mirrors);
    json_text(j, "baseline", r->baseline < 0 ? NULL : r->points[r->baseline].label);
    json_columns(j, t);
    json_rows(j, t, r);
    cJSON *notes = cJSON_AddArrayToObject(j, "notes");
    for (int i = 0; i < t->n_notes; i++)
        cJSON_AddItemToArray(notes, cJSON_CreateString(t->notes[i]));
    json_print(out, j);
    cJSON_Delete(j);
}

const struct writer writer_json = {
    .name = "json",
    .suffix = ".json",
    .meaning = "JSON, numbers in full, with the runs of each row",
    .write = json_write,
};
