/* Statements that may run, or run again, and what they bind then. */
#include <string.h>

#include "base/util.h"
#include "read/scope.h"

#define LOOP_MAX 2000u

/* -1: both ways are taken. */
static int
decide(struct filling *f, uint32_t condition)
{
	if (condition == 0 || f->unknown)
		return -1;
	return eval_truth(f->r, eval(f->r, f->env, condition));
}

/* One way of an `if`, in the worlds that are left for it. */
static int
branch(struct filling *f, struct filling *sub, uint32_t condition,
    uint32_t block)
{
	int yes = decide(f, condition);
	struct under rest = sub->u;
	uint8_t in = 0;

	if (yes == 0)
		return 0;
	if (yes < 0 && (f->unknown || condition == 0 ||
	    !condition_worlds(f->r, f->env, condition, &in)))
		sub->u.maybe = rest.maybe = true;
	else if (yes < 0)
		sub->u.not_in |= (uint8_t)~in;
	if (sub->u.not_in != ALL_WORLDS)
		scope_block(sub, block);
	sub->u = rest;
	sub->u.not_in |= in;
	return yes;
}

void
scope_if(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	struct filling sub = *f;
	int yes = branch(f, &sub, node_field(y, node, F_CONDITION),
	    node_field(y, node, F_CONSEQUENCE));

	for (uint32_t c = node_first(y, node); c != 0 && yes != 1;
	    c = node_next(y, node, c)) {
		if (sub.u.not_in == ALL_WORLDS)
			break;
		if (y->v[c].kind == N_ELSE)
			scope_block(&sub, node_field(y, c, F_BODY));
		else if (y->v[c].kind == N_ELIF)
			yes = branch(f, &sub, node_field(y, c, F_CONDITION),
			    node_field(y, c, F_CONSEQUENCE));
	}
}

static void
fill_turns(struct filling *f, uint32_t left, uint32_t body,
    const struct value *over)
{
	struct turn turn = { GOES_ON, f->turn != NULL && f->turn->lost };
	struct filling sub = *f;

	sub.turn = &turn;
	for (uint32_t i = 0; i < over->n && f->r->steps > 0 &&
	    turn.jump != ENDS && *f->left != ALL_WORLDS; i++) {
		f->r->steps--;
		turn.jump = GOES_ON;
		sub.env = arena_make(f->r->a, struct scope);
		sub.env->m = f->s->m;
		sub.env->outer = f->env;
		sub.env->dotted = f->s->dotted;
		sub.env->fn = f->s->fn;
		scope_unpack(f->r, sub.env, left, over->items[i]);
		sub.u = under_both(f->u, under_of(over->items[i]));
		scope_block(&sub, body);
	}
}

/* A loop over a list that is written out is followed turn by turn. */
void
scope_for(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t left = node_field(y, node, F_LEFT);
	uint32_t right = node_field(y, node, F_RIGHT);
	uint32_t body = node_field(y, node, F_BODY);
	uint32_t other = node_field(y, node, F_ALTERNATIVE);
	struct filling sub = *f;
	const struct value *over = left != 0 && right != 0 && !f->unknown ?
	    eval_force(f->r, eval(f->r, f->env, right)) : NULL;

	sub.unknown = true;
	if (over == NULL || over->n > LOOP_MAX ||
	    (over->kind != VALUE_LIST && over->kind != VALUE_TUPLE))
		scope_block(&sub, body);
	else
		fill_turns(f, left, body, over);
	if (left != 0)
		scope_lose(f, left);	/* it stays bound to its last turn */
	if (other != 0)
		scope_block(&sub, node_field(y, other, F_BODY));
}

void
scope_while(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t other = node_field(y, node, F_ALTERNATIVE);
	struct turn turn = { GOES_ON, false };
	struct filling sub = *f;

	sub.unknown = true;
	sub.u.maybe = true;
	sub.turn = &turn;
	scope_block(&sub, node_field(y, node, F_BODY));
	if (other != 0)
		scope_block(&sub, node_field(y, other, F_BODY));
}

/* `case x:` binds x; a name that is only compared with is taken for one. */
void
scope_match(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t body = node_field(y, node, F_BODY);
	struct filling sub = *f;

	sub.unknown = true;
	for (uint32_t c = body != 0 ? node_first(y, body) : 0; c != 0;
	    c = node_next(y, body, c))
		for (uint32_t p = node_first(y, c); p != 0;
		    p = node_next(y, c, p)) {
			if (y->v[p].kind == N_BLOCK)
				scope_block(&sub, p);
			else
				scope_lose(&sub, p);
		}
}

/* Handlers of what a version of something else may not have. */
static bool
is_missing(const struct syntax *y, uint32_t handler)
{
	static const char *const names[] = { "ImportError",
	    "ModuleNotFoundError", "AttributeError", "NameError" };
	uint32_t what = node_first(y, handler);
	bool missing = what != 0 && y->v[what].kind != N_BLOCK;

	for (uint32_t i = what; missing && i < what + y->v[what].size; i++) {
		bool known = y->v[i].kind != N_IDENTIFIER;
		for (size_t k = 0; k < countof(names) && !known; k++)
			known = y->v[i].end - y->v[i].start ==
			    strlen(names[k]) && memcmp(y->text +
			    y->v[i].start, names[k], strlen(names[k])) == 0;
		if (y->v[i].kind == N_AS_TARGET)
			i += y->v[i].size - 1;
		else
			missing = known;
	}
	return missing;
}

static void
fill_except(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	struct filling sub = *f;

	sub.u.maybe = true;
	sub.failing = is_missing(y, node);
	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		uint32_t value = y->v[c].kind == N_AS ? node_first(y, c) : 0;
		uint32_t as = value != 0 ? node_next(y, c, value) : 0;
		if (as != 0)
			scope_lose(f, as);
		if (y->v[c].kind == N_BLOCK)
			scope_block(&sub, c);
	}
}

void
scope_try(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;

	for (uint32_t c = node_first(y, node); c != 0;
	    c = node_next(y, node, c)) {
		if (y->v[c].field == F_BODY)
			scope_block(f, c);
		else if (y->v[c].kind == N_EXCEPT)
			fill_except(f, c);
		else if (y->v[c].kind == N_ELSE)
			scope_block(f, node_field(y, c, F_BODY));
		else if (y->v[c].kind == N_FINALLY)
			scope_block(f, node_first(y, c));
	}
}

/* with open(…) as f: the only one whose name is followed */
void
scope_with(struct filling *f, uint32_t node)
{
	const struct syntax *y = &f->s->m->syn;
	uint32_t body = node_field(y, node, F_BODY);

	for (uint32_t i = node + 1; i < body; i++) {
		if (y->v[i].kind != N_AS)
			continue;
		uint32_t value = node_first(y, i);
		uint32_t as = value != 0 ? node_next(y, i, value) : 0;
		uint32_t name = as != 0 ? node_first(y, as) : 0;
		uint32_t fn = value != 0 && y->v[value].kind == N_CALL ?
		    node_field(y, value, F_FUNCTION) : 0;
		const struct node *n = &y->v[fn];
		if (name == 0)
			continue;
		if (fn != 0 && y->v[name].kind == N_IDENTIFIER &&
		    n->end - n->start >= 4 &&
		    memcmp(y->text + n->end - 4, "open", 4) == 0)
			scope_bind(f, scope_text(f, name), BIND_EXPR, value);
		else
			scope_lose(f, as);
	}
	scope_block(f, body);
}
