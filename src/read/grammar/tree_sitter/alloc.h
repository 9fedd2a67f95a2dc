#ifndef GRAMMAR_ALLOC_H
#define GRAMMAR_ALLOC_H

#include <stdlib.h>

#define ts_malloc malloc
#define ts_calloc calloc
#define ts_realloc realloc
#define ts_free free

#endif
