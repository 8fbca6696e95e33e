# test_tables.py BUILD: `policies` in Postfix's maps and in SQLite, before the running program: written anew, damaged, cut, gone
import os
import re
import shutil
import sqlite3
import tempfile

from lab import Lab, mail, main
import postmap

POLICIES = ''.join('policy "p%d" { tag_subject = "[%d]" }\n' % (i, i) for i in range(7))


class Tables(Lab):
	def folder(self):
		"""In memory where that can be had: postmap syncs, and disks are busy."""
		path = tempfile.mkdtemp(prefix='tables-', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None)
		self.addCleanup(shutil.rmtree, path)
		return path

	def policy(self, d, domain):
		return self.ctl(d, 'policy', 'anna@' + domain)[0].split('"')[1]

	def rcpt(self, d, address='<anna@example.com>'):
		"""The code for a recipient in a session of its own, and for the message if it is taken."""
		m = self.connect(d)
		m.mail('<bob@example.net>')
		reply = m.rcpt(address)
		if reply.ok:
			reply = m.send(mail())
		m.drop()
		return reply.code

	def test_policies_of_a_hundred_thousand_domains_while_postmap_writes_them_anew(self):
		for kind in 'lmdb', 'cdb':
			folder = self.folder()
			spec = postmap.write(folder, kind, 'map', ('domain%06d.example p%d' % (i, i % 7) for i in range(100000)))
			d = self.start('policies = "%s"\n%s' % (spec, POLICIES))
			self.assertEqual([self.policy(d, 'domain%06d.example' % i) for i in (0, 8, 99999)], ['p0', 'p1', 'p4'])
			self.assertEqual(self.policy(d, 'domain100000.example'), 'default')
			since = d.log_size()
			postmap.write(folder, kind, 'map', ('domain%06d.example p%d' % (i, (i + 1) % 7) for i in range(100001)))
			if kind == 'cdb':                                  # a file of its own, found within half a second
				self.wait_for_log(d, r'map\.cdb: read anew, 100001 entries', since)
			self.assertEqual([self.policy(d, 'domain%06d.example' % i) for i in (0, 8, 100000)], ['p1', 'p2', 'p6'])
			self.ctl(d, 'reload')
			self.assertEqual(self.policy(d, 'domain100000.example'), 'p6')

	def test_a_file_cut_in_the_middle_of_mail_defers_it_and_comes_back(self):
		for kind, complaint in ('lmdb', r'map\.lmdb: .*look-ups in it fail'), ('cdb', r'map\.cdb: has been written in place.*look-ups in it fail'):
			folder = self.folder()
			spec = postmap.write(folder, kind, 'map', ['example.com x'] + ['domain%d.example x' % i for i in range(1000)])
			path = os.path.join(folder, 'map.' + kind)
			with open(path, 'rb') as f:
				whole = f.read()
			d = self.start('domains = "%s"\n' % spec)
			self.assertEqual(self.rcpt(d), 250)
			self.assertEqual(self.rcpt(d, '<anna@example.org>'), 550)
			for size in 0, 100, 4096, 5000, len(whole) // 2:
				os.truncate(path, size)
				self.assertIn(self.rcpt(d), (250, 451) if kind == 'lmdb' and size > 5000 else (451,))
			self.assertEqual(len(self.complaints(d, complaint)), 1)
			with open(path, 'r+b') as f:
				f.write(whole)
			if kind == 'cdb':
				self.wait_for_log(d, r'map\.cdb: read anew, 1001 entries')
			self.assertEqual(self.rcpt(d), 250)
			self.assertEqual(self.rcpt(d, '<anna@example.org>'), 550)

	def complaints(self, d, pattern):
		self.wait_for_log(d, pattern)
		return re.findall(pattern, d.log())

	def test_sqlite_is_asked_live_and_defers_while_it_is_locked(self):
		folder = self.folder()
		db = sqlite3.connect(os.path.join(folder, 'db'), isolation_level=None)
		db.execute('CREATE TABLE domains (name TEXT PRIMARY KEY)')
		d = self.start('domains = "sqlite:%s/db?SELECT 1 FROM domains WHERE name = :key"\n' % folder)
		self.assertEqual(self.rcpt(d), 550)
		db.execute("INSERT INTO domains VALUES ('example.com')")
		self.assertEqual(self.rcpt(d), 250)
		db.execute('BEGIN EXCLUSIVE')
		self.assertEqual(self.rcpt(d), 451)
		db.execute('ROLLBACK')
		self.assertEqual(self.rcpt(d), 250)
		self.assertEqual(len(self.complaints(d, 'db: database is locked; look-ups in it fail')), 1)
		db.close()

	def test_what_is_wrong_stands_at_its_line(self):
		d = self.start('domains = ""\n')
		for text, want in (
			('lmdb:none', r'winnow\.conf:\d+: domains: .*/none\.lmdb: No such file or directory; postmap lmdb:.*/none writes it'),
			('sqlite:state/none?SELECT :key', r'winnow\.conf:\d+: domains: .*/state/none: No such file or directory'),
			('sqlite:log', r'winnow\.conf:\d+: domains: .*/log: a query is missing behind the question mark')):
			d.write_config('domains = "%s"\n' % text)
			self.assertRegex(self.ctl(d, 'reload', status=78)[1], want)
		d.write_config('domains = ""\n')
		self.ctl(d, 'reload')


if __name__ == '__main__':
	main()
