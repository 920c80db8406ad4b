#ifndef EXPERIMENTS_RESULTS_RECORD_H
#define EXPERIMENTS_RESULTS_RECORD_H
#include "experiments/design/design.h"
#include <cjson/cJSON.h>

/* The result of one run: results/NAME/runs/ID.json, described by results/record.schema.json. */
enum record_status { RECORD_COMPLETED, RECORD_DIVERGED, RECORD_FAILED, RECORD_INTERRUPTED };
/* Version 1 had no seal (experiments/results/seal.h); it is still read. */
enum { RECORD_VERSION = 2, RECORD_UNSEALED = 1, RECORD_STATUSES = 4 };

struct record_facts { /* what goes into a record */
    const char *id;
    enum record_status status;
    const char *why; /* of a failure, or NULL */
    const struct design_point *point;
    uint64_t seed;
    const struct dataset *data; /* NULL where it could not be opened */
    const struct data_split *split;
    const struct train_result *result; /* NULL where nothing was trained */
    double seconds;
    int threads, jobs; /* of the run; runs that the machine had in hand at a time */
};

/* Writes the record, and after a completed run first its predictions: runs/ID/predictions.csv,
 * a line "index,label,predicted" for each test image. Makes the folders it needs. */
bool record_write(const char *dir, const struct record_facts *f, struct err *e);

struct record { /* what tables need of it */
    char id[RUN_ID];
    enum record_status status;
    char *why;
    uint64_t seed, diverged_step;
    int epochs;                        /* done */
    int classes;                       /* of the data, 0: unknown */
    double top1, top5, loss;           /* of the test, errors in percent; NAN unless completed */
    double seconds, images_per_second; /* of the whole run; median over epochs, NAN */
    uint32_t test_count;
    int numerics; /* version (core/base/numerics.h) */
    cJSON *json;  /* all of it */
};

/* 1: read; 0: there is none; -1: e says what is wrong with it. The bytes are foreign: anything but
 * a record of this id and version is refused with a message that names the file. */
int record_read(const char *dir, const char *id, struct record *r, struct err *e);
void record_clear(struct record *r);
const char *record_status_name(enum record_status s);

/* The ids that have a record, sorted. Free with dir_list_free. */
bool record_ids(const char *dir, char ***ids, size_t *n, struct err *e);

/* Is this an id, that is 16 lower-case hex digits? Only then may it become part of a path. */
bool record_id_valid(const char *id);
#endif
