/* Made by tests/golden/curve.py with PyTorch 1.13.0a0: losses of the run
 * curve_small, and a digest of the batches that they belong to. */
static const uint64_t curve_inputs = UINT64_C(0xce2fff9ed8e015a0);
static const double curve_losses[] = {
    1.78262365, 1.82574236, 1.81985784, 1.82093823, 1.7936933, 1.8072331,
    1.81601036, 1.81169009, 1.80231237, 1.78535903, 1.88690984, 1.80866385,
    1.75096428, 1.83715427, 1.87509489, 1.80738866, 1.72325718, 1.79855251,
    1.77324498, 1.8374691, 1.78787577, 1.81429851, 1.83462977, 1.74361157,
};
