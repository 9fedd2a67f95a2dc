/* What a deploy or a rollback will do: rows of steps, each naming a state to
 * reach, not an action. The same rows are the ledger's, the display's and the
 * loop's. Pure: facts in, rows out. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdint.h>

#include "judge/verdict.h"
#include "plan/halfway.h"

enum step_kind {		/* lane, subject -> want */
	STEP_STAGE,		/* host, release -> "staged" */
	STEP_MIGRATION,		/* "db", "app.name" -> "applied" | "unapplied" |
				 * "repeated": its operations once more, unrecorded */
	STEP_BALANCE,		/* host, host -> "drained" | "ready" */
	STEP_CURRENT,		/* host, "current" -> release (link and restart) */
	STEP_HEALTH,		/* host, release -> "healthy" */
	STEP_SOAK,		/* "db", "soak" -> milliseconds */
	STEP_CENSUS,		/* "db", "hosts" -> release: every host attests it */
	STEP_FLOOR,		/* "db", "floor" -> release: oldest that the schema admits */
	STEP_PUBLISH,		/* "db", "deployed" -> release: ref and ledger */
	STEP_PRUNE		/* host, "releases" -> how many to keep */
};
enum step_status { STEP_TODO, STEP_DOING, STEP_DONE, STEP_FAILED, STEP_DROPPED };
extern const char *const step_kind_name[];	/* "stage", "migration", … */
extern const char *const step_status_name[];	/* "todo", "doing", … */

/* Waves in order; within a wave lanes side by side; within a lane in order. */
struct step {
	uint32_t seq, wave;
	sym lane, subject, want;
	enum step_kind kind;
	enum step_status status;
	sym phase;		/* "stage" "safe" "roll" "unsafe" "finish", for people */
	int64_t began;		/* as the ledger has it (epoch); 0: not yet */
};


struct plan {
	sym target, kind;	/* kind: "deploy" | "rollback" | "migrate" */
	sym from, to;		/* release ids; from "" on the first deploy */
	struct step *steps;
	uint32_t n;
	char digest[65];	/* of target, from, to, steps, applied set */
	struct plan_note { enum { NOTE_INFO, NOTE_WARN, NOTE_REFUSE, NOTE_LOSES } kind;
		sym text; } *notes;	/* shown; a NOTE_REFUSE stops */
	uint32_t nnotes;
	/* what holds before the first row, for the proof; not in the ledger */
	const sym *start_on;		/* release on each of facts' hosts */
	const sym *start_applied;	/* judged migrations already applied, in order */
	uint32_t nstart_applied;
};

/* When the plan's soak is over; 0: it has none that has begun. */
int64_t plan_soaks_until(const struct plan *p);

struct plan_facts {
	sym target, from, to;
	const sym *hosts;	/* in roll order */
	const sym *on;		/* release each host attests; NULL unknown */
	uint32_t nhosts;
	const uint32_t *batches; /* sizes, the last repeats */
	uint32_t nbatches;
	const struct judgement *judged;	/* pending migrations, in order */
	/* what the release brings, pending or applied already, and is to run
	 * again once no old code writes rows any more: "app.name", in order */
	const sym *repeat;
	uint32_t nrepeat;
	int64_t soak_ms;
	int keep;
	bool balanced;		/* hosts are behind a balancer */
	const struct applied *applied;	/* django_migrations: goes into the digest */
	uint32_t napplied;
};

/* Forward. Notes say why it cannot go; then it has no steps. */
void plan_deploy(struct plan *out, struct arena *a,
    const struct plan_facts *f);
/* The migrations of one phase alone: FWD_SAFE or FWD_UNSAFE. The soak begins
 * with the unsafe phase: nobody says since when the new code is live. */
void plan_migrate(struct plan *out, struct arena *a,
    const struct plan_facts *f, enum forward phase);

/* Back, from the rows that are done (any prefix of a deploy, hosts in any
 * mixture). The facts are the deploy's own: f->to is what is undone, f->from
 * what is gone back to, f->judged what the deploy brought; f->on is as of
 * now. Rows that are STEP_DOING count as done: whoever calls has asked the
 * database and the hosts first, where they can be asked.
 * accepted: "app.name" whose loss a person accepted, or "all". */
struct plan_done {
	const struct step *steps;
	uint32_t n;
	bool automatic;		/* after a failure, by itself: hosts back, additive schema kept;
				 * once an unsafe one is applied: holds */
	bool code_only;
	sym unfit;		/* code_only: why the old code does not run on what the
				 * live catalogue says, in words; NULL: it does */
	bool blind;		/* and neither database nor ledger are at hand */
	const sym *accepted;
	uint32_t naccepted;
	/* rows that are STEP_FAILED and of which something stands, or may */
	const struct halfway *halfway;
	uint32_t nhalfway;
};
void plan_back(struct plan *out, struct arena *a, const struct plan_facts *f,
    const struct plan_done *done);

/* The proof: at every instant (between any two steps) every release that can
 * be live runs on the schema. Returns the number of violations, told in
 * notes; 0 is the proof. */
uint32_t plan_prove(struct plan *p, struct arena *a,
    const struct plan_facts *f, const struct release *r,
    const struct settings *s);

#endif
