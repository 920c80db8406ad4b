/* Any text as an experiment file: read, resolved, printed or written. The data set is always the
 * made-up one, so that no file is touched; experiment files cannot extend another from memory.
 *   build/fuzz/tests/fuzz/fuzz_spec -dict=tests/fuzz/spec.dict tests/fuzz/seeds/spec
 * tests/cases/bad */
#include "experiments/design/design.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void outcome_write(const struct design *d, const struct diags *problems, bool ok)
{
    struct text json = { NULL, 0, 0 };
    char *said;
    size_t len;
    FILE *f = open_memstream(&said, &len);
    diags_print(problems, f);
    fclose(f);
    BUG_IF(ok != (len == 0), "a design was %s, and this was said: %s", ok ? "read" : "refused",
           said);
    free(said);
    if (ok) design_write(d, NULL, &json);
    text_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    if (size) memcpy(text, data, size);
    const char *line[] = { "dataset.name=synthetic" };
    struct design_request r = {
        .path = "fuzz.yaml", .text = text, .assignments = line, .n_assignments = 1
    };
    struct design d;
    struct diags problems = { 0 };
    bool ok = design_read(&d, &r, &problems);
    outcome_write(&d, &problems, ok);
    design_clear(&d);
    diags_clear(&problems);
    free(text);
    return 0;
}
