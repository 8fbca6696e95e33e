# test_folder.py BUILD: what an administrator does to the quarantine's folder under a running daemon: a file in its place, another folder, another disk; no reload is needed
import os
import re

from store import StoreCase, bad, main, wide

CONFIG = 'quarantine { path = "quarantine"  rate_max = 0 }\nspf { enabled = false }\n'
PARTIAL = bad(9, fields='Content-Type: message/partial; id=1\r\n')


class Folder(StoreCase):
	CONFIG = CONFIG

	def send(self, d, data):
		m = self.connect(d)
		m.mail('<bob@example.net>')
		m.rcpt('<anna@example.com>')
		end = m.send(data)
		m.drop()
		return end

	def kept(self, d, n):
		"""Keeps a copy, which is where it belongs: in file and row below the path."""
		end = self.send(d, wide(n))
		self.assertEqual(end.code, 554, end)
		identity = re.search(r'\[([\w.-]+)\]$', end.text).group(1)
		self.assertIn(identity, self.store(d).copies())
		self.assertIn(identity, self.store(d).rows())
		self.assertIn('Subject: report %d' % n, self.ctl(d, 'quarantine', 'show', identity)[0])
		return identity

	def agree(self, d, ids):
		store = self.store(d)
		self.assertEqual(sorted(store.copies()), sorted(ids))
		self.assertEqual(sorted(store.rows()), sorted(ids))

	def test_a_file_in_its_place_defers_until_it_is_mended(self):
		d = self.start()
		path = d.path('quarantine')
		first = self.kept(d, 1)
		os.rename(path, path + '.away')
		with open(path, 'w') as f:
			f.write('no folder\n')
		for n in range(3):
			end = self.send(d, wide(n))
			self.assertEqual((end.code, end.xcode), (451, '4.3.0'))
		self.assertEqual(self.send(d, PARTIAL).code, 554)                 # refused at its own stage, no copy
		self.assertEqual(self.send(d, bad(8).replace(b'Date: ', b'X-Old-Date: ')).code, 250)
		self.wait_for_log(d, 'could not be kept, the message is deferred: .*Not a directory')
		self.assertIn('Not a directory', self.ctl(d, 'quarantine', 'list', status=74)[1])
		os.unlink(path)
		os.rename(path + '.away', path)
		self.agree(d, [first, self.kept(d, 2)])

	def test_a_file_in_its_place_that_is_removed(self):
		d = self.start()
		path = d.path('quarantine')
		self.kept(d, 1)
		os.rename(path, path + '.away')
		with open(path, 'w') as f:
			f.write('no folder\n')
		self.assertEqual(self.send(d, wide(2)).code, 451)
		os.unlink(path)
		self.agree(d, [self.kept(d, 3)])
		self.assertEqual(os.stat(path).st_mode & 0o7777, 0o700)

	def test_another_folder_in_its_place_is_used_at_once(self):
		d = self.start()
		path = d.path('quarantine')
		first = self.kept(d, 1)
		os.rename(path, path + '.away')
		os.mkdir(path, 0o700)
		self.agree(d, [self.kept(d, 2), self.kept(d, 3)])
		os.rename(path, path + '.second')
		os.rename(path + '.away', path)                                   # the first one is put back
		self.agree(d, [first, self.kept(d, 4)])

	def test_a_link_to_where_it_was_moved_goes_on(self):
		d = self.start()
		path = d.path('quarantine')
		first = self.kept(d, 1)
		os.rename(path, path + '.away')
		os.symlink('quarantine.away', path)
		self.agree(d, [first, self.kept(d, 2)])

	def test_a_folder_that_is_removed_is_made_anew(self):
		d = self.start()
		path = d.path('quarantine')
		self.kept(d, 1)
		os.rename(path, path + '.away')
		self.agree(d, [self.kept(d, 2)])


if __name__ == '__main__':
	main()
