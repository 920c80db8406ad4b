/* The machine, the program and the libraries of a run, as they stand in its record. The Makefile
 * compiles this one file with SENET_REVISION, the revision of the sources; a build outside git has
 * none and says so. */
#include "experiments/results/provenance.h"
#include "core/base/numerics.h"
#include "core/kernels/kernels.h"
#include "core/kernels/vector/gemm.h"
#include "experiments/design/design.h"
#include <stdio.h>
#include <string.h>
/* jpeglib.h needs stdio.h before it. */
#include <jpeglib.h>
#include <png.h>
#include <xxhash.h>
#include <yaml.h>
#include <zlib.h>

#ifndef SENET_REVISION
#define SENET_REVISION "unknown"
#endif
const char *program_revision(void) { return SENET_REVISION; }

#define MACHINE_QUOTE(token) #token
#define MACHINE_TEXT(macro) MACHINE_QUOTE(macro)

/* "model name" of the first processor; processors without one are called "unknown". */
static void machine_cpu(char *name, size_t size)
{
    char line[512];
    snprintf(name, size, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    if (!f) return;
    while (fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(name, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
        break;
    }
    fclose(f);
}

cJSON *machine_describe(cJSON *into, int threads)
{
    char cpu[256];
    machine_cpu(cpu, sizeof cpu);
    cJSON *m = cJSON_AddObjectToObject(into, "machine");
    cJSON_AddStringToObject(m, "cpu", cpu);
    cJSON_AddStringToObject(m, "isa", kernels->isa);
    cJSON_AddNumberToObject(m, "threads", threads);
    return m;
}

void program_describe(cJSON *into)
{
    cJSON *p = cJSON_AddObjectToObject(into, "program");
    cJSON_AddStringToObject(p, "revision", program_revision());
    cJSON_AddNumberToObject(p, "numerics", NUMERICS_VERSION);
    cJSON *l = cJSON_AddObjectToObject(into, "libraries");
    char xxhash[32];
    unsigned v = XXH_versionNumber();
    snprintf(xxhash, sizeof xxhash, "%u.%u.%u", v / 10000, v / 100 % 100, v % 100);
    if (gemm_library()) cJSON_AddStringToObject(l, "openblas", gemm_library());
    cJSON_AddStringToObject(l, "libjpeg_turbo", MACHINE_TEXT(LIBJPEG_TURBO_VERSION));
    cJSON_AddStringToObject(l, "libpng", png_get_libpng_ver(NULL));
    cJSON_AddStringToObject(l, "zlib", zlibVersion());
    cJSON_AddStringToObject(l, "libyaml", yaml_get_version_string());
    cJSON_AddStringToObject(l, "cjson", cJSON_Version());
    cJSON_AddStringToObject(l, "xxhash", xxhash);
}
