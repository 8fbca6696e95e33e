#!/usr/bin/env python3
"""waiting.py BUILD_DIR [--sessions N] [--runs N] [--bound KIB]: sessions that all wait for DNS at once, asked of a server that never answers their names.

Each must be answered within its stage's deadline and a second, and the memory of one is the slope of the process's own memory between a fifth of the sessions and all of them,
while they wait. Exit 1 if a session is late, or costs more than the bound (not looked at where a sanitizer is built in).
"""
import argparse
import os
import re
import resource
import selectors
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), x) for x in ('play', 'fake', 'hostile')]

from daemon import Daemon, program                         # noqa: E402
from hostile import CONNECT, CONNECT_MACROS, HELO, RCPT, RCPT_MACROS, Talker, negotiation, packet, sanitized        # noqa: E402
from nameserver import DnsServer                           # noqa: E402

DEADLINE, GRACE = 4.0, 1.0                                 # seconds
CONFIG = '''sessions_max = 0
dns { servers = { "{dns}" }  timeout = "20s" }
stages { mail_timeout = "%ds" }
journal { keep = 0 }
''' % DEADLINE
ZONE = '*.dead.example SILENT\n'                           # the probes of the breaker are answered: the server is there


def memory(pid):
	"""KiB of its own, and threads"""
	with open('/proc/%d/status' % pid) as f:
		text = f.read()
	return int(re.search(r'RssAnon:\s+(\d+)', text).group(1)), int(re.search(r'Threads:\s+(\d+)', text).group(1))


def opened(d, n):
	"""Sessions that have said MAIL, each for a domain of its own."""
	talkers = []
	for i in range(n):
		t = Talker(d.address, timeout=60)
		t.send(negotiation(), CONNECT_MACROS, CONNECT, HELO, packet(b'M', b'<a@%d.dead.example>\0' % i))
		letters = [t.answer()[0] for _ in range(4)]
		if letters != ['O', 'c', 'c', 'c']:
			raise SystemExit('session %d: %s' % (i, letters))
		talkers.append(t)
	return talkers


def answered(talkers, look_after, look):
	"""All say RCPT at once: the seconds that each waited; look() is called meanwhile."""
	start, took, seen = time.monotonic(), [], False
	with selectors.DefaultSelector() as s:
		for t in talkers:
			t.send(RCPT_MACROS, RCPT)
			s.register(t.socket, selectors.EVENT_READ, (t, time.monotonic()))
		spent = time.monotonic() - start
		while s.get_map() and time.monotonic() < start + 60:
			for key, _ in s.select(0.1):
				t, since = key.data
				if t.answer()[0] != 'c':
					raise SystemExit('a session is refused, though only DNS is silent')
				took.append(time.monotonic() - since)
				s.unregister(key.fileobj)
			if not seen and time.monotonic() > start + look_after:
				look()
				seen = True
	return took + [float('inf')] * (len(talkers) - len(took)), spent


def one(build, n):
	"""(memory before, while n wait, threads then, seconds of each, seconds to send)"""
	server = DnsServer(ZONE)
	d, at = Daemon(build, CONFIG, dns=server.server), []
	try:
		d.start()
		for _ in range(3):                                    # what is made once only is no session's
			for t in opened(d, 5):
				t.close()
		talkers = opened(d, n)
		before = memory(d.process.pid)[0]
		took, spent = answered(talkers, DEADLINE * 0.8, lambda: at.append(memory(d.process.pid)))
		for t in talkers:
			t.close()
		d.stop()
		return before, at[0][0], at[0][1], took, spent
	finally:
		d.kill()
		d.clean()
		server.close()


def main():
	a = argparse.ArgumentParser(description=__doc__)
	a.add_argument('build')
	a.add_argument('--sessions', type=int, default=1000)
	a.add_argument('--runs', type=int, default=3)
	a.add_argument('--bound', type=float, default=64)
	a.add_argument('--grace', type=float, default=GRACE)
	o = a.parse_args()
	hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
	slopes, last, few = [], 0, max(1, o.sessions // 5)
	for _ in range(o.runs):
		small, large = one(o.build, few), one(o.build, o.sessions)
		slopes.append((large[1] - small[1]) / (o.sessions - few))
		took = sorted(large[3])
		last = max(last, took[-1])
		print('%d wait: %d threads, %.1f KiB each (%.1f before they wait); answered after %.2f to %.2f s, median %.2f (deadline %g s); sent within %.2f s' % (o.sessions, large[2], slopes[-1],
			(large[0] - small[0]) / (o.sessions - few), took[0], took[-1], statistics.median(took), DEADLINE, large[4]), flush=True)
	slope = statistics.median(slopes)
	print('a session that waits: %.1f KiB; the last was answered %.2f s after the deadline' % (slope, last - DEADLINE))
	sys.exit(last > DEADLINE + o.grace or (slope > o.bound and not sanitized(program(o.build, 'winnow-milter'))))


if __name__ == '__main__':
	main()
