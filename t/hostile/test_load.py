# test_load.py - 64 sessions that send at once, while the daemon reloads, tables change and winnowctl asks; meant for the thread sanitizer too
import random
import threading
import time

from hostile import (ABORT, BODY, GOOD, HEADERS, HELO, MAIL, RCPT, Beside, Scale, Talker, at_once, check, fields, header, packet, run, winnowctl)

SESSIONS = 64
LINES = '''
policies = "file:{dir}/policies"
block_senders = "file:{dir}/block"
class "sender-blacklisted" { action = "reject" }
policy "strict" { mode = "enforce" }
'''


MULTIPART = fields(GOOD.replace(b'text/plain; charset=utf-8', b'multipart/mixed; boundary=x'))


class Traffic:
	"""Sessions of every kind; each message gets the answer that it must get."""
	def __init__(self, daemon, seconds):
		self.daemon, self.end, self.lock, self.counts = daemon, time.monotonic() + seconds, threading.Lock(), {}

	def count(self, what):
		with self.lock:
			self.counts[what] = self.counts.get(what, 0) + 1

	def session(self, i):
		r = random.Random(i)
		while time.monotonic() < self.end:
			with Talker(self.daemon.address, 120) as t:
				check(t.hello() == 250, 'a session is refused')
				for _ in range(r.randrange(1, 12)):
					if time.monotonic() >= self.end:
						break
					self.one(t, r)

	def one(self, t, r):
		kind = r.randrange(7)
		if kind < 3:
			code = t.message(BODY * r.randrange(1, 400))
			check(code == 250, 'an ordinary message is answered %s', code)
		elif kind == 3:
			code = t.message(b'--x\r\nContent-Type: text/html\r\n\r\n<p>y\r\n' * 30 + b'--x--\r\n', MULTIPART)
			check(code == 250, 'a multipart message is answered %s', code)
		elif kind == 4:
			t.send(ABORT, MAIL, packet(b'R', b'<x@elsewhere.example>\0'), packet(b'U', b'XYZZY\0'), ABORT)
			codes = [t.code() for _ in range(3)]
			check(codes[:2] == [250, 550], 'a refused recipient: %s', codes)
		elif kind == 5:
			code = t.message(headers=HEADERS + header(b'Subject', b' a second one'))
			check(500 <= code < 600, 'two subjects: %s', code)
		else:
			t.send(ABORT, packet(b'M', b'<spam@blocked.example>\0'), RCPT, ABORT, HELO)
			codes = [t.code() for _ in range(3)]
			check(codes[0] == 250 and 500 <= codes[1] < 600, 'a blocked sender: %s', codes)
		self.count(kind)


def table(n):
	"""Always with the one line that traffic counts on."""
	return 'blocked.example\n' + ''.join('other%d.example\n' % i for i in range(n))


def many_sessions(daemon):
	traffic = Traffic(daemon, Scale.of(8, 5))
	start = time.monotonic()
	at_once(SESSIONS, traffic.session)
	took, total = time.monotonic() - start, sum(traffic.counts.values())
	print('  %d sessions at once: %d transactions in %.1f s' % (SESSIONS, total, took))
	check(total >= SESSIONS, 'only %d transactions', total)
	daemon.same('%d sessions' % SESSIONS, 20)


def everything_at_once(daemon):
	traffic = Traffic(daemon, Scale.of(12, 10))
	turn = [0]

	def edit():
		turn[0] += 1
		# renamed into place, and written over: both are ways of editors
		daemon.write('block', table(turn[0] % 50), whole=turn[0] % 2 == 0)
		daemon.write('policies', 'example.com %s\n' % ('strict' if turn[0] % 2 else 'default'), whole=True)

	def ask(*words):
		def once():
			code, _, err, _ = winnowctl(daemon, *words)
			check(code == 0, 'winnowctl %s: exit %d: %s', ' '.join(words), code, err)
		return once

	with Beside(lambda: daemon.signal('HUP'), 0.02), Beside(lambda: daemon.signal('USR1'), 0.1), Beside(edit, 0.05), Beside(ask('stats', '--json'), 0.05), Beside(ask('ping'), 0.05), \
			Beside(ask('reload'), 0.1) as reloads:
		at_once(SESSIONS, traffic.session)
	print('  %d transactions, %d edits, %d reloads by winnowctl' % (sum(traffic.counts.values()), turn[0], reloads.rounds))
	check(reloads.rounds > 0 and turn[0] > 5, 'nothing went on beside')
	daemon.same('everything at once', 25)


def before_start(daemon):
	daemon.write('block', table(3))
	daemon.write('policies', 'example.com default\n')


run([many_sessions, everything_at_once], LINES, before=before_start)
