# test_dns_silent.py - a resolver that says nothing or SERVFAIL to all: stages end in time, nobody is refused, mail flows, and it comes back by itself
import faults
from faults import BUSY

ZONE = '''bad.example A 192.0.2.9
*.bad.example A 192.0.2.9
*.fresh.example A 192.0.2.9
bad.example TXT "v=spf1 ip4:192.0.2.1 -all"
*.bad.example TXT "v=spf1 ip4:192.0.2.1 -all"
*.dead.example SILENT
*.fresh.example TXT "v=spf1 ip4:203.0.113.7 -all"
'''


class Silent(faults.Faults):
	def test_silence_costs_one_timeout_refuses_nobody_then_nothing_and_ends_by_itself(self):
		s = self.server(ZONE)
		d = self.daemon('dns { servers = { {dns} }  timeout = "3s" }\n', s)
		self.refused(self.message(d, '<a@bad.example>')[0], 550, 'bad.example')
		s.silence()
		reply, took = self.message(d, '<a@1.bad.example>')
		self.accepted(reply)
		self.assertEqual(self.spf(reply), 'temperror')
		self.assertRegex(self.header(reply, 'X-Winnow-Evidence'), r'unavailable=(\w+,)*spf\b')
		self.assertGreater(took, 2.5)
		self.assertLess(took, 3 + BUSY)
		# the breaker opens; from then on nothing is waited for
		self.within(10, lambda: self.dns(d)['servers'][0]['gone'], 'the breaker stays closed')
		self.wait_for_log(d, 'dns: %s answers nothing' % s.server)
		start = len(s.asked)
		for i in range(10):
			reply, took = self.message(d, '<a@2-%d.bad.example>' % i)
			self.accepted(reply)
			self.assertEqual(self.spf(reply), 'temperror')
			self.assertLess(took, 2.5)
		self.assertFalse([x for x in s.asked[start:] if 'bad.example' in x[0]], 'a server that is gone was asked')
		self.assertEqual(d.log().count('answers nothing'), 1)
		# what is known is known
		self.refused(self.message(d, '<a@bad.example>')[0], 550, 'bad.example')
		# it is back: within two probes all is asked again, what had no answer too
		s.speak()
		self.within(5 + BUSY, lambda: not self.dns(d)['servers'][0]['gone'], 'the breaker stays open')
		self.refused(self.message(d, '<a@1.bad.example>')[0], 550, '1.bad.example')
		self.assertEqual(self.spf(self.message(d, '<a@1.fresh.example>')[0]), 'pass')

	def test_the_deadline_of_the_stage_holds_where_that_of_the_question_is_later(self):
		s = self.server(ZONE)
		d = self.daemon('dns { servers = { {dns} }  timeout = "20s" }  stages { mail_timeout = "2s"  rcpt_timeout = "2s" }\n', s)
		m = self.connect(d, helo='[203.0.113.7]')
		for i in range(2):
			reply, took = self.message(d, '<a@%d.dead.example>' % i, m)
			self.accepted(reply)
			self.assertEqual(self.spf(reply), 'temperror')
			self.assertGreater(took, 1.9)
			self.assertLess(took, 2 + BUSY)
		# a further recipient is not waited for again
		reply, _ = self.rcpt(m, '<a@9.dead.example>')
		self.accepted(reply)
		start = faults.time.monotonic()
		self.accepted(m.rcpt('<anna@example.org>'))
		self.assertLess(faults.time.monotonic() - start, 1.9)

	def test_each_recipient_of_a_message_waits_within_the_same_deadline(self):
		"""A recipient that is refused leaves the question open for the next: that must not cost the deadline each time."""
		s = self.server(ZONE)
		d = self.daemon('domains = ""\ndomain "example.com" { recipients = "inline:anna@example.com" }\ndns { servers = { {dns} }  timeout = "2s" }\n', s)
		m = self.connect(d, helo='[203.0.113.7]')
		self.assertTrue(m.mail('<a@1.dead.example>').ok)
		start = faults.time.monotonic()
		for i in range(5):
			self.assertEqual(m.rcpt('<nobody%d@example.com>' % i).code, 550)
		self.accepted(m.rcpt('<anna@example.com>'))
		self.assertLess(faults.time.monotonic() - start, 2 + BUSY)

	def test_a_name_that_never_answers_slows_no_other(self):
		s = self.server(ZONE)
		d = self.daemon('dns { servers = { {dns} }  timeout = "3s" }\n', s)

		def dead(i):
			return self.message(d, '<a@%d.dead.example>' % i)

		def good(i):
			m = self.connect(d, helo='[203.0.113.7]')
			return [self.message(d, '<a@%d-%d.fresh.example>' % (i, k), m) for k in range(5)]
		results = self.side_by_side(24, lambda i: dead(i) if i < 20 else good(i))
		for reply, took in results[:20]:
			self.accepted(reply)
			self.assertEqual(self.spf(reply), 'temperror')
			self.assertGreater(took, 2.5)
			self.assertLess(took, 3 + 2 * BUSY)
		for reply, took in sum(results[20:], []):
			self.assertEqual(self.spf(reply), 'pass')
			self.assertLess(took, 2.5)
		self.assertFalse(self.dns(d)['servers'][0]['gone'], 'dead names opened the breaker')

	def test_a_silent_first_server_is_left_for_the_second(self):
		first, second = self.server(ZONE), self.server(ZONE)
		first.silence()
		d = self.daemon('dns { servers = { {dns} }  timeout = "12s" }\n', first, second)
		reply, took = self.message(d, '<a@1.fresh.example>')
		self.assertEqual(self.spf(reply), 'pass')
		self.assertLess(took, 2 + BUSY)
		self.within(15, lambda: self.dns(d)['servers'][0]['gone'], 'the breaker stays closed')
		reply, took = self.message(d, '<a@2.fresh.example>')
		self.assertEqual(self.spf(reply), 'pass')
		self.assertLess(took, 1.9)


class Fails(faults.Faults):
	def test_servfail_to_all_is_said_at_once_and_kept_briefly(self):
		s = self.server('* SERVFAIL\n')
		d = self.daemon('dns { servers = { {dns} }  timeout = "3s" }\n', s)
		for _ in range(5):
			reply, took = self.message(d, '<a@bad.example>')
			self.accepted(reply)
			self.assertEqual(self.spf(reply), 'temperror')
			self.assertRegex(self.header(reply, 'X-Winnow-Evidence'), r'unavailable=(\w+,)*spf\b')
			self.assertLess(took, 2.8)
		self.assertEqual(s.times_asked('bad.example', 'TXT'), 1, 'a failure is not kept')
		self.assertFalse(self.dns(d)['servers'][0]['gone'], 'a server that answers is not gone')
		# it resolves again: that is seen within the seconds for which a failure is kept
		s.zone.forget('*')
		s.zone.add(ZONE)
		self.within(6 + BUSY, lambda: self.message(d, '<a@bad.example>')[0].code == 550, 'the failure is kept for long')
		self.refused(self.message(d, '<a@3.bad.example>')[0], 550, '3.bad.example')

	def test_refused_and_unreadable_are_no_answers_either(self):
		for rule in ('REFUSED', 'NOTIMP', 'FORMERR', 'GARBAGE', 'WRONGID ONLY', 'WRONGNAME ONLY'):
			with self.subTest(rule):
				s = self.server('bad.example %s\nok.example TXT "v=spf1 +all"\nok.example A 192.0.2.9\n' % rule)
				d = self.daemon('dns { servers = { {dns} }  timeout = "1s" }\n', s)
				reply, took = self.message(d, '<a@bad.example>')
				self.accepted(reply)
				self.assertEqual(self.spf(reply), 'temperror')
				self.assertLess(took, 1 + BUSY)
				self.assertEqual(self.spf(self.message(d, '<a@ok.example>')[0]), 'pass')


if __name__ == '__main__':
	faults.main()
