# message.py - builds the messages of a dialogue, reads them as Postfix or Sendmail does, and applies what the milter changed
import re
import time

STANDARD_BODY = ['Hi Anna,', '', 'shall we meet for lunch on Friday, at the small place near the station?',
	'I would bring the drawings of the garden.', '', 'Bob']
UNITS = {'d': 86400, 'h': 3600, 'm': 60, 's': 1}


class TextError(Exception):
	"""A mistake in a dialogue's text."""


class MtaRefuses(Exception):
	"""The MTA itself refuses the message: (code, xcode, text)."""


def seconds(text):
	"""'+8d', '-6d23h30m', '0' -> seconds"""
	m = re.fullmatch(r'([+-]?)((?:\d+[dhms])*|0)', text)
	if not m:
		raise TextError('not a time like +8d or -6d23h30m: ' + text)
	n = sum(int(a) * UNITS[u] for a, u in re.findall(r'(\d+)([dhms])', m.group(2)))
	return -n if m.group(1) == '-' else n


def date(offset='', zone='+0000'):
	"""A Date relative to now; zone: the same instant written there (+hhmm), or a name, written as it is with the time of UTC."""
	at = time.time() + seconds(offset)
	if re.fullmatch(r'[+-]\d{4}', zone):
		at += (1 if zone[0] == '+' else -1) * (int(zone[1:3]) * 3600 + int(zone[3:]) * 60)
	t = time.gmtime(at)
	day, month = 'Mon Tue Wed Thu Fri Sat Sun'.split()[t.tm_wday], 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()[t.tm_mon - 1]
	return '%s, %02d %s %d %02d:%02d:%02d %s' % (day, t.tm_mday, month, t.tm_year, t.tm_hour, t.tm_min, t.tm_sec, zone)


def expand(text):
	r"""Text of a dialogue to bytes: \xNN a byte, \n the end of a line (CRLF), \t \\, \repeat(N,TEXT), \date(OFFSET ZONE)."""
	out, at = b'', 0
	while at < len(text):
		if text[at] != '\\':
			end = text.find('\\', at)
			end = len(text) if end < 0 else end
			out += text[at:end].encode('utf8', 'surrogateescape')
			at = end
			continue
		m = re.compile(r'\\x([0-9A-Fa-f]{2})|\\([nt\\])|\\(repeat|date)\(').match(text, at)
		if not m:
			raise TextError('unknown escape: ' + text[at:at + 12])
		at = m.end()
		if m.group(1):
			out += bytes([int(m.group(1), 16)])
		elif m.group(2):
			out += {'n': b'\r\n', 't': b'\t', '\\': b'\\'}[m.group(2)]
		else:
			inside, at = balanced(text, at)
			if m.group(3) == 'date':
				out += date(*inside.split()).encode()
			else:
				n, comma, what = inside.partition(',')
				if not comma or not n.isdigit():
					raise TextError('wanted \\repeat(N,TEXT), got ' + inside[:40])
				out += expand(what) * int(n)
	return out


def balanced(text, at):
	"""The text up to the parenthesis that closes the one before at -> (text, position behind it)"""
	depth, start = 1, at
	while at < len(text):
		depth += {'(': 1, ')': -1}.get(text[at], 0)
		at += 1
		if depth == 0:
			return text[start:at - 1], at
	raise TextError('no closing parenthesis: ' + text[start:start + 40])


class Draft:
	"""A message while the dialogue describes it. What is not said is a clean message from the envelope's sender to its first recipient."""
	counter = 0

	def __init__(self, sender=''):
		self.sender, self.recipient = sender, 'undisclosed@example.com'
		self.fields, self.left_out, self.body, self.raw = [], set(), [], None

	def header(self, text):
		name, colon, value = text.partition(':')
		if not colon:
			raise TextError('wanted NAME: VALUE, got ' + text[:40])
		self.fields.append((expand(name), expand(value)))

	def bytes(self):
		if self.raw is not None:
			return self.raw
		Draft.counter += 1
		person = self.sender or 'mailer-daemon@mail.spammer.example'
		standard = [('From', ' Bob <%s>' % person), ('To', ' Anna <%s>' % self.recipient), ('Subject', ' Lunch on Friday'), ('Date', ' ' + date()),
			('Message-ID', ' <%d.%d@play.example>' % (time.time() * 1000, Draft.counter))]
		said = {n.strip().lower() for n, _ in self.fields}
		fields = [(n.encode(), v.encode('utf8', 'surrogateescape')) for n, v in standard if n.lower() not in self.left_out and n.lower().encode() not in said]
		body = self.body or [expand(x) for x in STANDARD_BODY]
		return b''.join(n + b':' + v + b'\r\n' for n, v in fields + self.fields) + b'\r\n' + b''.join(x + b'\r\n' for x in body)


def read_as(kind, raw):
	"""What the MTA makes of the bytes after DATA -> [(name, value with its leading blank)], body"""
	if kind == 'sendmail':
		if re.search(rb'\r(?!\n)|(?<!\r)\n', raw):
			raise MtaRefuses(421, '4.5.0', 'bare carriage return or line feed')
		name_re, raw = re.compile(rb'(?!--)([^\x00-\x20\x7f:]+)[ \t]*:'), raw
	else:
		raw = re.sub(rb'\r(?!\n)', b' ', re.sub(rb'(?<!\r)\n', b'\r\n', raw))
		name_re = re.compile(rb'([\x21-\x39\x3b-\x7e]+)[ \t]*:')
	fields, at = [], 0
	while at < len(raw):
		end = raw.find(b'\r\n', at)
		end = len(raw) if end < 0 else end
		line = raw[at:end]
		if not line:
			at = end + 2
			break
		m = name_re.match(line)
		if line[:1] in (b' ', b'\t') and fields:
			fields[-1][1] += b'\n' + line
		elif m:
			fields.append([m.group(1), line[m.end():]])
		else:
			break                                            # a line that is no header ends the block and begins the body
		at = end + 2
	if kind == 'sendmail':
		fields = [(n, v.replace(b'\0', b'')) for n, v in fields]
		if sum(len(n) + len(v) + 2 for n, v in fields) > 32768:
			raise MtaRefuses(552, '5.6.0', 'Headers too large (32768 max)')
	else:
		fields = [(n, v.split(b'\0')[0][:60000]) for n, v in fields]
	return fields, raw[at:]


def delivered(fields, mods):
	"""The header block [(name, value)] after the milter's changes: those asked for are done in turn, and the fields renumbered after each."""
	fields = [(n.decode('utf8', 'surrogateescape'), v.decode('utf8', 'surrogateescape')) for n, v in fields]
	for m in mods:
		if m.kind == 'insert':
			fields.insert(min(m.index, len(fields)), (m.name, ' ' + m.value))
		elif m.kind == 'add':
			fields.append((m.name, ' ' + m.value))
		elif m.kind == 'change':
			places = [i for i, (n, _) in enumerate(fields) if n.lower() == m.name.lower()]
			if m.index and m.index <= len(places):
				i = places[m.index - 1]
				fields[i:i + 1] = [(fields[i][0], ' ' + m.value)] if m.value else []
			elif m.value:
				fields.append((m.name, ' ' + m.value))
	return fields
