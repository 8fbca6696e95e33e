# test_network.py - winnowctl check --network asks each DNS server and says what is wrong; stats count what a daemon asks
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'fake'))
import lab                                                 # noqa: E402
from nameserver import DnsServer                           # noqa: E402

GOOD = '. NS a.root.example\n. SECURE\n'


class Network(lab.Lab):
	def server(self, zone):
		s = DnsServer(zone)
		self.addCleanup(s.close)
		return s

	def check(self, *servers, status=1, extra=''):
		d = lab.daemon.Daemon(lab.BUILD, 'dns { servers = { %s } timeout = "300ms" %s }\n' % (', '.join('"%s"' % s for s in servers), extra))
		self.addCleanup(d.clean)
		d.listen = 'unix:' + d.path('milter.sock')
		d.write_config(d.lines)
		out, err = self.ctl(d, 'check', '--network', status=status)
		return out + err

	def test_good_servers_are_called_good(self):
		a, b = self.server(GOOD), self.server('. NS a.root.example\n')
		text = self.check(a.server, b.server, status=0)
		self.assertRegex(text, r'dns %s: good, [\d.]+ ms, DNSSEC validated\n' % a.server)
		self.assertRegex(text, r'dns %s: good, [\d.]+ ms, DNSSEC not validated' % b.server)
		self.assertIn('not believed', self.check(a.server, status=0, extra='trust_ad = false'))

	def test_each_server_is_told_what_is_wrong_with_it(self):
		for zone, want in (('. REFUSED', 'REFUSED'), ('. SERVFAIL', 'SERVFAIL'), ('. SILENT', 'says nothing in time'), ('. NXDOMAIN', 'does not resolve'), ('. GARBAGE', 'cannot be read'),
				('. NOTIMP', 'an error that is neither'), (GOOD + '* A 192.0.2.99', 'invents addresses')):
			s, good = self.server(zone), self.server(GOOD)
			text = self.check(s.server, good.server)
			self.assertRegex(text, r'dns %s: [^\n]*%s' % (s.server, want))
			self.assertRegex(text, r'dns %s: good' % good.server)
		self.assertRegex(self.check('127.0.0.1@%d' % lab.daemon.free_port()), 'nothing listens there')

	def test_a_bad_list_of_servers_is_named_with_its_line(self):
		self.assertRegex(self.check('localhost'), r'winnow.conf:\d+: .*"localhost" is no DNS server')
		self.assertRegex(self.check(*['127.0.0.%d' % i for i in range(1, 10)]), r'winnow.conf:\d+: .*"127.0.0.9" is one too many')

	def test_stats_say_what_was_asked_and_how_each_server_is(self):
		s, dead = self.server('pass.example TXT "v=spf1 +all"\npass.example A 192.0.2.1\nfails.example SERVFAIL\n'), '127.0.0.1@%d' % lab.daemon.free_port()
		d = self.start('dns { servers = { "%s", "%s" } timeout = "1s" }\n' % (s.server, dead))

		def dns():
			return json.loads(self.ctl(d, 'stats', '--json')[0])['dns']
		self.assertEqual((dns()['asked'], dns()['known'], [x['server'] for x in dns()['servers']]), (0, 0, [s.server, dead]))
		m = self.connect(d, helo='pass.example')
		for sender in ('<a@pass.example>', '<a@pass.example>', '<a@fails.example>'):
			m.mail(sender)
			self.assertTrue(m.rcpt('<anna@example.com>').ok)
			self.assertTrue(m.send(lab.mail()).ok)
		now = dns()
		self.assertGreaterEqual(now['asked'], 2)
		self.assertGreaterEqual(now['failed'], 1)
		self.assertGreaterEqual(now['kept'], 2)
		self.assertGreater(now['bytes'], 0)
		self.assertEqual(now['out'], 0)
		first, second = now['servers']
		self.assertGreaterEqual(first['answered'], 1)
		self.assertGreaterEqual(first['failed'], 1)
		self.assertEqual((first['gone'], first['trouble'], second['trouble']), (False, 'servfail', 'nobody-listens'))
		again = self.connect(d, helo='pass.example')                     # another session: known already
		again.mail('<a@pass.example>')
		again.rcpt('<anna@example.com>')
		self.assertGreater(dns()['known'], now['known'])
		text = self.ctl(d, 'stats')[0]
		self.assertRegex(text, r'DNS: \d+ questions asked, \d+ answered from memory')
		self.assertRegex(text, r'(?m)^%s( +\d+){4}  there, last trouble: servfail$' % s.server)
		text = self.ctl(d, 'stats', '--prometheus')[0]
		self.assertRegex(text, r'(?m)^winnow_dns_questions_total\{how="known"\} [1-9]')
		self.assertIn('winnow_dns_unanswered_total{why="failed"} %d\n' % now['failed'], text)
		self.assertIn('winnow_dns_server_up{server="%s"} 1\n' % s.server, text)
		self.assertRegex(text, r'(?m)^winnow_dns_server_questions_total\{server="%s",outcome="answered"\} [1-9]' % s.server)


if __name__ == '__main__':
	lab.main()
