# test_limits.py BUILD: copies expire by age and by size while the daemon runs, the oldest first
import time

from store import StoreCase, bad, main

MEGA = 1 << 20


class Limits(StoreCase):
	def until(self, question, text):
		end = time.monotonic() + 20
		while not question():
			self.assertLess(time.monotonic(), end, text)
			time.sleep(0.05)

	def test_too_much_goes_at_once_the_oldest_first(self):
		d = self.start('quarantine { path = "quarantine"  size_max = "1M"  rate_max = 0 }\n')
		store, ids = self.store(d), []
		for n in range(12):
			ids.append(self.keep(d, bad(n, 'x' * 900 + '\r\n' + 'line of text\r\n' * 14000)))
		def small():
			return sum(len(c) for c in store.copies().values()) <= MEGA
		self.until(small, 'the copies have more than a megabyte')
		left = store.copies()
		self.assertEqual(sorted(left), sorted(ids[-len(left):]))
		self.assertTrue(4 <= len(left) <= 5, len(left))
		self.assertEqual(sorted(store.rows()), sorted(left))
		self.wait_for_log(d, r'quarantine: \d+ old copies \(\d+ bytes\) were removed')

	def test_age_counts_at_start_and_after_a_reload(self):
		d = self.start('quarantine { path = "quarantine"  keep = "1h" }\n')
		store = self.store(d)
		old, new = self.keep(d, bad(1)), self.keep(d, bad(2))
		older = int(time.time() * 1e6) - 2 * 3600 * 1000000
		store.change('UPDATE entries SET time = ? WHERE id = ?', older, old)
		self.ctl(d, 'reload')
		self.until(lambda: sorted(store.copies()) == [new], 'the old copy is still there after a reload')
		self.assertEqual(sorted(store.rows()), [new])
		store.change('UPDATE entries SET time = ? WHERE id = ?', older, new)
		d.stop()
		newest = None
		d.start()
		self.until(lambda: not store.copies(), 'the old copy is still there after a start')
		newest = self.keep(d, bad(3))
		self.assertEqual(sorted(store.rows()), [newest])

	def test_a_clock_that_leapt_removes_nothing(self):
		d = self.start('quarantine { path = "quarantine"  keep = "1h" }\n')
		copy = self.keep(d)
		d.stop()
		self.store(d).change('UPDATE entries SET time = ?', int(time.time() * 1e6) - 400 * 86400 * 1000000)
		d.start()
		self.wait_for_log(d, 'no copy is removed for its age in the next hour')
		time.sleep(0.5)
		self.assertEqual(sorted(self.store(d).copies()), [copy])

	def test_without_an_age_copies_stay(self):
		d = self.start('quarantine { path = "quarantine"  keep = 0 }\n')
		copy = self.keep(d)
		self.store(d).change('UPDATE entries SET time = 1')
		self.ctl(d, 'reload')
		time.sleep(0.7)
		self.assertEqual(sorted(self.store(d).copies()), [copy])


if __name__ == '__main__':
	main()
