#ifndef CORE_DATA_DATA_H
#define CORE_DATA_DATA_H
#include "core/base/fields.h"
#include <stdint.h>

/* A data set: labelled images, in a training and a test part as its files have them. A validation
 * part is cut from the training part (split.h). */
enum data_part { DATA_TRAIN, DATA_TEST, DATA_PARTS };

/* Where in a photograph to look: the first of these windows that fits inside it, else the largest
 * centred one whose aspect is within the drawn bounds. Only the format knows how large the
 * photograph is, so the draws travel to it. NULL instead: the usual resize and centre crop. */
enum { CROP_TRIES = 10 };
struct data_crop {
    struct crop_window {
        double area;   /* share of the photograph's */
        double aspect; /* width / height, in pixels */
        double y, x;   /* where in the room that is left, 0 (top, left) to 1 */
    } tries[CROP_TRIES];
    double aspect_min, aspect_max;
};

/* What outlives a start of the program, and who is told that one takes long. */
struct data_notes {
    const char *folder;                       /* where digests of files are kept, or NULL */
    void (*say)(void *ctx, const char *text); /* from any thread, one at a time; or NULL */
    void *ctx;
};

struct dataset {
    const struct data_format *format;
    const struct data_notes *notes; /* while it is opened; or NULL */
    int size, channels, classes;    /* images come out as size x size x channels */
    uint32_t count[DATA_PARTS];
    const uint16_t *labels[DATA_PARTS];
    const char *const *class_names;            /* classes of them, or NULL */
    const char *const *file_names[DATA_PARTS]; /* count of them, from the data's folder on; or NULL:
                                                  images share files */
    uint64_t digest;                           /* of every byte that was or will be read */
    void *own;                                 /* the format's */
};

/* A number for each channel; n is 0 where the training part shall tell. */
struct data_channels {
    double v[4];
    int n;
};

/* What the settings file says of the data (section `dataset`, without `name` and the format's own).
 */
struct data_settings {
    const char *path; /* NULL: the format's default */
    int validation;   /* images taken from the training part, 0: none */
    int split_seed;   /* which ones */
    int train_limit; /* use this many training images at most, 0: all (drawn by split_seed, balanced
                        over classes as far as they go) */
    int test_limit;  /* the same for the test part */
    struct data_channels mean, sd; /* of pixels in 0..1 */
};
extern const struct field data_fields[];

/* What a network must fit: known from the settings alone wherever that is possible, so that a
 * design can be checked where the data is not at hand. */
struct data_shape {
    int size, channels, classes;
};

static inline uint64_t data_image_bytes(const struct data_shape *s)
{
    return (uint64_t)s->size * (uint64_t)s->size * (uint64_t)s->channels;
}

/* One file layout; core/data/NAME.c. Everything that comes from files is checked: a refusal names
 * the file and, where it helps, the byte offset. */
struct data_format {
    const char *name;
    const char *meaning;
    const char *source;         /* what to get, and where it goes; NULL: it is made up */
    const char *default_path;   /* or NULL: the path must be given */
    bool made_up;               /* reads no files and takes no path */
    const struct field *fields; /* the format's own settings; may be empty */
    size_t settings_size;
    int natural_size; /* > 0: images have a fixed size, usually this one; 0: any, photographs are
                         resized */
    /* Without reading images. Refuses what cannot be known (a folder that is not there and no
     * `classes` setting) and what cannot be right: a size the files do not have. open checks that
     * the files agree. size: what the network takes, 0 for the size of the files. */
    bool (*shape)(const char *path, const void *settings, int size, struct data_shape *out,
                  struct err *e);
    /* size as above. d arrives zeroed but for format and notes; after a refusal close is called on
     * it. */
    bool (*open)(struct dataset *d, const char *path, const void *settings, int size,
                 struct err *e);
    /* size * size * channels bytes. Called from any thread; crop is only given to formats with
     * natural_size 0. */
    bool (*read)(const struct dataset *d, enum data_part part, uint32_t index,
                 const struct data_crop *crop, uint8_t *pixels, struct err *e);
    void (*close)(struct dataset *d);
    /* Images in each part, without reading any; false where the files that would tell are not at
     * hand, or cannot be read. */
    bool (*count)(const char *path, const void *settings, uint64_t count[DATA_PARTS]);
    /* Bytes of pixels that the data set keeps in memory at the end of an epoch; 0 where the files
     * that would tell are not at hand. NULL: none. */
    uint64_t (*kept)(const char *path, const void *settings, const struct data_settings *data,
                     const struct data_shape *shape);
    bool keeps_later; /* they are read at their first use, not by open */
};

#define FORMAT(name) extern const struct data_format format_##name;
#include "core/data/formats.def"
#undef FORMAT
extern const struct data_format *const formats[]; /* NULL past the last */
const struct data_format *format_named(const char *name);

/* What to open: a format, its settings, and the size that the network takes (0: the files'). */
struct data_source {
    const struct data_format *format;
    const char *path; /* NULL: the format's default */
    const void *settings;
    int size;
    const struct data_notes *notes; /* or NULL */
};

/* Says that the data is not at hand and how to get it, then `more`; returns false. */
static inline bool data_absent(const struct data_format *f, const char *path, const char *more,
                               struct err *e)
{
    return err_set(e, "%s%s; to get the data: %s%s", path ? path : "dataset.path",
                   path ? ": no such folder" : " must name a folder", f->source, more);
}

/* After a refusal d is empty; closing it again does no harm. */
bool dataset_open(struct dataset *d, const struct data_source *from, struct err *e);
void dataset_close(struct dataset *d);
#endif
