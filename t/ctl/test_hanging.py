# test_hanging.py BUILD: winnowctl before a daemon that takes no connection, or says nothing: it ends in its time and says so; a file that cannot be read is no empty message
import os
import socket
import subprocess
import time

from lab import Lab, mail, main


class Hanging(Lab):
	def listener(self, folder, family=socket.AF_UNIX):
		s = socket.socket(family)
		self.addCleanup(s.close)
		s.bind(os.path.join(folder, 'hung.sock') if family == socket.AF_UNIX else ('127.0.0.1', 0))
		s.listen(0)
		return s

	def fill(self, address):
		"""Connections until the next one would wait."""
		for _ in range(20):
			c = socket.socket(socket.AF_UNIX)
			c.setblocking(False)
			self.addCleanup(c.close)
			try:
				c.connect(address)
			except BlockingIOError:
				return
		self.fail('the queue does not fill')

	def ping(self, d, address):
		start = time.monotonic()
		_, err = self.ctl(d, '-s', address, 'ping', status=69)
		self.assertIn('does not answer: it hangs', err)
		self.assertLess(time.monotonic() - start, 15)

	def test_one_that_says_nothing(self):
		d = self.start()
		self.listener(d.dir)
		self.ping(d, d.path('hung.sock'))

	def test_one_whose_queue_is_full(self):
		d = self.start()
		self.listener(d.dir)
		self.fill(d.path('hung.sock'))
		self.ping(d, d.path('hung.sock'))

	def test_a_second_daemon_does_not_wait_for_one_that_hangs(self):
		d = self.start()
		self.listener(d.dir)
		self.fill(d.path('hung.sock'))
		for line in 'control = "hung.sock"\nlisten = "unix:second.sock"\n', 'control = "second.sock"\nlisten = "unix:hung.sock"\n':
			conf = d.path('second.conf')
			with open(conf, 'w') as f:
				f.write(line)
			r = subprocess.run([d.program, '-f', '-c', conf], cwd=d.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
			self.assertNotEqual(r.returncode, 0)
			self.assertIn(b'another winnow-milter', r.stdout)
			self.assertTrue(os.path.exists(d.path('hung.sock')))

	def test_a_file_that_cannot_be_read(self):
		d = self.start()
		out, err = self.ctl(d, 'classify', d.dir, status=66)
		self.assertEqual(out, '')
		self.assertIn('Is a directory', err)
		self.assertIn('No such file', self.ctl(d, 'classify', d.path('none.eml'), status=66)[1])

	def test_a_word_that_is_no_utf8(self):
		d = self.start()
		out, err = self.ctl(d, 'policy', b'gr\xfcn@example.com', status=64)
		self.assertEqual(out, '')
		self.assertIn('no UTF-8', err)
		name = os.fsencode(d.dir) + b'/gr\xfcn.eml'
		with open(name, 'wb') as f:
			f.write(mail())
		self.assertIn('accept', self.ctl(d, 'classify', name)[0])


if __name__ == '__main__':
	main()
