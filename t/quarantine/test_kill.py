# test_kill.py BUILD [POINTS [SEED]]: the daemon is killed at random moments while mail is kept. Afterwards every copy whose refusal was given has its file and its row, byte for byte,
# every row has its file, the index opens; and the daemon that starts then makes rows and files agree
import os
import random
import re
import sqlite3
import sys
import threading
import time

from store import BUILD, Files, wide

import daemon
import mta
from wire import WireError

POINTS, SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 100, int(sys.argv[3]) if len(sys.argv) > 3 else 20261125
SENDERS, LATEST, ROUNDS_EACH = 6, 0.15, 25
CONFIG = 'quarantine { path = "quarantine"  rate_max = 0 }\nspf { enabled = false }\n'


class Sender(threading.Thread):
	"""Sends mail that is kept, until the daemon is gone. acknowledged: id -> message."""
	def __init__(self, address, begin, rng, n):
		threading.Thread.__init__(self)
		self.address, self.begin, self.acknowledged, self.wrong = address, begin, {}, None
		self.mail = [wide('%d-%d' % (n, i), '\r\n' + 'more\r\n' * rng.choice((0, 1, 100, 3000, 20000))) for i in range(40)]
		self.mta = mta.Mta(address, 'postfix')
		self.mta.connect('203.0.113.%d' % n, 'mail.example.net')
		self.mta.helo('mail.example.net')

	def run(self):
		self.begin.wait()
		try:
			for data in self.mail * 100:
				self.mta.mail('<bob@example.net>')
				self.mta.rcpt('<anna@example.com>')
				end = self.mta.send(data)
				if end.code != 554:
					self.wrong = str(end)
					return
				self.acknowledged[re.search(r'\[([\w.-]+)\]$', end.text).group(1)] = data
		except (WireError, OSError):
			pass


def check(files, acknowledged):
	copies, db = files.copies(), sqlite3.connect(os.path.join(files.path, 'index.sqlite'), timeout=10)
	try:
		assert db.execute('PRAGMA quick_check').fetchone() == ('ok',), 'the index is damaged'
		rows = {r[0] for r in db.execute('SELECT id FROM entries')}
	finally:
		db.close()
	for identity, data in acknowledged.items():
		assert identity in rows, '%s was acknowledged and has no row' % identity
		assert identity in copies, '%s was acknowledged and has no file' % identity
		assert copies[identity] == data, '%s is not what was sent' % identity
	lost = rows - set(copies)
	assert not lost, 'rows without a file: %s' % lost
	return len(set(copies) - rows)


def agree(files):
	"""After a start the daemon compares files and rows."""
	end = time.monotonic() + 20
	while set(files.copies()) != set(files.rows()):
		assert time.monotonic() < end, 'files and rows do not agree: %s' % (set(files.copies()) ^ set(files.rows()))
		time.sleep(0.05)


def point(d, rng, total):
	begin = threading.Event()
	senders = [Sender(d.address, begin, rng, n) for n in range(SENDERS)]
	for s in senders:
		s.start()
	delay = rng.uniform(0, LATEST)
	begin.set()
	time.sleep(delay)
	d.kill()
	now = {}
	for s in senders:
		s.join()
		s.mta.drop()
		assert s.wrong is None, s.wrong
		now.update(s.acknowledged)
	total.update(now)
	return now, delay


def main():
	rng, d = random.Random(SEED), None
	copies = orphans = during = 0
	try:
		for n in range(POINTS):
			if n % ROUNDS_EACH == 0:
				if d:
					d.clean()
				d, total = daemon.Daemon(BUILD, CONFIG), {}
			d.start()
			now, delay = point(d, rng, total)
			files = Files(d.path('quarantine'))
			left = check(files, total)
			copies, orphans, during = copies + len(now), orphans + left, during + bool(left)
			d.start()
			agree(files)
			check(files, total)
			d.kill()
			report = d.sanitizer_report()
			assert report is None, report
	except BaseException:
		print('point %d of %d, seed %d; log: %s' % (n, POINTS, SEED, d.tail() if d else ''))
		raise
	finally:
		if d:
			d.kill()
			d.clean()
	print('%d kills: %d copies acknowledged, all there; after %d of them files without a row (%d), which got theirs' % (POINTS, copies, during, orphans))
	assert copies > POINTS * 5, 'too little load'


main()
