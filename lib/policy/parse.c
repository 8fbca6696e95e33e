/* parse.c - the text of the configuration to a tree of nodes with file and line; knows no option */
#include "policy/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/token.h"

enum { FILE_MAX = 1 << 20, DEPTH_MAX = 16, INCLUDE_DEPTH_MAX = 16, FILES_MAX = 10000, TOTAL_MAX = 64 << 20 };

/* What all files of one configuration share. */
struct source {
	TALLOC_CTX *mem;
	struct config_errors *errors;
	size_t files, bytes;
	bool full;                       /* the limits are reached, and it was said */
};

/* One file that is being read; parent is the one that includes it. */
struct parser {
	struct source *source;
	const struct parser *parent;
	unsigned includes;
	dev_t device;
	ino_t inode;
	const char *file;
	const char *directory;           /* includes start here; NULL: there are none */
	struct lexer lexer;
	struct token tok[2];             /* the present one and the one behind it */
};

static void parse_items(struct parser *p, struct node ***tail, unsigned depth, bool inside);

static void advance(struct parser *p)
{
	p->tok[0] = p->tok[1];
	if (p->tok[0].kind != TOKEN_END)
		p->tok[1] = lexer_next(&p->lexer);
}

static bool is_value(const struct token *t)
{
	return t->kind == TOKEN_WORD || t->kind == TOKEN_STRING;
}

/* Goes on at the next line at the same depth, or at the brace that closes it. */
static void recover(struct parser *p, int line)
{
	unsigned depth = 0;

	while (p->tok[0].kind != TOKEN_END) {
		const struct token *t = &p->tok[0];

		if (depth == 0 && (t->line > line || t->kind == TOKEN_CLOSE))
			return;
		line = t->line;
		if (t->kind == TOKEN_OPEN)
			depth++;
		else if (t->kind == TOKEN_CLOSE)
			depth--;
		advance(p);
	}
}

static struct node *node_new(struct parser *p, struct node ***tail, enum node_kind kind, const struct token *name)
{
	struct node *node = talloc_zero(p->source->mem, struct node);

	node->file = p->file;
	node->line = name->line;
	node->kind = kind;
	node->name = name->text;
	**tail = node;
	*tail = &node->next;
	return node;
}

static void node_add_value(struct parser *p, struct node *node, const char *value)
{
	size_t n = node->n_values;

	if ((n & (n - 1)) == 0)               /* full at each power of two */
		node->values = talloc_realloc(p->source->mem, node->values, const char *, n == 0 ? 1 : n * 2);
	node->values[node->n_values++] = value;
}

/* ---- values */

static void stray_value(struct parser *p, const struct token *t)
{
	if (t->text != NULL)
		lexer_error(&p->lexer, t->line, "%.80s must stand in double quotes", t->text);
}

/* A name with "=" or "{" behind it cannot be an entry: the list's brace is missing. */
static bool list_has_ended(const struct parser *p)
{
	enum token_kind after = p->tok[1].kind;

	return p->tok[0].kind == TOKEN_END || (p->tok[0].kind == TOKEN_WORD && (after == TOKEN_ASSIGN || after == TOKEN_APPEND || after == TOKEN_OPEN));
}

static void skip_list(struct parser *p)
{
	unsigned depth = 0;

	while (p->tok[0].kind != TOKEN_END && !(depth == 0 && list_has_ended(p))) {
		if (p->tok[0].kind == TOKEN_OPEN)
			depth++;
		if (p->tok[0].kind == TOKEN_CLOSE && depth-- == 0) {
			advance(p);
			return;
		}
		advance(p);
	}
}

/* The present token is the brace that opens the list. */
static void parse_list(struct parser *p, struct node *node)
{
	int line = p->tok[0].line;

	node->kind = NODE_LIST;
	advance(p);
	for (;;) {
		struct token t = p->tok[0];

		if (list_has_ended(p)) {
			lexer_error(&p->lexer, line, "the list of %.80s that begins here has no end; close it with }", node->name);
			return;
		}
		advance(p);
		if (t.kind == TOKEN_CLOSE)
			return;
		if (t.kind == TOKEN_STRAY) {
			stray_value(p, &t);
		} else if (is_value(&t)) {
			node_add_value(p, node, t.text);
		} else {
			lexer_error(&p->lexer, t.line, "a list is written { \"a\", \"b\" }");
			if (t.kind == TOKEN_OPEN)
				skip_list(p);
			skip_list(p);
			return;
		}
		if (p->tok[0].kind == TOKEN_COMMA) {
			advance(p);
		} else if (p->tok[0].kind != TOKEN_CLOSE && !list_has_ended(p)) {
			lexer_error(&p->lexer, p->tok[0].line, "a comma or } is missing in the list of %.80s", node->name);
			skip_list(p);
			return;
		}
	}
}

/* The present token is the name, behind it stands "=" or "+=". */
static void parse_option(struct parser *p, struct node ***tail)
{
	struct token name = p->tok[0], sign = p->tok[1], *t = &p->tok[0];
	struct node *node;

	advance(p);
	advance(p);
	if (t->kind == TOKEN_END || t->kind == TOKEN_CLOSE || t->line != sign.line) {
		lexer_error(&p->lexer, sign.line, "%.80s has no value; the value stands on the line of its \"=\"", name.text);
		return;
	}
	if (!is_value(t) && t->kind != TOKEN_OPEN) {
		if (t->kind == TOKEN_STRAY)
			stray_value(p, t);
		else
			lexer_error(&p->lexer, t->line, "%.80s needs a word, a \"string\" or a list { \"a\", \"b\" }", name.text);
		recover(p, t->line);
		return;
	}
	node = node_new(p, tail, NODE_VALUE, &name);
	node->append = sign.kind == TOKEN_APPEND;
	if (t->kind == TOKEN_OPEN) {
		parse_list(p, node);
		return;
	}
	node_add_value(p, node, t->text);
	advance(p);
	if (t->kind == TOKEN_COMMA) {
		lexer_error(&p->lexer, t->line, "several values need braces: %.80s = { \"a\", \"b\" }", name.text);
		recover(p, t->line);
	}
}

/* ---- sections */

/* The present token is the brace that opens it. */
static void parse_section(struct parser *p, struct node ***tail, unsigned depth, const struct token *name, const char *title)
{
	struct node *node, **end;

	if (depth >= DEPTH_MAX) {
		lexer_error(&p->lexer, name->line, "sections are nested more than %d deep; a brace may be missing above", DEPTH_MAX);
		recover(p, name->line);
		return;
	}
	node = node_new(p, tail, NODE_SECTION, name);
	node->title = title;
	end = &node->children;
	advance(p);
	parse_items(p, &end, depth + 1, true);
	if (p->tok[0].kind == TOKEN_CLOSE)
		advance(p);
	else if (title != NULL)
		lexer_error(&p->lexer, name->line, "the section %.80s \"%.80s\" that begins here has no end; close it with }", name->text, title);
	else
		lexer_error(&p->lexer, name->line, "the section %.80s that begins here has no end; close it with }", name->text);
}

/* ---- includes */

static bool read_descriptor(struct parser *p, int fd, char **text_r, size_t *len_r, const char **why_r)
{
	char *text;
	size_t len = 0;
	ssize_t n;
	struct stat st;

	if (fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))) {
		*why_r = "it is not a file";
		return false;
	}
	p->device = st.st_dev;
	p->inode = st.st_ino;
	text = talloc_array(p->source->mem, char, FILE_MAX + 1);
	while (len <= FILE_MAX && (n = read(fd, text + len, FILE_MAX + 1 - len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*why_r = strerrordesc_np(errno);
			talloc_free(text);
			return false;
		}
		len += (size_t)n;
	}
	*text_r = text;
	*len_r = len;
	return true;
}

/* The folder of path with its last slash; "" if it has none. */
static char *folder_of(TALLOC_CTX *mem, const char *path)
{
	const char *slash = strrchr(path, '/');

	return talloc_strndup(mem, path, slash != NULL ? (size_t)(slash - path) + 1 : 0);
}

/* Reads the text of p->file, whose children go to tail; depth counts the sections around it. */
static void parse_buffer(struct parser *p, const char *text, size_t len, struct node ***tail, unsigned depth)
{
	const char *nul = memchr(text, '\0', len);
	int line = 1;

	lexer_init(&p->lexer, p->source->mem, text, len, p->file, p->source->errors);
	if (len > FILE_MAX) {
		config_error_add(p->source->errors, p->file, 0, "the file is larger than 1 MB; split it with include(\"...\")");
		return;
	}
	if (nul != NULL) {
		for (const char *c = text; c < nul; c++)
			line += *c == '\n';
		config_error_add(p->source->errors, p->file, line, "a NUL byte; this is not a text file");
		return;
	}
	p->tok[0] = lexer_next(&p->lexer);
	p->tok[1] = lexer_next(&p->lexer);
	parse_items(p, tail, depth, false);
}

static bool includes_itself(const struct parser *p)
{
	for (const struct parser *above = p->parent; above != NULL; above = above->parent)
		if (above->device == p->device && above->inode == p->inode)
			return true;
	return false;
}

/* Opens and reads p->file; what is wrong with the file as a whole is said at file:line, where it is named. */
static void parse_path(struct parser *p, const char *file, int line, struct node ***tail, unsigned depth)
{
	struct source *source = p->source;
	const char *why = NULL;
	char *text = NULL;
	size_t len = 0;
	int fd = open(p->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		why = strerrordesc_np(errno);
	else
		read_descriptor(p, fd, &text, &len, &why);
	if (fd >= 0)
		close(fd);
	if (text == NULL) {
		config_error_add(source->errors, file, line, "cannot read %.200s: %s", p->file, why);
		return;
	}
	source->bytes += len;
	if (includes_itself(p)) {
		config_error_add(source->errors, file, line, "%.200s includes itself; take this include out", p->file);
	} else if (++source->files > FILES_MAX || source->bytes > TOTAL_MAX) {
		config_error_add(source->errors, file, line, "the included files are too many; %d files and 64 MB in all are the limit", FILES_MAX);
		source->full = true;
	} else {
		config_errors_file(source->errors, p->file);
		parse_buffer(p, text, len, tail, depth);
	}
	talloc_free(text);
}

/* The present token is the word "include". */
static void parse_include(struct parser *p, struct node ***tail, unsigned depth)
{
	int line = p->tok[0].line;
	struct token path;
	struct parser child = { .source = p->source, .parent = p, .includes = p->includes + 1 };

	advance(p);
	advance(p);
	path = p->tok[0];
	if (path.kind != TOKEN_STRING || p->tok[1].kind != TOKEN_PAREN_CLOSE) {
		lexer_error(&p->lexer, line, "an include is written include(\"file\")");
		recover(p, line);
		return;
	}
	advance(p);
	advance(p);
	if (p->directory == NULL) {
		lexer_error(&p->lexer, line, "nothing can be included here");
	} else if (child.includes > INCLUDE_DEPTH_MAX) {
		lexer_error(&p->lexer, line, "includes are nested more than %d deep", INCLUDE_DEPTH_MAX);
	} else if (path.text[0] == '\0') {
		lexer_error(&p->lexer, line, "the name of the file is empty; an include is written include(\"file\")");
	} else if (!p->source->full) {
		child.file = path.text[0] == '/' ? path.text : talloc_asprintf(p->source->mem, "%s%s", p->directory, path.text);
		child.directory = folder_of(p->source->mem, child.file);
		parse_path(&child, p->file, line, tail, depth);
	}
}

/* ---- what a section is made of */

/* The present token is a name and neither "=" nor "(" stands behind it: a section, or something forgotten. */
static void parse_named(struct parser *p, struct node ***tail, unsigned depth)
{
	struct token name = p->tok[0], title = { .text = NULL };

	advance(p);
	if (is_value(&p->tok[0]) && p->tok[0].line == name.line) {
		title = p->tok[0];
		advance(p);
	}
	if (p->tok[0].kind == TOKEN_OPEN) {
		parse_section(p, tail, depth, &name, title.text);
		return;
	}
	if (title.text != NULL)
		lexer_error(&p->lexer, name.line, "\"=\" is missing behind %.80s (or { if %.80s \"%.80s\" is to be a section)", name.text, name.text, title.text);
	else
		lexer_error(&p->lexer, name.line, "%.80s stands alone; write %.80s = VALUE, or %.80s { ... } for a section", name.text, name.text, name.text);
	recover(p, name.line);
}

static void parse_stray(struct parser *p)
{
	static const char *const signs[] = { [TOKEN_ASSIGN] = "=", [TOKEN_APPEND] = "+=", [TOKEN_COMMA] = ",", [TOKEN_OPEN] = "{", [TOKEN_PAREN_OPEN] = "(", [TOKEN_PAREN_CLOSE] = ")" };
	struct token t = p->tok[0];

	if (t.kind == TOKEN_STRING)
		lexer_error(&p->lexer, t.line, "the string \"%.80s\" belongs to nothing; an option is written NAME = VALUE", t.text);
	else if (t.kind == TOKEN_STRAY && t.text != NULL && strcmp(t.text, ";") == 0)
		lexer_error(&p->lexer, t.line, "a stray \";\": the end of a line needs no sign");
	else if (t.kind == TOKEN_STRAY && t.text != NULL)
		lexer_error(&p->lexer, t.line, "a stray \"%.80s\"; an option is written NAME = VALUE, text that is not a plain word in double quotes", t.text);
	else if (t.kind != TOKEN_STRAY)
		lexer_error(&p->lexer, t.line, "a stray \"%s\"; an option is written NAME = VALUE", signs[t.kind]);
	recover(p, t.line);
}

/* Reads options, sections and includes up to the brace that closes the section around them (inside), or to the end of the file. */
static void parse_items(struct parser *p, struct node ***tail, unsigned depth, bool inside)
{
	while (p->tok[0].kind != TOKEN_END) {
		enum token_kind after = p->tok[1].kind;

		if (p->tok[0].kind == TOKEN_CLOSE) {
			if (inside)
				return;
			lexer_error(&p->lexer, p->tok[0].line, "a stray \"}\": no section is open here");
			advance(p);
		} else if (p->tok[0].kind != TOKEN_WORD) {
			parse_stray(p);
		} else if (after == TOKEN_ASSIGN || after == TOKEN_APPEND) {
			parse_option(p, tail);
		} else if (after == TOKEN_PAREN_OPEN && strcmp(p->tok[0].text, "include") == 0) {
			parse_include(p, tail, depth);
		} else {
			parse_named(p, tail, depth);
		}
	}
}

static struct node *root_new(TALLOC_CTX *mem, const char *file)
{
	struct node *root = talloc_zero(mem, struct node);

	root->kind = NODE_SECTION;
	root->name = "";
	root->file = talloc_strdup(root, file);
	return root;
}

struct node *parse_file(TALLOC_CTX *mem, const char *path, struct config_errors *errors)
{
	struct node *root = root_new(mem, path), **tail = &root->children;
	struct source source = { .mem = root, .errors = errors };
	struct parser p = { .source = &source, .file = root->file, .directory = folder_of(root, path) };

	parse_path(&p, path, 0, &tail, 0);
	return root;
}

struct node *parse_text(TALLOC_CTX *mem, const char *text, size_t len, const char *name, const char *base_directory, struct config_errors *errors)
{
	struct node *root = root_new(mem, name), **tail = &root->children;
	struct source source = { .mem = root, .errors = errors };
	struct parser p = { .source = &source, .file = root->file };

	if (base_directory != NULL)
		p.directory = base_directory[0] == '\0' ? "" : talloc_asprintf(root, "%s/", base_directory);
	config_errors_file(errors, name);
	parse_buffer(&p, text, len, &tail, 0);
	return root;
}
