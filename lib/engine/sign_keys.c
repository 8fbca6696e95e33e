/* sign_keys.c - the private keys that outbound mail is signed with: read when the configuration is loaded, by their files */
#include "engine/sign_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/dkim_sign.h"
#include "policy/global.h"
#include "policy/policy.h"
#include "policy/table.h"

enum { BITS_MIN = 1024, BITS_MAX = 4096 };       /* RFC 8301 section 3.2: what every verifier takes */

static const char *check_field_name(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 127 || *p == ':' || *p == ';')
			return "write names of header fields, as Subject";
	return text[0] != '\0' && strlen(text) < 100 ? NULL : "write names of header fields, as Subject";
}

const struct setting sign_settings[] = {
	[SIGN_KEYS] = { .name = "keys", .type = SET_TABLE, .def = "",
		.help = "domain of From (or .parent, which signs as the parent) -> SELECTOR:KEYFILE, several with blanks between: one signature each; files are read at reload" },
	[SIGN_HEADERS] = { .name = "headers", .type = SET_LIST, .scope = SCOPE_POLICY, .check = check_field_name,
		.def = "From, Reply-To, Subject, Date, To, Cc, Sender, Message-ID, In-Reply-To, References, MIME-Version, Content-Type, Resent-Date, Resent-From, Resent-To, Resent-Cc, "
			"List-Id, List-Help, List-Unsubscribe, List-Unsubscribe-Post, List-Subscribe, List-Post, List-Owner, List-Archive",
		.help = "signed where they are present (RFC 6376 section 5.4.1)" },
	[SIGN_OVERSIGN] = { .name = "oversign", .type = SET_LIST, .scope = SCOPE_POLICY, .check = check_field_name,
		.def = "From, To, Cc, Subject, Date, Message-ID, Reply-To, MIME-Version, Content-Type",
		.help = "signed once more than present: nobody can add one; but Date and Message-ID where they are missing, as Sendmail adds them" },
	[SIGN_CANONICALIZATION] = { .name = "canonicalization", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "relaxed/relaxed",
		.choices = "relaxed/relaxed relaxed/simple simple/relaxed simple/simple", .help = "of header and body: relaxed survives changed blanks and folds" },
	[SIGN_LIFETIME] = { .name = "lifetime", .type = SET_DURATION, .scope = SCOPE_POLICY, .def = "0", .min = 0, .max = 3650.0 * 86400 * 1000, .help = "x=: until when a signature is good; 0: for ever" },
	{ 0 }
};

/* ---- one key file */

/* The file's text, if nobody else may read it. NULL with *problem_r. */
static char *read_file(TALLOC_CTX *mem, const char *path, size_t *len_r, char **problem_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text = NULL;
	ssize_t n = -1;

	*problem_r = NULL;
	if (fd < 0 || fstat(fd, &st) != 0)
		*problem_r = talloc_asprintf(mem, "%s: %s; name a key file that winnow-milter's user can read", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || st.st_size > PRIVATE_KEY_TEXT_MAX)
		*problem_r = talloc_asprintf(mem, "%s: is no key file", path);
	else if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		*problem_r = talloc_asprintf(mem, "%s: others may read or change this private key (mode %04o): chmod 0600 it, or 0640 with the group of winnow-milter", path, (unsigned)st.st_mode & 07777);
	else if ((text = talloc_zero_array(mem, char, PRIVATE_KEY_TEXT_MAX + 1)) == NULL || (n = read(fd, text, PRIVATE_KEY_TEXT_MAX)) < 0)
		*problem_r = talloc_asprintf(mem, "%s: %s", path, strerror(text == NULL ? ENOMEM : errno));
	if (fd >= 0)
		close(fd);
	*len_r = n > 0 ? (size_t)n : 0;
	return *problem_r == NULL ? text : NULL;
}

static struct private_key *read_key(TALLOC_CTX *mem, const char *path, char **problem_r)
{
	size_t len;
	char *text = read_file(mem, path, &len, problem_r);
	const char *why = NULL;
	struct private_key *key = text != NULL ? private_key_read(mem, text, len, &why) : NULL;
	unsigned bits = key != NULL && !private_key_is_ed25519(key) ? private_key_bits(key) : BITS_MAX;

	if (text != NULL)
		explicit_bzero(text, PRIVATE_KEY_TEXT_MAX);
	talloc_free(text);
	if (why != NULL && key == NULL)
		*problem_r = talloc_asprintf(mem, "%s: %s; write an RSA or Ed25519 key in PEM, without passphrase", path, why);
	if (bits < BITS_MIN || bits > BITS_MAX) {
		*problem_r = talloc_asprintf(mem, "%s: an RSA key of %u bits is not taken by all verifiers: make one of 2048 (RFC 8301)", path, bits);
		TALLOC_FREE(key);
	}
	return key;
}

/* ---- an entry's value: SELECTOR:KEYFILE and again, with blanks or commas between */

static char *full_path(TALLOC_CTX *mem, const struct config *config, const char *path)
{
	const char *directory = setting_string(config_default_policy(config), &global_settings[G_DIRECTORY]);

	return path[0] == '/' || directory[0] == '\0' ? talloc_strdup(mem, path) : talloc_asprintf(mem, "%s/%s", directory, path);
}

/* Reads selectors and paths; the keys are NULL. NULL, or what is wrong. */
static const char *parse_value(TALLOC_CTX *mem, const struct config *config, const char *value, struct signers *signers)
{
	static const char between[] = " \t,";

	signers->n = 0;
	for (value += strspn(value, between); *value != '\0'; value += strspn(value, between)) {
		size_t len = strcspn(value, between);
		char *word = talloc_strndup(mem, value, len), *colon = word != NULL ? strchr(word, ':') : NULL;
		struct signer *s = &signers->v[signers->n];

		value += len;
		if (colon == NULL || colon[1] == '\0')
			return talloc_asprintf(mem, "\"%.200s\": write SELECTOR:KEYFILE", word != NULL ? word : "");
		*colon = '\0';
		if (!dkim_sign_name_valid(word, false))
			return talloc_asprintf(mem, "\"%.100s\" is no selector: use letters, digits, hyphens and dots", word);
		if (signers->n == SIGNERS_MAX)
			return "more than 8 keys: keep those that verifiers know, one of RSA and one of Ed25519";
		*s = (struct signer){ .selector = word, .path = full_path(mem, config, colon + 1) };
		if (s->path == NULL)
			return "there is no memory";
		signers->n++;
	}
	return signers->n > 0 ? NULL : "no key is named: write SELECTOR:KEYFILE";
}

/* ---- the store */

struct held {
	const char *path;
	struct private_key *key;
};

struct sign_keys {
	pthread_mutex_t lock;            /* guards all below; held while a file is read, which is short */
	TALLOC_CTX *mem;                 /* a root */
	struct held *v;
	size_t n;
};

struct sign_keys *sign_keys_new(void)
{
	struct sign_keys *keys = talloc_named_const(NULL, sizeof(*keys), "struct sign_keys");

	if (keys == NULL)
		return NULL;
	*keys = (struct sign_keys){ .mem = talloc_new(NULL) };
	pthread_mutex_init(&keys->lock, NULL);
	return keys;
}

void sign_keys_free(struct sign_keys *keys)
{
	if (keys == NULL)
		return;
	pthread_mutex_destroy(&keys->lock);
	talloc_free(keys->mem);
	talloc_free(keys);
}

/* Lock held. The key of that file, read if it is new; NULL with *problem_r, a child of mem. */
static struct private_key *get(struct sign_keys *keys, TALLOC_CTX *mem, const char *path, char **problem_r)
{
	struct private_key *key, *share;
	struct held *v;

	for (size_t i = 0; i < keys->n; i++) {
		if (strcmp(keys->v[i].path, path) == 0) {
			share = private_key_share(mem, keys->v[i].key);
			*problem_r = share == NULL ? talloc_strdup(mem, "there is no memory") : NULL;
			return share;
		}
	}
	key = read_key(mem, path, problem_r);
	v = key != NULL ? talloc_realloc(keys->mem, keys->v, struct held, keys->n + 1) : NULL;
	if (v == NULL)
		return key;                      /* not kept: it is read again the next time */
	keys->v = v;
	v[keys->n] = (struct held){ .path = talloc_strdup(keys->mem, path), .key = private_key_share(keys->mem, key) };
	if (v[keys->n].path != NULL && v[keys->n].key != NULL)
		keys->n++;
	return key;
}

struct listing {
	struct sign_keys *keys;
	const struct config *config;
	struct config_errors *errors;    /* NULL: nobody wants to know */
	const char *file;
	int line;
};

static void load_entry(void *context, const char *domain, const char *value)
{
	struct listing *l = context;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct signers signers;
	char *problem = NULL;

	(void)domain;
	if (parse_value(mem, l->config, value, &signers) == NULL)
		for (size_t i = 0; i < signers.n; i++)
			get(l->keys, mem, signers.v[i].path, &problem);
	talloc_free(mem);
}

void sign_keys_load(struct sign_keys *keys, const struct config *config)
{
	struct listing l = { .keys = keys, .config = config };

	pthread_mutex_lock(&keys->lock);
	talloc_free(keys->mem);
	keys->mem = talloc_new(NULL);
	keys->v = NULL;
	keys->n = 0;
	table_each(setting_table(config_default_policy(config), &sign_settings[SIGN_KEYS]), load_entry, &l);
	pthread_mutex_unlock(&keys->lock);
}

/* The entry for a domain, or the nearest parent's. *domain_r: of the entry. */
static enum answer find_entry(struct table *table, TALLOC_CTX *mem, const char *domain, const char **domain_r, const char **value_r)
{
	enum answer answer = table_lookup(table, domain, mem, value_r);

	*domain_r = domain;
	for (const char *dot = strchr(domain, '.'); dot != NULL && answer == ANSWER_NO; dot = strchr(dot + 1, '.')) {
		answer = table_lookup(table, dot, mem, value_r);
		*domain_r = dot + 1;
	}
	return answer;
}

const char *sign_keys_find(struct sign_keys *keys, const struct config *config, TALLOC_CTX *mem, const char *domain, struct signers *signers)
{
	struct table *table = setting_table(config_default_policy(config), &sign_settings[SIGN_KEYS]);
	const char *value = "", *entry, *problem;
	enum answer answer;
	char *why = NULL;

	*signers = (struct signers){ 0 };
	answer = find_entry(table, mem, domain, &entry, &value);
	if (answer == ANSWER_UNAVAILABLE)
		return "the table sign.keys cannot be read";
	if (answer == ANSWER_NO)
		return NULL;
	problem = parse_value(mem, config, value, signers);
	pthread_mutex_lock(&keys->lock);
	for (size_t i = 0; problem == NULL && i < signers->n; i++) {
		signers->v[i].key = get(keys, mem, signers->v[i].path, &why);
		problem = signers->v[i].key == NULL ? why != NULL ? why : "there is no memory" : NULL;
	}
	pthread_mutex_unlock(&keys->lock);
	signers->domain = talloc_strdup(mem, entry);
	return problem == NULL && signers->domain == NULL ? "there is no memory" : problem;
}

/* ---- at the start */

static void validate_entry(void *context, const char *domain, const char *value)
{
	struct listing *l = context;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct signers signers;
	const char *problem = parse_value(mem, l->config, value, &signers);
	char *why;

	if (!dkim_sign_name_valid(domain + (domain[0] == '.'), true))
		config_error_add(l->errors, l->file, l->line, "keys: \"%.200s\" is no domain of From: write example.com or .example.com, other letters in A-labels (xn--)", domain);
	if (problem != NULL)
		config_error_add(l->errors, l->file, l->line, "keys: of \"%.200s\": %s", domain, problem);
	for (size_t i = 0; problem == NULL && i < signers.n; i++)
		if (read_key(mem, signers.v[i].path, &why) == NULL)
			config_error_add(l->errors, l->file, l->line, "keys: of \"%.200s\": %s", domain, why != NULL ? why : "there is no memory");
	talloc_free(mem);
}

void sign_keys_validate(const struct config *config, struct config_errors *errors)
{
	const struct policy *policy = config_default_policy(config);
	struct listing l = { .config = config, .errors = errors };

	config_origin(policy, &sign_settings[SIGN_KEYS], &l.file, &l.line);
	table_each(setting_table(policy, &sign_settings[SIGN_KEYS]), validate_entry, &l);
}
