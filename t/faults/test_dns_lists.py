# test_dns_lists.py - DNS lists that list the world, say "over quota", are parked, rewritten or slow: nobody is refused for it, and who is really listed still is
import time

import faults
from faults import BUSY

CONFIG = '''dns { servers = { {dns} }  timeout = "1s" }
blocklist "bl.example" { rbl = { "127.0.0.2" }  name = "The List" }
'''
ZONE = '''sender.example A 192.0.2.9
sender.example MX 10 sender.example
2.0.0.127.bl.example A 127.0.0.2
66.113.0.203.bl.example A 127.0.0.2
'''


def points(*zones):
	return ''.join('2.0.0.127.%s A 127.0.0.2\n' % z for z in zones)


class Lists(faults.Faults):
	def begin(self, zone=ZONE, config=CONFIG, accepted=True):
		"""A server and a daemon; a first stranger is answered, one that is listed too: the lists are in use."""
		s = self.server(zone)
		d = self.daemon(config, s)
		if accepted:
			self.accepted(self.come(d, '203.0.113.1'))
			self.refused(self.come(d, '203.0.113.66'), 554, 'The List')
		return s, d

	def come(self, d, address):
		return self.message(d, '<bob@sender.example>', helo='[%s%s]' % ('IPv6:' if ':' in address else '', address), address=address)[0]

	def suspended(self, d, name):
		"""A line says so, once."""
		self.wait_for_log(d, r'(?m)^blocklist %s: suspended|^allowlist %s: suspended' % (name, name))
		time.sleep(0.2)
		self.assertEqual(d.log().count('list %s: suspended' % name), 1)

	def nobody_is_refused(self, d):
		for address in ('203.0.113.2', '203.0.113.66', '2001:db8::66'):
			self.accepted(self.come(d, address))

	# -- 3, 7: a resolver that rewrites NXDOMAIN, a zone that is parked
	def test_a_resolver_that_invents_addresses_makes_lists_useless_from_the_start(self):
		s, d = self.begin('* A 198.51.100.77\n' + ZONE, accepted=False)
		self.suspended(d, 'The List')
		self.nobody_is_refused(d)
		self.assertRegex(self.ctl(d, 'stats')[0], r'The List')

	def test_a_list_that_is_parked_while_we_run_is_left_at_the_first_answer(self):
		s, d = self.begin()
		s.zone.forget('66.113.0.203.bl.example')
		s.zone.forget('2.0.0.127.bl.example')
		s.zone.add('*.bl.example A 203.0.113.80')
		self.accepted(self.come(d, '203.0.113.3'))
		self.suspended(d, 'The List')
		self.nobody_is_refused(d)

	# -- 4: a list that lists the world
	def test_a_list_that_lists_everybody_is_suspended_before_the_first_mail(self):
		s, d = self.begin(ZONE + '*.bl.example A 127.0.0.2\n', accepted=False)
		self.suspended(d, 'The List')
		self.nobody_is_refused(d)

	def test_a_list_that_begins_to_list_everybody_refuses_few_and_is_suspended(self):
		s, d = self.begin()
		for i in range(2, 60):
			self.accepted(self.come(d, '198.51.%d.7' % i))
		s.zone.add('*.bl.example A 127.0.0.2')
		codes = [self.come(d, '192.0.%d.7' % i).code for i in range(2, 102)]
		refused = sum(code != 250 for code in codes)
		self.assertGreater(refused, 0)
		self.assertLess(refused, 40, codes)
		self.assertEqual(set(codes[60:]), {250})
		self.suspended(d, 'The List')

	# -- 5: "over quota" and other errors
	def test_errors_are_no_listings_and_are_counted(self):
		for code in ('127.255.255.252', '127.255.255.254', '127.255.255.255', '127.0.1.255', '127.0.0.1', '10.0.0.2'):
			with self.subTest(code):
				s, d = self.begin(config=CONFIG.replace('rbl = { "127.0.0.2" }', 'rbl = { "127.0.0.0/8" }'))
				s.zone.add('9.113.0.203.bl.example A %s' % code)
				reply = self.accepted(self.come(d, '203.0.113.9'))
				self.assertIn('unavailable=', self.header(reply, 'X-Winnow-Evidence'))
				self.assertRegex(self.ctl(d, 'stats')[0], r'The List')

	# -- 6: an allow list that trusts everybody
	def test_an_allow_list_that_trusts_everybody_opens_nothing(self):
		config = CONFIG + 'allowlist "wl.example" { alone = { "127.0.0.0/8" }  name = "Friends" }\n'
		_, d = self.begin(ZONE + points('wl.example') + '67.113.0.203.wl.example A 127.0.5.3\n67.113.0.203.bl.example A 127.0.0.2\n', config)
		self.accepted(self.come(d, '203.0.113.67'))              # in order it opens
		for code in ('127.0.5.3', '127.0.0.255', '127.0.10.3', '198.51.100.77'):
			with self.subTest('all, from the start: ' + code):
				self.suspended(self.begin(ZONE + '*.wl.example A %s\n' % code, config)[1], 'Friends')
		for code in ('127.0.0.255', '127.0.10.3', '198.51.100.77'):
			with self.subTest('this client: ' + code):
				_, d = self.begin(ZONE + points('wl.example') + '66.113.0.203.wl.example A %s\n' % code, config)
				self.suspended(d, 'Friends')

	def test_an_allow_list_that_begins_to_trust_everybody_is_suspended(self):
		s, d = self.begin(ZONE + points('wl.example'), CONFIG + 'allowlist "wl.example" { alone = { "127.0.0.0/8" }  name = "Friends" }\n')
		for i in range(2, 60):
			self.accepted(self.come(d, '198.51.%d.7' % i))
		s.zone.add('*.wl.example A 127.0.5.3')
		for i in range(2, 102):
			self.accepted(self.come(d, '192.0.%d.7' % i))
		self.suspended(d, 'Friends')
		self.refused(self.come(d, '203.0.113.66'), 554, 'The List')

	# -- 1: a resolver that is gone is not the lists' fault
	def test_an_outage_of_the_resolver_suspends_no_list_for_longer_than_it_lasts(self):
		s, d = self.begin()
		s.silence()
		self.side_by_side(20, lambda i: self.accepted(self.come(d, '198.51.100.%d' % (i + 1))))
		self.within(10, lambda: self.dns(d)['servers'][0]['gone'], 'the breaker stays closed')
		for i in range(10):
			self.accepted(self.come(d, '198.51.101.%d' % (i + 1)))
		s.speak()
		self.within(5 + BUSY, lambda: not self.dns(d)['servers'][0]['gone'], 'the breaker stays open')
		self.within(3 + BUSY, lambda: self.come(d, '203.0.113.66').code == 554, 'who is listed is not refused')

	# -- 8: a list that is slow
	def test_a_slow_list_costs_one_timeout_then_nothing_and_hides_no_other(self):
		config = CONFIG.replace('1s', '2s') + 'blocklist "slow.example" { rbl = { "127.0.0.2" }  name = "Slow" }\n'
		s, d = self.begin(ZONE + points('slow.example'), config)
		s.zone.add('*.slow.example SLOW 5000')
		reply, took = self.message(d, '<bob@sender.example>', address='203.0.113.20')
		self.accepted(reply)
		self.assertIn('unavailable=', self.header(reply, 'X-Winnow-Evidence'))
		self.assertGreater(took, 1.5)
		self.assertLess(took, 2 + BUSY)
		# the other list still refuses
		s.zone.add('21.113.0.203.bl.example A 127.0.0.2')
		self.refused(self.come(d, '203.0.113.21'), 554, 'The List')
		# asked at connect, collected at RCPT: a client that takes its time waits no more
		m = self.connect(d, '203.0.113.22', helo='[203.0.113.22]')
		self.within(BUSY, lambda: s.times_asked('22.113.0.203.slow.example', 'A'), 'not asked at connect')
		time.sleep(2.2)
		reply, took = self.rcpt(m, '<bob@sender.example>')
		self.accepted(reply)
		self.assertLess(took, 1.8)
		# after some late answers it is asked no more
		for i in range(30, 40):
			took = self.message(d, '<bob@sender.example>', address='203.0.113.%d' % i)[1]
		self.assertLess(took, 1.8)
		self.suspended(d, 'Slow')
		self.refused(self.come(d, '203.0.113.66'), 554, 'The List')

	def test_six_lists_cost_the_slowest_and_not_their_sum(self):
		zones = ['l%d.example' % i for i in range(6)]
		config = CONFIG.replace('1s', '5s') + ''.join('blocklist "%s" { rbl = { "127.0.0.2" } }\n' % z for z in zones)
		s, d = self.begin(ZONE + points(*zones), config)
		for z in zones:
			s.zone.add('*.%s SLOW 1000' % z)
		reply, took = self.message(d, '<bob@sender.example>', address='203.0.113.50')
		self.accepted(reply)
		self.assertGreater(took, 0.9)
		self.assertLess(took, 1 + BUSY)
		for z in zones:
			self.assertTrue(s.times_asked('50.113.0.203.' + z, 'A'))

	def test_when_the_resolver_is_silent_lists_are_missing_and_come_back(self):
		s, d = self.begin()
		s.silence()
		reply, took = self.message(d, '<bob@sender.example>', address='203.0.113.60')
		self.accepted(reply)
		self.assertIn('unavailable=', self.header(reply, 'X-Winnow-Evidence'))
		self.assertLess(took, 1 + 2 * BUSY)
		s.speak()
		s.zone.add('61.113.0.203.bl.example A 127.0.0.2')
		self.within(5 + BUSY, lambda: not self.dns(d)['servers'][0]['gone'], 'the breaker stays open')
		self.refused(self.come(d, '203.0.113.61'), 554, 'The List')


if __name__ == '__main__':
	faults.main()
