# smtp.py - an SMTP client that says each command when it is told to, from any address (XCLIENT, or bound to one of loopback's)
import base64
import re
import socket
import ssl


class Reply:
	"""code 550, xcode "5.7.1", text without them (lines joined by a blank), id: what stands in [] at its end, queue_id: the MTA's own."""
	def __init__(self, stage, lines):
		self.stage, self.lines = stage, lines
		self.code = int(lines[-1][:3])
		words = [re.match(r'\d{3}[ -]?(?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?(.*)', line) for line in lines]
		self.xcode = words[-1].group(1) or ''
		self.text = ' '.join(w.group(2) for w in words)
		found = re.search(r' \[([\w.-]+)\]$', self.text)
		self.id = found and found.group(1)
		found = re.search(r'queued as (\w+)|(\w+) Message accepted', self.text)
		self.queue_id = found and (found.group(1) or found.group(2))

	ok = property(lambda self: self.code < 400)

	def __repr__(self):
		return '%s: %s' % (self.stage, ' / '.join(self.lines))


class Closed(Exception):
	"""The server closed the connection."""


class Client:
	"""greet=False: the caller says EHLO itself. The reply to the greeting (or to the banner, if that refuses) is in .greeting. source: address to bind to."""
	def __init__(self, server, helo='mail.sender.example', greet=True, timeout=60, source=None, **where):
		self.sock = socket.create_connection(('127.0.0.1', server), timeout, (source, 0) if source else None)
		self.buffer = b''
		self.helo = helo
		self.greeting = self.read('connect')
		if where and self.greeting.ok:
			self.come_from(where)
		if greet and self.greeting.ok:
			self.greeting = self.say('EHLO ' + helo, 'helo')

	def come_from(self, where):
		"""addr, name, port, login, reverse_name"""
		self.say('EHLO lab.test')
		address = where.get('addr', '')
		if ':' in address:
			where = dict(where, addr='IPV6:' + address)
		self.greeting = self.say('XCLIENT ' + ' '.join('%s=%s' % (k.upper(), v) for k, v in where.items()), 'connect')

	def read(self, stage):
		lines = []
		while not lines or lines[-1][3:4] == '-':
			while b'\n' not in self.buffer:
				try:
					more = self.sock.recv(65536)
				except ConnectionError:
					more = b''
				if not more:
					raise Closed(stage)
				self.buffer += more
			line, self.buffer = self.buffer.split(b'\n', 1)
			lines.append(line.rstrip(b'\r').decode('utf8', 'replace'))
		return Reply(stage, lines)

	def write(self, data):
		try:
			self.sock.sendall(data)
		except ConnectionError:
			raise Closed('write')

	def say(self, command, stage=None):
		self.write(command.encode('utf8') + b'\r\n')
		return self.read(stage or command.split(' ')[0].lower())

	def starttls(self):
		reply = self.say('STARTTLS')
		if reply.ok:
			context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
			context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
			self.sock = context.wrap_socket(self.sock)
			self.say('EHLO ' + self.helo)
		return reply

	def auth(self, user, password):
		return self.say('AUTH PLAIN ' + base64.b64encode(('\0%s\0%s' % (user, password)).encode()).decode())

	def mail(self, sender, parameters=''):
		return self.say('MAIL FROM:<%s>%s' % (sender, ' ' + parameters if parameters else ''))

	def rcpt(self, recipient):
		return self.say('RCPT TO:<%s>' % recipient)

	def data(self, message):
		"""The reply to DATA if that is no 354, else the one to the end of message."""
		reply = self.say('DATA')
		return self.content(message) if reply.code == 354 else reply

	def content(self, message):
		self.write(stuff(message) + b'.\r\n')
		return self.read('eom')

	def send(self, sender, recipients, message, parameters=''):
		"""A whole transaction; the first reply that is a refusal, or the last one; with the queue id if the message was taken for some recipient."""
		first = self.mail(sender, parameters)
		if not first.ok:
			return first
		replies = [self.rcpt(r) for r in recipients]
		refused = [r for r in replies if not r.ok]
		if len(refused) == len(replies):
			return refused[0]
		last = self.data(message)
		decisive = refused[0] if refused and last.ok else last
		decisive.queue_id = last.queue_id
		return decisive

	def quit(self):
		try:
			self.say('QUIT')
		except Closed:
			pass
		self.close()

	def close(self):
		self.sock.close()

	def closed_by_server(self, seconds=10):
		"""Whether the server has closed: nothing more to read but the end."""
		self.sock.settimeout(seconds)
		try:
			return self.sock.recv(1) == b''
		except ConnectionError:
			return True
		except socket.timeout:
			return False


def stuff(message):
	"""Dots at the beginning of lines doubled; the last line ends with CRLF."""
	if not message.endswith(b'\r\n'):
		message += b'\r\n'
	return re.sub(rb'(?m)^\.', b'..', message)
