/* cJSON writes texts as they are: bytes that are not UTF-8 would make a file that is no JSON, and
 * control characters above ASCII would reach a terminal. */
#include "experiments/results/json.h"
#include "core/base/err.h"
#include "core/base/escape.h"

void json_print(struct text *out, const cJSON *j)
{
    char *s = cJSON_Print(j);
    BUG_IF(!s, "JSON that cannot be printed");
    text_json_escaped(out, s);
    text_add(out, "\n");
    cJSON_free(s);
}
