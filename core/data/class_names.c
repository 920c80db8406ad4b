#include "core/data/class_names.h"
#include <stdlib.h>
#include <string.h>

const char *const class_names_cifar10[10] = { "airplane", "automobile", "bird",  "cat",  "deer",
                                              "dog",      "frog",       "horse", "ship", "truck" };

const char *const class_names_cifar100[100] = {
    "apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
    "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
    "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
    "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
    "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
    "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
    "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
    "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
    "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
    "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
    "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
    "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
    "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
    "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
    "table",       "tank",          "telephone", "television", "tiger",        "tractor",
    "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
    "willow_tree", "wolf",          "woman",     "worm",
};

const char *const class_names_cifar20[20] = {
    "aquatic_mammals",
    "fish",
    "flowers",
    "food_containers",
    "fruit_and_vegetables",
    "household_electrical_devices",
    "household_furniture",
    "insects",
    "large_carnivores",
    "large_man-made_outdoor_things",
    "large_natural_outdoor_scenes",
    "large_omnivores_and_herbivores",
    "medium_mammals",
    "non-insect_invertebrates",
    "people",
    "reptiles",
    "small_mammals",
    "trees",
    "vehicles_1",
    "vehicles_2",
};

const char *const class_names_fashion[10] = { "T-shirt/top", "Trouser",   "Pullover", "Dress",
                                              "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                              "Bag",         "Ankle boot" };

/* Cuts the line that begins at *at off and moves on behind it; NULL at the end. */
static char *line_take(char **at)
{
    char *line = *at;
    if (!*line) return NULL;
    size_t n = strcspn(line, "\n");
    *at = line + n + (line[n] == '\n');
    line[n] = 0;
    if (n && line[n - 1] == '\r') line[n - 1] = 0;
    return line;
}

const char *const *class_names_read(struct pool *p, const char *path, int classes, struct err *e)
{
    struct bytes b;
    if (!file_read(path, &b, e)) return NULL;
    const char **names = pool_new(p, (size_t)classes, sizeof *names);
    char *at = (char *)b.data, *line;
    int n = 0, empty = 0;
    bool good = strlen(at) == b.len || err_set(e, "%s: holds a NUL; it is no list of names", path);
    while (good && (line = line_take(&at))) {
        empty += !*line;
        if (!*line) continue;
        if (empty) good = err_set(e, "%s: line %d is empty", path, n + 1);
        if (n < classes) names[n] = pool_text(p, line);
        n++;
    }
    free(b.data);
    if (good && n != classes)
        good = err_set(e, "%s: %d names, but there are %d classes", path, n, classes);
    return good ? names : NULL;
}
