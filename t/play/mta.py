# mta.py - an SMTP conversation as Postfix 3.7 or Sendmail 8.17 hands it to a milter: what is sent when, with which macros, and what the client sees
import struct

from message import MtaRefuses, read_as
from wire import (HDR_LEADSPC, NOBODY, NOCONNECT, NODATA, NOEOH, NOHDRS, NOHELO, NOMAIL, NORCPT, NOUNKNOWN, NR_BODY, NR_CONN, NR_DATA, NR_EOH, NR_HDR, NR_HELO,
	NR_MAIL, NR_RCPT, NR_UNKN, RCPT_REJ, Reply, Wire, to_bytes)

CONNECT, HELO, MAIL, RCPT, DATA, EOM, EOH = range(7)      # numbers of the stages in a list of macros

# the macros sent when the milter gives no list of its own
DEFAULTS = {
	'postfix': {
		CONNECT: ['j', '{daemon_name}', '{daemon_addr}', 'v', '_'], HELO: ['{tls_version}', '{cipher}', '{cipher_bits}', '{cert_subject}', '{cert_issuer}'],
		MAIL: ['i', '{auth_type}', '{auth_authen}', '{auth_author}', '{mail_addr}', '{mail_host}', '{mail_mailer}'],
		RCPT: ['i', '{rcpt_addr}', '{rcpt_host}', '{rcpt_mailer}'], DATA: ['i'], EOH: ['i'], EOM: ['i'],
	},
	'sendmail': {
		CONNECT: ['j', '_', '{daemon_name}', '{if_name}', '{if_addr}'], HELO: ['{tls_version}', '{cipher}', '{cipher_bits}', '{cert_subject}', '{cert_issuer}'],
		MAIL: ['i', '{auth_type}', '{auth_authen}', '{auth_ssf}', '{auth_author}', '{mail_mailer}', '{mail_host}', '{mail_addr}'],
		RCPT: ['{rcpt_mailer}', '{rcpt_host}', '{rcpt_addr}'], DATA: [], EOH: [], EOM: ['{msg_id}'],
	},
}


class Mta:
	def __init__(self, address, kind, chunk=65535):
		self.kind, self.chunk, self.wire = kind, chunk, Wire(address)
		self.closed = self.unseen = False                     # unseen: the milter accepted the whole connection
		self.refusal = None                                   # a reply at connect that every later command gets
		self.encrypted_ungreeted = False
		self.tls, self.auth, self.fields, self.messages = {}, {}, [], 0
		self.reset()

	postfix = property(lambda self: self.kind == 'postfix')

	def reset(self):
		self.open = self.discarding = self.accepted = False
		self.recipients, self.queue_id = [], None

	# -- one event
	def event(self, stage, packet, data=b'', skip=0, no_reply=0):
		"""Sends an event; the reply, or None where none is wanted."""
		if skip and self.wire.has(skip):
			return None
		self.wire.unasked()
		self.wire.send(packet, data)
		if no_reply and self.wire.has(no_reply):
			return None
		reply = self.wire.answer(stage)
		if reply.packet in 'f4' or reply.code == 421 or (reply.code == 521 and self.postfix):
			self.closed = True
		return reply

	def command(self, stage, *event):
		"""An event that an SMTP command causes: always with a reply for the client."""
		if self.refusal:
			return Reply(stage, self.refusal.packet, self.refusal.code, self.refusal.xcode, self.refusal.text, own=True)
		if self.unseen:
			return self.says(stage, 250, '2.0.0', 'the milter does not see this connection')
		return self.event(stage, *event) or self.says(stage, 250, '2.0.0', 'no reply wanted')

	def says(self, stage, code, xcode, text):
		return Reply(stage, 'c', code, xcode, text, own=True)

	def macros(self, packet, stage, values):
		if not self.unseen and not self.refusal:
			self.wire.macros(packet, stage, values, DEFAULTS[self.kind][stage])

	# -- the session
	def connect(self, address, name=None, port='40001', daemon=None, daemon_port='25', ptr=None, resolve=None, my='mx1.example.net'):
		"""address: an IP address, "local" (a unix socket) or "unknown"; name: None if the PTR does not hold."""
		six = ':' in address
		shown = name or ('unknown' if address in ('unknown', 'local') else '[%s]' % address)
		tagged = ('IPv6:' if six else '') + address
		resolve = resolve or ('OK' if name else 'FORGED' if ptr else 'FAIL')
		values = {
			'j': my, '{daemon_addr}': '192.0.2.1', '{daemon_port}': daemon_port, '{client_addr}': tagged, '{client_port}': port,
			'_': '%s [%s]%s' % (name or ptr or 'unknown', tagged, '' if name or not ptr else ' (may be forged)'),
		}
		if self.postfix:
			values.update({'v': 'Postfix 3.7.11', '{daemon_name}': daemon or my, '{client_name}': name or 'unknown',
				'{client_ptr}': ptr or name or 'unknown', '{client_connections}': '0'})
		else:
			values.update({'v': '8.17.1.9', '{daemon_name}': daemon or 'MTA-v4', '{if_name}': my, '{if_addr}': '192.0.2.1', '{client_name}': shown,
				'{client_ptr}': ptr or name or '[%s]' % address, '{client_resolve}': resolve, '{client_connections}': '1'})
		self.macros(b'C', CONNECT, values)
		data = to_bytes(shown) + b'\0'
		if address == 'unknown':
			data += b'U'
		elif address == 'local':
			data += b'L' + struct.pack('!H', 0) + b'/run/socket\0'
		else:
			data += (b'6' if six else b'4') + struct.pack('!H', int(port)) + to_bytes(address if self.postfix else tagged) + b'\0'
		reply = self.command('connect', b'C', data, NOCONNECT, NR_CONN)
		if not reply.ok:
			self.refusal = reply
		self.unseen = reply.packet == 'a'
		return reply

	def starttls(self, version, cipher, bits):
		"""After it the client greets again, and only that greeting brings the macros."""
		self.tls, self.encrypted_ungreeted = {'{tls_version}': version, '{cipher}': cipher, '{cipher_bits}': bits}, True

	def login(self, user, kind='PLAIN'):
		self.auth = {'{auth_type}': kind, '{auth_authen}': user}

	def helo(self, name):
		if self.open:
			self.abort()
		self.reset()
		self.encrypted_ungreeted = False
		self.macros(b'H', HELO, self.tls)
		return self.command('helo', b'H', to_bytes(name) + b'\0', NOHELO, NR_HELO)

	def unknown(self, line):
		word = line.split(' ')[0] if self.postfix else line
		reply = self.command('command', b'U', to_bytes(word) + b'\0', NOUNKNOWN, NR_UNKN)
		return reply if not reply.ok else self.says('command', 500, '5.5.2', 'Error: command not recognized')

	# -- the message
	def mail(self, path, *parameters):
		if self.postfix or self.open:
			self.abort()
		self.reset()
		self.messages += 1
		bare = path[1:-1] if path.startswith('<') and path.endswith('>') else path
		values = dict(self.auth)
		values.update({'{mail_addr}': bare, '{mail_host}': bare.rpartition('@')[2] if '@' in bare else '', '{mail_mailer}': 'smtp' if self.postfix else 'esmtp'})
		if not self.postfix:
			self.queue_id = values['i'] = '5APLAY%06d' % self.messages
			if self.auth:
				values['{auth_ssf}'] = '0'
		self.macros(b'M', MAIL, values)
		data = b''.join(to_bytes(x) + b'\0' for x in (path,) + parameters)
		reply = self.command('mail', b'M', data, NOMAIL, NR_MAIL)
		self.open, self.discarding, self.accepted = reply.ok, reply.discarded, reply.packet == 'a'
		return reply

	def rcpt(self, path, *parameters):
		if not self.open:
			return self.says('rcpt', 503, '5.5.1', 'need MAIL command')
		bare = path[1:-1] if path.startswith('<') and path.endswith('>') else path
		if self.discarding or self.accepted:
			self.recipients.append(path)
			return self.says('rcpt', 250, '2.1.5', 'not asked')
		self.macros(b'R', RCPT, {'i': self.queue_id, '{rcpt_mailer}': 'relay' if self.postfix else 'esmtp', '{rcpt_host}': bare.rpartition('@')[2], '{rcpt_addr}': bare})
		reply = self.command('rcpt', b'R', b''.join(to_bytes(x) + b'\0' for x in (path,) + parameters), NORCPT, NR_RCPT)
		if reply.ok:
			self.recipients.append(path)
			self.queue_id = self.queue_id or '4PLAY%07d' % self.messages
			self.discarding, self.accepted = reply.discarded, reply.packet == 'a'
		return reply

	def rcpt_refused(self, path, xcode, text):
		"""A recipient that the MTA itself refuses: Postfix tells a milter that wants to know, Sendmail does not."""
		if not self.open:
			return self.says('rcpt', 503, '5.5.1', 'need MAIL command')
		if self.postfix and self.wire.has(RCPT_REJ) and not (self.discarding or self.accepted):
			self.macros(b'R', RCPT, {'i': self.queue_id, '{rcpt_mailer}': 'error', '{rcpt_host}': xcode, '{rcpt_addr}': text})
			reply = self.command('rcpt', b'R', to_bytes(path) + b'\0', NORCPT, NR_RCPT)
			if not reply.ok:
				return reply
		return self.says('rcpt', 550, xcode, text)

	def send(self, raw, upto='eom'):
		"""DATA to end of message; upto: stop after "data", "header", "eoh" or "body", with the transaction open. The reply; None while stopped."""
		if not self.open or not self.recipients:
			return self.says('data', 554 if self.open else 503, '5.5.1', 'no valid recipients')
		if self.discarding or self.accepted:
			self.open = False
			return Reply('eom', 'd' if self.discarding else 'a', 250, '2.0.0', 'the milter was not asked')
		try:
			self.fields, body = read_as(self.kind, raw)
		except MtaRefuses as refusal:
			self.abort()
			self.open, self.closed = False, refusal.args[0] == 421
			return self.says('data', *refusal.args)
		for stage, reply in self.events(body):
			if reply and (not reply.ok or reply.packet in 'ad' or stage == 'eom'):
				self.open = False
				return reply
			if stage == upto:
				return None

	def events(self, body):
		"""The events of a message, one by one: (stage, reply or None)"""
		queue_id = {'i': self.queue_id}
		self.macros(b'T', DATA, queue_id)
		yield 'data', self.event('data', b'T', b'', NODATA, NR_DATA)
		for name, value in self.fields:
			if not self.wire.has(HDR_LEADSPC) and value.startswith(b' '):
				value = value[1:]
			reply = self.event('header', b'L', name + b'\0' + value + b'\0', NOHDRS, NR_HDR)
			if reply and reply.packet != 'c':
				yield 'header', reply
		yield 'header', None
		self.macros(b'N', EOH, queue_id)
		yield 'eoh', self.event('eoh', b'N', b'', NOEOH, NR_EOH)
		for at in range(0, len(body), self.chunk):
			reply = self.event('body', b'B', body[at:at + self.chunk], NOBODY, NR_BODY)
			if reply and reply.packet == 's':
				break
			if reply and reply.packet != 'c':
				yield 'body', reply
		yield 'body', None
		self.macros(b'E', EOM, queue_id if self.postfix else {'{msg_id}': '<1@play.example>'})
		yield 'eom', self.event('eom', b'E')

	def abort(self):
		if not self.unseen and not self.refusal:
			self.wire.send(b'A')

	def rset(self):
		self.abort()
		self.reset()
		return self.says('rset', 250, '2.0.0', 'Ok')

	def quit(self):
		"""Postfix aborts twice at the end."""
		if self.postfix:
			try:
				self.wire.send(b'A')
				self.wire.send(b'A')
			except OSError:
				pass
		self.wire.close()

	def drop(self):
		self.wire.close(polite=False)
