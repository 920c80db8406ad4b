#ifndef CORE_OPS_OPS_H
#define CORE_OPS_OPS_H
#include "core/ops/attrs.h"
#include "core/ops/op.h"

#define OP(name) extern const struct op op_##name;
#include "core/ops/ops.def"
#undef OP

enum op_id {
#define OP(name) OP_##name,
#include "core/ops/ops.def"
#undef OP
    OPS_COUNT
};

extern const struct op *const ops[OPS_COUNT];
#endif
