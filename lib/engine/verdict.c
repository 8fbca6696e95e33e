/* verdict.c - findings and a policy to one action: the only place where precedence lives */
#include "engine/verdict.h"

#include <string.h>

/* An observing relay control would be an open relay: these act in every mode. */
static bool acts_always(enum class_id class)
{
	return class == CLASS_RELAY_DENIED || class == CLASS_RELAY_NOT_PERMITTED || class == CLASS_SUBMISSION_UNAUTHENTICATED;
}

/* What may be counted: everything, what is not observed alone, or what acts in every mode. */
enum filter { COUNT_UNOBSERVED, COUNT_ALWAYS };

struct choice {
	enum action action;
	enum class_id class;             /* CLASS_COUNT: none */
	const struct finding *finding;
};

/* What the rate section says of a connection that sent too many messages, unless the class itself was overridden. */
static enum action limit_action(const struct verdict_input *in, enum class_id class, enum action action)
{
	if (class == CLASS_MESSAGES_PER_CONNECTION && in->rate_behaviour != NULL && strcmp(in->rate_behaviour, "defer") == 0
	    && !policy_class(in->policy, class)->overridden)
		return ACT_TEMPFAIL;
	return action;
}

/* mixed-recipients is of a recipient: where it was let in all the same (observe, tag) it is shown, and says nothing of the message. */
static enum action action_of(const struct verdict_input *in, enum class_id class)
{
	enum action action = limit_action(in, class, policy_class(in->policy, class)->action);

	if (class == CLASS_MIXED_RECIPIENTS && in->stage != STAGE_RCPT && (action == ACT_TEMPFAIL || action == ACT_REJECT))
		return ACT_SCORE;
	return action == ACT_QUARANTINE && in->no_copies ? ACT_REJECT : action;
}

/* Of the copy's content, or what a copy would be kept for: both were known when it was released. */
static bool forgiven(const struct finding *f, const struct verdict_input *in)
{
	return in->released && (f->stage >= STAGE_DATA || action_of(in, f->class) == ACT_QUARANTINE);
}

/* A black hole says something of its own recipient, and of the message if no other recipient is left; nothing of the recipients after it. */
static bool blackhole_counts(const struct finding *f, const struct verdict_input *in)
{
	if (in->stage != STAGE_RCPT)
		return in->no_recipient_left;
	return in->lists[2] != NULL && findings_get(in->lists[2], CLASS_BLACKHOLE) == f;
}

bool verdict_counts(const struct finding *f, const struct verdict_input *in)
{
	enum bypass bypass = class_row(f->class)->bypass;

	if (action_of(in, f->class) == ACT_IGNORE)
		return false;
	/* what was found of a connection before it logged in */
	if (in->outbound && class_row(f->class)->direction == DIRECTION_IN)
		return false;
	if ((in->word.allowed || in->word.dnswl) && bypass == BYPASS_YES)
		return false;
	if (in->word.allowed && in->word.proven && bypass == BYPASS_PROOF)
		return false;
	return f->class != CLASS_BLACKHOLE || blackhole_counts(f, in);
}

static bool considered(const struct finding *f, const struct verdict_input *in, enum filter filter)
{
	if (!verdict_counts(f, in) || forgiven(f, in))
		return false;
	if (acts_always(f->class))
		return true;
	return filter == COUNT_UNOBSERVED && !policy_class(in->policy, f->class)->observe;
}

static void consider(struct choice *best, enum action action, enum class_id class, const struct finding *f)
{
	if (action < ACT_ACCEPT || (action < best->action) || (action == best->action && class >= best->class))
		return;
	*best = (struct choice){ action, class, f };
}

/* The strongest action; among equals the earlier row of the catalogue. mixed-recipients is decided before all else. */
static struct choice strongest(const struct verdict_input *in, enum filter filter)
{
	struct choice best = { ACT_ACCEPT, CLASS_COUNT, NULL };

	for (size_t l = 0; l < sizeof(in->lists) / sizeof(in->lists[0]); l++) {
		for (size_t i = 0; in->lists[l] != NULL && i < in->lists[l]->n; i++) {
			const struct finding *f = &in->lists[l]->v[i];
			enum action action = action_of(in, f->class);

			if (!considered(f, in, filter))
				continue;
			if (f->class == CLASS_MIXED_RECIPIENTS && action > ACT_TAG)
				return (struct choice){ action, f->class, f };
			consider(&best, action, f->class, f);
		}
	}
	if (best.class == CLASS_COUNT) {
		enum action action = action_of(in, CLASS_NOT_SPAM);

		best.class = CLASS_NOT_SPAM;
		if (in->stage == STAGE_EOM && !in->released && action > best.action && filter == COUNT_UNOBSERVED && !policy_class(in->policy, CLASS_NOT_SPAM)->observe)
			best.action = action;
	}
	return best;
}

/* The class's own code where it fits the action, else the general one. */
static void set_reply(struct verdict *v, const struct verdict_input *in)
{
	const struct class_row *row = class_row(v->class);
	const struct class_rule *rule = policy_class(in->policy, v->class);

	v->text = rule->text != NULL ? rule->text : row->text;
	switch (v->action) {
	case ACT_REJECT:
	case ACT_QUARANTINE:
		v->code = row->code >= 500 ? row->code : 550;
		v->xcode = row->code >= 500 ? class_xcode(v->class, v->finding != NULL ? v->finding->special : CASE_USUAL) : "5.7.1";
		break;
	case ACT_TEMPFAIL:
		v->code = row->code >= 400 && row->code < 500 ? row->code : 451;
		v->xcode = row->code >= 400 && row->code < 500 ? row->xcode : "4.7.1";
		break;
	default:
		v->code = 250;
		v->xcode = "2.0.0";
	}
	if (v->class == CLASS_MESSAGES_PER_CONNECTION && !rule->overridden && v->action == ACT_REJECT
	    && in->rate_behaviour != NULL && strcmp(in->rate_behaviour, "reject") == 0)
		v->code = 550;
	if (v->code == 521 && in->only_421_closes) {         /* to close is what the class is for; the MTA wants a deferral for it */
		v->action = ACT_TEMPFAIL;
		v->code = 421;
		v->xcode = "4.7.0";
	}
	v->close = v->code == 421 || v->code == 521;
}

void verdict_decide(const struct verdict_input *in, struct verdict *v)
{
	struct choice wanted = strongest(in, COUNT_UNOBSERVED);
	enum mode mode = policy_mode(in->policy);

	*v = (struct verdict){ .action = wanted.action, .intended = wanted.action, .class = wanted.class, .finding = wanted.finding };
	if (mode != MODE_ENFORCE && wanted.action > ACT_TAG) {
		struct choice always = strongest(in, COUNT_ALWAYS);

		if (always.action > ACT_TAG) {
			v->action = always.action;
			v->class = always.class;
			v->finding = always.finding;
		} else {
			/* a deferral says "not yet", not "bad": a first contact is not marked */
			v->action = mode == MODE_TAG && wanted.action != ACT_TEMPFAIL ? ACT_TAG : ACT_ACCEPT;
		}
	} else if (mode == MODE_OBSERVE && wanted.action == ACT_TAG) {
		v->action = ACT_ACCEPT;
	}
	set_reply(v, in);
	v->now = v->action == ACT_REJECT || v->action == ACT_TEMPFAIL || (v->action == ACT_QUARANTINE && in->stage == STAGE_EOM);
	if (in->stage == STAGE_RCPT) {
		const struct finding *hole = in->lists[2] != NULL ? findings_get(in->lists[2], CLASS_BLACKHOLE) : NULL;

		v->blackhole = hole != NULL && considered(hole, in, COUNT_UNOBSERVED) && action_of(in, CLASS_BLACKHOLE) == ACT_DISCARD;
	}
}

void verdict_without_copy(struct verdict *v)
{
	const struct class_row *row = class_row(CLASS_INTERNAL_ERROR);

	v->action = ACT_TEMPFAIL;
	v->class = CLASS_INTERNAL_ERROR;
	v->code = row->code;
	v->xcode = row->xcode;
	v->text = row->text;
	v->now = true;
	v->close = false;
}
