# test_reload.py - 1,000 reloads by SIGHUP and 100 by winnowctl while sessions send: none is lost, and memory, descriptors and threads stay as they were
import threading
import time

from hostile import BODY_PACKET, DATA, EOH, EOM, HEADERS, MAIL, RCPT, Scale, Talker, check, run, winnowctl

SESSIONS = 8
LINES = '''
policies = "file:{dir}/policies"
block_senders = "file:{dir}/block"
''' + ''.join('policy "p%d" { mode = "enforce"  class "helo-invalid" { action = "ignore" } }\ndomain "d%d.example" { policy = "p%d"  recipients = "inline:anna, bob" }\n' % (i, i, i) for i in range(20))


class Senders:
	"""Sessions that send until told to end; a message without answer, or with another than 250, ends the test."""
	def __init__(self, daemon):
		self.daemon, self.stop, self.errors, self.messages = daemon, threading.Event(), [], [0] * SESSIONS
		self.threads = [threading.Thread(target=self.session, args=(i,)) for i in range(SESSIONS)]

	def session(self, i):
		try:
			# four sessions live as long as the test, four are made anew every few messages
			while not self.stop.is_set():
				with Talker(self.daemon.address) as t:
					check(t.hello() == 250, 'a session is refused')
					for _ in range(1 << 30 if i < 4 else 10):
						if self.stop.is_set():
							break
						code = t.message()
						check(code == 250, 'a message is answered %s', code)
						self.messages[i] += 1
						time.sleep(0.004)
		except Exception as e:                                        # noqa: B902 - told at the end
			self.errors.append(e)

	def __enter__(self):
		for t in self.threads:
			t.start()
		return self

	def __exit__(self, *unused):
		self.stop.set()
		for t in self.threads:
			t.join()

	def healthy(self):
		if self.errors:
			raise self.errors[0]


class Reloads:
	"""How often a configuration was put in force since, by the log."""
	def __init__(self, daemon):
		self.daemon, self.at, self.n, self.rest = daemon, daemon.log_size(), 0, ''

	def count(self):
		new = self.daemon.log(self.at)
		self.at += len(new.encode('utf8', 'surrogateescape'))
		text = self.rest + new
		whole, _, self.rest = text.rpartition('\n')
		self.n += whole.count('is in force')
		return self.n

	def more(self, seconds=20):
		"""A signal, and its reload is waited for."""
		before, end = self.count(), time.monotonic() + seconds
		self.daemon.signal('HUP')
		while self.count() == before:
			check(time.monotonic() < end, 'reload %d does not come', before + 1)
			time.sleep(0.001)


def mean(states):
	n = len(states)
	return [sum(x) / n for x in zip(*[(s.rss / 1024, s.fds, s.threads) for s in states])]


def flat(first, last, kind):
	a, b = mean(first), mean(last)
	print('  first tenth: resident %.2f MB, %.1f descriptors, %.1f threads' % tuple(a))
	print('  last tenth:  resident %.2f MB, %.1f descriptors, %.1f threads' % tuple(b))
	check(b[0] < a[0] * 1.1 or kind, 'memory grows: %.2f MB to %.2f MB', a[0], b[0])
	check(b[1] < a[1] + 3, 'descriptors grow: %.1f to %.1f', a[1], b[1])
	check(b[2] < a[2] + 4 or kind, 'threads grow: %.1f to %.1f', a[2], b[2])


def by_signal(daemon):
	n = Scale.of(1000)
	with Senders(daemon) as senders:
		time.sleep(1.5)                                               # what grows with the first messages has grown
		states, reloads, start = [], Reloads(daemon), time.monotonic()
		for i in range(n):
			daemon.signal('HUP')
			if i % 10 == 9:
				# a signal that comes while another waits is one signal: each tenth is waited for, the rest come in a rush
				reloads.more()
				states.append(daemon.state())
			time.sleep(0.012)
			senders.healthy()
		while reloads.count() < n:
			reloads.more()
		took = time.monotonic() - start
	senders.healthy()
	print('  %d reloads in %.1f s, %d messages meanwhile' % (reloads.count(), took, sum(senders.messages)))
	check(min(senders.messages) > 0, 'a session sent nothing: %s', senders.messages)
	check('reload: the configuration has errors' not in daemon.log(), 'a good configuration is said to have errors')
	tenth = max(3, len(states) // 10)
	flat(states[:tenth], states[-tenth:], daemon.kind)
	daemon.same('%d reloads' % n)


def by_winnowctl(daemon):
	n = Scale.of(100, 10)
	with Senders(daemon) as senders:
		for _ in range(n):
			winnowctl(daemon, 'reload')                               # what grows with the first ones has grown
		states = []
		for _ in range(n):
			code, out, err, _ = winnowctl(daemon, 'reload')
			check(code == 0 and 'reloaded' in out, 'winnowctl reload: exit %d: %s', code, err)
			states.append(daemon.state())
			senders.healthy()
	senders.healthy()
	print('  %d reloads, %d messages meanwhile' % (n, sum(senders.messages)))
	tenth = max(3, n // 10)
	flat(states[:tenth], states[-tenth:], daemon.kind)
	daemon.same('%d reloads by winnowctl' % n)


def a_bad_one_between(daemon):
	"""A configuration with errors is refused with its line, and the old one goes on; the next good one is taken."""
	good = open(daemon.conf).read()
	with Senders(daemon) as senders:
		for i in range(Scale.of(30, 5)):
			daemon.write('winnow.conf', good + '\nno_such_option = %d\n' % i)
			# the second one must find the socket in that configuration
			for where in ('-s', daemon.path('control.sock')), ():
				code, _, err, _ = winnowctl(daemon, *where, 'reload')
				check(code == 78 and 'no_such_option' in err and ':%d: ' % (good.count('\n') + 2) in err and 'the old configuration stays' in err, 'a bad configuration: exit %d: %s', code, err)
			daemon.write('winnow.conf', good)
			code, _, err, _ = winnowctl(daemon, 'reload')
			check(code == 0, 'the good one again: exit %d: %s', code, err)
			senders.healthy()
	senders.healthy()
	daemon.same('bad configurations between good ones')


def an_open_message(daemon):
	"""A message ends under the configuration it began with; the next has the new one."""
	with Talker(daemon.address) as t:
		t.hello()
		t.send(MAIL, RCPT)
		check((t.code(), t.code()) == (250, 250), 'the envelope is refused')
		good = open(daemon.conf).read()
		daemon.write('winnow.conf', good + '\nblock_ips = "inline:198.51.100.0/24"\n')
		check(winnowctl(daemon, 'reload')[0] == 0, 'no reload')
		t.send(DATA, HEADERS, EOH, BODY_PACKET, EOM)
		codes = [t.code() for _ in range(3)]
		check(codes == [250] * 3, 'a message that was open at a reload: %s', codes)
		with Talker(daemon.address) as other:
			code = other.hello()
			check(500 <= code < 600, 'the new configuration is not in force: %s', code)
		daemon.write('winnow.conf', good)
		check(winnowctl(daemon, 'reload')[0] == 0, 'no reload')
	daemon.same('a reload within a message')


def before_start(daemon):
	daemon.write('policies', ''.join('t%d.example p%d\n' % (i, i % 20) for i in range(200)))
	daemon.write('block', ''.join('bad%d.example\n' % i for i in range(1000)))


run([by_signal, by_winnowctl, a_bad_one_between, an_open_message], LINES, before=before_start)
