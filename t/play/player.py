# player.py - plays one dialogue as one kind of MTA: the steps; what is expected of the answers stands in expect.py
import os
import shutil
import sys
import time

from daemon import Daemon, DaemonError
from expect import Expectations, Failure
from message import Draft, TextError, date, expand
from mta import Mta
from wire import Reply, WireError, to_text

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'fake'))
import mmdb                                     # noqa: E402
from nameserver import DnsServer, ZoneError      # noqa: E402

SUBMISSION = ('ORIGINATING', 'MSA', 'OUTBOUND'), ('587', '465')


class Talk:
	"""One session of the dialogue: the connection, the message being written, the last reply."""
	def __init__(self):
		self.mta, self.draft, self.reply, self.outbound = None, Draft(), None, False


def content(step):
	"""What a file is to hold: its lines, or the GeoIP database that they describe."""
	return mmdb.from_lines(step.args[1], step.block.split('\n')) if len(step.args) > 1 else step.block


class Player(Expectations):
	def __init__(self, dialogue, build, kind, classes, trace=None):
		self.dialogue, self.build, self.kind, self.classes, self.trace = dialogue, build, kind, classes, trace
		self.talks, self.name, self.chunk = {}, 'main', 65535
		self.daemon, self.mark, self.exited, self.dns = None, 0, False, None

	@property
	def talk(self):
		return self.talks.setdefault(self.name, Talk())

	# -- the whole
	def play(self, keep=False):
		"""None, or what went wrong as text."""
		problem, step = None, None
		try:
			self.set_up()
			for step in self.steps(self.dialogue.steps):
				self.one(step)
			step = None
			self.nobody_looked()
			self.finish()
		except (Failure, WireError, DaemonError, TextError, ZoneError, OSError) as e:
			problem = '%s%s' % ('%s: %r: ' % (step.where, step) if step else '', e if isinstance(e, (Failure, DaemonError)) else '%s: %s' % (type(e).__name__, e))
		finally:
			problem = self.tear_down(problem, keep)
		return problem

	def steps(self, steps):
		for s in steps:
			if s.kind not in (None, self.kind):
				continue
			if s.word == 'loop':
				for _ in range(int(s.args[0])):
					yield from self.steps(s.block)
			else:
				yield s

	def set_up(self):
		lines, files, zone, inet = [], [], [], False
		for s in self.dialogue.setup:
			if s.kind not in (None, self.kind):
				continue
			if s.word == 'config':
				lines += [s.args[0]] if s.args else []
				lines += [s.block] if s.block else []
			elif s.word == 'zone':
				zone += (s.args or []) + ([s.block] if s.block else [])
			elif s.word in ('file', 'folder'):
				files.append(s)
			elif s.word == 'listen':
				inet = s.args[0] == 'inet'
			elif s.word == 'chunk':
				self.chunk = int(s.args[0])
		if zone:
			self.dns = DnsServer('\n'.join(zone))
		self.daemon = Daemon(self.build, '\n'.join(lines) + '\n', inet, **({'dns': self.dns.server} if self.dns else {}))
		for s in files:
			if s.word == 'folder':
				os.makedirs(self.daemon.path(s.args[0]))
			else:
				self.daemon.write(s.args[0], content(s))
		self.daemon.start()

	def one(self, step):
		if self.trace:
			self.trace('%s  %r' % (step.where, step))
		if not step.word.startswith('expect'):
			self.nobody_looked()
			self.mark = self.daemon.log_size()
		getattr(self, ('' if step.word.startswith('expect') else 'do_') + step.word.replace('-', '_'))(step)
		if self.trace and self.talk.reply and not step.word.startswith('expect'):
			self.trace('      %s' % self.talk.reply)
		if not self.exited and not self.daemon.running():
			raise DaemonError('the daemon ended with %d; log: %s' % (self.daemon.process.poll(), self.daemon.tail()))

	def nobody_looked(self):
		"""A refusal by the milter that no expect has looked at is a failure."""
		r = self.talk.reply
		if r and not r.ok and not r.own and not r.looked_at:
			raise Failure('nobody expected the last reply: %s; log: %s' % (r, self.daemon.tail(3)))

	def finish(self):
		for talk in self.talks.values():
			if talk.mta:
				talk.mta, mta = None, talk.mta
				mta.drop() if self.exited else mta.quit()
		if not self.exited:
			self.daemon.stop()

	def tear_down(self, problem, keep):
		for talk in self.talks.values():
			if talk.mta:
				talk.mta.drop()
		if self.dns:
			self.dns.close()
		if self.daemon:
			self.daemon.kill()
			report = self.daemon.sanitizer_report()
			if report:
				problem = '%s; sanitizer: %s' % (problem or 'all else held', report)
			if keep:
				print('kept: ' + self.daemon.dir)
			else:
				self.daemon.clean()
		return problem

	def live(self):
		"""The session's MTA, if something can still be said there."""
		mta = self.talk.mta
		if mta is None:
			raise Failure('no connection in session %s' % self.name)
		if mta.closed:
			raise Failure('the connection was closed after: %s' % self.talk.reply)
		return mta

	def said(self, reply):
		self.talk.reply = reply

	# -- the session
	def do_session(self, step):
		self.name = step.args[0]

	def do_connect(self, step):
		address, *rest = step.args
		name = rest.pop(0) if rest and '=' not in rest[0] else None
		options = dict(x.split('=', 1) for x in rest)
		if set(options) - {'daemon', 'daemon_port', 'port', 'ptr', 'resolve'}:
			raise Failure('unknown option of connect')
		if self.talk.mta:
			self.do_quit(step)
		self.talk.draft, self.talk.reply = Draft(), None
		self.talk.mta = Mta(self.daemon.address, self.kind, self.chunk)
		self.talk.outbound = options.get('daemon') in SUBMISSION[0] or options.get('daemon_port') in SUBMISSION[1]
		self.said(self.talk.mta.connect(address, None if name == '-' else name, **options))

	def do_helo(self, step):
		self.said(self.live().helo(to_text(expand(step.args[0]))))

	def do_tls(self, step):
		version, cipher, bits = step.args + ['TLSv1.3', 'TLS_AES_256_GCM_SHA384', '256'][len(step.args):]
		self.live().starttls(version, cipher, bits)

	def do_login(self, step):
		self.live().login(*step.args)
		self.talk.outbound = True

	def do_unknown(self, step):
		self.said(self.live().unknown(to_text(expand(step.args[0]))))

	def do_rset(self, step):
		self.said(self.live().rset())

	def do_quit(self, step):
		mta, self.talk.mta = self.talk.mta, None
		if mta:
			mta.quit()

	def do_drop(self, step):
		mta, self.talk.mta = self.talk.mta, None
		mta.drop()

	# -- the message
	def do_mail(self, step):
		mta = self.live()
		if mta.encrypted_ungreeted:
			raise Failure('a client greets again after tls: only that brings the macros')
		self.talk.draft = Draft(step.args[0].strip('<>'))
		self.said(mta.mail(*step.args))

	def do_rcpt(self, step):
		mta = self.live()
		self.said(mta.rcpt(*step.args))
		if len(mta.recipients) == 1:
			self.talk.draft.recipient = mta.recipients[0].strip('<>')

	def do_rcpt_refused(self, step):
		self.said(self.live().rcpt_refused(step.args[0], step.args[1], ' '.join(step.args[2:])))

	def do_header(self, step):
		name, colon, value = step.args[0].partition(':')
		self.talk.draft.header(name + colon + value)

	def do_no_header(self, step):
		self.talk.draft.left_out |= {x.lower() for x in step.args}

	def do_date(self, step):
		self.talk.draft.fields.append((b'Date', b' ' + date(*step.args).encode()))

	def do_body(self, step):
		self.talk.draft.body.append(expand(step.args[0] if step.args else ''))

	def do_message(self, step):
		self.talk.draft.raw = b''.join(expand(x) + b'\r\n' for x in step.block[:-1].split('\n'))

	def do_send(self, step):
		upto = step.args[1] if step.args and step.args[0] == 'upto' else 'eom'
		self.said(self.live().send(self.talk.draft.bytes(), upto) or Reply(upto, 'c', 250, '2.0.0', 'stopped here', own=True))

	# -- the daemon and its files
	def do_write(self, step):
		self.daemon.write(step.args[0], content(step))

	def do_scribble(self, step):
		self.daemon.write(step.args[0], content(step), whole=False)

	def do_remove(self, step):
		path = self.daemon.path(step.args[0])
		if os.path.isdir(path) and not os.path.islink(path):
			shutil.rmtree(path)
		else:
			os.remove(path)

	def do_obstruct(self, step):
		"""Puts a file where a folder was."""
		path = self.daemon.path(step.args[0])
		shutil.rmtree(path, ignore_errors=True)
		open(path, 'w').close()

	def do_new_config(self, step):
		self.daemon.write_config(step.block)

	def do_reload_config(self, step):
		"""A new configuration and SIGHUP, and waits until the daemon has said something of it."""
		self.daemon.write_config(step.block)
		self.daemon.signal('HUP')
		end = time.monotonic() + 15
		while self.daemon.log_size() == self.mark:
			if time.monotonic() > end:
				raise Failure('the daemon said nothing within 15 s of SIGHUP')
			time.sleep(0.02)

	def do_signal(self, step):
		self.daemon.signal(step.args[0])
		if step.args[0] == 'TERM':
			self.exited = True

	def do_dns(self, step):
		"""The DNS server falls silent, speaks again, has another line, or knows a name no longer."""
		word, _, rest = step.args[0].partition(' ')
		if not self.dns:
			raise Failure('no zone')
		if word == 'silence':
			self.dns.silence()
		elif word == 'speak':
			self.dns.speak()
		elif word == 'add':
			self.dns.zone.add(rest)
		elif word == 'forget':
			self.dns.zone.forget(rest)
		else:
			raise Failure('dns silence, dns speak, dns add LINE, or dns forget NAME')

	def do_sleep(self, step):
		time.sleep(float(step.args[0]))
