# dialogue.py - reads a dialogue file: what stands in it, not what it means (player.py)
import re

from message import TextError, expand
from wire import to_text


class DialogueError(Exception):
	"""A mistake in a dialogue: FILE:LINE: what."""


# keyword -> (how its arguments are read, least, most); "line": the rest of the line is one argument; "path": an address, then words; "words".
# A most of None: any number. The third kind of content, an indented block, is for those in BLOCKS.
SETUP = {
	'config': ('line', 0, 1), 'listen': ('words', 1, 1), 'only': ('words', 1, 1), 'chunk': ('words', 1, 1), 'file': ('words', 1, 2), 'folder': ('words', 1, 1),
	'zone': ('line', 0, 1),
}
STEPS = {
	'session': ('words', 1, 1), 'connect': ('words', 1, None), 'helo': ('line', 1, 1), 'tls': ('words', 0, 3), 'login': ('words', 1, 2),
	'mail': ('path', 1, None), 'rcpt': ('path', 1, None), 'rcpt-refused': ('path', 2, None),
	'header': ('line', 1, 1), 'no-header': ('words', 1, None), 'date': ('words', 1, 2), 'body': ('line', 0, 1), 'message': ('words', 0, 0), 'send': ('words', 0, 2),
	'unknown': ('line', 1, 1), 'rset': ('words', 0, 0), 'quit': ('words', 0, 0), 'drop': ('words', 0, 0),
	'write': ('words', 1, 2), 'scribble': ('words', 1, 2), 'remove': ('words', 1, 1), 'obstruct': ('words', 1, 1),
	'new-config': ('words', 0, 0), 'reload-config': ('words', 0, 0), 'signal': ('words', 1, 1), 'sleep': ('words', 1, 1), 'loop': ('words', 1, 1),
	'dns': ('line', 1, 1),
}
EXPECTATIONS = {
	'expect': ('words', 1, None), 'expect-not': ('words', 1, None), 'expect-header': ('line', 1, 1), 'expect-no-header': ('words', 1, None),
	'expect-deleted': ('words', 1, None), 'expect-delivered': ('line', 1, 1), 'expect-rcpt-deleted': ('words', 1, None), 'expect-hold': ('words', 0, 0),
	'expect-record': ('line', 1, 1), 'expect-log': ('line', 1, 1), 'expect-no-log': ('line', 1, 1), 'expect-copies': ('words', 1, 1), 'expect-copy': ('line', 1, 1),
	'expect-reply-text': ('line', 1, 1), 'expect-closed': ('words', 0, 0), 'expect-open': ('words', 0, 0), 'expect-exit': ('words', 1, 1),
	'expect-asked': ('words', 1, 3),
}
KEYWORDS = dict(SETUP, **STEPS, **EXPECTATIONS)
BLOCKS = {'config', 'zone', 'file', 'message', 'write', 'scribble', 'new-config', 'reload-config', 'loop'}
NEED_BLOCK = BLOCKS - {'config', 'zone'}
REGEX = {'expect-log', 'expect-no-log', 'expect-reply-text', 'expect-copy'}


class Step:
	def __init__(self, where, word, args, block=None, kind=None):
		self.where, self.word, self.args, self.block, self.kind = where, word, args, block, kind   # kind: only played as that MTA

	def __repr__(self):
		text = ' '.join([self.word] + [str(a) for a in self.args])
		return text if len(text) <= 160 else text[:160] + '...'


class Dialogue:
	"""setup and steps: lists of Step; only: the one kind of MTA it is for, or None."""
	def __init__(self, name, setup, steps):
		self.name, self.setup, self.steps = name, setup, steps
		self.only = next((s.args[0] for s in setup if s.word == 'only'), None)

	def kinds(self, wanted):
		return [k for k in wanted if self.only in (None, k)]


def read(path, classes):
	"""Reads a file. classes: the ids of the catalogue. DialogueError lists nothing but the first mistake."""
	with open(path, encoding='utf8', errors='surrogateescape') as f:
		return parse(f.read(), path, classes)


def parse(text, name, classes):
	steps = parse_lines(list(enumerate(text.split('\n'), 1)), name, classes)
	setup = [s for s in steps if s.word in SETUP]
	rest = [s for s in steps if s.word not in SETUP]
	first = steps.index(rest[0]) if rest else len(steps)
	for s in steps[first:]:
		if s.word in SETUP:
			raise DialogueError('%s: %s belongs before the first step' % (s.where, s.word))
	if not any(s.word in EXPECTATIONS for s in flat(rest)):
		raise DialogueError('%s: nothing is expected' % name)
	return Dialogue(name, setup, rest)


def flat(steps):
	for s in steps:
		yield s
		if s.word == 'loop':
			yield from flat(s.block)


def parse_lines(lines, name, classes):
	steps, at = [], 0
	while at < len(lines):
		number, line = lines[at]
		where, at = '%s:%d' % (name, number), at + 1
		if not line.strip() or line.startswith('#'):
			continue
		if line[0] in ' \t':
			raise DialogueError('%s: an indented line that belongs to nothing' % where)
		block = []
		while at < len(lines) and (not lines[at][1].strip() or lines[at][1][0] in ' \t'):
			block.append(lines[at])
			at += 1
		while block and not block[-1][1].strip():
			block.pop()
		try:
			steps.append(parse_step(where, line, block, name, classes))
		except (TextError, ValueError, re.error) as e:
			raise DialogueError('%s: %s' % (where, e))
	return steps


def parse_step(where, line, block, name, classes):
	kind = None
	m = re.match(r'(postfix|sendmail):\s*(.*)', line)
	if m:
		kind, line = m.groups()
	word, _, rest = line.partition(' ')
	rest = rest.strip() if word not in ('body',) else rest.lstrip(' ')
	if word not in KEYWORDS:
		raise ValueError('unknown keyword ' + word)
	how, least, most = KEYWORDS[word]
	args = split(how, rest)
	if len(args) < least or (most is not None and len(args) > most):
		raise ValueError('%s with %d arguments' % (word, len(args)))
	if block and word not in BLOCKS:
		raise ValueError('%s takes no indented lines' % word)
	if not block and word in NEED_BLOCK:
		raise ValueError('%s wants indented lines' % word)
	check(word, args, classes)
	content = dedent(block) if block else None
	if word == 'loop':
		content = parse_lines(content, name, classes)
	elif content is not None:
		content = '\n'.join(x for _, x in content) + '\n'
	return Step(where, word, args, content, kind)


def split(how, rest):
	if how == 'line':
		return [rest] if rest else []
	if how == 'path' and rest.startswith('<'):
		m = re.match(r'(<.*?>)(?:\s+(.*))?$', rest)
		if not m:
			raise ValueError('no end of the address: ' + rest)
		return [to_text(expand(m.group(1)))] + [to_text(expand(x)) for x in (m.group(2) or '').split()]
	return [to_text(expand(x)) for x in rest.split()] if how == 'path' else rest.split()


def dedent(block):
	"""Takes the first line's indentation from all lines of a block."""
	margin = re.match(r'[ \t]+', next(x for _, x in block if x.strip())).group(0)
	out = []
	for number, line in block:
		if line.strip() and not line.startswith(margin):
			raise ValueError('line %d is indented less than the first of its block' % number)
		out.append((number, line[len(margin):]))
	return out


def check(word, args, classes):
	"""What can be known to be wrong before anything is played."""
	if word in REGEX:
		re.compile(args[0])
	if word == 'expect-not':
		for c in args:
			if c not in classes:
				raise ValueError('no such class: ' + c)
	if word == 'expect':
		check_expect(args, classes)
	if word == 'only' and args[0] not in ('postfix', 'sendmail'):
		raise ValueError('only postfix, or only sendmail')
	if word in ('file', 'write', 'scribble') and len(args) > 1 and args[1] not in ('country', 'asn'):
		raise ValueError('a file is text, or a GeoIP database: country, or asn')
	if word in ('sleep', 'chunk', 'loop', 'expect-copies', 'expect-exit'):
		float(args[0])


def check_expect(args, classes):
	if args[0] in ('accept', 'discard'):
		words = args[1:]
	elif re.fullmatch(r'[45]\d\d', args[0]) and len(args) >= 3 and re.fullmatch(r'[45]\.\d{1,3}\.\d{1,3}', args[1]):
		words = args[2:]
	else:
		raise ValueError('wanted "expect CODE XCODE CLASS", "expect accept" or "expect discard"')
	if words and words[0] not in ('at', 'as'):
		if words[0] not in classes and words[0] != '-':
			raise ValueError('no such class: ' + words[0])
		words = words[1:]
	while words:
		if words[0] == 'reworded':
			words = words[1:]
		elif words[0] in ('at', 'as') and len(words) > 1:
			words = words[2:]
		else:
			raise ValueError('unknown word in expect: ' + words[0])
