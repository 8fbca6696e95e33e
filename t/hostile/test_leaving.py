# test_leaving.py - sessions that hang up just when the daemon stops: nothing of them is left, nothing is touched twice, the daemon ends as it should
import multiprocessing
import random
import sys
import threading
import time

from hostile import CONNECT, HELO, Talker, Watched, check, negotiation

STATES = [negotiation() + CONNECT, negotiation() + CONNECT + HELO]    # an open message would be waited for
REPLIES = [2, 3]
SESSIONS, ROUNDS, DAEMONS = 300, 25, 8                                # several daemons at once: their threads must wait for a processor


def sessions(daemon):
	out = []
	for i in range(SESSIONS):
		t = Talker(daemon.address)
		t.send(STATES[i % len(STATES)])
		out.append(t)
	for i, t in enumerate(out):
		for _ in range(REPLIES[i % len(STATES)]):
			t.answer()
	return out


def one(build, seed):
	"""The process ends with 0 if every stop was as it should be."""
	daemon, chance = Watched(build), random.Random(seed)
	try:
		for _ in range(ROUNDS):
			daemon.start()
			talkers = sessions(daemon)

			def hang_up():
				time.sleep(chance.random() * 0.05)
				for t in talkers:
					t.close()
			leaving = threading.Thread(target=hang_up)
			leaving.start()
			daemon.stop()
			leaving.join()
			daemon.sane()
	finally:
		daemon.kill()
		daemon.clean()


def main():
	processes = [multiprocessing.Process(target=one, args=(sys.argv[1], seed)) for seed in range(DAEMONS)]
	for p in processes:
		p.start()
	for p in processes:
		p.join()
	bad = sum(p.exitcode != 0 for p in processes)
	check(bad == 0, '%d of %d daemons did not end as they should', bad, DAEMONS)
	print('%d stops, each with %d sessions that leave' % (DAEMONS * ROUNDS, SESSIONS))


main()
