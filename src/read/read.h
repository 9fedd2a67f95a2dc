/* What the modules of this room share. */
#ifndef READ_READ_H
#define READ_READ_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap) between two short words. */
size_t word_distance(const char *a, const char *b);

#endif
