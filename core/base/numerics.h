#ifndef CORE_BASE_NUMERICS_H
#define CORE_BASE_NUMERICS_H

/* Which numbers a run computes. Two programs of one version end every run in the same bits on the
 * same instruction set; ids of runs, checkpoints and records hold the version, so that no run is
 * continued, kept or taken for another across it.
 *
 * Raise it with every change after which some run ends in other bits: another order of a sum,
 * another kernel for a shape, another fusion, another draw of a random number. A change of speed,
 * of memory or of messages leaves it. tests/unit/test_numerics.c fails where bits moved and this
 * did not, and says how to pin them. */
enum { NUMERICS_VERSION = 3 };
#endif
