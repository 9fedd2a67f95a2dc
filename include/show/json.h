/* Plans and states as JSON: a contract, each object with a "format". */
#ifndef SHOW_JSON_H
#define SHOW_JSON_H

#include <jansson.h>

#include "act/ledger.h"
#include "base/strbuf.h"
#include "plan/plan.h"

/* New references; text is made clean UTF-8. */
json_t *json_plan(const struct plan *p, const struct judgement *j);
json_t *json_release(const struct ledger_release *r);
json_t *json_run(const struct ledger_run *r);
json_t *json_text(const char *s);	/* NULL gives null */
/* Pretty, with a newline at the end; frees o. */
void json_print(struct strbuf *b, json_t *o);

#endif
