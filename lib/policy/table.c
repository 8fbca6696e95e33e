/* table.c - tables that operators keep: the kinds, opening and sharing, look-ups */
#include "policy/table.h"

#include <string.h>

#include "policy/table_private.h"
#include "util/clock.h"

enum {
	KEY_MAX = 1024,                  /* bytes of a key with its NUL */
	COMPLAINT_US = 60000000,
};

static const struct table_kind *const kinds[] = {
	&table_kind_inline, &table_kind_file, &table_kind_cidr, &table_kind_pcre, &table_kind_lmdb, &table_kind_cdb, &table_kind_sqlite,
};

/* --- opening --- */

/* The kind before the colon and what follows it. NULL with *error_r. */
static const struct table_kind *find_kind(const char *spec, const char **argument_r, char **error_r)
{
	const char *colon = strchr(spec, ':');
	size_t n = colon != NULL ? (size_t)(colon - spec) : 0;
	char *known;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && colon != NULL; i++) {
		if (strlen(kinds[i]->name) == n && memcmp(kinds[i]->name, spec, n) == 0) {
			*argument_r = colon + 1;
			return kinds[i];
		}
	}
	known = talloc_strdup(NULL, "");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		known = talloc_asprintf_append(known, "%s%s:", i > 0 ? ", " : "", kinds[i]->name);
	if (n == 0)
		*error_r = talloc_asprintf(NULL, "table \"%.200s\": its kind is missing before the colon: write one of %s", spec, known);
	else
		*error_r = talloc_asprintf(NULL, "table \"%.200s\": there is no kind \"%.*s\": known are %s", spec, n < 50 ? (int)n : 50, spec, known);
	talloc_free(known);
	return NULL;
}

static void free_table(struct table *table)
{
	table_swap(table, NULL);
	pthread_mutex_destroy(&table->watch.lock);
	pthread_mutex_destroy(&table->lock);
	talloc_free(table);
}

static struct table *new_table(struct table_set *set, const struct table_kind *kind, const char *spec, const char *argument, const char *directory)
{
	struct table *table = talloc_named_const(NULL, sizeof(*table), "struct table");
	bool relative = kind != NULL && kind->is_file && argument[0] != '/' && directory[0] != '\0';

	if (table == NULL)
		return NULL;
	*table = (struct table){ .set = set, .kind = kind, .refs = 1 };
	table->spec = talloc_strdup(table, spec);
	table->directory = talloc_strdup(table, directory);
	table->argument = talloc_asprintf(table, "%s%s%s%s", relative ? directory : "", relative ? "/" : "", argument, kind != NULL && kind->suffix != NULL ? kind->suffix : "");
	if (table->argument != NULL)
		table->path = talloc_strndup(table, table->argument, kind != NULL && kind->has_query ? strcspn(table->argument, "?") : strlen(table->argument));
	if (table->spec == NULL || table->directory == NULL || table->path == NULL) {
		talloc_free(table);
		return NULL;
	}
	pthread_mutex_init(&table->lock, NULL);
	pthread_mutex_init(&table->watch.lock, NULL);
	return table;
}

static int load_first(struct table *table, bool optional, char **error_r)
{
	struct content *content;

	if (table->kind == NULL)
		return 0;
	if (table->kind->is_file)
		return table_watch_begin(table, optional, error_r);
	content = table_load(table, error_r);
	if (content == NULL)
		return -1;
	table_swap(table, content);
	return 0;
}

struct table *table_open(struct table_set *set, const char *spec, const char *directory, bool optional, char **error_r)
{
	const struct table_kind *kind = NULL;
	const char *argument = "";
	struct table *table, *shared;

	*error_r = NULL;
	if (directory == NULL)
		directory = "";
	if (spec[0] != '\0' && (kind = find_kind(spec, &argument, error_r)) == NULL)
		return NULL;
	if (kind != NULL && kind->is_file && (argument[0] == '\0' || (kind->has_query && argument[0] == '?'))) {
		*error_r = talloc_asprintf(NULL, "table \"%s\": a path is missing after the colon", spec);
		return NULL;
	}
	table = table_set_find(set, spec, directory);
	if (table != NULL) {
		bool known = true;

		/* one that was optional before may have nothing yet */
		if (kind != NULL && !optional)
			table_count(table, &known);
		if (known || table_watch_begin(table, false, error_r) == 0)
			return table;
		table_close(table);
		return NULL;
	}
	table = new_table(set, kind, spec, argument, directory);
	if (table == NULL || load_first(table, optional, error_r) != 0) {
		if (*error_r == NULL)
			*error_r = talloc_asprintf(NULL, "table \"%.200s\": no memory", spec);
		if (table != NULL)
			free_table(table);
		return NULL;
	}
	shared = table_set_add(set, table);
	if (shared != table)
		free_table(table);   /* another thread was first */
	return shared;
}

void table_close(struct table *table)
{
	if (table != NULL && table_set_drop(table->set, table))
		free_table(table);
}

const char *table_spec(const struct table *table)
{
	return table != NULL ? table->spec : "";
}

/* --- content --- */

static void release(struct content *content)
{
	if (content != NULL && atomic_fetch_sub(&content->refs, 1) == 1)
		talloc_free(content);
}

/* What is in force now, kept alive until release(). */
static struct content *acquire(struct table *table)
{
	struct content *content;

	pthread_mutex_lock(&table->lock);
	content = table->content;
	if (content != NULL)
		atomic_fetch_add(&content->refs, 1);
	pthread_mutex_unlock(&table->lock);
	return content;
}

struct content *table_load(const struct table *table, char **error_r)
{
	struct content *content = talloc_named_const(NULL, sizeof(*content), "struct content");
	char *error = NULL;

	*error_r = NULL;
	if (content == NULL)
		return NULL;
	atomic_init(&content->refs, 1);
	content->data = table->kind->load(content, table->argument, &error);
	if (content->data != NULL)
		return content;
	*error_r = error != NULL ? talloc_steal(NULL, error) : talloc_asprintf(NULL, "%s: no memory", table->path);
	talloc_free(content);
	return NULL;
}

void table_swap(struct table *table, struct content *content)
{
	struct content *old;

	pthread_mutex_lock(&table->lock);
	old = table->content;
	table->content = content;
	pthread_mutex_unlock(&table->lock);
	release(old);
}

size_t table_count(struct table *table, bool *known_r)
{
	struct content *content = acquire(table);
	size_t n = content != NULL && table->kind->count != NULL ? table->kind->count(content->data) : 0;

	*known_r = content != NULL;
	release(content);
	return n;
}

bool table_is_empty(struct table *table)
{
	bool known;

	if (table == NULL || table->kind == NULL)
		return true;
	if (table_count(table, &known) > 0)
		return false;
	return !known || table->kind->count != NULL;
}

void table_each(struct table *table, void (*visit)(void *context, const char *key, const char *value), void *context)
{
	struct content *content = table != NULL && table->kind != NULL && table->kind->each != NULL ? acquire(table) : NULL;

	if (content != NULL)
		table->kind->each(content->data, visit, context);
	release(content);
}

/* --- look-ups --- */

void table_complain(struct table *table, int64_t now, const char *why)
{
	int64_t next = atomic_load(&table->next_complaint);
	char *line;

	if (now < next || !atomic_compare_exchange_strong(&table->next_complaint, &next, now + COMPLAINT_US))
		return;
	line = talloc_asprintf(NULL, "%s: %s; look-ups in it fail", table->path, why);
	if (line != NULL)
		table_set_log(table->set, LOG_LEVEL_ERROR, line);
	talloc_free(line);
}

/* A look-up of several keys sees one version of the table; of a database that is read live each key sees its own. */
struct lookup {
	struct table *table;
	const struct table_kind *kind;
	struct content *content;
	TALLOC_CTX *scratch;             /* for the kind */
	TALLOC_CTX *mem;
	const char **value_r;
};

/* false: the table holds nothing, whatever is asked. */
static bool begin(struct lookup *lookup, struct table *table, TALLOC_CTX *mem, const char **value_r)
{
	if (table == NULL || table->kind == NULL)
		return false;
	*lookup = (struct lookup){ .table = table, .kind = table->kind, .content = acquire(table), .mem = mem, .value_r = value_r };
	if (lookup->content != NULL)
		lookup->scratch = talloc_new(NULL);
	return lookup->content != NULL;
}

/* Ends it: the value is copied before the content may go. */
static enum answer end(struct lookup *lookup, enum answer answer, const char *const *value)
{
	if (answer == ANSWER_YES && lookup->value_r != NULL) {
		*lookup->value_r = talloc_strdup(lookup->mem, *value);
		if (*lookup->value_r == NULL)
			answer = ANSWER_UNAVAILABLE;
	} else if (answer == ANSWER_UNAVAILABLE && *value != NULL && **value != '\0') {
		table_complain(lookup->table, clock_mono(), *value);
	}
	talloc_free(lookup->scratch);
	release(lookup->content);
	return answer;
}

static enum answer ask(const struct lookup *lookup, const char *key, const char **value_r)
{
	return lookup->scratch != NULL ? lookup->kind->lookup(lookup->content->data, key, lookup->scratch, value_r) : ANSWER_UNAVAILABLE;
}

/* Copies text in lower case (ASCII; other characters as they are) to out, which ends at end. NULL: too long; else where its NUL is. */
static char *put_lower(char *out, const char *end, const char *text)
{
	for (; *text != '\0'; text++) {
		if (out + 1 >= end)
			return NULL;
		*out++ = (char)(*text >= 'A' && *text <= 'Z' ? *text + ('a' - 'A') : *text);
	}
	*out = '\0';
	return out;
}

/* domain, then .parent, .grandparent ...: they all lie within the one string. */
static enum answer ask_domain(const struct lookup *lookup, const char *domain, const char **value_r)
{
	enum answer answer = ask(lookup, domain, value_r);

	if (lookup->kind->whole_key || domain[0] == '[' || domain[0] == '\0')
		return answer;
	for (const char *dot = strchr(domain + 1, '.'); dot != NULL && answer == ANSWER_NO; dot = strchr(dot + 1, '.'))
		answer = ask(lookup, dot, value_r);
	return answer;
}

enum answer table_lookup(struct table *table, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	char lower[KEY_MAX];
	const char *value = "";
	struct lookup lookup;

	if (put_lower(lower, lower + sizeof(lower), key) == NULL || !begin(&lookup, table, mem, value_r))
		return ANSWER_NO;
	return end(&lookup, ask(&lookup, lower, &value), &value);
}

enum answer table_lookup_domain(struct table *table, const char *domain, TALLOC_CTX *mem, const char **value_r)
{
	char lower[KEY_MAX], *p;
	const char *value = "";
	struct lookup lookup;

	p = put_lower(lower, lower + sizeof(lower), domain);
	if (p == NULL || !begin(&lookup, table, mem, value_r))
		return ANSWER_NO;
	if (p > lower + 1 && p[-1] == '.')
		p[-1] = '\0';
	return end(&lookup, ask_domain(&lookup, lower, &value), &value);
}

/* An address without domain, which must not be taken for an entry of another sort: a domain, an address, a network, "<>". */
static bool is_plain_local(const char *local)
{
	return local[0] != '\0' && strpbrk(local, ".@<>[]:/") == NULL;
}

enum answer table_lookup_address(struct table *table, const struct address *address, TALLOC_CTX *mem, const char **value_r)
{
	char key[2 * KEY_MAX], *at, *stop;
	enum answer answer = ANSWER_NO;
	const char *value = "";
	struct lookup lookup;

	if (address->domain[0] == '\0') {
		if (address->text[0] == '\0')
			return table_lookup(table, "<>", mem, value_r);
		return is_plain_local(address->local) ? table_lookup(table, address->local, mem, value_r) : ANSWER_NO;
	}
	if (!begin(&lookup, table, mem, value_r))
		return ANSWER_NO;
	at = put_lower(key, key + KEY_MAX, address->local);
	if (at == NULL)   /* no entry has so long a local part, but its domain may stand there */
		at = key;
	*at = '@';
	stop = put_lower(at + 1, at + 1 + KEY_MAX, address->domain);
	if (stop == NULL)
		return end(&lookup, ANSWER_NO, &value);
	if (at > key && stop - key < KEY_MAX)
		answer = ask(&lookup, key, &value);
	if (answer == ANSWER_NO && !lookup.kind->whole_key) {
		answer = ask(&lookup, at, &value);
		if (answer == ANSWER_NO)
			answer = ask_domain(&lookup, at + 1, &value);
	}
	return end(&lookup, answer, &value);
}

enum answer table_lookup_ip(struct table *table, const struct ip *ip, TALLOC_CTX *mem, const char **value_r)
{
	char text[IP_TEXT_MAX];
	const char *value = "";
	struct lookup lookup;

	if (ip->family == 0 || !begin(&lookup, table, mem, value_r))
		return ANSWER_NO;
	if (lookup.kind->lookup_ip != NULL)
		return end(&lookup, lookup.scratch != NULL ? lookup.kind->lookup_ip(lookup.content->data, ip, lookup.scratch, &value) : ANSWER_UNAVAILABLE, &value);
	return end(&lookup, ask(&lookup, ip_print(ip, text), &value), &value);
}
