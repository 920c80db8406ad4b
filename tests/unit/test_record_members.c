/* Every number of a record is the one that it is called after. */
#include "core/base/digest.h"
#include "experiments/results/record.h"
#include "tests/unit/results_fixture.h"
#include <math.h>

static const char id[] = "00000000000000ab";

/* No two numbers alike, so that none can stand in the place of another. */
static struct epoch_record history[] = { { 1, 0.1, 2.5, 90, 2.75, 75, 1.5, 100, 17 } };
static uint16_t label[] = { 0, 3 }, predicted[] = { 1, 3 };
static uint32_t numbers[] = { 4, 5 };
static struct train_result result = { .history = history,
                                      .epochs = 1,
                                      .test = { 1.25, 50, 25, 2, label, predicted } };
static const struct data_format format = { .name = "synthetic" };
static const struct dataset data = {
    .format = &format, .size = 32, .channels = 3, .classes = 10, .count = { 50, 12 }, .digest = 0xd1
};
static const struct data_split split = {
    .train = { .count = 40 },
    .validation = { .count = 7 },
    .test = { .part = DATA_TEST, .index = numbers, .count = 2 },
    .mean = { 0.5F, 0.25F, 0.125F },
    .sd = { 1, 2, 4 },
    .digest = 0x5d
};
static const struct model_counts counts = { .trainable = 101,
                                            .with_statistics = 102,
                                            .se = 103,
                                            .se_weights = 104,
                                            .conv_fc = 105,
                                            .se_fc = 106,
                                            .adds = 107,
                                            .scaling = 108,
                                            .pooling = 109,
                                            .hidden = { [2] = 110, [4] = 111 } };

static const struct {
    const char *place; /* members by dots, elements of lists by numbers */
    double number;
    const char *text;
} members[] = {
    { "version", RECORD_VERSION, NULL },
    { "id", 0, id },
    { "status", 0, "completed" },
    { "seed", 3, NULL },
    { "seconds", 8.75, NULL },
    { "weights_digest", 0, "0000000000000011" },
    { "backbone.name", 0, "resnet20" },
    { "backbone.structure", 0, "00000000000000fe" },
    { "backbone.parameters", 101, NULL },
    { "backbone.parameters_with_statistics", 102, NULL },
    { "backbone.se_parameters", 103, NULL },
    { "backbone.se_weights", 104, NULL },
    { "backbone.conv_fc", 105, NULL },
    { "backbone.se_fc", 106, NULL },
    { "backbone.adds", 107, NULL },
    { "backbone.scaling", 108, NULL },
    { "backbone.pooling", 109, NULL },
    { "backbone.hidden.2", 110, NULL },
    { "backbone.hidden.4", 111, NULL },
    { "backbone.unfused", 19, NULL },
    { "data.format", 0, "synthetic" },
    { "data.size", 32, NULL },
    { "data.channels", 3, NULL },
    { "data.classes", 10, NULL },
    { "data.train_part", 50, NULL },
    { "data.test_part", 12, NULL },
    { "data.digest", 0, "00000000000000d1" },
    { "data.split.train", 40, NULL },
    { "data.split.validation", 7, NULL },
    { "data.split.test", 2, NULL },
    { "data.split.digest", 0, "000000000000005d" },
    { "data.split.mean.1", 0.25, NULL },
    { "data.split.mean.2", 0.125, NULL },
    { "data.split.sd.1", 2, NULL },
    { "data.split.sd.2", 4, NULL },
    { "history.0.epoch", 1, NULL },
    { "history.0.lr", 0.1, NULL },
    { "history.0.train_loss", 2.5, NULL },
    { "history.0.train_error", 90, NULL },
    { "history.0.validation_loss", 2.75, NULL },
    { "history.0.validation_error", 75, NULL },
    { "history.0.seconds", 1.5, NULL },
    { "history.0.images_per_second", 100, NULL },
    { "history.0.weights_digest", 0, "0000000000000011" },
    { "test.loss", 1.25, NULL },
    { "test.top1", 50, NULL },
    { "test.top5", 25, NULL },
    { "test.count", 2, NULL },
    { "machine.threads", 6, NULL },
    { "machine.jobs", 5, NULL },
};

static const cJSON *member_at(const cJSON *j, const char *place)
{
    char *copy = mem_text(place), *rest = copy;
    for (const char *key; j && (key = strsep(&rest, "."));)
        j = cJSON_IsArray(j) ? cJSON_GetArrayItem(j, atoi(key))
                             : cJSON_GetObjectItemCaseSensitive(j, key);
    free(copy);
    return j;
}

static struct design_point point_make(struct pool *p, struct diags *d)
{
    static const struct value name = { .kind = VALUE_SCALAR, .text = "synthetic", .file = "test" };
    static const struct setting all[] = { { "dataset.name", &name } };
    struct design_point point = { .label = "p", .same_as = -1, .counts = counts };
    ck_assert(spec_resolve(&point.spec, all, 1, p, d));
    point.structure = 0xfe;
    point.unfused = 19;
    return point;
}

START_TEST(every_member_says_what_it_is_called)
{
    struct fixture f;
    struct pool p = { 0 };
    struct diags d = { 0 };
    struct record r;
    struct err e;
    char command[128];
    fixture_make(&f);
    const struct design_point point = point_make(&p, &d);
    const struct record_facts facts = { .id = id,
                                        .status = RECORD_COMPLETED,
                                        .point = &point,
                                        .seed = 3,
                                        .data = &data,
                                        .split = &split,
                                        .result = &result,
                                        .seconds = 8.75,
                                        .threads = 6,
                                        .jobs = 5 };
    ck_assert_msg(record_write(f.dir, &facts, &e), "%s", e.text);
    ck_assert_msg(record_read(f.dir, id, &r, &e) == 1, "%s", e.text);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const cJSON *v = member_at(r.json, members[i].place);
        const bool right = members[i].text
                               ? cJSON_IsString(v) && !strcmp(v->valuestring, members[i].text)
                               : cJSON_IsNumber(v) && v->valuedouble == members[i].number;
        ck_assert_msg(right, "%s", members[i].place);
    }
    record_clear(&r);
    snprintf(command, sizeof command, "rm -r %s", f.dir);
    ck_assert_int_eq(system(command), 0);
    pool_clear(&p);
    diags_clear(&d);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("record members");
    unit_case(s, "members", 20, UNIT_TESTS(every_member_says_what_it_is_called));
    return s;
}
