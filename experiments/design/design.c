/* An experiment from its file: the stages of draft.h in order. And the identity of runs. */
#include "experiments/design/design.h"
#include "core/base/digest.h"
#include "experiments/design/builder.h"

bool design_read(struct design *out, const struct design_request *r, struct diags *d)
{
    *out = (struct design){ .baseline = -1 };
    struct draft f = { .out = out, .request = r, .d = d, .pool = &out->pool };
    int before = d->count;
    if (draft_files(&f)) {
        draft_settings(&f);
        draft_top(&f);
        draft_axes(&f);
        draft_product(&f);
        draft_points(&f);
        draft_probes(&f);
        draft_data(&f);
        draft_final(&f);
    }
    lookup_clear(&f.variant_at);
    if (d->count == before) return true;
    design_clear(out);
    return false;
}

void design_clear(struct design *d)
{
    pool_clear(&d->pool);
    *d = (struct design){ .baseline = -1 };
}

void run_id(const struct design_point *p, uint64_t seed, uint64_t data_digest, char out[RUN_ID])
{
    uint64_t whole[] = { design_point_digest(p), seed, data_digest };
    _Static_assert((int)RUN_ID == (int)DIGEST_TEXT, "an id is the text of a digest");
    digest_text(digest_of(whole, sizeof whole), out);
}
