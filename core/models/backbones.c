/* The networks that have a name. */
#include "core/models/model.h"
#include <string.h>

enum { CIFAR_SIZE = 32, IMAGENET_SIZE = 224 };

/* name, family, variant, input size, meaning */
const struct backbone backbones[] = {
    { "resnet8", &family_resnet, 8, CIFAR_SIZE, "3 stages of 1 basic block, 16-32-64 channels" },
    { "resnet14", &family_resnet, 14, CIFAR_SIZE, "3 stages of 2 basic blocks" },
    { "resnet20", &family_resnet, 20, CIFAR_SIZE, "3 stages of 3 basic blocks" },
    { "resnet32", &family_resnet, 32, CIFAR_SIZE, "3 stages of 5 basic blocks" },
    { "resnet44", &family_resnet, 44, CIFAR_SIZE, "3 stages of 7 basic blocks" },
    { "resnet56", &family_resnet, 56, CIFAR_SIZE, "3 stages of 9 basic blocks" },
    { "resnet110", &family_resnet, 110, CIFAR_SIZE, "3 stages of 18 basic blocks" },
    { "resnet18", &family_resnet, 18, IMAGENET_SIZE,
      "4 stages of 2-2-2-2 basic blocks, 64-512 channels" },
    { "resnet34", &family_resnet, 34, IMAGENET_SIZE, "4 stages of 3-4-6-3 basic blocks" },
    { "resnet50", &family_resnet, 50, IMAGENET_SIZE,
      "4 stages of 3-4-6-3 bottlenecks, 256-2048 channels" },
    { "resnet101", &family_resnet, 101, IMAGENET_SIZE, "4 stages of 3-4-23-3 bottlenecks" },
    { "resnet152", &family_resnet, 152, IMAGENET_SIZE, "4 stages of 3-8-36-3 bottlenecks" },
    { NULL, NULL, 0, 0, NULL },
};

const struct backbone *backbone_named(const char *name)
{
    for (const struct backbone *b = backbones; b->name; b++)
        if (strcmp(b->name, name) == 0) return b;
    return NULL;
}
