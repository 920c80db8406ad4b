#ifndef TESTS_CONV_LAYERS_H
#define TESTS_CONV_LAYERS_H
/* Every convolution of ResNet-20, ResNet-50, ResNeXt-50 (its grouped ones) and MobileNet (its
 * depthwise ones): what conv_bench times and the tests of the direct convolution compare with the
 * reference. */
#include "core/kernels/conv/conv.h"

enum conv_network { RESNET20, RESNET50, RESNEXT50, MOBILENET };

struct conv_layer {
    enum conv_network network;
    const char *name;
    int times;   /* in the network */
    int size;    /* of the input, height and width */
    int test[2]; /* sizes that tests take, as floats and as bf16: the network's where that is cheap,
                  * else large enough for every way of cutting them up */
    int c, k, kernel, stride, groups;
};

static const struct conv_layer conv_layers[] = {
    { RESNET20, "stem 3x3 3-16 @32", 1, 32, { 32, 32 }, 3, 16, 3, 1, 1 },
    { RESNET20, "3x3 16-16 @32", 6, 32, { 32, 32 }, 16, 16, 3, 1, 1 },
    { RESNET20, "3x3 s2 16-32 @32", 1, 32, { 32, 32 }, 16, 32, 3, 2, 1 },
    { RESNET20, "3x3 32-32 @16", 5, 16, { 16, 16 }, 32, 32, 3, 1, 1 },
    { RESNET20, "1x1 s2 16-32 @32", 1, 32, { 32, 32 }, 16, 32, 1, 2, 1 },
    { RESNET20, "3x3 s2 32-64 @16", 1, 16, { 16, 16 }, 32, 64, 3, 2, 1 },
    { RESNET20, "3x3 64-64 @8", 5, 8, { 8, 8 }, 64, 64, 3, 1, 1 },
    { RESNET20, "1x1 s2 32-64 @16", 1, 16, { 16, 16 }, 32, 64, 1, 2, 1 },
    { RESNET50, "stem 7x7 s2 3-64 @224", 1, 224, { 112, 56 }, 3, 64, 7, 2, 1 },
    { RESNET50, "1x1 64-64 @56", 1, 56, { 56, 28 }, 64, 64, 1, 1, 1 },
    { RESNET50, "3x3 64-64 @56", 3, 56, { 56, 28 }, 64, 64, 3, 1, 1 },
    { RESNET50, "1x1 64-256 @56", 4, 56, { 28, 28 }, 64, 256, 1, 1, 1 },
    { RESNET50, "1x1 256-64 @56", 2, 56, { 28, 28 }, 256, 64, 1, 1, 1 },
    { RESNET50, "1x1 256-128 @56", 1, 56, { 14, 14 }, 256, 128, 1, 1, 1 },
    { RESNET50, "3x3 s2 128-128 @56", 1, 56, { 28, 14 }, 128, 128, 3, 2, 1 },
    { RESNET50, "3x3 128-128 @28", 3, 28, { 28, 14 }, 128, 128, 3, 1, 1 },
    { RESNET50, "1x1 128-512 @28", 4, 28, { 14, 14 }, 128, 512, 1, 1, 1 },
    { RESNET50, "1x1 s2 256-512 @56", 1, 56, { 14, 14 }, 256, 512, 1, 2, 1 },
    { RESNET50, "1x1 512-128 @28", 3, 28, { 14, 14 }, 512, 128, 1, 1, 1 },
    { RESNET50, "1x1 512-256 @28", 1, 28, { 14, 7 }, 512, 256, 1, 1, 1 },
    { RESNET50, "3x3 s2 256-256 @28", 1, 28, { 14, 14 }, 256, 256, 3, 2, 1 },
    { RESNET50, "3x3 256-256 @14", 5, 14, { 14, 7 }, 256, 256, 3, 1, 1 },
    { RESNET50, "1x1 256-1024 @14", 6, 14, { 7, 7 }, 256, 1024, 1, 1, 1 },
    { RESNET50, "1x1 s2 512-1024 @28", 1, 28, { 14, 7 }, 512, 1024, 1, 2, 1 },
    { RESNET50, "1x1 1024-256 @14", 5, 14, { 7, 7 }, 1024, 256, 1, 1, 1 },
    { RESNET50, "1x1 1024-512 @14", 1, 14, { 7, 5 }, 1024, 512, 1, 1, 1 },
    { RESNET50, "3x3 s2 512-512 @14", 1, 14, { 7, 7 }, 512, 512, 3, 2, 1 },
    { RESNET50, "3x3 512-512 @7", 2, 7, { 7, 5 }, 512, 512, 3, 1, 1 },
    { RESNET50, "1x1 512-2048 @7", 3, 7, { 5, 3 }, 512, 2048, 1, 1, 1 },
    { RESNET50, "1x1 s2 1024-2048 @14", 1, 14, { 7, 5 }, 1024, 2048, 1, 2, 1 },
    { RESNET50, "1x1 2048-512 @7", 2, 7, { 5, 3 }, 2048, 512, 1, 1, 1 },
    { RESNEXT50, "g32 3x3 128 @56", 3, 56, { 20, 14 }, 128, 128, 3, 1, 32 },
    { RESNEXT50, "g32 3x3 s2 256 @56", 1, 56, { 20, 14 }, 256, 256, 3, 2, 32 },
    { RESNEXT50, "g32 3x3 256 @28", 3, 28, { 14, 9 }, 256, 256, 3, 1, 32 },
    { RESNEXT50, "g32 3x3 s2 512 @28", 1, 28, { 14, 9 }, 512, 512, 3, 2, 32 },
    { RESNEXT50, "g32 3x3 512 @14", 5, 14, { 9, 9 }, 512, 512, 3, 1, 32 },
    { RESNEXT50, "g32 3x3 s2 1024 @14", 1, 14, { 9, 9 }, 1024, 1024, 3, 2, 32 },
    { RESNEXT50, "g32 3x3 1024 @7", 2, 7, { 7, 7 }, 1024, 1024, 3, 1, 32 },
    { MOBILENET, "dw 3x3 32 @112", 1, 112, { 28, 28 }, 32, 32, 3, 1, 32 },
    { MOBILENET, "dw 3x3 s2 64 @112", 1, 112, { 28, 28 }, 64, 64, 3, 2, 64 },
    { MOBILENET, "dw 3x3 128 @56", 1, 56, { 14, 14 }, 128, 128, 3, 1, 128 },
    { MOBILENET, "dw 3x3 s2 128 @56", 1, 56, { 14, 14 }, 128, 128, 3, 2, 128 },
    { MOBILENET, "dw 3x3 256 @28", 1, 28, { 14, 14 }, 256, 256, 3, 1, 256 },
    { MOBILENET, "dw 3x3 s2 256 @28", 1, 28, { 14, 14 }, 256, 256, 3, 2, 256 },
    { MOBILENET, "dw 3x3 512 @14", 5, 14, { 14, 7 }, 512, 512, 3, 1, 512 },
    { MOBILENET, "dw 3x3 s2 512 @14", 1, 14, { 14, 7 }, 512, 512, 3, 2, 512 },
    { MOBILENET, "dw 3x3 1024 @7", 1, 7, { 7, 7 }, 1024, 1024, 3, 1, 1024 },
};
enum { CONV_LAYERS = sizeof conv_layers / sizeof *conv_layers };

/* A layer on images of size x size pixels. Of bf16, all tensors are, but for images of three
 * channels. */
static inline struct conv_shape conv_layer_shape(const struct conv_layer *l, int images, int size,
                                                 bool is_bf16)
{
    const int pad = l->kernel / 2, out = (size + 2 * pad - l->kernel) / l->stride + 1;
    return (struct conv_shape){ .n = images,
                                .h = size,
                                .w = size,
                                .c = l->c,
                                .k = l->k,
                                .kh = l->kernel,
                                .kw = l->kernel,
                                .stride = l->stride,
                                .pad_top = pad,
                                .pad_left = pad,
                                .groups = l->groups,
                                .oh = out,
                                .ow = out,
                                .bf16_x = is_bf16 && l->c != 3,
                                .bf16_y = is_bf16 };
}
#endif
