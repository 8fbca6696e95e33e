# wire.py - the milter protocol, version 6, from the MTA's side: packets, negotiation, macros, replies
import re
import select
import socket
import struct

VERSION, ACTIONS, PROTOCOL = 6, 0x1ff, 0x1fffff         # what Postfix 3.7 and Sendmail 8.17 both offer

# protocol bits
NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH, NR_HDR = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80
NOUNKNOWN, NODATA, SKIP, RCPT_REJ, NR_CONN, NR_HELO, NR_MAIL, NR_RCPT = 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000
NR_DATA, NR_UNKN, NR_EOH, NR_BODY, HDR_LEADSPC = 0x10000, 0x20000, 0x40000, 0x80000, 0x100000

# action bits that a modification needs
NEEDS = {'h': 0x1, 'i': 0x1, 'b': 0x2, '+': 0x4, '-': 0x8, 'm': 0x10, 'q': 0x20, 'e': 0x40, '2': 0x80}
NAMES = {'h': 'add', 'i': 'insert', 'm': 'change', '+': 'addrcpt', '2': 'addrcpt', '-': 'delrcpt', 'e': 'chgfrom', 'q': 'quarantine', 'b': 'body'}

# what the client sees where the milter gives no text of its own
PLAIN = {
	'c': (250, '2.0.0', 'continue'), 'a': (250, '2.0.0', 'accept'), 'd': (250, '2.0.0', 'discard'), 's': (250, '2.0.0', 'skip'),
	'r': (550, '5.7.1', 'Command rejected'), 't': (451, '4.7.1', 'Service unavailable - try again later'),
	'f': (421, '4.7.0', 'Connection failure'), '4': (421, '4.3.0', 'closing connection'),
}


class WireError(Exception):
	"""The milter broke the protocol."""


class Reply:
	"""What the SMTP client sees, and at which stage. own: the MTA's word, not the milter's."""
	def __init__(self, stage, packet, code, xcode, text, mods=(), own=False):
		self.stage, self.packet, self.code, self.xcode, self.text, self.mods, self.own = stage, packet, code, xcode, text, list(mods), own
		self.looked_at = False

	@property
	def ok(self):
		return self.code < 400

	@property
	def discarded(self):
		return self.packet == 'd'

	def __str__(self):
		return '%d %s "%s" at %s%s' % (self.code, self.xcode, self.text, self.stage, ' (the MTA itself)' if self.own else ' (discarded)' if self.discarded else '')


class Mod:
	"""A modification asked for at end of message. name: of a header, or the address or reason."""
	def __init__(self, packet, name, value='', index=0):
		self.packet, self.kind, self.name, self.value, self.index = packet, NAMES[packet], name, value, index

	def __str__(self):
		return '%s %s' % (self.kind, self.name) + ('[%d]' % self.index if self.packet in 'im' else '') + (': ' + self.value if self.packet in 'him' else '')


def to_bytes(text):
	return text if isinstance(text, bytes) else text.encode('utf8', 'surrogateescape')


def to_text(data):
	return data.decode('utf8', 'surrogateescape')


class Wire:
	"""A connection to the milter, negotiated."""
	def __init__(self, address, timeout=30, actions=ACTIONS, protocol=PROTOCOL):
		self.buffer = b''
		if isinstance(address, str):
			self.socket = socket.socket(socket.AF_UNIX)
			self.socket.settimeout(timeout)
			self.socket.connect(address)
		else:
			self.socket = socket.create_connection(address, timeout)
			self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		try:
			self.negotiate(actions, protocol)
		except Exception:
			self.socket.close()
			raise

	def negotiate(self, actions, protocol):
		self.send(b'O', struct.pack('!III', VERSION, actions, protocol))
		packet, data = self.read()
		if packet != 'O' or len(data) < 12:
			raise WireError('no answer to the negotiation: %r' % packet)
		self.version, self.actions, self.protocol = struct.unpack('!III', data[:12])
		if self.actions & ~actions or self.protocol & ~protocol:
			raise WireError('the milter wants what was not offered: actions %x, protocol %x' % (self.actions & ~actions, self.protocol & ~protocol))
		self.symlists, rest = {}, data[12:]                      # stage number -> names of the macros wanted
		while len(rest) > 4:
			stage = struct.unpack('!I', rest[:4])[0]
			names, _, rest = rest[4:].partition(b'\0')
			self.symlists[stage] = to_text(names).replace(',', ' ').split()

	def has(self, bit):
		return bool(self.protocol & bit)

	# -- packets
	def send(self, packet, data=b''):
		self.socket.sendall(struct.pack('!I', len(data) + 1) + packet + data)

	def take(self, n):
		while len(self.buffer) < n:
			try:
				data = self.socket.recv(65536)
			except socket.timeout:
				raise WireError('no reply within %g s' % self.socket.gettimeout())
			if not data:
				raise WireError('the milter closed the connection')
			self.buffer += data
		data, self.buffer = self.buffer[:n], self.buffer[n:]
		return data

	def read(self):
		size = struct.unpack('!I', self.take(4))[0]
		if not 1 <= size <= 1 << 24:
			raise WireError('a packet of %d bytes' % size)
		data = self.take(size)
		return data[:1].decode('latin1'), data[1:]

	def macros(self, packet, number, values, default):
		"""Sends of values (name -> value) those that the milter's list, or else the MTA's default, names."""
		wanted = self.symlists.get(number, default)
		data = b''
		for name in wanted:
			value = values.get(name)
			if value is not None:
				data += to_bytes(name) + b'\0' + to_bytes(value) + b'\0'
		if data:
			self.send(b'D', packet + data)

	# -- replies
	def unasked(self):
		"""Raises if something has arrived that nobody waits for."""
		if self.buffer or select.select([self.socket], [], [], 0)[0]:
			packet, _ = self.read()
			raise WireError('a reply that nobody asked for: %r' % packet)

	def answer(self, stage):
		"""Waits for the reply to an event; modifications before it are collected (end of message only)."""
		mods = []
		while True:
			packet, data = self.read()
			if packet == 'p':
				if stage != 'eom':
					raise WireError('progress at %s' % stage)
			elif packet in NAMES:
				if stage != 'eom':
					raise WireError('modification %r at %s' % (packet, stage))
				mods.append(self.modification(packet, data))
			elif packet == 'y':
				return Reply(stage, packet, *reply_text(data), mods=mods)
			elif packet == 's' and not (stage == 'body' and self.has(SKIP)):
				raise WireError('skip at %s' % stage)
			elif packet in PLAIN:
				return Reply(stage, packet, *PLAIN[packet], mods=mods)
			else:
				raise WireError('unknown packet %r at %s' % (packet, stage))

	def modification(self, packet, data):
		if not self.actions & NEEDS[packet]:
			raise WireError('%s was not negotiated' % NAMES[packet])
		if packet == 'b':
			return Mod(packet, '%d bytes' % len(data))
		index = 0
		if packet in 'im':
			index, data = struct.unpack('!I', data[:4])[0], data[4:]
		parts = [to_text(x) for x in data.split(b'\0')]
		if packet not in 'him':
			return Mod(packet, parts[0])
		name, value = parts[0], parts[1]
		if value and self.has(HDR_LEADSPC):
			if not value.startswith((' ', '\t')):
				raise WireError('header %s would stand without a space after the colon: %r' % (name, value[:40]))
			value = value[1:]
		if re.search('[\r\n](?![ \t])', value):
			raise WireError('header %s holds a line break that is no fold: %r' % (name, value[:80]))
		return Mod(packet, name, value, index)

	def close(self, polite=True):
		"""QUIT; whatever still comes then was an answer to something that wants none."""
		try:
			if polite:
				self.send(b'Q')
				while True:
					data = self.socket.recv(65536)
					if not data:
						break
					self.buffer += data
		except (OSError, socket.timeout):
			pass
		self.socket.close()
		if polite and self.buffer:
			raise WireError('%d bytes of replies that nobody asked for: %r' % (len(self.buffer), self.buffer[4:5].decode('latin1')))


def reply_text(data):
	"""The data of a reply packet: '550-5.7.1 a CRLF 550 5.7.1 b' -> 550, '5.7.1', 'a b'. Doubled percents become one; a lone one is lost in Postfix and costs
	the whole reply in Sendmail."""
	text = data.split(b'\0')[0].decode('utf8', 'replace')
	if '%' in text.replace('%%', ''):
		raise WireError('a lone %% in a reply: %r' % text)
	code, xcode, words = 0, '', []
	lines = text.replace('%%', '%').split('\r\n')
	for i, line in enumerate(lines):
		m = re.match(r'([45]\d\d)([ -])([45]\.\d{1,3}\.\d{1,3}) ([ -~]*)$', line)
		if not m:
			raise WireError('not a reply line: %r' % line)
		if len(line) > 980 or (m.group(2) == ' ') != (i == len(lines) - 1) or m.group(1)[0] != m.group(3)[0] or (code and code != int(m.group(1))):
			raise WireError('a malformed reply: %r' % text)
		code, xcode = int(m.group(1)), m.group(3)
		words.append(m.group(4))
	return code, xcode, ' '.join(words)
