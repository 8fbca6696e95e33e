#!/usr/bin/env python3
# nameserver.py - a DNS server on loopback for tests, UDP and TCP, that answers from a zone in text and can be silent, slow, cut or wrong by name
"""nameserver.py [--port N] ZONE_FILE: serves until killed; its first line of output is the port. USR1: silent, USR2: speaks again.

A zone, a line each, `#` begins a comment; names are absolute, with or without a dot at the end; `*` may stand for the first label:
    $TTL 300                          of the lines that follow (default 300)
    example.com A 192.0.2.1           A AAAA MX NS PTR CNAME TXT SOA, as in zone files; MX "10 mx.example.com"
    example.com TXT "v=spf1 -all" "more"   strings are joined by who reads them; \\NNN is an octet; without quotes: one string, as it stands
    example.com TYPE65280 0a0b        any other type, as hexadecimal
    1.2.0.192.in-addr.arpa PTR mail.example.com      or, shorter: PTR 192.0.2.1 mail.example.com
    many.example A 192.0.2.{1..100}   a line for each number
What becomes of a name (all its types, or one: `RULE/TYPE`), instead of or besides its records:
    name SERVFAIL | REFUSED | FORMERR | NOTIMP        that rcode
    name NXDOMAIN | EMPTY             though there are records
    name SILENT [N]                   nothing is said, or not to the first N questions
    name SLOW 400                     that many milliseconds later
    name TRUNCATED                    by UDP the answer is cut; TCP has it whole
    name NOTCP                        by TCP nothing is said
    name WRONGID | WRONGNAME          a wrong answer comes first, then the right one; with ONLY: nothing follows
    name GARBAGE                      what cannot be read
    name SECURE                       the AD bit
    name NOSOA                        without the SOA of an empty answer
Rules may stand together: `name SLOW 100`, `name SERVFAIL`. A name without records that has names below it is empty; any other is NXDOMAIN.
CNAMEs are followed within the zone, to whatever rules their ends have.
"""
import heapq
import ipaddress
import re
import signal
import socket
import struct
import sys
import threading
import time

TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'SRV': 33, 'OPT': 41, 'SPF': 99, 'ANY': 255}
RCODES = {'FORMERR': 1, 'SERVFAIL': 2, 'NXDOMAIN': 3, 'NOTIMP': 4, 'REFUSED': 5}
RULES = set(RCODES) | {'EMPTY', 'SILENT', 'SLOW', 'TRUNCATED', 'NOTCP', 'WRONGID', 'WRONGNAME', 'GARBAGE', 'SECURE', 'NOSOA'}


class ZoneError(Exception):
	"""A mistake in a zone: LINE: what."""


def canonical(name):
	"""As a key: small letters, no dot at the end; the root is ''."""
	return name.rstrip('.').lower()


def labels(name):
	"""A name's labels as bytes; \\. and \\NNN as in zone files."""
	out, now, at = [], b'', 0
	name = name[:-1] if name.endswith('.') and not name.endswith('\\.') else name
	while at < len(name):
		m = re.match(r'\\(\d{3})|\\(.)|(.)', name[at:], re.S)
		at += m.end()
		if m.group(3) == '.':
			out.append(now)
			now = b''
		else:
			now += bytes([int(m.group(1))]) if m.group(1) else (m.group(2) or m.group(3)).encode('utf8', 'surrogateescape')
	return out + [now] if name else []


def wire_name(name):
	return b''.join(bytes([len(x)]) + x for x in labels(name)) + b'\0'


def text_name(packet, at):
	"""-> (name, position behind it); without compression: questions have none."""
	out = []
	while packet[at]:
		n = packet[at]
		out.append(''.join(chr(c) if 32 < c < 127 and chr(c) not in '.\\' else '\\.' if c == 46 else '\\%03d' % c for c in packet[at + 1:at + 1 + n]))
		at += 1 + n
	return '.'.join(out), at + 1


def txt_data(text):
	strings = [m.group(1) if m.group(1) is not None else m.group(2) for m in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', text)] if text.lstrip().startswith('"') else [text]
	out = b''
	for s in strings:
		raw = re.sub(rb'\\(\d{3})|\\(.)', lambda m: bytes([int(m.group(1))]) if m.group(1) else m.group(2), s.encode('utf8', 'surrogateescape'), flags=re.S)
		out += b''.join(bytes([len(raw[i:i + 255])]) + raw[i:i + 255] for i in range(0, max(len(raw), 1), 255))
	return out


def data(kind, text):
	if kind in ('A', 'AAAA'):
		return ipaddress.ip_address(text).packed
	if kind in ('NS', 'CNAME', 'PTR'):
		return wire_name(text)
	if kind == 'MX':
		preference, host = text.split()
		return struct.pack('!H', int(preference)) + wire_name(host)
	if kind == 'SRV':
		*numbers, host = text.split()
		return struct.pack('!3H', *map(int, numbers)) + wire_name(host)
	if kind == 'SOA':
		mname, rname, *numbers = text.split()
		return wire_name(mname) + wire_name(rname) + struct.pack('!5I', *map(int, numbers))
	if kind in ('TXT', 'SPF'):
		return txt_data(text)
	return bytes.fromhex(text)


def number(kind):
	return TYPES[kind] if kind in TYPES else int(kind[4:])


class Zone:
	"""names -> {type: [(ttl, data)]}, and rules: names -> [(rule, type or None, argument)]"""
	def __init__(self, text=''):
		self.records, self.rules, self.above, self.ttl = {}, {}, {''}, 300
		self.add(text)

	def add(self, text):
		for n, line in enumerate(text.split('\n'), 1):
			line = re.sub(r'(^|\s)#.*' if '"' not in line else r'^\s*#.*', '', line).strip()
			try:
				for one in self.each(line):
					self.line(one)
			except (ValueError, KeyError, IndexError, struct.error) as e:
				raise ZoneError('line %d: %s: %s' % (n, line[:200], e))

	def each(self, line):
		m = re.search(r'\{(\d+)\.\.(\d+)\}', line)
		if not m:
			return [line] if line else []
		return [x for i in range(int(m.group(1)), int(m.group(2)) + 1) for x in self.each(line.replace(m.group(0), str(i)))]

	def line(self, line):
		name, word, rest = (line.split(None, 2) + ['', ''])[:3]
		if name == '$TTL':
			self.ttl = int(word)
			return
		if name == 'PTR':
			name, word, rest = ipaddress.ip_address(word).reverse_pointer, 'PTR', rest
		rule, _, kind = word.partition('/')
		name = canonical(name)
		if rule in RULES:
			self.rules.setdefault(name, []).append([rule, number(kind) if kind else None, rest])
		elif word in TYPES or re.fullmatch(r'TYPE\d+', word):
			self.records.setdefault(name, {}).setdefault(number(word), []).append((self.ttl, data(word, rest)))
		else:
			raise ValueError('no type and no rule: ' + word)
		while '.' in name:
			name = name.partition('.')[2]
			self.above.add(name)

	def forget(self, name):
		"""Its records and rules; names below it stay."""
		self.records.pop(canonical(name), None)
		self.rules.pop(canonical(name), None)

	def find(self, table, name):
		"""By the name, or by a wildcard that stands above it."""
		if name in table:
			return table[name]
		while '.' in name:
			name = name.partition('.')[2]
			if '*.' + name in table:
				return table['*.' + name]
			if name in self.records:                              # RFC 4592: a name that is there hides the wildcards above
				return None
		return table.get('*')

	def of(self, name, kind):
		"""-> {rule: [rule, type, argument]} in force for that question"""
		return {r[0]: r for r in self.find(self.rules, name) or [] if r[1] in (None, kind)}

	def answer(self, name, kind):
		"""-> (rcode, [(owner, type, ttl, data)], secure)"""
		out, secure = [], True
		for _ in range(20):
			rules, records = self.of(canonical(name), kind), self.find(self.records, canonical(name))
			secure &= 'SECURE' in rules
			for rule in rules:
				if rule in RCODES:
					return RCODES[rule], out if rule == 'NXDOMAIN' else [], secure
			if 'EMPTY' in rules:
				return 0, out, secure
			if records is None:
				known = canonical(name) in self.above or bool(rules)
				return 0 if known else 3, out, secure
			if TYPES['CNAME'] in records and kind not in (TYPES['CNAME'], TYPES['ANY']):
				ttl, target = records[TYPES['CNAME']][0]
				out.append((name, TYPES['CNAME'], ttl, target))
				name = text_name(target, 0)[0]
				continue
			return 0, out + [(name, k, ttl, d) for k, v in records.items() if k == kind or kind == TYPES['ANY'] for ttl, d in v], secure
		return 2, [], False


class DnsServer:
	"""One server. asked: what was asked, as (name, type) in order, repeats too; silence() and speak(); zone may be replaced or added to at any time."""
	def __init__(self, zone='', address='127.0.0.1', port=0):
		self.zone, self.asked, self.silent, self.late, self.count = Zone(zone), [], False, [], 0
		self.lock, self.address = threading.Condition(), address
		self.bind(port)
		self.threads = [threading.Thread(target=f, daemon=True) for f in (self.serve_udp, self.serve_tcp, self.serve_late)]
		self.open = True
		for t in self.threads:
			t.start()

	def bind(self, port):
		for attempt in range(50):
			family = socket.AF_INET6 if ':' in self.address else socket.AF_INET
			self.udp, self.tcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family)
			self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
			self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			try:
				self.udp.bind((self.address, port))
				self.port = self.udp.getsockname()[1]
				self.tcp.bind((self.address, self.port))
				self.tcp.listen(64)
				return
			except OSError:                                         # the port is another's, by TCP
				self.udp.close()
				self.tcp.close()
				if port and attempt > 20:
					raise
				time.sleep(0.05 if port else 0)
		raise OSError('no port is free for UDP and TCP')

	@property
	def server(self):
		"""As dns.servers wants it."""
		return '%s@%d' % (self.address, self.port)

	def silence(self):
		self.silent = True

	def speak(self):
		self.silent = False

	def times_asked(self, name, kind=None):
		"""kind: 'A', 'TXT', ...; repeats count."""
		with self.lock:
			return sum(1 for n, k in self.asked if n == canonical(name) and kind in (None, k))

	def close(self):
		self.open = False
		with self.lock:
			self.lock.notify_all()
		self.tcp.close()
		try:
			with socket.socket(self.udp.family, socket.SOCK_DGRAM) as s:        # wakes the thread that waits there
				s.sendto(b'', (self.address, self.port))
		except OSError:
			pass
		self.threads[0].join(2)
		self.udp.close()

	# -- answers
	def respond(self, packet, by_tcp):
		"""-> [(seconds to wait, packet)]"""
		name, at = text_name(packet, 12)
		kind, = struct.unpack_from('!H', packet, at)
		question, ident = packet[12:at + 4], packet[:2]
		with self.lock:
			if name:
				self.asked.append((canonical(name), next((k for k, v in TYPES.items() if v == kind), 'TYPE%d' % kind)))
			rules = self.zone.of(canonical(name), kind)
			if self.silent or (by_tcp and 'NOTCP' in rules) or self.still_silent(rules.get('SILENT')):
				return []
			rcode, records, secure = self.zone.answer(name, kind)
		size = 512
		if struct.unpack_from('!H', packet, 10)[0] and len(packet) >= at + 4 + 11:
			size = max(512, struct.unpack_from('!H', packet, at + 4 + 3)[0])
		whole = self.build(ident, question, rcode, records, secure, 'NOSOA' not in rules)
		if not by_tcp and ('TRUNCATED' in rules or len(whole) > size):
			whole = self.build(ident, question, rcode, [], secure, False, cut=True)
		wait = int(rules['SLOW'][2]) / 1000 if 'SLOW' in rules else 0
		if 'GARBAGE' in rules:
			whole = whole[:6] + b'\0\x09' + whole[8:]       # records that are not there
		out = [] if any('ONLY' in rules[r][2] for r in ('WRONGID', 'WRONGNAME') if r in rules) else [(wait, whole)]
		lie = self.build(ident, question, 0, [(name, 1, 60, b'\x7f\0\0\x02')], False, False)
		if 'WRONGID' in rules:
			out.insert(0, (wait, bytes([lie[0] ^ 0x5a]) + lie[1:]))
		if 'WRONGNAME' in rules:
			out.insert(0, (wait, lie[:13] + b'!' + lie[14:]))
		return out

	@staticmethod
	def still_silent(rule):
		if not rule:
			return False
		if not rule[2]:
			return True
		left = int(rule[2])
		rule[2] = str(left - 1)
		return left > 0

	@staticmethod
	def build(ident, question, rcode, records, secure, soa, cut=False):
		flags = 0x8180 | rcode | (0x20 if secure else 0) | (0x200 if cut else 0)
		body, authority, asked = b'', b'', text_name(question, 0)[0]
		for owner, kind, ttl, d in records:
			where = b'\xc0\x0c' if canonical(owner) == canonical(asked) else wire_name(owner)
			body += where + struct.pack('!HHIH', kind, 1, ttl, len(d)) + d
		if soa and not cut and (not records or records[-1][1] == TYPES['CNAME']) and rcode in (0, 3):
			d = wire_name('ns.fake.example') + wire_name('root.fake.example') + struct.pack('!5I', 1, 3600, 600, 86400, 60)
			authority = wire_name('.'.join(asked.split('.')[-2:])) + struct.pack('!HHIH', TYPES['SOA'], 1, 60, len(d)) + d
		return ident + struct.pack('!5H', flags, 1, len(records), 1 if authority else 0, 0) + question + body + authority

	# -- threads
	def serve_udp(self):
		while self.open:
			try:
				packet, to = self.udp.recvfrom(4096)
			except OSError:
				return
			if len(packet) < 17 or not self.open:
				continue
			for wait, answer in self.respond(packet, False):
				if wait:
					with self.lock:
						self.count += 1
						heapq.heappush(self.late, (time.monotonic() + wait, self.count, answer, to))
						self.lock.notify_all()
				else:
					self.send(answer, to)

	def send(self, answer, to):
		try:
			self.udp.sendto(answer, to)
		except OSError:
			pass

	def serve_late(self):
		while self.open:
			with self.lock:
				while self.open and (not self.late or self.late[0][0] > time.monotonic()):
					self.lock.wait(self.late[0][0] - time.monotonic() if self.late else None)
				if not self.open:
					return
				_, _, answer, to = heapq.heappop(self.late)
			if not self.silent:
				self.send(answer, to)

	def serve_tcp(self):
		while self.open:
			try:
				c, _ = self.tcp.accept()
			except OSError:
				return
			threading.Thread(target=self.serve_connection, args=(c,), daemon=True).start()

	def serve_connection(self, c):
		with c, c.makefile('rb') as f:
			try:
				c.settimeout(30)
				while True:
					head = f.read(2)
					packet = f.read(struct.unpack('!H', head)[0]) if len(head) == 2 else b''
					if len(packet) < 17:
						return
					for wait, answer in self.respond(packet, True):
						time.sleep(wait)
						c.sendall(struct.pack('!H', len(answer)) + answer)
			except OSError:
				pass


def main():
	args = sys.argv[1:]
	port = int(args[1]) if args[:1] == ['--port'] else 0
	path = args[2 if port else 0]
	with open(path, encoding='utf8', errors='surrogateescape') as f:
		s = DnsServer(f.read(), port=port)
	signal.signal(signal.SIGUSR1, lambda *_: s.silence())
	signal.signal(signal.SIGUSR2, lambda *_: s.speak())
	print(s.port, flush=True)
	while True:
		signal.pause()


if __name__ == '__main__':
	main()
