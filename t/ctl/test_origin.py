# test_origin.py BUILD: where clients come from, in winnowctl explain and search; GeoIP files that cannot be used, or are old, as -t says it
import json
import os
import subprocess
import sys
import time
import unittest

from lab import BUILD, Lab, mail, main

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'fake'))
import daemon                                              # noqa: E402
import mmdb                                                # noqa: E402

CONFIG = 'geoip { country = "country.mmdb"  asn = "asn.mmdb" }\n'
COUNTRIES = ['203.0.113.0/24 NL', '198.51.100.0/24 DE']
NETWORKS = ['203.0.113.0/24 64500 Example \u00c9toile']


class Origin(Lab):
	CONFIG = CONFIG

	def start(self, config=None):
		d = self.make(config)
		self.addCleanup(self.end, d)
		d.start()
		return d

	def make(self, config=None):
		"""A daemon with its files, not started."""
		d = daemon.Daemon(BUILD, config or self.CONFIG)
		self.addCleanup(d.clean)
		d.write('country.mmdb', mmdb.from_lines('country', COUNTRIES))
		d.write('asn.mmdb', mmdb.from_lines('asn', NETWORKS))
		return d

	def message(self, d, address, name):
		m = self.connect(d, address, name)
		m.mail('<bob@example.net>')
		m.rcpt('<anna@example.com>')
		end = m.send(mail())
		self.assertTrue(end.ok, end)
		return next(x.value.strip() for x in end.mods if x.name == 'X-Winnow-ID')

	def test_explain_and_search_say_where_a_client_comes_from(self):
		d = self.start()
		known, half, unknown = self.message(d, '203.0.113.7', 'mail.example.net'), self.message(d, '198.51.100.7', 'mail.example.net'), self.message(d, '192.0.2.77', 'mail.example.net')
		text = self.ctl(d, 'explain', known)[0]
		self.assertRegex(text, r'(?m)^client    203\.0\.113\.7, mail\.example\.net,')
		self.assertIn('\norigin    iprev pass, country NL, AS64500 Example \\xC3\\x89toile\n', text)
		self.assertIn('\norigin    iprev pass, country DE\n', self.ctl(d, 'explain', half)[0])
		self.assertIn('\norigin    iprev pass\n', self.ctl(d, 'explain', unknown)[0])
		record, = json.loads(self.ctl(d, 'explain', '--json', known)[0])
		self.assertEqual([record.get(k) for k in ('ptr', 'iprev', 'country', 'asn', 'as_name')], ['mail.example.net', 'pass', 'NL', 64500, 'Example \\xC3\\x89toile'])
		found = json.loads(self.ctl(d, 'search', '--json', '--ip', '198.51.100.0/24')[0])
		self.assertEqual([(r.get('country'), 'asn' in r) for r in found], [('DE', False)])

	def test_without_files_nothing_is_said_of_them(self):
		d = self.start('log { format = "json" }\n')
		known = self.message(d, '203.0.113.7', 'mail.example.net')
		self.assertIn('\norigin    iprev pass\n', self.ctl(d, 'explain', known)[0])
		record, = [r for r in d.records() if r['event'] == 'message']
		self.assertFalse({'country', 'asn'} & set(record))
		self.assertNotIn('geoip', d.log())

	def test_the_log_as_json_has_a_number(self):
		d = self.start(CONFIG + 'log { format = "json" }\n')
		self.message(d, '203.0.113.7', 'mail.example.net')
		self.wait_for_log(d, '"ptr":"mail\\.example\\.net","country":"NL","asn":64500,')

	def check(self, d, status):
		"""What winnow-milter -t says."""
		d.listen = 'unix:' + d.path('milter.sock')
		d.write_config(d.lines)
		r = subprocess.run([d.program, '-t', '-c', d.conf], cwd=d.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
		self.assertEqual(r.returncode, status, r.stdout)
		return r.stdout.decode()

	def test_a_file_that_cannot_be_used_is_a_note_with_its_line_and_a_remedy(self):
		d = self.make('\n\ngeoip {\n\tcountry = "country.mmdb"\n\tasn = "asn.mmdb"\n}\n')
		self.assertNotIn('geoip', self.check(d, 0))
		whole = mmdb.from_lines('asn', NETWORKS)
		for data, why in ((None, 'No such file or directory'), (b'', 'it is empty'), (whole[:-40], 'no MaxMind database, or not the whole'), (b'<html>', 'no MaxMind database'),
				(mmdb.from_lines('country', COUNTRIES), 'no record in it tells a network')):
			if data is None:
				os.remove(d.path('asn.mmdb'))
			else:
				d.write('asn.mmdb', data)
			self.assertRegex(self.check(d, 0), r'winnow\.conf:\d+: geoip\.asn: .*/asn\.mmdb: .*%s.*; nothing is known of networks until it is there: fetch it anew \(geoipupdate\), name' % why)

	def test_an_old_file_is_a_note(self):
		d = self.make()
		for days, old in ((59, False), (100, True)):
			d.write('country.mmdb', mmdb.from_lines('country', COUNTRIES, built=time.time() - days * 86400 - 60))
			text = self.check(d, 0)
			self.assertEqual('geoip.country: GeoLite2-Country of ' in text, old, text)
			self.assertEqual('it is 100 days old; let geoipupdate fetch it' in text, old, text)


if __name__ == '__main__':
	main()
