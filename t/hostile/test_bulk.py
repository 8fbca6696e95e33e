# test_bulk.py - much of everything: headers, recipients, bytes, chunks, messages at once; memory stays within its bounds and every message is answered
import threading
import time

from hostile import ABORT, BODY, DATA, EOH, EOM, EOM_MACROS, HEADERS, MAIL, RCPT, RCPT_MACROS, Scale, State, Talker, at_once, check, header, packet, run

MEMORY_TOTAL = 20                                                    # MB
LINE = b'a line of seventy-six letters and blanks, again and again, to the very end.\r\n'


def body_of(size):
	return (LINE * (size // len(LINE) + 1))[:size - 2] + b'\r\n'


class Peak:
	"""The most a process held while the body of the with statement ran."""
	def __init__(self, daemon):
		self.pid, self.anon, self.rss, self.fds, self.stop = daemon.process.pid, 0, 0, 0, threading.Event()
		self.thread = threading.Thread(target=self.watch)

	def watch(self):
		while not self.stop.is_set():
			s = State(self.pid)
			self.anon, self.rss, self.fds = max(self.anon, s.anon), max(self.rss, s.rss), max(self.fds, s.fds)
			self.stop.wait(0.01)

	def __enter__(self):
		self.thread.start()
		return self

	def __exit__(self, *unused):
		self.stop.set()
		self.thread.join()

	def __str__(self):
		return 'at most %.1f MB resident, %.1f MB of its own, %d descriptors' % (self.rss / 1024, self.anon / 1024, self.fds)


def ten_thousand_headers(daemon):
	many = b''.join(header(b'X-Number-%d' % i if i % 2 else b'X-Same', b' value %d' % i) for i in range(10000))
	with Talker(daemon.address) as t, Peak(daemon) as peak:
		t.hello()
		for name, headers in (('10,000 headers', many), ('10,000 forged ones of ours', header(b'X-Winnow-Class', b' ham') * 10000), ('10,000 Received', header(b'Received', b' from x by y') * 10000)):
			start = time.monotonic()
			code = t.message(headers=HEADERS + headers)
			took = time.monotonic() - start
			check(code == 250, '%s: %s', name, code)
			check(took < 5 or daemon.kind, '%s: %.1f s', name, took)
			print('  %s: %d in %.2f s' % (name, code, took))
		code = t.message(headers=HEADERS + header(b'X-Number', b' x') * 100000)
		check(code < 600, '100,000 headers: %s', code)
	print('  %s' % peak)
	check(peak.anon < 40960 or daemon.kind, 'headers: %s', peak)
	daemon.same('many headers', 15)


def a_header_block_of_ten_megabytes(daemon):
	for name, headers in (('lines of 1 KB', header(b'X-Long', b' ' + b'v' * 900) * 11000), ('folded fields of 60 KB', header(b'X-Folded', b'\n '.join([b'v' * 70] * 850)) * 170)):
		with Talker(daemon.address) as t, Peak(daemon) as peak:
			t.hello()
			start = time.monotonic()
			code = t.message(headers=HEADERS + headers)
			took = time.monotonic() - start
		print('  %s: %s in %.2f s, %s' % (name, code, took, peak))
		check(code in (250, 451, 452, 550, 552, 554), '10 MB of header in %s: %s', name, code)
		check(took < 10 or daemon.kind, '10 MB of header in %s: %.1f s', name, took)
		check(peak.anon < (MEMORY_TOTAL + 20) * 1024 or daemon.kind, '10 MB of header: %s', peak)
	daemon.same('a header block of 10 MB', 15)


def a_rush_of_refusals(daemon):
	"""More records than the journal can write at once: they wait in its queue, which has a bound (16 MB)."""
	total, unit = Scale.of(50000, 5000), packet(b'R', b'<x@elsewhere.example>\0')
	before = daemon.state().anon
	with Talker(daemon.address) as t, Peak(daemon) as peak:
		t.hello()
		t.send(MAIL)
		check(t.code() == 250, 'MAIL is refused')
		start = time.monotonic()
		for _ in range(total // 100):
			t.send(unit * 100)
			for _ in range(100):
				t.answer()
		took = time.monotonic() - start
	print('  %d refusals in %.1f s, %s' % (total, took, peak))
	check(peak.anon - before < 28 * 1024 or daemon.kind, 'refusals: %s', peak)
	daemon.same('a rush of refusals', 28)


def accepted_recipients(daemon):
	n = Scale.of(20000, 1000)
	with Talker(daemon.address) as t, Peak(daemon) as peak:
		t.hello()
		t.send(MAIL)
		t.code()
		start = time.monotonic()
		for at in range(0, n, 100):
			t.send(b''.join(packet(b'R', b'<user%d@example.com>\0' % i) for i in range(at, at + 100)))
			for _ in range(100):
				t.answer()
		t.send(DATA, HEADERS, EOH)
		t.code()
		t.send(packet(b'B', BODY), EOM)
		codes = [t.code(), t.code()]
		took = time.monotonic() - start
	print('  %d recipients: %s in %.1f s, %s' % (n, codes, took, peak))
	check(codes[1] in (250, 451, 452), '%d recipients: %s', n, codes)
	daemon.same('%d accepted recipients' % n, 25)


def a_body_of_fifty_megabytes(daemon):
	for size, wanted in ((50 * 1048576 - 4096, 250), (51 * 1048576, 552)):
		body = body_of(size)
		with Talker(daemon.address, 120) as t, Peak(daemon) as peak:
			t.hello()
			start = time.monotonic()
			code = t.message(body)
			took = time.monotonic() - start
		print('  %.1f MB: %s in %.1f s, %s' % (size / 1048576, code, took, peak))
		check(code == wanted, 'a body of %d bytes: %s', size, code)
		check(peak.anon < (MEMORY_TOTAL + 20) * 1024 or daemon.kind, 'a body of %d bytes: %s', size, peak)
	daemon.same('a body of 50 MB', 25)


def one_byte_chunks(daemon):
	body = body_of(Scale.of(100 * 1024, 4096))
	with Talker(daemon.address, 60) as t:
		t.hello()
		for step in (1, 2, 3, 77):
			t.send(ABORT, MAIL, RCPT_MACROS, RCPT)
			check((t.code(), t.code()) == (250, 250), 'the envelope is refused')
			t.send(DATA, HEADERS, EOH)
			check(t.code() == 250, 'the header is refused')
			start = time.monotonic()
			# sent in batches: the replies of one must fit into the socket
			for at in range(0, len(body), 1000 * step):
				part = body[at:at + 1000 * step]
				chunks = [packet(b'B', part[i:i + step]) for i in range(0, len(part), step)]
				t.send(*chunks)
				for _ in chunks:
					check(t.code() == 250, 'a chunk is refused')
			t.send(EOM_MACROS, EOM)
			code = t.code()
			print('  %d bytes in chunks of %d: %s in %.1f s' % (len(body), step, code, time.monotonic() - start))
			check(code == 250, 'chunks of %d: %s', step, code)
	daemon.same('one-byte chunks', 25)


def fifty_messages_of_ten_megabytes(daemon):
	n, body = Scale.of(50, 20), body_of(Scale.of(10 << 20, 4 << 20))

	def one(i):
		with Talker(daemon.address, 300) as t:
			t.hello()
			return t.message(body)
	with Peak(daemon) as peak:
		start = time.monotonic()
		codes = at_once(n, one)
		took = time.monotonic() - start
	print('  %d at once: %s in %.1f s, %s' % (n, {c: codes.count(c) for c in set(codes)}, took, peak))
	check(all(c == 250 or 400 <= c < 500 for c in codes), 'answers: %s', codes)
	check(codes.count(250) >= n // 2, 'most must be taken, since they can go to the spool: %s', codes)
	check(peak.anon < (MEMORY_TOTAL + 40) * 1024 or daemon.kind, 'memory_total is %d MB: %s', MEMORY_TOTAL, peak)
	daemon.same('%d messages at once' % n, MEMORY_TOTAL + 5)


run([ten_thousand_headers, a_header_block_of_ten_megabytes, a_rush_of_refusals, accepted_recipients, a_body_of_fifty_megabytes, one_byte_chunks, fifty_messages_of_ten_megabytes],
	'memory_total = "%dM"\n' % MEMORY_TOTAL)
