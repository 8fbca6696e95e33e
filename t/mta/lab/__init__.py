# __init__.py - a private Postfix or Sendmail with winnow-milter attached, a sink behind it, and an SMTP client that may say where it comes from
"""Used by t/mta and by contrib/run --demo. Needs root (both MTAs do), the packages of contrib/packages, and nothing outside its own folder.

	with Lab(program='build/milter', settings='domains = "inline:sink.test"') as lab:
		client = lab.client(addr='203.0.113.7', name='mail.sender.example')
		reply = client.send('b@sender.example', ['anna@sink.test'], mail.letter())
		copy = lab.sink.wait(reply.queue_id)
"""
import os
import shutil
import signal
import sys
import tempfile

from lab.daemon import ENDING, Daemon
from lab.ports import Port
from lab.postfix import Postfix
from lab.sasl import Sasl
from lab.sendmail import Sendmail
from lab.sink import Sink
from lab.smtp import Client

USERS = {'alice@lab.test': 'secret', 'bert@lab.test': 'secret', 'carl@lab.test': 'secret'}
JUDGED = '\ntrusted_networks = ""\n'                           # Sendmail's clients come from loopback, and are strangers


def as_root():
	"""Runs the program again under sudo if we are not root. False: there is no way to be."""
	if os.geteuid() == 0:
		return True
	if not shutil.which('sudo') or os.environ.get('WINNOW_LAB_SUDO'):
		return False
	keep = ['%s=%s' % i for i in os.environ.items() if i[0] in ('PATH', 'LANG') or i[0].startswith('WINNOW_') or i[0].endswith('SAN_OPTIONS')]
	again = ['env', 'WINNOW_LAB_SUDO=1'] + keep
	if shutil.which('setarch') and 'TSAN_OPTIONS' in os.environ:
		again += ['setarch', '-R']                           # a change of user takes back what the caller asked for
	os.execvp('sudo', ['sudo', '-n'] + again + [sys.executable] + sys.argv)


def find(program, name):
	"""The program in the folder, or in the folder's milter/."""
	for path in (os.path.join(program, name), os.path.join(program, 'milter', name)):
		if os.access(path, os.X_OK):
			return os.path.abspath(path)
	raise FileNotFoundError('no %s in %s: build first' % (name, program))


class Lab:
	"""settings: the milter's configuration beyond what every lab needs; socket: "inet" or "unix"; parameters: lines more for main.cf or the .mc file;
	kind: postfix or sendmail. The MTA is in .mta, and .postfix or .sendmail."""
	def __init__(self, program, settings='', socket='inet', parameters='', kind='postfix'):
		self.program, self.settings, self.socket, self.parameters, self.kind = program, settings, socket, parameters, kind
		self.folder, self.parts = None, []

	def __enter__(self):
		for s in ENDING:
			signal.signal(s, lambda *_: sys.exit(1))         # so that what we started ends with us
		self.folder = tempfile.mkdtemp(prefix='winnow-lab-', dir='/var/tmp')
		os.chmod(self.folder, 0o755)                          # Postfix's own user passes through it
		try:
			self.sink = self._add(Sink())
			self.daemon = Daemon(find(self.program, 'winnow-milter'), find(self.program, 'winnowctl'), os.path.join(self.folder, 'milter'), self.socket)
			if self.kind == 'sendmail':
				self.daemon.common += JUDGED
				self.daemon.path = os.path.join(self.folder, 'sendmail', 'root', 'run', 'milter.sock')
			self.daemon.configure(self.settings)
			self.mta = self._sendmail() if self.kind == 'sendmail' else self._postfix()
			self._add(self.daemon).start()
			self._add(self.mta).start()
		except BaseException:
			self.__exit__()
			raise
		return self

	def _postfix(self):
		self.sasl = self._add(Sasl(USERS))
		self.postfix = Postfix(os.path.join(self.folder, 'postfix'), self.sink.port, self.daemon.for_postfix, self.sasl.port, self.parameters)
		return self.postfix

	def _sendmail(self):
		milter = 'unix:/run/milter.sock' if self.socket == 'unix' else 'inet:%d@127.0.0.1' % self.daemon.port.number
		self.sendmail = Sendmail(os.path.join(self.folder, 'sendmail'), self.sink.port, milter, USERS, self.parameters)
		return self.sendmail

	def _add(self, part):
		self.parts.append(part)
		return part

	def client(self, listener='mx', **where):
		"""A connection that has said EHLO. listener: mx, submission, outbound; addr, name, port, login, reverse_name: as XCLIENT takes them; helo: the greeting.
		Sendmail: only addr, of which the first part becomes 127."""
		return self.mta.client(listener, **where)

	def __exit__(self, *_):
		for s in ENDING:
			signal.signal(s, signal.SIG_IGN)                  # half a clean-up is none
		while self.parts:
			self.parts.pop().stop()
		shutil.rmtree(self.folder, ignore_errors=True)


__all__ = ['Client', 'Daemon', 'Lab', 'Port', 'Postfix', 'Sasl', 'Sendmail', 'Sink', 'as_root', 'find']
