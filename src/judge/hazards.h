/* What a migration does while it runs, forward or back. */
#ifndef JUDGE_HAZARDS_H
#define JUDGE_HAZARDS_H

#include "judge/locks.h"

void hazards(struct arena *a, struct hazard **out, uint32_t *n,
    const struct moved *m, bool back);

#endif
