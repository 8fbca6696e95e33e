# test_full.py BUILD: a disk that is full, nearly full or read-only turns refusals that keep a copy into deferrals; plain refusals and good mail go on. Needs root: a small tmpfs in a mount
# namespace of its own
import os
import re
import subprocess
import sys
import time

from store import BUILD, SKIP, StoreCase, bad, main, wide

import daemon

SIZE = 3 << 20
PARTIAL = bad(9, fields='Content-Type: message/partial; id=1\r\n')
CONFIG = 'quarantine { path = "disk/quarantine"  rate_max = 0 }\nspf { enabled = false }\n'


# in a chroot the root is no mount point whose propagation could be changed
WAYS = ['--mount --propagation private', '--mount --propagation unchanged']


def alone():
	"""Runs the program again where mounts are ours alone. False: we may not."""
	if os.environ.get('WINNOW_ALONE'):
		return True
	if os.geteuid() != 0:
		return False
	for way in WAYS:
		words = ['unshare'] + way.split()
		if subprocess.run(words + ['true'], stderr=subprocess.DEVNULL).returncode == 0:
			os.environ['WINNOW_ALONE'] = '1'
			os.execvp('unshare', words + [sys.executable, '-B'] + sys.argv)
	return False


class Full(StoreCase):
	def mount(self, path, *options):
		os.makedirs(path, exist_ok=True)
		subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%d' % SIZE, 'tmpfs', path], check=True)
		self.addCleanup(subprocess.run, ['umount', '--lazy', path])

	def begin(self):
		d = daemon.Daemon(BUILD, CONFIG)
		self.addCleanup(d.clean)
		self.mount(d.path('disk'))
		self.addCleanup(self.end, d)
		d.start()
		return d

	def store(self, d):
		s = StoreCase.store(self, d)
		s.path = d.path('disk/quarantine')
		return s

	def code(self, d, data):
		m = self.connect(d)
		m.mail('<bob@example.net>')
		m.rcpt('<anna@example.com>')
		end = m.send(data)
		m.drop()
		found = re.search(r'\[([\w.-]+)\]$', end.text)
		if end.code == 451:
			self.assertEqual(end.xcode, '4.3.0')
		return end.code, found and found.group(1)

	def fill(self, d, leave):
		path = d.path('disk/ballast')
		with open(path, 'ab', 0) as f:
			try:
				while True:
					f.write(b'x' * 4096)
			except OSError:
				pass
			f.truncate(max(0, os.path.getsize(path) // 4096 * 4096 - leave))

	def others_go_on(self, d):
		self.assertEqual(self.code(d, PARTIAL)[0], 554)                   # refused at its own stage, no copy
		good = bad(8).replace(b'Date: ', b'X-Old-Date: ')
		self.assertEqual(self.code(d, good)[0], 250)

	def agree(self, d, acknowledged):
		store = self.store(d)
		files, rows = store.copies(), store.rows()
		self.assertEqual(sorted(rows), sorted(files))
		self.assertLessEqual(set(acknowledged), set(rows))

	def test_a_disk_that_is_full(self):
		d = self.begin()
		kept = [self.code(d, wide(1))[1]]
		deferred = 0
		for leave in (0, 4096, 8192, 12288, 16384, 24576, 32768, 49152, 65536):
			self.fill(d, leave)
			since = d.log_size()
			for n in range(6):                                            # the last ones find what the first ones left
				code, identity = self.code(d, wide(n))
				self.assertIn(code, (554, 451))
				deferred += code == 451
				kept += [identity] if code == 554 else []
			if leave == 0:
				self.assertEqual(code, 451)
				self.wait_for_log(d, 'could not be kept, the message is deferred', since)
			self.others_go_on(d)
			self.agree(d, kept)
			os.unlink(d.path('disk/ballast'))
			code, identity = self.code(d, wide(7))
			self.assertEqual(code, 554, 'there is room again')
			kept.append(identity)
			self.agree(d, kept)
		self.assertGreater(deferred, 10)
		self.assertEqual([n for n in os.listdir(d.path('disk/quarantine/tmp'))], [])
		self.assertEqual([n for n in os.listdir(d.path('disk/quarantine')) if 'damaged' in n], [])

	def test_a_disk_that_is_read_only(self):
		d = self.begin()
		self.assertEqual(self.code(d, wide(1))[0], 554)
		other = d.path('other')
		self.mount(other)
		os.mkdir(other + '/quarantine', 0o700)
		subprocess.run(['mount', '-o', 'remount,ro', other], check=True)
		d.write_config(CONFIG.replace('disk/', 'other/'))
		self.ctl(d, 'reload')
		for n in range(3):
			self.assertEqual(self.code(d, wide(n))[0], 451)
		self.others_go_on(d)
		subprocess.run(['mount', '-o', 'remount,rw', other], check=True)
		code, identity = self.code(d, wide(4))
		self.assertEqual(code, 554)
		self.assertIn(identity, self.ctl(d, 'quarantine', 'list')[0])
		d.write_config(CONFIG)
		self.ctl(d, 'reload')
		self.assertEqual(self.code(d, wide(5))[0], 554)
		self.assertEqual(len(self.store(d).rows()), 2)

	def test_a_release_that_cannot_be_marked_is_none(self):
		d = self.begin()
		copy = self.code(d, wide(1))[1]
		self.fill(d, 0)
		_, err = self.ctl(d, 'quarantine', 'release', copy, status=75)      # nobody listens there: that is known before anything is written
		self.assertIn('quarantine.release', err)
		self.assertEqual(self.store(d).rows('releasing', 'released'), {copy: (0, 0)})


if __name__ == '__main__':
	if not alone():
		print('skipped: mounts of our own need root')
		sys.exit(SKIP)
	main()
