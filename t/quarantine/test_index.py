# test_index.py BUILD: an index that is lost, overwritten or cut, while the daemon runs and while it is down, comes back from the spool; and a folder that is moved away
import os
import shutil

from store import StoreCase, bad, main


def remove(path):
	os.unlink(path)


def remove_all(path):
	for suffix in ('', '-wal', '-shm'):
		if os.path.exists(path + suffix):
			os.unlink(path + suffix)


def rubbish(path):
	with open(path, 'r+b') as f:
		f.write(os.urandom(os.path.getsize(path)))


def rubbish_inside(path):
	with open(path, 'r+b') as f:
		f.seek(4096)
		f.write(os.urandom(os.path.getsize(path) - 4096))


def cut(path):
	os.truncate(path, 5000)


def emptied(path):
	os.truncate(path, 0)


def another_file(path):
	with open(path + '.new', 'wb') as f:
		f.write(b'this is no database\n' * 500)
	os.rename(path + '.new', path)


def beside(path):
	"""The log that SQLite keeps beside the file."""
	with open(path + '-wal', 'r+b') as f:
		f.write(os.urandom(os.path.getsize(path + '-wal')))


FAULTS = [remove, remove_all, rubbish, rubbish_inside, cut, emptied, another_file]


class Index(StoreCase):
	def whole(self, d, ids, what):
		store = self.store(d)
		self.assertEqual(sorted(store.copies()), sorted(ids), what)
		self.assertEqual(sorted(e['id'] for e in d.copies()), sorted(ids), what)
		self.assertEqual(sorted(store.rows()), sorted(ids), what)
		self.assertEqual({v[0] for v in store.rows('class').values()}, {'date-skew'}, what)

	def test_it_comes_back_while_the_daemon_runs(self):
		d = self.start()
		index, ids = d.path('quarantine/index.sqlite'), [self.keep(d, bad(n)) for n in range(3)]
		for n, fault in enumerate(FAULTS):
			fault(index)
			ids += [self.keep(d, bad(10 + n)), self.keep(d, bad(20 + n))]
			self.whole(d, ids, fault.__name__)
		d.stop()
		d.start()
		self.whole(d, ids, 'afterwards')

	def test_it_comes_back_at_the_start(self):
		d = self.start()
		index, ids = d.path('quarantine/index.sqlite'), [self.keep(d, bad(n)) for n in range(3)]
		for n, fault in enumerate(FAULTS):
			d.stop()
			fault(index)
			since = d.log_size()
			d.start()
			self.wait_for_log(d, r'rebuilt from the spool, %d copies' % len(ids), since)
			self.whole(d, ids, fault.__name__)
			ids.append(self.keep(d, bad(10 + n)))
			self.whole(d, ids, fault.__name__)
		aside = [n for n in os.listdir(d.path('quarantine')) if n.startswith('index.sqlite.damaged-') and not n.endswith('-wal')]
		self.assertGreaterEqual(len(aside), 4)
		for name in aside:
			self.assertIn(name, d.log())

	def test_after_a_kill_the_log_beside_it_may_be_rubbish(self):
		"""What SQLite cannot play is left out of the index, and comes back from the spool."""
		d = self.start()
		ids = [self.keep(d, bad(n)) for n in range(3)]
		d.kill()
		beside(d.path('quarantine/index.sqlite'))
		since = d.log_size()
		d.start()
		self.wait_for_log(d, 'rebuilt from the spool, 3 copies|3 copies that the index did not know', since)
		self.whole(d, ids, 'log of rubbish')

	def test_a_folder_that_was_moved_away_is_made_anew(self):
		d = self.start()
		first = self.keep(d, bad(1))
		os.rename(d.path('quarantine'), d.path('elsewhere'))
		m = self.connect(d)
		m.mail('<bob@example.net>')
		m.rcpt('<anna@example.com>')
		end = m.send(bad(2))
		if end.code == 451:                                               # the first may be deferred; it is found at the next
			m.mail('<bob@example.net>')
			m.rcpt('<anna@example.com>')
			end = m.send(bad(2))
		self.assertEqual(end.code, 550)
		self.assertNotIn(first, self.store(d).copies())
		self.assertEqual(len(self.store(d).rows()), 1)
		shutil.rmtree(d.path('elsewhere'))
		self.whole(d, list(self.store(d).copies()), 'moved')


if __name__ == '__main__':
	main()
