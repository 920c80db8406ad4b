/* The published numbers of Tables 10 to 16. They are facts copied from the paper: nothing here is
 * computed. `params` follows the paper's count: batch-norm statistics included. */
#include "experiments/spec/paper.h"
#include <math.h>
#include <string.h>

#define PLAIN(name, params, gflops)                                         \
    {                                                                       \
        name, "model.se.reduction", "\"none\"", 23.30, 6.55, params, gflops \
    }
#define END           \
    {                 \
        .label = NULL \
    }

static const struct paper_row table10[] = {
    { "2", "model.se.reduction", "2", 22.29, 6.00, 45.7, NAN },
    { "4", "model.se.reduction", "4", 22.25, 6.09, 35.7, NAN },
    { "8", "model.se.reduction", "8", 22.26, 5.99, 30.7, NAN },
    { "16", "model.se.reduction", "16", 22.28, 6.03, 28.1, NAN },
    { "32", "model.se.reduction", "32", 22.72, 6.20, 26.9, NAN },
    PLAIN("original", 25.6, NAN),
    END,
};

static const struct paper_row table11[] = {
    { "Max", "model.se.squeeze", "\"max\"", 22.57, 6.09, NAN, NAN },
    { "Avg", "model.se.squeeze", "\"avg\"", 22.28, 6.03, NAN, NAN },
    END,
};

static const struct paper_row table12[] = {
    { "ReLU", "model.se.excitation", "\"relu\"", 23.47, 6.98, NAN, NAN },
    { "Tanh", "model.se.excitation", "\"tanh\"", 23.00, 6.38, NAN, NAN },
    { "Sigmoid", "model.se.excitation", "\"sigmoid\"", 22.28, 6.03, NAN, NAN },
    END,
};

static const struct paper_row table13[] = {
    PLAIN("ResNet-50", 25.6, 3.86),
    { "SE_Stage_2", "model.se.stages", "[2]", 23.03, 6.48, 25.6, 3.86 },
    { "SE_Stage_3", "model.se.stages", "[3]", 23.04, 6.32, 25.7, 3.86 },
    { "SE_Stage_4", "model.se.stages", "[4]", 22.68, 6.22, 26.4, 3.86 },
    { "SE_All", "model.se.stages", "\"all\"", 22.28, 6.03, 28.1, 3.87 },
    END,
};

static const struct paper_row table14[] = {
    { "SE", "model.se.placement", "\"standard\"", 22.28, 6.03, NAN, NAN },
    { "SE-PRE", "model.se.placement", "\"pre\"", 22.23, 6.00, NAN, NAN },
    { "SE-POST", "model.se.placement", "\"post\"", 22.78, 6.35, NAN, NAN },
    { "SE-Identity", "model.se.placement", "\"identity\"", 22.20, 6.15, NAN, NAN },
    END,
};

static const struct paper_row table15[] = {
    { "SE", "model.se.placement", "\"standard\"", 22.28, 6.03, 28.1, 3.87 },
    { "SE_3x3", "model.se.placement", "\"conv3x3\"", 22.48, 6.02, 25.8, 3.86 },
    END,
};

static const struct paper_row table16[] = {
    PLAIN("ResNet-50", 25.6, 3.86),
    { "NoSqueeze", "model.se.squeeze", "\"none\"", 22.93, 6.39, 28.1, 4.27 },
    { "SE", "model.se.squeeze", "\"avg\"", 22.28, 6.03, 28.1, 3.87 },
    END,
};

const struct paper_table paper_tables[] = {
    { "table10", "SE-ResNet-50 at different reduction ratios", table10 },
    { "table11", "Squeeze operator, SE-ResNet-50", table11 },
    { "table12", "Excitation operator, SE-ResNet-50", table12 },
    { "table13", "SE blocks at different stages of ResNet-50", table13 },
    { "table14", "SE block integration strategies, ResNet-50", table14 },
    { "table15", "SE block at the 3x3 convolution of each residual branch", table15 },
    { "table16", "Effect of the squeeze operator", table16 },
    { NULL, NULL, NULL },
};

const struct paper_table *paper_table_named(const char *name)
{
    for (const struct paper_table *t = paper_tables; t->name; t++)
        if (strcmp(t->name, name) == 0) return t;
    return NULL;
}
