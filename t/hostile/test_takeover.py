# test_takeover.py - SIGTERM with sessions in every state, while a second daemon takes over the same sockets: messages that had begun end, new ones go to the second
import os
import subprocess
import sys
import time
import traceback

from hostile import (ABORT, BODY_PACKET, CONNECT, DATA, EOH, EOM, HEADERS, HELO, MAIL, RCPT, Talker, Watched, check, negotiation, packet, prepare, winnowctl)

STATES = [                                                           # what was said, the replies to it, is a message open
	('connected', b'', 0, False),
	('negotiated', negotiation(), 1, False),
	('known', negotiation() + CONNECT, 2, False),
	('greeted', negotiation() + CONNECT + HELO, 3, False),
	('MAIL', negotiation() + CONNECT + HELO + MAIL, 4, True),
	('RCPT', negotiation() + CONNECT + HELO + MAIL + RCPT, 5, True),
	('DATA', negotiation() + CONNECT + HELO + MAIL + RCPT + DATA, 5, True),
	('header', negotiation() + CONNECT + HELO + MAIL + RCPT + DATA + HEADERS, 5, True),
	('end of header', negotiation() + CONNECT + HELO + MAIL + RCPT + DATA + HEADERS + EOH, 6, True),
	('body', negotiation() + CONNECT + HELO + MAIL + RCPT + DATA + HEADERS + EOH + BODY_PACKET, 7, True),
	('end', negotiation() + CONNECT + HELO + MAIL + RCPT + DATA + HEADERS + EOH + BODY_PACKET + EOM, 8, False),
	('aborted', negotiation() + CONNECT + HELO + MAIL + RCPT + DATA + ABORT, 5, False),
]
REST = [('MAIL', RCPT), ('RCPT', DATA), ('DATA', HEADERS), ('header', EOH), ('end of header', BODY_PACKET), ('body', EOM)]


def rest_of(state):
	"""What is missing of a message, and how many replies it brings."""
	names = [name for name, _ in REST]
	parts = [data for _, data in REST[names.index(state):]]
	return b''.join(parts), sum(part in (RCPT, EOH, BODY_PACKET, EOM) for part in parts)


def stand(daemon):
	"""One session in each state."""
	sessions = []
	for name, data, replies, is_open in STATES:
		t = Talker(daemon.address)
		if data:
			t.send(data)
		for _ in range(replies):
			letter, _ = t.answer()
			check(letter in 'Oc', 'session "%s": %s', name, letter)
		sessions.append((name, t, is_open))
	return sessions


def second(daemon):
	"""Another daemon with the same configuration: sockets, folders and all."""
	with open(daemon.path('log2'), 'ab') as log:
		return subprocess.Popen([daemon.program, '-f', '-c', daemon.conf], cwd=daemon.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def log2(daemon):
	with open(daemon.path('log2'), 'rb') as f:
		return f.read().decode('utf8', 'replace')


def start_second(daemon, seconds=20):
	"""Until it runs: as a supervisor would, it is started again while the first still holds the sockets."""
	end = time.monotonic() + seconds
	while True:
		process = second(daemon)
		while process.poll() is None and 'is ready' not in log2(daemon) and time.monotonic() < end:
			time.sleep(0.02)
		if process.poll() is None:
			return process
		check(time.monotonic() < end, 'the second daemon does not start: %s', log2(daemon)[-800:])
		time.sleep(0.1)


def a_second_one_by_mistake(build):
	"""Started while the first runs and nobody stops that: it must end, and take nothing from the first."""
	daemon = Watched(build)
	daemon.begin()
	process = second(daemon)
	try:
		status = process.wait(20)
	except subprocess.TimeoutExpired:
		process.kill()
		check(False, 'two daemons serve one socket')
	check(status != 0, 'the second daemon ends with 0')
	daemon.alive()
	check(winnowctl(daemon, 'ping')[0] == 0, 'the first has lost its control socket')
	print('  it says: %s' % log2(daemon).strip().split('\n')[-1])
	daemon.same('a second daemon by mistake')
	daemon.end()
	daemon.clean()


def takeover(build, inet):
	daemon = Watched(build, inet=inet)
	daemon.begin()
	sessions = stand(daemon)
	check(daemon.ping()['messages'] == 6, '%d messages are open, not 6', daemon.ping()['messages'])
	first, start = daemon.process, time.monotonic()
	daemon.signal('TERM')
	time.sleep(0.1)
	daemon.process = start_second(daemon)
	ready = time.monotonic() - start
	print('  the second serves %.1f s after the signal' % ready)
	check(ready < 5 or daemon.kind, 'it took %.1f s', ready)
	check(first.poll() is None, 'the first has ended with messages open')
	daemon.alive()
	check(winnowctl(daemon, 'ping')[1].find('alive') >= 0, 'winnowctl does not reach the second')
	# what had begun is finished by the first
	for name, t, is_open in sessions:
		if is_open:
			check(first.poll() is None, 'the first ended before the message in state "%s" did', name)
			rest, replies = rest_of(name)
			t.send(rest)
			for _ in range(replies):
				letter, _ = t.answer()
				check(letter == 'c', 'the message that stood at "%s" is answered %s', name, letter)
	asked = time.monotonic()
	try:
		status = first.wait(15)
	except subprocess.TimeoutExpired:
		check(False, 'the first does not end after its last message')
	print('  the first ends %.1f s after its last message' % (time.monotonic() - asked))
	check(status == 0, 'the first ends with %d', status)
	for _, t, _ in sessions:
		t.until_closed()
		t.close()
	daemon.alive()
	check(winnowctl(daemon, 'ping')[0] == 0, 'the first took the control socket with it')
	daemon.sane()
	daemon.end()
	check('Sanitizer' not in log2(daemon), 'a sanitizer in the second: %s', log2(daemon)[-3000:])
	daemon.clean()


def a_second_signal(build):
	"""Messages that do not end are waited for, but not against the operator's will."""
	daemon = Watched(build)
	daemon.begin()
	sessions = stand(daemon)
	daemon.signal('TERM')
	time.sleep(1)
	check(daemon.running(), 'it does not wait for open messages')
	start = time.monotonic()
	daemon.signal('TERM')
	status = daemon.wait()
	print('  ended %.1f s after the second signal' % (time.monotonic() - start))
	check(status == 0, 'it ends with %d', status)
	check(not os.path.exists(daemon.path('milter.sock')) and not os.path.exists(daemon.path('control.sock')), 'it leaves sockets behind')
	daemon.sane()
	for _, t, _ in sessions:
		t.until_closed()
		t.close()
	daemon.clean()


def stop_under_load(build):
	"""Twenty times: SIGTERM at any moment of a busy session. Each message is taken, deferred, or its connection closed; the daemon ends with 0."""
	for i in range(20):
		daemon = Watched(build)
		daemon.start()
		daemon.quiet()                                                # all of it is there
		with Talker(daemon.address) as t, Talker(daemon.address) as hanging, Talker(daemon.path('control.sock')) as control:
			t.hello()
			hanging.send(negotiation() + CONNECT + HELO + packet(b'M', b'<a@b.example>\0'))
			control.socket.sendall(b'{"argv": ["pi' if i % 2 else b'')
			for _ in range(i % 7):
				check(t.message() == 250, 'not answered')
			hanging.close()
			daemon.signal('TERM')
			try:
				for _ in range(100):
					code = t.message()
					check(code in (250, 451), 'a message is answered %s', code)
			except (EOFError, ConnectionError):
				pass
			status = daemon.wait()
		check(status == 0, 'it ends with %d: %s', status, daemon.tail())
		daemon.sane()
		daemon.clean()


def main():
	build = sys.argv[1]
	parts = [('a second one by mistake', lambda: a_second_one_by_mistake(build)), ('takeover, unix socket', lambda: takeover(build, False)),
		('takeover, TCP', lambda: takeover(build, True)), ('a second signal', lambda: a_second_signal(build)), ('stop under load', lambda: stop_under_load(build))]
	prepare(Watched(build).program)
	for name, part in parts:
		if len(sys.argv) > 2 and name not in sys.argv[2:]:
			continue
		start = time.monotonic()
		print(name, flush=True)
		try:
			part()
		except Exception:                                             # noqa: B902 - a failed part ends the program with its reason
			traceback.print_exc()
			sys.stdout.flush()
			os._exit(1)
		print('  %.1f s' % (time.monotonic() - start), flush=True)


main()
