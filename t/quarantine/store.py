# store.py - what the tests of this folder share: mail that is kept, what the quarantine holds on disk, an MTA to release to that asks the milter again
import os
import re
import socketserver
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'ctl'))
from lab import BUILD, Lab, main                           # noqa: E402,F401

import message                                             # noqa: E402
import mta                                                 # noqa: E402

SKIP = 77


def bad(n=1, body='hello', subject='report', fields='', date='-30d'):
	"""A message whose header block has a Date that is refused, and a copy kept."""
	return ('From: root (Cron)\r\nTo: anna@example.com\r\nSubject: %s %s\r\nMessage-ID: <%s@mail.example.net>\r\nDate: %s\r\n%s\r\n%s\r\n'
		% (subject, n, n, message.date(date), fields, body)).encode()


def wide(n=1, more=''):
	"""One that is refused for a long line. Many Dates that are wrong would be taken for our own clock's fault."""
	return bad(n, 'x' * 1200 + more, date='')


class Files:
	"""What a quarantine's folder holds."""
	def __init__(self, path):
		self.path = path

	def copies(self):
		"""id -> bytes of the copy"""
		found = {}
		for folder, _, names in os.walk(os.path.join(self.path, 'spool')):
			for name in names:
				if name.endswith('.eml'):
					with open(os.path.join(folder, name), 'rb') as f:
						found[name[:-4]] = f.read()
		return found

	def rows(self, *columns):
		"""id -> the columns' values, read as a stranger would"""
		db = sqlite3.connect(os.path.join(self.path, 'index.sqlite'), timeout=10)
		try:
			return {row[0]: row[1:] for row in db.execute('SELECT %s FROM entries' % ', '.join(('id',) + columns))}
		finally:
			db.close()

	def change(self, sql, *values):
		db = sqlite3.connect(os.path.join(self.path, 'index.sqlite'), timeout=10)
		try:
			with db:
				db.execute(sql, values)
		finally:
			db.close()


class StoreCase(Lab):
	def store(self, d):
		return Files(d.path('quarantine'))

	def keep(self, d, data=None, rcpts=('<anna@example.com>',), sender='<bob@example.net>', address='203.0.113.7', name='mail.example.net'):
		"""Sends mail whose copy is kept; the id that the refusal names."""
		m = self.connect(d, address, name, name)
		m.mail(sender)
		for r in rcpts:
			self.assertTrue(m.rcpt(r).ok)
		end = m.send(data or bad())
		self.assertTrue(end.code >= 550 and end.stage == 'eom', end)
		m.drop()
		return re.search(r'\[([\w.-]+)\]$', end.text).group(1)


class ReleaseMta:
	"""The MTA at quarantine.release. ask: a function of (sender, recipients, message) that gives (code, text) for the message; rcpt: the same for a recipient."""
	def __init__(self):
		self.taken, self.ask, self.rcpt, self.greeting = [], None, None, '220 release.example ESMTP'
		outer = self

		class Handler(socketserver.StreamRequestHandler):
			def handle(self):
				try:
					outer.converse(self.rfile, self.wfile)
				except ConnectionError:
					pass

		self.server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
		self.server.daemon_threads = True
		self.port = self.server.server_address[1]
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def stop(self):
		self.server.shutdown()
		self.server.server_close()

	def converse(self, lines, out):
		def say(text):
			out.write(text.encode() + b'\r\n')
		sender, rcpts = None, []
		say(self.greeting)
		if not self.greeting.startswith('220'):
			return
		for line in lines:
			word = line.decode('latin1').rstrip('\r\n')
			if word.startswith('EHLO'):
				say('250-release.example\r\n250-8BITMIME\r\n250 SIZE 50000000')
			elif word.startswith('MAIL'):
				sender, rcpts = re.search('<(.*?)>', word).group(1), []
				say('250 2.1.0 Ok')
			elif word.startswith('RCPT'):
				rcpt = re.search('<(.*?)>', word).group(1)
				code, text = self.rcpt(rcpt) if self.rcpt else (250, '2.1.5 Ok')
				rcpts += [rcpt] if code == 250 else []
				say('%d %s' % (code, text))
			elif word == 'DATA':
				say('354 go on')
				data = b''
				for line in lines:
					if line == b'.\r\n':
						break
					data += line[1:] if line.startswith(b'.') else line
				code, text = self.ask(sender, rcpts, data) if self.ask else (250, '2.0.0 Ok')
				if code == 250:
					self.taken.append((sender, rcpts, data))
				say('%d %s' % (code, text))
			elif word == 'QUIT':
				say('221 2.0.0 Bye')
				return
			else:
				say('250 Ok')


def hand_over(address, sender, rcpts, data, client='127.0.0.1', kind='postfix', seen=None):
	"""As an MTA before whose queue the milter stands: the milter's word on the message. seen: a list that gets the reply."""
	m = mta.Mta(address, kind)
	try:
		m.connect(client, 'mta.release.example')
		if m.refusal:
			return m.refusal.code, m.refusal.text
		m.helo('mta.release.example')
		m.mail('<%s>' % sender)
		for r in rcpts:
			reply = m.rcpt('<%s>' % r)
			if not reply.ok:
				return reply.code, reply.text
		reply = m.send(data)
		if seen is not None:
			seen.append(reply)
		return reply.code, '%s %s' % (reply.xcode, reply.text)
	finally:
		m.drop()
