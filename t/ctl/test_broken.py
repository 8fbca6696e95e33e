# test_broken.py BUILD: winnowctl beside a daemon whose configuration has errors by now: what asks the daemon, and what looks at journal and quarantine, goes on
import json
import os
import re

from lab import BUILD, Lab, mail, main

import daemon

CONFIG = '''journal { path = "elsewhere/journal" }
quarantine { path = "elsewhere/copies"  size_max = "2M" }
spf { enabled = false }
evidence { prefix = "X-Odd" }
'''
BREAKS = [                                                 # added to the file
	'nonsense = 3\n', 'policy "default" { threshold = "high" }\n', 'domain "example.com" { recipients = "file:/nonexistent/file" }\n', 'log { level = "loud" \n',
	'quarantine { size_max = "3K" }\n', 'quarantine { keep = "a while"  kept = 3 }\n', 'journal { keep = -1 }\nhostname = \n', 'include("/nonexistent/file.conf")\n', '"\n}\n',
]


class Broken(Lab):
	CONFIG = CONFIG

	def play(self, d):
		"""The id of a message whose copy is kept."""
		m = self.connect(d)
		m.mail('<bob@example.net>')
		m.rcpt('<anna@example.com>')
		return re.search(r'\[(\w+)\]$', m.send(mail(date='-30d')).text).group(1)

	def test_questions_go_on(self):
		d = self.start()
		copy = self.play(d)
		for wrong in BREAKS:
			with self.subTest(wrong):
				d.write_config(CONFIG + wrong)
				self.assertIn('is alive', self.ctl(d, 'ping')[0])
				self.assertIn('inbound', self.ctl(d, 'stats')[0])
				self.assertIn('ip-blacklisted', self.ctl(d, 'classes')[0])
				out, err = self.ctl(d, 'explain', copy)
				self.assertIn(copy, out)
				self.assertRegex(err, '^winnowctl: .* has errors .winnowctl check names them')
				self.assertIn(copy, self.ctl(d, 'search')[0])
				self.assertEqual(json.loads(self.ctl(d, 'quarantine', 'list', '--json')[0])[0]['id'], copy)
				self.assertIn('Subject: lunch', self.ctl(d, 'quarantine', 'show', copy)[0])
				self.assertIn('nothing is released', self.ctl(d, 'quarantine', 'release', copy, status=78)[1])
				out, err = self.ctl(d, 'reload', status=78)
				self.assertIn('the old configuration stays in force', err)
				self.assertRegex(self.ctl(d, 'check', status=1)[1], r'winnow\.conf(:\d+)?: ')
		d.stop()
		self.assertIn('no winnow-milter answers at', self.ctl(d, 'ping', status=69)[1])
		self.assertEqual(self.ctl(d, 'classes', status=78)[0], '')                # its own answer would be of a file that nobody uses
		self.ctl(d, 'quarantine', 'delete', copy)

	def test_relative_paths_start_from_its_directory(self):
		lines = 'directory = "{dir}/sub"\ncontrol = "unix:c.sock"\n'
		d = daemon.Daemon(BUILD, lines)
		self.addCleanup(d.clean)
		self.addCleanup(self.end, d)
		os.mkdir(d.path('sub'))
		d.start()
		d.write_config(lines + 'nonsense = 3\n')
		self.assertIn('is alive', self.ctl(d, 'ping')[0])

	def test_a_file_that_says_nothing_of_the_socket(self):
		d = self.start()
		d.write('winnow.conf', 'control = { "a"\nlisten =\n')
		self.assertIn('var/control.sock', self.ctl(d, 'ping', status=69)[1])
		os.unlink(d.conf)
		self.ctl(d, 'ping', status=69)


if __name__ == '__main__':
	main()
