# test_silent.py - those who connect and say nothing, or half a thing, or idle for ever: they cost little, and keep nobody from being served
import socket
import struct
import time

from hostile import CONNECT, CONNECT_MACROS, HELO, MAIL, RCPT, Scale, Talker, check, descriptors_allowed, negotiation, run

IDLE = 2000
SESSIONS_MAX = IDLE + 50
PACKET_SECONDS = 15                                                  # within which a packet that has begun must end


def served(daemon, what, seconds=3.0):
	"""A message is answered while they are there, and not late."""
	start = time.monotonic()
	daemon.alive()
	took = time.monotonic() - start
	check(took < seconds or daemon.kind, '%s: an ordinary message took %.1f s', what, took)


def crowd(daemon, n, data=b''):
	out = []
	for _ in range(n):
		t = Talker(daemon.address)
		if data:
			t.send(data)
		out.append(t)
	return out


def rested(daemon, threads, seconds=25):
	"""The state once the workers of a rush have ended."""
	end = time.monotonic() + seconds
	while daemon.state().threads > threads and time.monotonic() < end:
		time.sleep(0.2)
	return daemon.state()


def disperse(talkers):
	for t in talkers:
		t.close()


def silent_connections(daemon):
	"""As a monitor or a port scan: connected, nothing said."""
	n = Scale.of(1000, 200)
	talkers = crowd(daemon, n)
	served(daemon, '%d silent connections' % n)
	check(daemon.ping()['sessions'] == 0, 'a connection that said nothing counts as a session')
	print('  with %d silent ones: %s' % (n, daemon.state()))
	disperse(talkers)
	daemon.same('%d silent connections' % n)


def negotiated_only(daemon):
	n = Scale.of(1000, 200)
	talkers = crowd(daemon, n, negotiation())
	for t in talkers:
		check(t.answer()[0] == 'O', 'no negotiation')
	served(daemon, '%d negotiated ones' % n)
	disperse(talkers)
	daemon.same('%d that only negotiated' % n)


def port_scans(daemon):
	"""Connected and gone at once, by close and by reset."""
	for i in range(Scale.of(3000)):
		with Talker(daemon.address) as t:
			if i % 2:
				t.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
	daemon.same('port scans')


def half_packets(daemon):
	"""Each keeps one of libmilter's workers in a read, for as long as a packet may take; meanwhile the others go on."""
	n = Scale.of(200, 50)
	start = time.monotonic()
	talkers = crowd(daemon, n, negotiation() + CONNECT_MACROS + CONNECT + HELO + b'\0\0\1\0Mhalf')
	for _ in range(10):
		served(daemon, '%d half packets' % n)
	print('  with %d half packets: %s' % (n, daemon.state()))
	# some may wait for a worker that the others keep; in the end each was answered, and closed
	for t in talkers:
		t.socket.settimeout(60)
		check(t.until_closed() == 'Occ', 'a session whose last packet is half')
		t.close()
	took = time.monotonic() - start
	print('  all are closed after %.1f s' % took)
	check(took < 2 * PACKET_SECONDS, 'some waited for a worker: the last was closed after %.1f s', took)
	daemon.same('%d half packets' % n)


def idle_sessions(daemon):
	n = IDLE if descriptors_allowed() > 2 * IDLE else 0
	if not n:
		print('  left out: only %d descriptors allowed' % descriptors_allowed())
		return
	talkers, seen, start = [], {}, daemon.state()
	for count in (500, n):
		more = crowd(daemon, count - len(talkers), negotiation() + CONNECT_MACROS + CONNECT + HELO)
		for t in more:
			check([t.answer()[0] for _ in range(3)] == ['O', 'c', 'c'], 'a session of %d is refused', count)
		talkers += more
		seen[count] = rested(daemon, start.threads + 4)
		print('  %d idle sessions: %s' % (count, seen[count]))
	slope = (seen[n].anon - seen[500].anon) / (n - 500)
	print('  an idle session costs %.1f KB, from 500 to %d' % (slope, n))
	check(slope < 16 or daemon.kind, 'an idle session costs %.1f KB', slope)
	check(seen[n].threads <= start.threads + 4, '%d threads for %d idle sessions', seen[n].threads, n)
	check(seen[n].fds <= start.fds + n + 4, '%d descriptors for %d sessions', seen[n].fds, n)
	for _ in range(5):
		served(daemon, '%d idle sessions' % n)
	check(daemon.ping()['sessions'] == n, 'ping counts %d sessions, not %d', daemon.ping()['sessions'], n)
	over_the_limit(daemon, talkers, SESSIONS_MAX - n)
	# they were not forgotten: each can go on
	for t in talkers[:n:100]:
		t.send(MAIL, RCPT)
		check((t.code(), t.code()) == (250, 250), 'an idle session cannot go on')
	disperse(talkers)
	daemon.same('%d idle sessions' % n)


def over_the_limit(daemon, talkers, room):
	"""Beyond sessions_max: 421 4.3.2 at connect, until one leaves."""
	for _ in range(room):
		t = Talker(daemon.address)
		check(t.hello() == 250, 'refused below sessions_max')
		talkers.append(t)
	for _ in range(20):
		with Talker(daemon.address) as t:
			t.send(negotiation() + CONNECT_MACROS + CONNECT)
			t.answer()
			letter, data = t.answer()
			check(letter == 'y' and data.startswith(b'421 4.3.2 '), 'beyond sessions_max: %s %r', letter, data)
			t.send(HELO, MAIL)
			check([t.code(), t.code()] == [451, 451], 'a session that was refused is taken back')
	talkers.pop().close()
	daemon.quiet(SESSIONS_MAX - 1)
	with Talker(daemon.address) as t:
		check(t.hello() == 250, 'one left, and still none may come')


run([silent_connections, negotiated_only, port_scans, half_packets, idle_sessions], 'sessions_max = %d\n' % SESSIONS_MAX)
