# fake_milter.py - a tiny milter for the player's own test: does what the addresses and faults say, right or wrong, and logs records as the daemon does
"""Recipients: ok@; refuse.CLASS@ (the catalogue's codes and text), defer@, crash@, and the faults of reply() below. `fault NAME` lines in the configuration: see main."""
import re
import select
import signal
import socket
import struct
import sys
import threading
import time

import catalogue
from wire import HDR_LEADSPC, NR_DATA, NR_HDR, RCPT_REJ, SKIP

CLASSES = catalogue.load()
FAULTS = set()


def log(text):
	sys.stderr.write(text + '\n')
	sys.stderr.flush()


class Session:
	def __init__(self, connection, number):
		self.c, self.buffer, self.number, self.messages = connection, b'', number, 0
		self.macros, self.headers, self.rcpt = {}, [], ''

	def send(self, packet, data=b''):
		self.c.sendall(struct.pack('!I', len(data) + 1) + packet + data)

	def read(self):
		while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack('!I', self.buffer[:4])[0]:
			data = self.c.recv(65536)
			if not data:
				return None, None
			self.buffer += data
		n = struct.unpack('!I', self.buffer[:4])[0]
		packet, data, self.buffer = self.buffer[4:5], self.buffer[5:4 + n], self.buffer[4 + n:]
		return packet, data

	def ident(self):
		return 'FAKE%04d%04d' % (self.number, self.messages)

	def record(self, event, class_id, action, code, xcode, findings=''):
		log('Nov 25 id=%s qid=%s event=%s class=%s action=%s code=%s xcode=%s from="<a@b>" findings=%s macros=%s'
			% (self.ident(), self.macros.get('i', '-'), event, class_id, action, code, xcode, findings, '+'.join(sorted(self.macros))))

	def refuse(self, class_id, event='rcpt', text=None, code=None, xcode=None):
		row = CLASSES[class_id]
		code, xcode, text = code or row['code'], xcode or row['xcode'], text or row['text']
		if 'silent' not in FAULTS:
			self.record(event, class_id, row['action'], code, xcode)
		self.send(b'y', ('%s %s %s [%s]' % (code, xcode, text, self.ident())).encode() + b'\0')

	def answer(self, word):
		"""To a recipient, by the first word of its local part."""
		if word.startswith('refuse.'):
			return self.refuse(word[7:])
		if word == 'percent':
			return self.refuse('helo-is-us', text='100% sure')
		if word == 'noid':
			return self.send(b'y', b'550 5.7.1 You cannot say you are me. I am me.\0')
		if word == 'wrongtext':
			return self.refuse('helo-is-us', text='something else')
		if word == 'wronglog':
			self.record('rcpt', 'helo-invalid', 'reject', '504', '5.5.2')
			return self.send(b'y', ('550 5.7.1 You cannot say you are me. I am me. [%s]' % self.ident()).encode() + b'\0')
		if word == 'hangup':
			return self.refuse('auth-denied')
		if word == 'progress':
			self.send(b'p')
		if word == 'crash':
			log('==1==ERROR: AddressSanitizer: heap-use-after-free')
		if word == 'close':
			return self.c.shutdown(socket.SHUT_RDWR)
		self.send(b'c')

	def end(self):
		self.messages += 1
		for i, (name, value) in reversed(list(enumerate(self.headers))):
			same = [j for j, (n, _) in enumerate(self.headers) if n.lower() == name.lower()]
			if name.lower() in (b'x-winnow-class', b'x-winnow-id'):
				self.send(b'm', struct.pack('!I', same.index(i) + 1) + name + b'\0\0')
		space = b'' if 'nospace' in FAULTS else b' '
		self.send(b'i', struct.pack('!I', 0) + b'X-Winnow-ID\0' + space + self.ident().encode() + b'\0')
		self.send(b'i', struct.pack('!I', 0) + b'X-Winnow-Class\0' + space + b'ham\0')
		self.send(b'-', b'<hole@example.com>\0')
		self.record('message', 'not-spam', 'accept', 250, '2.0.0', 'helo-invalid:0.5')
		self.send(b'c')

	def run(self):
		while True:
			packet, data = self.read()
			if packet is None or packet == b'Q':
				break
			if packet == b'O':
				protocol = NR_HDR | NR_DATA | RCPT_REJ | SKIP | HDR_LEADSPC
				self.send(b'O', struct.pack('!III', 6, 0x1ff, protocol) + struct.pack('!I', 0) + b'j {client_addr} {daemon_port}\0')
			elif packet == b'D':
				parts = [x.decode() for x in data[1:].split(b'\0')]
				self.macros.update(zip(parts[0::2], parts[1::2]))
			elif packet == b'M':
				self.headers = []
				self.send(b'c')
			elif packet == b'R':
				self.rcpt = data.split(b'\0')[0].decode()
				if self.macros.get('{rcpt_mailer}') == 'error':
					log('refused by the MTA: %s %s' % (self.rcpt, self.macros['{rcpt_host}']))
				self.answer(re.match('<?([^@]*)', self.rcpt).group(1))
			elif packet == b'L':
				self.headers.append(tuple(data.split(b'\0')[:2]))
				if 'unasked' in FAULTS:
					self.send(b'c')
			elif packet == b'E':
				self.end()
			elif packet == b'U':
				log('unknown: ' + data.decode())
				self.send(b'c')
			elif packet in b'CHNB':
				self.send(b's' if packet == b'B' else b'c')
		self.c.close()
		if 'lateoutput' in FAULTS:
			log('src/x.c:1:2: runtime error: signed integer overflow')


def main():
	"""fault silent: no records; nospace, unasked: protocol; noexit, exit3: at SIGTERM; lateoutput: a sanitizer's report at the end of a session"""
	text = open(sys.argv[sys.argv.index('-c') + 1]).read()
	FAULTS.update(re.findall(r'(?m)^fault (\w+)', text))
	if 'nostart' in FAULTS:
		log('bad configuration')
		sys.exit(78)
	where = re.search(r'listen = "([^"]+)"', text).group(1)
	if where.startswith('unix:'):
		s = socket.socket(socket.AF_UNIX)
		s.bind(where[5:])
	else:
		s = socket.socket()
		s.bind(('127.0.0.1', int(re.match(r'inet:(\d+)', where).group(1))))
	s.listen(20)
	stop, hups = threading.Event(), []
	signal.signal(signal.SIGTERM, (lambda *a: None) if 'noexit' in FAULTS else lambda *a: stop.set())
	signal.signal(signal.SIGHUP, lambda *a: hups.append(log('configuration read again')))
	number = 0
	while not stop.is_set():
		if select.select([s], [], [], 0.05)[0]:
			number += 1
			threading.Thread(target=Session(s.accept()[0], number).run, daemon=True).start()
	time.sleep(0.05)
	sys.exit(3 if 'exit3' in FAULTS else 0)


if __name__ == '__main__':
	main()
