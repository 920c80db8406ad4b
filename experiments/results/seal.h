#ifndef EXPERIMENTS_RESULTS_SEAL_H
#define EXPERIMENTS_RESULTS_SEAL_H
#include "core/base/text.h"
#include <stdbool.h>

/* The seal of a file of JSON: its last member, "digest", is the digest of every byte before the
 * comma that goes before it. Not against forgers: a slip of the hand, of a script or of a disk is
 * noticed.
 */

/* json: an object as json_print lays it out, not empty. */
void seal_add(struct text *json);
bool seal_holds(const unsigned char *data, size_t len);
#endif
