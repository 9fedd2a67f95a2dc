/* Calls of operation classes as struct op. */
#ifndef READ_OPS_H
#define READ_OPS_H

#include "read/module.h"

/* v: the list of operations, or what stands in its place. */
struct op_list ops_read(struct reader *r, const struct value *v);
/* Is it the name of an operation that is read, or "none"? */
bool op_known(const char *cls);
/* Is it an operation of django-pgtrigger that makes one? */
bool op_trigger(struct reader *r, struct op *o, const struct value *call);
struct op op_opaque(struct reader *r, uint32_t line, const char *cls,
    const char *why);

#endif
