# daemon.py - winnow-milter under test: its configuration, its socket, its log
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import time

from lab.ports import Port
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'fake'))
from nameserver import DnsServer                            # noqa: E402

ZONE = '* MX 10 mx.elsewhere.test'                             # everybody's domain takes mail, and says nothing else

CONFIG = '''directory = "%(folder)s"
listen = "%(listen)s"
listen_mode = "0666"
control = "%(folder)s/control.sock"
spool = "%(folder)s/spool"
hostname = "mx.lab.test"
own_ips = { "192.0.2.1" }
store "sqlite" { path = "%(folder)s/state" }
quarantine { path = "%(folder)s/quarantine" }
dns { servers = { "%(dns)s" }  timeout = "1s" }
spf { enabled = false }
origin { enabled = false }
'''
LOG_WORD = re.compile(r'(?:^|\s)([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)')


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)      # what ends a test runner


def die_with_parent():
	"""In a child, before exec: SIGKILL when the test runner is gone, whatever took it."""
	ctypes.CDLL(None).prctl(1, signal.SIGKILL)
	signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def spawn(owner, command, **options):
	"""owner.process becomes the child; no signal comes between its start and our knowing of it."""
	signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
	try:
		owner.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **options)
	finally:
		signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def eventually(question, seconds=20, pause=0.02):
	"""What the question says as soon as it is true, or what it said last."""
	end = time.monotonic() + seconds
	while True:
		answer = question()
		if answer or time.monotonic() > end:
			return answer
		time.sleep(pause)


class Daemon:
	def __init__(self, program, ctl, folder, kind='inet'):
		self.program, self.ctl_program, self.folder, self.kind = program, ctl, folder, kind
		os.makedirs(folder)
		os.chmod(folder, 0o755)
		self.port, self.dns = Port(), DnsServer(ZONE)
		self.path = os.path.join(folder, 'milter.sock')
		self.log_path = os.path.join(folder, 'log')
		self.config_path = os.path.join(folder, 'winnow.conf')
		self.common = CONFIG                                   # what every configuration begins with
		self.process, self.log = None, open(self.log_path, 'ab', 0)

	@property
	def for_postfix(self):
		"""The socket as smtpd_milters takes it."""
		return 'unix:' + self.path if self.kind == 'unix' else 'inet:127.0.0.1:%d' % self.port.number

	def configure(self, settings):
		listen = 'unix:' + self.path if self.kind == 'unix' else 'inet:%d@127.0.0.1' % self.port.number
		with open(self.config_path + '.new', 'w') as f:
			f.write(self.common % dict(folder=self.folder, listen=listen, dns=self.dns.server) + settings + '\n')
		os.replace(self.config_path + '.new', self.config_path)

	def write(self, name, text):
		"""A file of the milter's folder, replaced whole."""
		path = os.path.join(self.folder, name)
		with open(path + '.new', 'w') as f:
			f.write(text)
		os.replace(path + '.new', path)
		return path

	def start(self):
		spawn(self, [self.program, '-f', '-c', self.config_path], cwd=self.folder, stdout=self.log, stderr=self.log)
		eventually(lambda: self.listens() or self.process.poll() is not None, 60)
		if self.process.poll() is not None or not self.listens():
			raise RuntimeError('winnow-milter does not listen:\n' + self.text()[-2000:])

	def listens(self):
		s = socket.socket(socket.AF_UNIX) if self.kind == 'unix' else socket.socket()
		try:
			s.connect(self.path if self.kind == 'unix' else ('127.0.0.1', self.port.number))
			return True
		except OSError:
			return False
		finally:
			s.close()

	def signal(self, number):
		self.process.send_signal(number)

	def wait(self, seconds=60):
		"""Exit status; negative: the signal that ended it."""
		return self.process.wait(seconds)

	def kill(self):
		self.signal(signal.SIGKILL)
		return self.wait()

	def stop(self):
		"""Ends it properly; the exit status, None if it did not run."""
		if self.process is None or self.process.poll() is not None:
			return self.process and self.process.returncode
		self.signal(signal.SIGTERM)
		try:
			return self.wait()
		except subprocess.TimeoutExpired:
			return self.kill()

	def reload(self):
		"""SIGHUP, and waits until the log says that the new configuration is in force or refused."""
		before = len(re.findall(r'reload|configuration', self.text()))
		self.signal(signal.SIGHUP)
		if not eventually(lambda: len(re.findall(r'reload|configuration', self.text())) > before):
			raise AssertionError('SIGHUP: the log says nothing of it')

	def text(self):
		with open(self.log_path, encoding='utf8', errors='replace') as f:
			return f.read()

	def lines(self):
		"""The log lines of decisions, each as a dict of its words."""
		found = []
		for line in self.text().splitlines():
			words = {k: v.strip('"') for k, v in LOG_WORD.findall(line)}
			if 'id' in words and 'event' in words:
				found.append(words)
		return found

	def line(self, identity, **also):
		"""The last log line of that id (None: of any); also: words that it must hold (an id may have lines of several recipients)."""
		def look():
			return [w for w in self.lines() if identity in (None, w['id']) and all(w.get(k) == v for k, v in also.items())]
		found = eventually(look, 10)
		if not found:
			raise AssertionError('no log line with id=%s %s; the log ends with:\n%s' % (identity, also or '', self.text()[-1500:]))
		return found[-1]

	def ctl(self, *words):
		"""winnowctl's exit status and output."""
		r = subprocess.run([self.ctl_program, '-c', self.config_path] + list(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, timeout=60)
		return r.returncode, r.stdout.decode('utf8', 'replace')
