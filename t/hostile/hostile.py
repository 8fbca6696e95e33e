# hostile.py - what the tests of this folder share: a daemon under observation, a client that sends whatever it likes, ordinary mail
import ctypes
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback

PLAY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'play')
sys.path.insert(0, PLAY)

from daemon import Daemon                                                        # noqa: E402
from wire import ACTIONS, NR_DATA, NR_HDR, PROTOCOL, reply_text                     # noqa: E402

ADDRESS_RANDOM_OFF = 0x0040000
FDS_SPARE = 4

GOOD = (
	b'Received: from laptop.sender.example (unknown [198.51.100.77])\r\n\tby mail.sender.example with ESMTPSA id 4BOIPQabcdef;\r\n\tThu, 26 Nov 2026 10:00:00 +0000\r\n'
	b'From: Bob <bob@sender.example>\r\nTo: Anna <anna@example.com>\r\nSubject: Lunch on Friday\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n'
	b'Message-ID: <20261126.1@sender.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
)
BODY = b'Dear Anna,\r\n\r\nthe small place near the station, at one.\r\n\r\nBob\r\n'
DATES = 'class "date-skew" { action = "ignore" }\n'                               # the samples' dates are fixed, the daemon's clock is not


class Failed(Exception):
	"""The daemon did what it must not."""


def check(good, text, *args):
	if not good:
		raise Failed(text % args if args else text)


# ---- the build and the machine

def sanitized(program):
	"""'thread', 'address' or None: what the program was built with."""
	with open(program, 'rb') as f:
		data = f.read()
	return 'thread' if b'__tsan_init' in data else 'address' if b'__asan_init' in data else None


class Scale:
	"""Sanitizers are slow: fewer rounds there. WINNOW_HOSTILE_SCALE overrides."""
	factor = 1.0

	@classmethod
	def of(cls, n, least=1):
		return max(least, int(n * cls.factor))


def prepare(program):
	kind = sanitized(program)
	if kind == 'thread':
		os.environ.setdefault('TSAN_OPTIONS', 'ignore_noninstrumented_modules=1 report_thread_leaks=0')
		ctypes.CDLL(None).personality(ADDRESS_RANDOM_OFF)         # the thread sanitizer of today's compilers fails at random otherwise
	Scale.factor = float(os.environ.get('WINNOW_HOSTILE_SCALE') or (0.1 if kind else 1.0))
	hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
	return kind


def descriptors_allowed():
	return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


# ---- the daemon

class State:
	"""What a process holds at one moment. Sizes in KB."""
	def __init__(self, pid):
		with open('/proc/%d/status' % pid) as f:
			fields = dict(line.split(':', 1) for line in f)
		self.pid = pid
		self.rss, self.anon, self.threads = int(fields['VmRSS'].split()[0]), int(fields['RssAnon'].split()[0]), int(fields['Threads'])
		self.fds = len(os.listdir('/proc/%d/fd' % pid))

	def __str__(self):
		return 'resident %.1f MB (%.1f MB of its own), %d descriptors, %d threads' % (self.rss / 1024, self.anon / 1024, self.fds, self.threads)


class Watched(Daemon):
	"""A daemon that must be, after each rough treatment, what it was before."""
	def __init__(self, build, lines='', inet=False):
		Daemon.__init__(self, build, DATES + lines, inet)
		self.kind = sanitized(self.program)
		self.before = None

	def state(self):
		check(self.running(), 'the daemon ended with %s; log: %s', self.process.returncode if self.process else None, self.tail())
		return State(self.process.pid)

	def start(self):
		"""With the control socket, too."""
		Daemon.start(self)
		end = time.monotonic() + 10
		while not os.path.exists(self.path('control.sock')) and self.running() and time.monotonic() < end:
			time.sleep(0.01)

	def begin(self, messages=20):
		"""Starts, and warms up: what is made once only is no growth."""
		self.start()
		with Talker(self.address) as t:
			t.hello()
			for _ in range(messages):
				check(t.message() == 250, 'the first messages are not answered 250')
		self.quiet()
		self.before = self.state()
		print('  at first: %s' % self.before)

	def alive(self):
		with Talker(self.address) as t:
			t.hello()
			code = t.message()
		check(code == 250, 'an ordinary message is answered %s; log: %s', code, self.tail())

	def ping(self):
		return json.loads(self.ctl('ping', '--json'))

	def quiet(self, sessions=0, seconds=20):
		"""Waits until no more than so many sessions are open, and no message."""
		end = time.monotonic() + seconds
		while True:
			seen = self.ping()
			if seen['sessions'] <= sessions and seen['messages'] == 0:
				return
			check(time.monotonic() < end, '%d sessions and %d messages are open though their peers are gone', seen['sessions'], seen['messages'])
			time.sleep(0.05)

	def same(self, what, mb=16):
		"""After a part: mail is answered, nothing stays open, memory and descriptors are back, the process is the same, no sanitizer complained.
		mb: malloc keeps some of what it got, and the queues of log and journal come and go."""
		self.alive()
		self.quiet()
		end = time.monotonic() + 15
		while True:
			now = self.state()
			grown = (now.anon - self.before.anon) / 1024
			good = now.fds <= self.before.fds + FDS_SPARE and (grown <= mb or self.kind)
			if good or time.monotonic() > end:
				break
			time.sleep(0.2)
		print('  after %s: %s' % (what, now))
		check(now.pid == self.before.pid, 'another process')
		check(now.fds <= self.before.fds + FDS_SPARE, 'after %s: %d descriptors, %d before', what, now.fds, self.before.fds)
		check(grown <= mb or self.kind, 'after %s: %.1f MB more than before', what, grown)
		self.sane()

	def sane(self):
		report = self.sanitizer_report()
		check(report is None, 'a sanitizer: %s', report)

	def end(self):
		self.stop()
		self.sane()


# ---- a client without manners

def packet(command, data=b''):
	return struct.pack('!I', len(data) + 1) + command + data


def negotiation(version=6, actions=ACTIONS, protocol=PROTOCOL):
	return packet(b'O', struct.pack('!III', version, actions, protocol))


def macros(stage, *pairs):
	return packet(b'D', stage + b''.join(x + b'\0' for x in pairs))


CONNECT_MACROS = macros(b'C', b'j', b'mx1.example.net', b'{daemon_name}', b'mx1.example.net', b'{client_addr}', b'198.51.100.9', b'{client_name}', b'mail.sender.example',
	b'v', b'Postfix 3.7.11')
CONNECT = packet(b'C', b'mail.sender.example\0004\x9c\x41198.51.100.9\0')
HELO = packet(b'H', b'mail.sender.example\0')
MAIL = packet(b'M', b'<bob@sender.example>\0SIZE=700\0')
RCPT = packet(b'R', b'<anna@example.com>\0')
RCPT_MACROS = macros(b'R', b'{rcpt_addr}', b'anna@example.com', b'{rcpt_mailer}', b'relay')
DATA_MACROS, EOM_MACROS = macros(b'T', b'i', b'4BOIPQabcdef'), macros(b'E', b'i', b'4BOIPQabcdef')
DATA, EOH, EOM, ABORT, QUIT, QUIT_NC = packet(b'T'), packet(b'N'), packet(b'E'), packet(b'A'), packet(b'Q'), packet(b'K')


def header(name, value):
	return packet(b'L', name + b'\0' + value + b'\0')


def fields(raw):
	"""Header packets of a header block, leading spaces as they stand."""
	out = []
	for line in raw.replace(b'\r\n\t', b'\n\t').split(b'\r\n')[:-1]:
		name, _, value = line.partition(b':')
		out.append(header(name, value))
	return b''.join(out)


HEADERS = fields(GOOD)
BODY_PACKET = packet(b'B', BODY)
SESSION = negotiation() + CONNECT_MACROS + CONNECT + macros(b'H') + HELO
MESSAGE = MAIL + RCPT_MACROS + RCPT + DATA_MACROS + DATA + HEADERS + EOH + BODY_PACKET + EOM_MACROS + EOM
RECORDED = SESSION + MESSAGE + QUIT


class Talker:
	"""A connection. What is sent is not looked at; replies are read when asked for."""
	def __init__(self, address, timeout=30):
		self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
		self.socket.settimeout(timeout)
		for attempt in range(50):
			try:
				self.socket.connect(address)
				break
			except BlockingIOError:                                   # the backlog is full for a moment
				time.sleep(0.02)
		else:
			raise Failed('no connection within a second')
		self.buffer = b''

	def __enter__(self):
		return self

	def __exit__(self, *unused):
		self.socket.close()

	def close(self):
		self.socket.close()

	def send(self, *packets):
		self.socket.sendall(b''.join(packets))

	def take(self, n):
		while len(self.buffer) < n:
			data = self.socket.recv(max(65536, n - len(self.buffer)))
			if not data:
				raise EOFError('the milter closed the connection')
			self.buffer += data
		data, self.buffer = self.buffer[:n], self.buffer[n:]
		return data

	def answer(self):
		"""(letter, data) of the next reply; changes before the verdict are left out."""
		while True:
			size = struct.unpack('!I', self.take(4))[0]
			check(1 <= size <= 1 << 20, 'a reply of %d bytes', size)
			data = self.take(size)
			if data[:1] not in b'him+-2eqbp':
				return data[:1].decode('latin1'), data[1:]

	def code(self):
		"""What the SMTP client would see."""
		letter, data = self.answer()
		return reply_text(data)[0] if letter == 'y' else {'c': 250, 'a': 250, 'd': 250, 's': 250, 'r': 550, 't': 451, 'f': 421, '4': 421}.get(letter, letter)

	def rest(self):
		"""Nothing more is sent: the letters of all replies until the milter closes, which it must do soon."""
		try:
			self.socket.shutdown(socket.SHUT_WR)
		except OSError:
			pass
		return self.until_closed()

	def until_closed(self):
		letters = ''
		try:
			while True:
				letters += self.answer()[0]
		except (EOFError, ConnectionError):
			return letters
		except socket.timeout:
			raise Failed('the milter does not close a connection whose peer is gone; replies: %s' % letters)

	def hello(self, name=b'mail.sender.example'):
		"""Negotiation to HELO; the code of the first refusal, or 250."""
		self.send(negotiation())
		letter, data = self.answer()
		check(letter == 'O', 'no negotiation: %s', letter)
		self.protocol = struct.unpack('!I', data[8:12])[0]
		self.send(CONNECT_MACROS, CONNECT)
		code = self.code()
		if code == 250:
			self.send(macros(b'H'), packet(b'H', name + b'\0'))
			code = self.code()
		return code

	def message(self, body=BODY, headers=HEADERS, chunk=65535, mail=MAIL):
		"""A message of one recipient: the code of the first refusal, or of the end."""
		self.send(ABORT, mail, RCPT_MACROS, RCPT)
		codes = [self.code(), self.code()]
		if max(codes) > 250:
			return max(codes)
		self.send(DATA_MACROS, DATA, headers, EOH)
		for _ in range(0 if self.protocol & NR_DATA else 1):
			self.code()
		check(self.protocol & NR_HDR, 'headers are answered')
		code = self.code()
		for at in range(0, len(body), chunk):
			if code != 250:
				return code
			self.send(packet(b'B', body[at:at + chunk]))
			code = self.code()
		if code != 250:
			return code
		self.send(EOM_MACROS, EOM)
		return self.code()


# ---- many at once

def at_once(n, work):
	"""Runs work(i) in n threads; raises what the first of them raised; otherwise their results."""
	results, errors = [None] * n, []

	def one(i):
		try:
			results[i] = work(i)
		except Exception as e:                                        # noqa: B902 - told to the caller below
			errors.append(e)

	threading.stack_size(512 * 1024)
	threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
	for t in threads:
		t.start()
	for t in threads:
		t.join()
	if errors:
		raise errors[0]
	return results


class Beside:
	"""Runs a function again and again in a thread while the body of the with statement runs."""
	def __init__(self, work, pause=0.0):
		self.work, self.pause, self.error, self.rounds = work, pause, None, 0
		self.stop = threading.Event()
		self.thread = threading.Thread(target=self.run)

	def run(self):
		while not self.stop.is_set() and self.error is None:
			try:
				self.work()
				self.rounds += 1
			except Exception as e:                                    # noqa: B902 - raised again at the end
				self.error = e
			self.stop.wait(self.pause)

	def __enter__(self):
		self.thread.start()
		return self

	def __exit__(self, kind, *unused):
		self.stop.set()
		self.thread.join()
		if kind is None and self.error is not None:
			raise self.error


def winnowctl(daemon, *words, seconds=30):
	"""(exit status, stdout, stderr, seconds it took)"""
	start = time.monotonic()
	r = subprocess.run([daemon.ctl_program, '-c', daemon.conf] + list(words), cwd=daemon.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
		timeout=seconds)
	return r.returncode, r.stdout.decode('utf8', 'replace'), r.stderr.decode('utf8', 'replace'), time.monotonic() - start


# ---- a test program

def run(tests, lines='', inet=False, before=None):
	"""Runs the parts against one daemon of BUILD (first argument); exit status 0 or 1."""
	if len(sys.argv) < 2:
		sys.exit('usage: %s BUILD [PART...]' % sys.argv[0])
	daemon = Watched(sys.argv[1], lines, inet)
	prepare(daemon.program)
	status = 0
	try:
		if before:
			before(daemon)
		daemon.begin()
		for test in tests:
			name = test.__name__.replace('_', ' ')
			if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
				continue
			start = time.monotonic()
			print(name, flush=True)
			test(daemon)
			print('  %.1f s' % (time.monotonic() - start), flush=True)
		daemon.end()
	except Exception:                                                 # noqa: B902 - a failed part ends the program with its reason
		traceback.print_exc()
		print('log: %s' % daemon.tail(12).replace(' | ', '\n     '))
		report = daemon.sanitizer_report()
		if report:
			print(report)
		status = 1
	finally:
		daemon.kill()
		daemon.clean()
	sys.stdout.flush()
	os._exit(status)                                                  # threads that still wait for the daemon must not keep us

