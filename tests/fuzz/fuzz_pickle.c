/* libFuzzer on the reader of CIFAR's pickles. Input: the file. Whatever is taken for one is read as
 * CIFAR's reader does: lists of numbers and names, and the rows of the array. */
#include "core/base/mem.h"
#include "core/data/pickle.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const keys[] = { "data",        "labels",           "fine_labels",
                                    "label_names", "fine_label_names", "filenames" };

static uint64_t value_read(const struct pickle_value *v)
{
    uint64_t sum = 0;
    uint32_t n, columns;
    if (pickle_list(v, &n)) {
        for (uint32_t i = 0; i < n; i++) {
            int64_t number;
            size_t length;
            const char *text = pickle_text(pickle_item(v, i), &length);
            for (size_t k = 0; text && k < length; k++) sum += (uint64_t)text[k];
            if (pickle_integer(pickle_item(v, i), &number)) sum += (uint64_t)number;
        }
    }
    if (!pickle_array(v, &n, &columns)) return sum;
    uint8_t *row = mem_new(columns, 1);
    const uint8_t *from = NULL;
    for (uint32_t i = 0; i < n; i++) {
        pickle_row(v, &from, row);
        sum += row[0];
    }
    free(row);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bytes file = { malloc(len + 1), len }; /* of its own, so that overruns are seen */
    struct err e = { .text = "" };
    if (len) memcpy(file.data, bytes, len);
    struct pickle *p = pickle_read(&file, "fuzz", &e);
    if (!p != (e.text[0] != 0)) abort();
    uint64_t sum = 0;
    for (size_t i = 0; p && i < sizeof keys / sizeof *keys; i++)
        sum += value_read(pickle_member(p, keys[i]));
    __asm__ volatile("" : : "r"(sum)); /* so that all of it is read */
    pickle_destroy(p);
    free(file.data);
    return 0;
}
