# test_report.py BUILD: dmarc.history of a running winnow-milter, and the aggregate reports that winnowctl makes of it: shown, valid, sent, not sent again
import base64
import email
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'fake'))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'quarantine'))
import store                                               # noqa: E402
from nameserver import DnsServer                           # noqa: E402

SPACE = '{urn:ietf:params:xml:ns:dmarc-2.0}'
# what the main loop of opendmarc-import 1.4.2 knows; anything else it complains of
KEYS = {'action', 'adkim', 'align_dkim', 'align_spf', 'arc', 'arc_policy', 'aspf', 'dkim', 'from', 'job', 'ipaddr', 'mfrom', 'p', 'pct', 'pdomain', 'policy', 'received', 'reporter',
	'rua', 'sp', 'spf'}
NUMBERS = {'action', 'adkim', 'align_dkim', 'align_spf', 'arc', 'arc_policy', 'aspf', 'p', 'pct', 'policy', 'received', 'sp', 'spf'}
ZONE = '''
_dmarc.bank.example TXT "v=DMARC1; p=reject; sp=quarantine; aspf=s; fo=1:d; rua=mailto:agg@bank.example,mailto:d@collect.example!10m,mailto:x@silent.example"
bank.example._report._dmarc.collect.example TXT "v=DMARC1; rua=mailto:other@collect.example,mailto:evil@elsewhere.example"
bank.example TXT "v=spf1 ip4:203.0.113.9 -all"
spammer.example TXT "v=spf1 ip4:203.0.113.7 -all"
_dmarc.test.example TXT "v=DMARC1; p=reject; t=y; rua=mailto:agg@test.example"
_dmarc.quiet.example TXT "v=DMARC1; p=none"
_dmarc.example.com TXT "v=DMARC1; p=none; rua=mailto:agg@example.com"
example.com TXT "v=spf1 ip4:203.0.113.7 -all"
'''
DAY = 86400


def write(sender):
	return ('From: Ceo <%s>\r\nTo: anna@example.com\r\nSubject: hello\r\nMessage-ID: <1@mail.example.net>\r\nDate: %s\r\n\r\nHello\r\n' % (sender, store.message.date(''))).encode()


class Reports(store.StoreCase):
	def setUp(self):
		self.mta = store.ReleaseMta()
		self.addCleanup(self.mta.stop)
		self.dns = DnsServer(ZONE)
		self.addCleanup(self.dns.close)

	def begin(self, more='', sender='dmarc@example.com'):
		return self.start('dns { servers = { "%s" } timeout = "1s" }\ndmarc { history = "history" report_sender = "%s" report_org = "Example & Co" }\n'
			'quarantine { path = "quarantine" release = "smtp://127.0.0.1:%d" }\nsender { enabled = false }\nhelo { enabled = false }\n%s' % (self.dns.server, sender, self.mta.port, more))

	def mail(self, d, header_from, sender='<b@spammer.example>', rcpts=('<anna@example.com>',), address='203.0.113.7'):
		m = self.connect(d, address, 'mail.spammer.example', 'mail.spammer.example')
		m.mail(sender)
		for r in rcpts:
			self.assertTrue(m.rcpt(r).ok)
		end = m.send(write(header_from))
		m.drop()
		return end

	def history(self, d):
		if not os.path.exists(d.path('history')):
			return ''
		with open(d.path('history')) as f:
			return f.read()

	def rows(self, d, n):
		"""The history's rows, each a list of lines, when there are n."""
		for _ in range(300):
			text = self.history(d)
			found = re.findall(r'(?ms)^job .*?^action \d+\n', text)
			if len(found) >= n:
				break
			time.sleep(0.02)
		self.assertEqual(''.join(found), text)
		self.assertEqual(len(found), n, text)
		return [row.split('\n')[:-1] for row in found]

	def yesterday(self, d):
		"""What came today came at noon of the day before."""
		begin = int(time.time()) // DAY * DAY - DAY
		text = self.history(d)
		d.write('history', re.sub(r'(?m)^received \d+$', 'received %d' % (begin + DAY // 2), text))
		return begin

	def documents(self, text):
		found = re.findall(r'(?s)<\?xml.*?</feedback>\n', text)
		self.assertEqual(''.join(found), text)
		for xml in found:
			self.valid(xml.encode())
		return {root.find('.//%sdomain' % SPACE).text: root for root in map(ElementTree.fromstring, found)}

	def valid(self, xml):
		if shutil.which('xmllint') is None:
			self.skipTest('no xmllint')
		r = subprocess.run(['xmllint', '--nonet', '--noout', '--schema', os.path.join(HERE, 'report.xsd'), '-'], input=xml, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
		self.assertEqual(r.returncode, 0, r.stdout.decode() + xml.decode())

	def text_of(self, element, *path):
		return element.find('/'.join(SPACE + p for p in path)).text

	# -- the history

	def test_rows_are_as_opendmarc_import_wants_them(self):
		d = self.begin()
		self.assertEqual(self.mail(d, 'ceo@bank.example').code, 550)
		self.assertTrue(self.mail(d, 'ceo@none.example').ok)              # no policy: no row
		self.assertTrue(self.mail(d, 'ceo@quiet.example', '<>').ok)
		self.assertEqual(self.mail(d, 'ceo@bank.example', '<b@bank.example>', address='203.0.113.9').code, 250)
		rows = self.rows(d, 3)
		for row in rows:
			for line in row:
				key, value, *more = line.split(' ', 2)
				self.assertIn(key, KEYS)
				if key in NUMBERS:
					self.assertRegex(value, r'^\d+$')
				self.assertRegex(line, r'^[!-~]+( [!-~]+)+$')
				if key == 'dkim':
					self.assertRegex(line, r'^dkim \S+ \S+ [0-9]$')
			keys = [line.split(' ')[0] for line in row]
			self.assertEqual(set(keys) | {'dkim'}, KEYS)
			self.assertEqual((keys[0], keys[-1]), ('job', 'action'))
		first, null, passed = [dict(line.split(' ', 1) for line in row) for row in rows]
		self.assertRegex(first['job'], r' to=example.com helo=mail.spammer.example result=fail disposition=reject$')
		self.assertEqual((first['from'], first['mfrom'], first['spf'], first['policy'], first['action']), ('bank.example', 'spammer.example', '0 domain=spammer.example scope=mfrom', '16', '0'))
		self.assertEqual((first['p'], first['sp'], first['aspf'], first['align_spf'], first['reporter'], first['ipaddr']), ('114 t=n fo=1:d', '113', '115', '5',
			'mx1.example.net', '203.0.113.7'))
		self.assertEqual((null['mfrom'], null['action'], null['policy']), ('mail.spammer.example null=y', '2', '18'))
		self.assertEqual((passed['align_spf'], passed['policy'], passed['action']), ('4', '15', '2'))

	def test_opendmarc_import_takes_every_row(self):
		"""The tool itself, before a database that only says what it was told."""
		tool = os.environ.get('OPENDMARC_IMPORT') or shutil.which('opendmarc-import', path=os.environ.get('PATH', '') + ':/usr/sbin')
		perl = ['perl', '-I', os.path.join(HERE, 'perl')]
		if tool is None or subprocess.run(perl + ['-MSwitch', '-e', '1'], stderr=subprocess.DEVNULL).returncode:
			self.skipTest('no opendmarc-import')
		d = self.begin()
		self.mail(d, 'ceo@bank.example')
		self.mail(d, 'ceo@quiet.example', '<>')
		text = '\n'.join('\n'.join(row[:7] + ['dkim bank.example sel 7', 'dkim spammer.example two 0'] + row[7:]) for row in self.rows(d, 2)) + '\n'
		d.write('history', text)
		r = subprocess.run(perl + [tool, '--input', d.path('history')], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
		self.assertEqual((r.returncode, r.stderr.decode()), (0, ''))
		said = [line.split('|') for line in r.stdout.decode().split('\n')]
		messages = [line[1:] for line in said if line[0].startswith('INSERT INTO messages')]
		self.assertEqual(len(messages), 2)
		for values in messages:
			self.assertNotIn('NULL', values)
		# policy, disposition; spf, align_spf, align_dkim, signatures, arc, arc_policy
		self.assertEqual([(m[3:5], m[9:]) for m in messages], [(['16', '0'], ['0', '5', '5', '2', '6', '1']), (['18', '2'], ['6', '5', '5', '2', '6', '1'])])
		# pass, error
		self.assertEqual([line[4:] for line in said if line[0].startswith('INSERT INTO signatures')], [['7', '0'], ['0', '0']] * 2)
		self.assertIn('mailto:agg@bank.example,mailto:d@collect.example,mailto:x@silent.example', r.stdout.decode())

	def test_a_new_file_is_begun_where_the_old_one_was_moved_away(self):
		d = self.begin()
		self.mail(d, 'ceo@bank.example')
		self.rows(d, 1)
		os.rename(d.path('history'), d.path('history.1'))
		self.mail(d, 'ceo@bank.example')
		self.rows(d, 1)
		self.assertEqual(os.stat(d.path('history')).st_mode & 0o777, 0o640)
		text = self.ctl(d, 'dmarc', 'report', '--print', '--day', time.strftime('%Y-%m-%d', time.gmtime()))[0]
		self.assertEqual(self.text_of(self.documents(text)['bank.example'], 'record', 'row', 'count'), '2')      # of both

	def test_a_history_that_cannot_be_written_makes_no_mail_wait(self):
		d = self.begin()
		if os.path.exists(d.path('history')):
			os.unlink(d.path('history'))
		os.mkdir(d.path('history'))
		before = time.monotonic()
		self.assertEqual(self.mail(d, 'ceo@bank.example').code, 550)
		self.assertLess(time.monotonic() - before, 5)
		for _ in range(300):
			if 'rows wait' in d.log():
				break
			time.sleep(0.02)
		self.assertRegex(d.log(), r'dmarc.history: \S*history(?: cannot be written)?: Is a directory; rows wait')
		os.rmdir(d.path('history'))
		self.rows(d, 1)

	def test_what_was_not_followed_says_why(self):
		d = self.begin('policy "default" { allow_senders = "inline:spammer.example" class "dmarc-quarantine" { action = "ignore" } }\n')
		self.mail(d, 'ceo@test.example')
		self.mail(d, 'ceo@sub.bank.example')
		self.mail(d, 'ceo@quiet.example', '<>', ('<dmarc@example.com>',))            # a bounce of our own report: no row
		reasons = [row[0].split(' ', 2)[2] for row in self.rows(d, 2)]
		self.assertIn('disposition=none reason=local_policy', reasons[0])
		self.assertIn('disposition=none reason=local_policy', reasons[1])

	# -- reports

	def fill(self, d):
		for _ in range(3):
			self.mail(d, 'ceo@bank.example')
		self.mail(d, 'ceo@bank.example', '<b@bank.example>', address='203.0.113.9')
		self.mail(d, 'ceo@test.example')
		self.mail(d, 'ceo@quiet.example')
		self.mail(d, 'anna@example.com', '<anna@example.com>')                       # one of ours
		self.rows(d, 7)
		return self.yesterday(d)

	def test_reports_are_shown(self):
		d = self.begin()
		begin = self.fill(d)
		documents = self.documents(self.ctl(d, 'dmarc', 'report', '--print')[0])
		self.assertEqual(set(documents), {'bank.example', 'test.example'})
		bank = documents['bank.example']
		self.assertEqual([self.text_of(r, 'row', 'count') for r in bank.findall(SPACE + 'record')], ['3', '1'])
		self.assertEqual([self.text_of(r, 'row', 'policy_evaluated', 'disposition') for r in bank.findall(SPACE + 'record')], ['reject', 'pass'])
		self.assertEqual(self.text_of(bank, 'report_metadata', 'org_name'), 'Example & Co')
		self.assertEqual((self.text_of(bank, 'report_metadata', 'date_range', 'begin'), self.text_of(bank, 'report_metadata', 'date_range', 'end')), (str(begin), str(begin + DAY - 1)))
		self.assertEqual((self.text_of(bank, 'policy_published', 'p'), self.text_of(bank, 'policy_published', 'sp'), self.text_of(bank, 'policy_published', 'aspf'),
			self.text_of(bank, 'policy_published', 'fo')), ('reject', 'quarantine', 's', '1:d'))
		record = documents['test.example'].find(SPACE + 'record')
		self.assertEqual(self.text_of(record, 'row', 'policy_evaluated', 'reason', 'type'), 'policy_test_mode')
		self.assertEqual(set(self.documents(self.ctl(d, 'dmarc', 'report', '--print', '--domain', 'test.example')[0])), {'test.example'})
		self.assertEqual(self.ctl(d, 'dmarc', 'report', '--print', '--day', '2001-01-01')[0], '')

	def test_nothing_in_a_row_breaks_out_of_an_element(self):
		d = self.begin()
		self.fill(d)
		text = self.history(d)
		text = text.replace('mfrom spammer.example', 'mfrom a</envelope_from><evil>&amp;"%00%0A%C3%BC').replace('to=example.com', "to=%3Cx/%3E'").replace('domain=spammer.example', 'domain=]]>&x;')
		d.write('history', text)
		bank = self.documents(self.ctl(d, 'dmarc', 'report', '--print')[0])['bank.example']
		self.assertIsNone(bank.find('.//%sevil' % SPACE))
		self.assertIn('<evil>', self.text_of(bank.find(SPACE + 'record'), 'identifiers', 'envelope_from'))

	def test_reports_are_sent_once_to_who_may_have_them(self):
		d = self.begin()
		begin = self.fill(d)
		out, _ = self.ctl(d, 'dmarc', 'report')
		self.assertEqual(sorted(rcpts[0] for _, rcpts, _ in self.mta.taken), ['agg@bank.example', 'agg@test.example', 'other@collect.example'])
		self.assertRegex(out, r'bank.example mailto:x@silent.example: not sent \(its host does not say in DNS that it takes reports on this domain\)')
		sender, _, data = self.mta.taken[0]
		self.assertEqual(sender, 'dmarc@example.com')
		self.assertNotRegex(data, rb'[^\r]\n')
		m = email.message_from_bytes(data)
		self.assertEqual((m['From'], m['Auto-Submitted'], m['To']), ('"Example & Co" <dmarc@example.com>', 'auto-generated', '<agg@bank.example>'))
		day = time.strftime('%Y-%m-%d', time.gmtime(begin))
		self.assertEqual(re.sub(r'\s+', ' ', m['Subject']), 'Report Domain: bank.example Submitter: mx1.example.net Report-ID: <%s.bank.example@mx1.example.net>' % day)
		part = m.get_payload()[1]
		self.assertEqual((part.get_content_type(), part.get_filename()), ('application/gzip', 'mx1.example.net!bank.example!%d!%d.xml.gz' % (begin, begin + DAY - 1)))
		xml = gzip.decompress(base64.b64decode(part.get_payload()))
		self.valid(xml)
		self.assertEqual(xml.decode(), self.ctl(d, 'dmarc', 'report', '--print', '--domain', 'bank.example')[0])
		again = json.loads(self.ctl(d, 'dmarc', 'report', '--json')[0])
		self.assertEqual(sorted({r['outcome'] for r in again}), ['not sent', 'was sent before'])
		self.assertEqual(len(self.mta.taken), 3)

	def test_what_could_not_be_sent_is_sent_by_the_next_run(self):
		d = self.begin()
		self.fill(d)
		self.mta.rcpt = lambda rcpt: (450, '4.2.0 not now') if 'collect' in rcpt else (250, '2.1.5 Ok')
		out, _ = self.ctl(d, 'dmarc', 'report', status=75)
		self.assertRegex(out, r'other@collect.example: not sent, try again later \(450 4.2.0 not now\)')
		self.assertEqual(len(self.mta.taken), 2)
		self.mta.rcpt = None
		self.ctl(d, 'dmarc', 'report')
		self.assertEqual([rcpts[0] for _, rcpts, _ in self.mta.taken].count('other@collect.example'), 1)
		self.assertEqual(len(self.mta.taken), 3)
		self.mta.rcpt = lambda rcpt: (550, '5.1.1 no such user')
		os.unlink(next(os.path.join(d.dir, n) for n in os.listdir(d.dir) if n.startswith('history.sent-')))
		self.assertRegex(self.ctl(d, 'dmarc', 'report', status=69)[0], r'agg@test.example: refused \(550 5.1.1 no such user\)')
		self.mta.stop()
		self.assertIn('try again later', self.ctl(d, 'dmarc', 'report', status=75)[0])

	def test_what_is_not_set_up_is_said(self):
		d = self.begin(sender='')
		self.fill(d)
		self.assertIn('dmarc.report_sender is not set', self.ctl(d, 'dmarc', 'report', status=78)[1])
		self.assertEqual(len(self.documents(self.ctl(d, 'dmarc', 'report', '--print')[0])), 2)
		d = self.begin()
		today = time.strftime('%Y-%m-%d', time.gmtime())
		self.assertIn('is not over', self.ctl(d, 'dmarc', 'report', '--day', today, status=78)[1])
		self.assertIn('is no day', self.ctl(d, 'dmarc', 'report', '--day', '2026-02-31', status=64)[1])
		self.assertEqual(self.mta.taken, [])


if __name__ == '__main__':
	store.main()
