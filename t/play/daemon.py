# daemon.py - the winnow-milter that a dialogue talks to: its private folder, configuration, log, start and stop
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

# What every dialogue starts with; a config line that begins with the same word replaces it. Relative paths start from the private folder.
BASE = {
	'directory': 'directory = "{dir}"',
	'listen': 'listen = "{listen}"',
	'control': 'control = "control.sock"',
	'spool': 'spool = "spool"',
	'hostname': 'hostname = "mx1.example.net"',
	'own_ips': 'own_ips = { "192.0.2.1" }',
	'trusted_networks': 'trusted_networks = ""',
	'domains': 'domains = "inline:example.com, example.org"',
	'store': 'store "sqlite" { path = "state" }',
	'dns': 'dns { servers = { "{dns}" }  timeout = "1s" }',
	'quarantine': 'quarantine { path = "quarantine" }',
}
SANITIZER = re.compile(r'ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|runtime error: |SUMMARY: \w+Sanitizer')
START_SECONDS, STOP_SECONDS = 20, 10
# libmilter is not built for the thread sanitizer: what it does among its own threads is not ours to judge
ENVIRONMENT = {'TSAN_OPTIONS': 'ignore_noninstrumented_modules=1 report_thread_leaks=0', 'UBSAN_OPTIONS': 'print_stacktrace=1'}


class DaemonError(Exception):
	"""The daemon did not start, ended, or did not end as it should."""


def program(build, name):
	"""BUILD/milter/NAME, or NAME anywhere below BUILD."""
	for folder, _, _ in itertools.chain([(os.path.join(build, 'milter'), None, None)], os.walk(build)):
		path = os.path.join(folder, name)
		if os.path.isfile(path) and os.access(path, os.X_OK):
			return os.path.abspath(path)
	raise DaemonError('no %s below %s' % (name, build))


def free_port():
	s = socket.socket()
	s.bind(('127.0.0.1', 0))
	port = s.getsockname()[1]
	s.close()
	return port


class Daemon:
	def __init__(self, build, lines, inet=False, dns='127.0.0.1@9'):
		"""lines: the configuration beyond BASE, as text; {dir}, {listen} and {dns} are filled in. dns: a server; by default a port where nobody listens."""
		self.program, self.ctl_program = program(build, 'winnow-milter'), program(build, 'winnowctl')
		self.dir = tempfile.mkdtemp(prefix='play-')
		if len(self.dir) > 80:                                    # a unix socket's path has 107 bytes
			os.rmdir(self.dir)
			self.dir = tempfile.mkdtemp(prefix='play-', dir='/tmp')
		self.inet, self.lines, self.process, self.address, self.dns = inet, lines, None, None, dns
		self.conf, self.log_path = self.path('winnow.conf'), self.path('log')
		open(self.log_path, 'w').close()

	def path(self, name):
		return os.path.join(self.dir, name)

	def write(self, name, data, whole=True):
		"""whole: renamed into place; otherwise written over the old file."""
		os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
		with open(self.path(name) + ('.new' if whole else ''), 'wb') as f:
			f.write(data if isinstance(data, bytes) else data.encode('utf8', 'surrogateescape'))
		if whole:
			os.replace(self.path(name) + '.new', self.path(name))

	def write_config(self, lines):
		base = [text for word, text in BASE.items() if not re.search(r'(?m)^\s*%s\b' % word, lines)]
		fill = {'{dir}': self.dir, '{listen}': self.listen, '{dns}': self.dns}
		text = re.sub(r'\{(?:dir|listen|dns)\}', lambda m: fill[m.group(0)], '\n'.join(base) + '\n' + lines)
		self.write('winnow.conf', text)

	# -- start and stop
	def start(self):
		for attempt in range(5):
			port = free_port() if self.inet else 0
			self.listen = 'inet:%d@127.0.0.1' % port if self.inet else 'unix:' + self.path('milter.sock')
			self.address = ('127.0.0.1', port) if self.inet else self.path('milter.sock')
			self.write_config(self.lines)
			with open(self.log_path, 'ab') as log:
				self.process = subprocess.Popen([self.program, '-f', '-c', self.conf], cwd=self.dir, env={**ENVIRONMENT, **os.environ},
					stdin=subprocess.DEVNULL, stdout=log, stderr=log)
			if self.wait_for_socket():
				return
			ended = self.process.poll()
			if ended is None:
				self.process.kill()
				self.process.wait()
				raise DaemonError('no listener within %d s; log: %s' % (START_SECONDS, self.tail()))
			if not self.inet or not re.search('(?i)in use', self.log()):          # another took the port meanwhile: try again
				raise DaemonError('winnow-milter ended with %d; log: %s' % (ended, self.tail()))
		raise DaemonError('five ports were lost to others')

	def wait_for_socket(self):
		end = time.monotonic() + START_SECONDS
		while time.monotonic() < end:
			s = socket.socket(socket.AF_INET if self.inet else socket.AF_UNIX)
			s.settimeout(1)
			try:
				s.connect(self.address)
				if self.process.poll() is None:
					return True
			except OSError:
				pass
			finally:
				s.close()
			if self.process.poll() is not None:
				return False
			time.sleep(0.02)
		return False

	def signal(self, name):
		self.process.send_signal(getattr(signal, 'SIG' + name))

	def running(self):
		return self.process is not None and self.process.poll() is None

	def wait(self):
		"""The exit status; DaemonError if it does not end in time."""
		try:
			return self.process.wait(STOP_SECONDS)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()
			raise DaemonError('no end within %d s of SIGTERM' % STOP_SECONDS)

	def stop(self):
		if self.running():
			self.process.send_signal(signal.SIGTERM)
		status = self.wait()
		if status != 0:
			raise DaemonError('exit status %d; log: %s' % (status, self.tail()))

	def kill(self):
		if self.running():
			self.process.kill()
			self.process.wait()

	def clean(self):
		shutil.rmtree(self.dir, ignore_errors=True)

	# -- what it said
	def log(self, since=0):
		with open(self.log_path, 'rb') as f:
			f.seek(since)
			return f.read().decode('utf8', 'surrogateescape')

	def log_size(self):
		return os.path.getsize(self.log_path)

	def tail(self, lines=6):
		return ' | '.join(self.log().strip().split('\n')[-lines:])[-2000:]

	def sanitizer_report(self):
		m = SANITIZER.search(self.log())
		return self.log()[m.start():m.start() + 1500] if m else None

	def records(self, since=0):
		"""The log's records (messages, refused connections, commands and recipients) as dictionaries, in order."""
		return [r for r in map(record, self.log(since).split('\n')[:-1]) if r]

	def ctl(self, *args):
		"""winnowctl's output; DaemonError if it fails."""
		r = subprocess.run([self.ctl_program, '-c', self.conf] + list(args), cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
		if r.returncode:
			raise DaemonError('winnowctl %s: exit %d: %s' % (' '.join(args), r.returncode, r.stderr.decode('utf8', 'replace').strip()))
		return r.stdout

	def copies(self):
		entries = json.loads(self.ctl('quarantine', 'list', '--json'))
		if not isinstance(entries, list):
			raise DaemonError('winnowctl quarantine list --json: not an array')
		return entries


def record(line):
	"""A log line as a dictionary, or None if it is no record. Text (key=value, values with blanks quoted) or JSON."""
	at = line.find('{"')
	if at >= 0 and line.rstrip().endswith('}'):
		try:
			values = {k: str(v) for k, v in json.loads(line[at:]).items()}
		except ValueError:
			return None
	else:
		values = {}
		for key, quoted, bare in re.findall(r'(?:^|(?<=\s))([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))', line):
			values[key] = re.sub(r'\\(.)', r'\1', quoted) if quoted else bare
	return values if 'event' in values and 'class' in values and 'id' in values else None
