# test_lists.py BUILD: DNS lists with the real daemon: tested before the listener opens and at a reload, suspended and taken back; check --network; keys
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'fake'))
import lab                                                 # noqa: E402
from nameserver import DnsServer                           # noqa: E402

KEY = 'abcdefghij0123456789klmnop'
ROOT = '. NS a.root.example\n'
POINT = '2.0.0.127.%s A 127.0.0.2\n'
POINT6 = '2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.%s A 127.0.0.2\n'
ALL6 = '1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.%s A 127.0.0.2\n'


class Lists(lab.Lab):
	def server(self, zone):
		s = DnsServer(zone)
		self.addCleanup(s.close)
		return s

	def daemon(self, zone, config, timeout='1s'):
		self.dns = self.server('example.net MX 10 mail.example.net\n' + zone)
		d = self.start('dns { servers = { "%s" } timeout = "%s" }\n%s' % (self.dns.server, timeout, config))
		return d

	def send(self, d, address):
		"""The code of the refused recipient, or the headers of the accepted message."""
		m = self.connect(d, address, 'mail.example.net')
		m.mail('<bob@example.net>')
		r = m.rcpt('<anna@example.com>')
		if not r.ok:
			return r.code
		end = m.send(lab.mail())
		self.assertTrue(end.ok, end)
		return {x.name: x.value for x in end.mods if hasattr(x, 'name')}

	def count(self, d, pattern, n=1):
		self.wait_for_log(d, pattern)
		self.assertEqual(len(re.findall(pattern, d.log())), n, d.log())

	def lists(self, d):
		return {x['list']: x for x in json.loads(self.ctl(d, 'stats', '--json')[0])['lists']}

	def test_a_list_that_begins_to_list_everybody_is_suspended_and_comes_back(self):
		d = self.daemon(POINT % 'zen.test' + '7.113.0.203.zen.test A 127.0.0.2', 'blocklist "zen.test" { rbl = { "127.0.0.2" } name = "Zen" }')
		self.assertEqual(self.send(d, '203.0.113.7'), 554)
		self.assertNotIn('suspended', d.log())
		self.dns.zone.add('1.0.0.127.zen.test A 127.0.0.2')
		for _ in range(3):
			self.ctl(d, 'reload')
		self.count(d, r'blocklist Zen: suspended: it lists everybody')
		self.assertIn('unavailable=dnsbl', self.send(d, '203.0.113.7')['X-Winnow-Evidence'])
		self.count(d, r'dnsbl:Zen is suspended: it lists everybody')
		self.assertRegex(self.ctl(d, 'stats')[0], r'blocklist Zen +1 +1 +0  suspended: it lists everybody')
		self.assertIn('winnow_dnslist_suspended{kind="blocklist",list="Zen"} 1', self.ctl(d, 'stats', '--prometheus')[0])
		self.dns.zone.forget('1.0.0.127.zen.test')
		for _ in range(3):
			self.ctl(d, 'reload')
		self.count(d, r'blocklist Zen: in use again: its test points are right')
		self.assertEqual(self.send(d, '203.0.113.7'), 554)
		self.assertEqual((self.lists(d)['Zen']['suspended'], self.lists(d)['Zen']['suspensions']), (False, 1))
		self.assertEqual(len(re.findall('Zen: suspended', d.log())), 1)

	def test_a_list_whose_hit_rate_jumps_is_suspended_though_its_test_points_are_right(self):
		d = self.daemon(POINT % 'zen.test' + POINT % 'good.test' + '*.33.22.11.zen.test A 127.0.0.2\n*.33.22.11.good.test A 127.0.5.3',
			'blocklist "zen.test" { rbl = { "127.0.0.2" } }\nallowlist "good.test" { alone = { "127.0.0.0/8" } }\nclass "dnswl" { action = "score" }')
		for i in range(20):
			self.assertEqual(self.send(d, '11.22.33.%d' % i), 554)
		for i in range(20, 25):
			self.assertIn('unavailable=dnsbl', self.send(d, '11.22.33.%d' % i)['X-Winnow-Evidence'])
		self.count(d, r'blocklist zen\.test: suspended: it lists far more clients than it used to')
		self.count(d, r'allowlist good\.test: suspended: it lists far more clients than it used to')
		self.assertEqual(self.lists(d)['zen.test']['suspended'], True)
		# its test points were right all the time: they do not take it back at once
		self.ctl(d, 'reload')
		self.assertIn('unavailable=dnsbl', self.send(d, '11.22.33.99')['X-Winnow-Evidence'])
		self.assertNotIn('in use again', d.log())

	def test_a_list_that_never_answers_costs_its_time_a_few_times_and_delays_no_start(self):
		before = time.time()
		d = self.daemon(POINT % 'zen.test' + '7.113.0.203.zen.test A 127.0.0.2\n*.0.127.mute.test SILENT\n*.mute.test SILENT\n' + ''.join('%d.113.0.203.mute.test SILENT\n' % i for i in range(30)),
			'blocklist "mute.test" { rbl = { "127.0.0.2" } }\nblocklist "zen.test" { rbl = { "127.0.0.2" } }', '600ms')
		self.assertLess(time.time() - before, 5)
		self.assertNotIn('mute.test: suspended', d.log())
		for i in range(10, 15):
			self.send(d, '203.0.113.%d' % i)
		self.count(d, r'blocklist mute\.test: suspended: it does not answer')
		before = time.time()
		for i in range(15, 25):
			self.send(d, '203.0.113.%d' % i)
		self.assertEqual(self.send(d, '203.0.113.7'), 554)
		self.assertLess(time.time() - before, 3)
		self.assertEqual(self.lists(d)['mute.test']['unusable'], 5)

	def test_a_reload_tests_the_lists_that_are_new_and_keeps_the_others(self):
		d = self.daemon(POINT % 'zen.test' + '*.0.0.127.bad.test A 10.0.0.1\n7.113.0.203.bad.test A 127.0.0.2\n7.113.0.203.zen.test A 127.255.255.255', 'blocklist "zen.test" { }')
		self.assertIn('unavailable=dnsbl', self.send(d, '203.0.113.7')['X-Winnow-Evidence'])
		self.count(d, r'blocklist zen\.test: suspended: it says that we are over quota')
		d.write_config(d.lines + 'blocklist "bad.test" { rbl = { "127.0.0.2" } }\n')
		self.ctl(d, 'reload')
		self.count(d, r'blocklist bad\.test: suspended: it answers with addresses outside 127\.0\.0\.0/8')
		self.assertEqual({n: (x['suspended'], x['asked']) for n, x in self.lists(d).items()}, {'zen.test': (False, 1), 'bad.test': (True, 0)})

	def test_a_key_is_shown_nowhere(self):
		zone = '%s.zen.dq.spamhaus.net' % KEY
		d = self.daemon(ROOT + POINT % zone + '7.113.0.203.%s A 127.0.0.4\n9.113.0.203.%s A 127.0.0.2\n8.113.0.203.%s A 127.255.255.252' % (zone, zone, zone),
			'blocklist "%s" { xbl = { "127.0.0.4" } }\nlog { level = "debug" }' % zone)
		self.assertEqual(self.send(d, '203.0.113.7'), 554)
		self.send(d, '203.0.113.9')
		id_of = self.wait_for_log(d, r'id=(\w+) .*class=xbl').group(1)
		said = [str(self.send(d, '203.0.113.8'))]
		for command in (['explain', id_of], ['explain', '--json', id_of], ['stats'], ['stats', '--prometheus'], ['stats', '--json'], ['search'], ['check', '--network'], ['policy', 'anna@example.com']):
			said.append('\n'.join(self.ctl(d, *command)))
		d.write_config(d.lines + 'blocklist "%s" { }\nblocklist "%s" { }\nblocklist "%s-" { }' % (zone + '.', zone, zone.replace('.', ' ')))
		said.append('\n'.join(self.ctl(d, 'reload', status=78)))
		self.assertIn('KEY.zen.dq.spamhaus.net', said[1])
		self.assertIn('blocklist KEY.zen.dq.spamhaus.net: good', '\n'.join(said))
		for text in said + [d.log()]:
			self.assertNotIn(KEY, text)
			self.assertNotIn(KEY[:12], text)

	def check(self, zone, config, status=1):
		s = self.server(ROOT + zone)
		d = lab.daemon.Daemon(lab.BUILD, 'dns { servers = { "%s" } timeout = "500ms" }\n%s' % (s.server, config))
		self.addCleanup(d.clean)
		d.listen = 'unix:' + d.path('milter.sock')
		d.write_config(d.lines)
		return '\n'.join(self.ctl(d, 'check', '--network', status=status))

	def test_check_network_says_what_is_wrong_with_each_list(self):
		for zone, options, want in (
				('1.0.0.127.z.test A 127.0.0.2\n' + POINT % 'z.test', '', r'lists everybody .*wildcarded'),
				('2.0.0.127.z.test A 127.255.255.254', '', r'public one .*dns\.servers'),
				('2.0.0.127.z.test A 127.255.255.252', '', r'no such zone \(127\.255\.255\.252\).*key'),
				('2.0.0.127.z.test A 127.255.255.255', '', r'over quota .*get a key'),
				('2.0.0.127.z.test A 198.51.100.7', '', r'outside 127\.0\.0\.0/8; .*parked'),
				('', '', r'there is no such zone; .*written right'),
				('z.test SOA ns.z.test. h.z.test. 1 2 3 4 5', '', r'does not list its test point 127\.0\.0\.2; .*self_test = false'),
				('2.0.0.127.z.test REFUSED\n1.0.0.127.z.test REFUSED', '', r'answer with an error \(REFUSED or SERVFAIL\); .*key'),
				('2.0.0.127.z.test SILENT\n1.0.0.127.z.test SILENT', '', r'does not answer; .*resolver'),
				(POINT % 'z.test' + POINT6 % 'z.test' + ALL6 % 'z.test', '', r'lists every IPv6 client'),
		):
			self.assertRegex(self.check(zone, 'blocklist "z.test" { name = "The list" %s }' % options), r'blocklist The list: [^\n]*' + want)

	def test_check_network_calls_good_lists_good(self):
		text = self.check(POINT % 'six.test' + POINT6 % 'six.test' + POINT % 'four.test' + 'own.test SOA ns.own.test. h.own.test. 1 2 3 4 5\n2.0.0.127.list.dnswl.org A 127.0.10.0\n',
			'blocklist "six.test" { }\nblocklist "four.test" { }\nblocklist "own.test" { self_test = false }\nallowlist "list.dnswl.org" { }', status=0)
		self.assertRegex(text, r'blocklist six\.test: good, IPv4 and IPv6\n')
		self.assertRegex(text, r'blocklist four\.test: good, IPv4 \(')
		self.assertRegex(text, r'blocklist own\.test: answers; it has no test points')
		self.assertRegex(text, r'allowlist list\.dnswl\.org: good')

	def test_the_ready_made_sections_load(self):
		d = self.daemon('', 'domains = "inline:example.com"')
		with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../etc/winnow.conf')) as f:
			shipped = f.read()
		titles = re.findall(r'^#((?:block|allow)list) "([a-z0-9.]+\.[a-z0-9.]+)" \{\n((?:\t#.*\n)+)#\}', shipped, re.M)
		self.assertEqual(len(titles), 11)
		d.write_config(d.lines + ''.join('%s "%s" {\n%s}\n' % (kind, zone, body.replace('#', '', body.count('\n'))) for kind, zone, body in titles))
		self.ctl(d, 'check')


if __name__ == '__main__':
	lab.main()
