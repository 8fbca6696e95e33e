# test_dns_hostile.py - what a sender's own name server does to whoever asks it: SPF records without end, answers too large, TCP that says nothing
import time

import faults
from faults import BUSY

KB = 1024
SPF_ALONE = 'class "sender-invalid" { action = "ignore" }\nclass "dns-missing" { action = "ignore" }\n'      # the domains below have nothing but their records


def chain(n, name='inc', end='v=spf1 ip4:203.0.113.7 -all'):
	"""name0 includes name1 includes ..."""
	lines = ['%s%d.example TXT "v=spf1 include:%s%d.example -all"' % (name, i, name, i + 1) for i in range(n)]
	return '\n'.join(lines + ['%s%d.example TXT "%s"' % (name, n, end)]) + '\n'


def txt(name, octets, text):
	"""A TXT record of so many octets, in strings of 250, filled up with blanks."""
	text = text.ljust(octets)
	return '%s TXT %s\n' % (name, ' '.join('"%s"' % text[i:i + 250] for i in range(0, octets, 250)))


LOOPS = '''a.loop.example TXT "v=spf1 include:b.loop.example -all"
b.loop.example TXT "v=spf1 include:a.loop.example -all"
self.example TXT "v=spf1 include:self.example -all"
r.example TXT "v=spf1 redirect=s.example"
s.example TXT "v=spf1 redirect=r.example"
thirty.example TXT "v=spf1 %s -all"
i{1..30}.thirty.example TXT "v=spf1 ip4:192.0.2.{1..1} -all"
tree.example TXT "v=spf1 include:tree.example include:tree.example include:tree.example include:tree.example -all"
mx.example TXT "v=spf1 mx -all"
mx.example MX 10 mx{1..30}.mx.example
macro.example TXT "v=spf1 exists:%%{i}.%%{i}.%%{i}.macro.example include:%%{d}.macro.example -all"
*.macro.example TXT "v=spf1 include:%%{d}.macro.example -all"
voids.example TXT "v=spf1 a:v1.void.example a:v2.void.example a:v3.void.example ip4:203.0.113.7 -all"
cname{1..30}.example CNAME cname.example
cname.example CNAME cname1.example
''' % ' '.join('include:i%d.thirty.example' % i for i in range(1, 31))


class Spf(faults.Faults):
	def test_loops_and_thirty_includes_end_after_ten_look_ups_and_refuse_nobody(self):
		s = self.server(LOOPS + chain(30) + chain(9, 'ok'))
		d = self.daemon(SPF_ALONE + 'dns { servers = { {dns} }  timeout = "1s" }\n', s)
		for domain in ('a.loop.example', 'self.example', 'r.example', 'thirty.example', 'tree.example', 'macro.example', 'inc0.example', 'mx.example', 'voids.example'):
			with self.subTest(domain):
				before = len(s.asked)
				reply, took = self.message(d, '<a@%s>' % domain)
				self.accepted(reply)
				self.assertEqual(self.spf(reply), 'permerror')
				self.assertLess(took, BUSY)
				self.assertLessEqual(len(s.asked) - before, 20, s.asked[before:])      # other checks ask too
		self.assertEqual(self.spf(self.message(d, '<a@ok0.example>')[0]), 'pass')
		reply, took = self.message(d, '<a@cname1.example>')
		self.accepted(reply)
		self.assertIn(self.spf(reply), ('none', 'temperror'))
		self.assertLess(took, 1 + BUSY)

	def test_includes_that_are_each_slow_cost_the_stage_s_deadline_and_no_more(self):
		s = self.server(chain(9, 'slow') + '\n'.join('slow%d.example SLOW 400' % i for i in range(10)) + '\n')
		d = self.daemon(SPF_ALONE + 'dns { servers = { {dns} }  timeout = "1s" }  stages { mail_timeout = "1s" }\n', s)
		reply, took = self.message(d, '<a@slow0.example>')
		self.accepted(reply)
		self.assertEqual(self.spf(reply), 'temperror')
		self.assertLess(took, 1 + BUSY)
		self.assertGreater(took, 0.9)

	def test_what_came_is_not_lost_when_the_deadline_passed(self):
		"""The sender tries again: in the end the record is evaluated to its end."""
		s = self.server(chain(9, 'slow', 'v=spf1 ip4:192.0.2.1 -all') + '\n'.join('slow%d.example SLOW 300' % i for i in range(10)) + '\n')
		d = self.daemon(SPF_ALONE + 'dns { servers = { {dns} }  timeout = "1s" }  stages { mail_timeout = "1s" }\n', s)
		results = []
		for _ in range(6):
			results.append(self.message(d, '<a@slow0.example>')[0].code)
			if results[-1] == 550:
				break
		self.assertEqual((results[0], results[-1]), (250, 550))


class Large(faults.Faults):
	def test_a_txt_of_64_kb_by_tcp_alone_is_no_record_and_leaves_nothing_behind(self):
		n = 40
		zone = ''.join(txt('big%d.example' % i, 64000, 'v=spf1 ip4:192.0.2.1 ') for i in range(n))
		s = self.server(zone + txt('fits.example', 8000, 'v=spf1 ' + 'ip4:192.0.2.1 ' * 560 + '-all') + 'ok.example TXT "v=spf1 +all"\n')
		d = self.daemon(SPF_ALONE + 'dns { servers = { {dns} }  timeout = "3s"  cache = "1M" }\n', s)
		self.message(d, '<a@ok.example>')
		before = faults.resident(d)
		m = self.connect(d, helo='[203.0.113.7]')
		for i in range(n):
			reply, took = self.message(d, '<a@big%d.example>' % i, m)
			self.accepted(reply)
			self.assertIn(self.spf(reply), ('temperror', 'permerror'))
			self.assertLess(took, 1 + BUSY)
		self.assertLess(faults.resident(d) - before, 8 * KB, 'KB more than before')
		self.assertLessEqual(self.dns(d)['bytes'], 1 << 20)
		# what is large and good is read, over TCP
		self.refused(self.message(d, '<a@fits.example>')[0], 550, 'fits.example')
		self.assertEqual(self.spf(self.message(d, '<a@ok.example>')[0]), 'pass')

	def test_large_answers_that_are_kept_fill_the_cache_and_no_more(self):
		s = self.server(''.join(txt('large%d.example' % i, 30000, 'v=spf1 +all') for i in range(60)))
		d = self.daemon(SPF_ALONE + 'dns { servers = { {dns} }  timeout = "3s"  cache = "1M" }\n', s)
		for i in range(60):
			self.accepted(self.message(d, '<a@large%d.example>' % i)[0])
		now = self.dns(d)
		self.assertGreater(now['kept'], 10)
		self.assertLessEqual(now['bytes'], 1 << 20)

	def test_what_is_cut_by_udp_is_asked_by_tcp_and_where_that_says_nothing_it_is_late(self):
		s = self.server('''cut.example TXT "v=spf1 ip4:192.0.2.1 -all"
cut.example TRUNCATED
notcp.example TXT "v=spf1 ip4:192.0.2.1 -all"
notcp.example TRUNCATED
notcp.example NOTCP
good.example TXT "v=spf1 +all"
''')
		d = self.daemon(SPF_ALONE + 'dns { servers = { {dns} }  timeout = "1s" }\n', s)
		self.refused(self.message(d, '<a@cut.example>')[0], 550, 'cut.example')
		reply, took = self.message(d, '<a@notcp.example>')
		self.accepted(reply)
		self.assertEqual(self.spf(reply), 'temperror')
		self.assertLess(took, 1 + BUSY)
		start = time.monotonic()
		self.assertEqual(self.spf(self.message(d, '<a@good.example>')[0]), 'pass')
		self.assertLess(time.monotonic() - start, BUSY)
		self.assertFalse(self.dns(d)['servers'][0]['gone'])


if __name__ == '__main__':
	faults.main()
