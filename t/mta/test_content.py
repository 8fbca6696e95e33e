#!/usr/bin/env python3
# test_content.py - what arrives behind Postfix: the bytes that were sent, our headers and nobody else's, the hold queue, ids that fit
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import mail                                         # noqa: E402
from lab.case import LabCase, main                           # noqa: E402

SETTINGS = '''
domains = "inline:sink.test"
memory_max = "64K"
structure { size_max = "18M" }
tls { sender_domains = "inline:bank.example" }
recipient { blackhole = "inline:devnull@sink.test" }
domain "held.test" { policy = "holding" }
domain "tagged.test" { policy = "tagging" }
domain "percent.test" { policy = "percent" }
policy "holding" { class "line-too-long" { action = "hold" } }
policy "tagging" { mode = "tag"  tag_subject = "[spam]" }
policy "percent" { class "date-skew" { action = "reject"  text = "100% wrong, 50%s %n" } }
'''
OLD = 'Mon, 1 Jan 2001 12:00:00 +0000'


def body(size, seed=1):
	"""Lines of every kind that must pass unchanged: dots in front, dots alone, blanks at the end, empty ones, 8-bit."""
	dice = random.Random(seed)
	lines, total = [], 0
	while total < size:
		line = bytes(dice.choice(b'abc .\t\xe9\xff%') for _ in range(dice.choice((0, 1, 2, 3, 70, 300))))
		lines.append(dice.choice((b'', b'.', b'..')) + line + b'\r\n')
		total += len(lines[-1])
	return b''.join(lines) + b'..\r\n.\r\n\r\n\r\n'


class Content(LabCase):
	settings = SETTINGS

	def client(self, **where):
		return self.lab.client(**dict(dict(addr='203.0.113.7', name='mail.sender.example'), **where))

	def send(self, message, to=('anna@sink.test',), sender='bob@sender.example', parameters='', **where):
		client = self.client(**where)
		try:
			return client.send(sender, to, message, parameters)
		finally:
			client.close()

	def spooled(self):
		path = os.path.join(self.lab.daemon.folder, 'spool')
		return os.listdir(path) if os.path.isdir(path) else []

	def test_a_small_message_arrives_byte_for_byte(self):
		sent = mail.letter(body=body(3000))
		self.assertTrue(self.delivered(self.send(sent)).data.endswith(b'\r\n' + sent))

	def test_a_message_over_memory_max_arrives_byte_for_byte_and_leaves_nothing_in_the_spool(self):
		sent = mail.letter(body=body(3000000))
		copy = self.delivered(self.send(sent))
		self.assertTrue(copy.data.endswith(b'\r\n' + sent))
		self.assertEqual(self.spooled(), [])

	def test_a_large_message_arrives_byte_for_byte(self):
		sent = mail.letter(body=body(200000) * 60)
		self.assertTrue(self.delivered(self.send(sent)).data.endswith(b'\r\n' + sent))

	def test_a_message_without_a_body_passes(self):
		sent = mail.letter(body=b'')
		self.assertTrue(self.delivered(self.send(sent)).data.endswith(sent))

	def test_folded_and_odd_headers_arrive_as_they_were(self):
		odd = b'X-Fold: one\r\n two\r\n\tthree\r\nX-Empty:\r\nX-Tight:value\r\nX-Wide:   value  \r\nX-Eight: \xe9\xff\r\n'
		copy = self.delivered(self.send(mail.letter(more=odd)))
		self.assertIn(b'\r\n' + odd + b'\r\n', copy.data)

	def test_forged_copies_of_our_headers_vanish_and_no_others(self):
		forged = b'X-Winnow-Class: ham\r\nx-winnow-id: 1\r\nX-WINNOW-EVIDENCE: all\r\n good\r\nX-Winnow-Policy: mine\r\nX-Winnow-Mode: observe\r\nX-Winnow-Outgoing-Class: ham\r\n'
		copy = self.delivered(self.send(mail.letter(top=forged, more=forged + b'X-Winnower: stays\r\n')))
		self.assertEqual(copy.one('X-Winnow-Class'), 'ham')
		self.assertEqual(copy.one('X-Winnow-Mode'), None)
		self.assertEqual(copy.one('X-Winnow-Outgoing-Class'), None)
		self.assertEqual(copy.one('X-Winnow-Policy'), 'default')
		self.assertEqual(copy.one('X-Winnower'), 'stays')
		self.assertNotIn(b'good', copy.head)

	def test_of_eight_authentication_results_ours_at_2_3_and_5_vanish(self):
		ids = [b'one.example', b'mx.lab.test', b'MX.Lab.Test (x) 1', b'mx.lab.test.example', b'"mx.lab.test"', b'six.example', b'lab.test', b'eight.example']
		fields = b''.join(b'Authentication-Results: %s; spf=pass smtp.mailfrom=n%d.example\r\n' % (identity, n + 1) for n, identity in enumerate(ids))
		copy = self.delivered(self.send(mail.letter(top=fields)))
		found = copy.all('Authentication-Results')
		self.assertEqual([f.split(';')[0] for f in found], ['mx.lab.test', 'one.example', 'mx.lab.test.example', 'six.example', 'lab.test', 'eight.example'])
		self.assertNotIn('spf=', found[0])

	def test_our_headers_stand_above_the_mta_s(self):
		copy = self.delivered(self.send(mail.letter()))
		names = [n for n, _ in copy.fields]
		self.assertEqual(set(names[:names.index('Received')]), {'Authentication-Results', 'X-Winnow-Class', 'X-Winnow-Evidence', 'X-Winnow-Action', 'X-Winnow-Policy', 'X-Winnow-ID'})

	def test_iprev_says_what_the_mta_found(self):
		# XCLIENT cannot make Postfix call a name forged: a PTR without a name counts as no name
		for where, result in ((dict(name='mail.sender.example'), 'pass'), (dict(name='[UNAVAILABLE]'), 'permerror'), (dict(name='[TEMPUNAVAIL]'), 'temperror'),
				(dict(name='[UNAVAILABLE]', reverse_name='ptr.liar.example'), 'permerror')):
			with self.subTest(**where):
				copy = self.delivered(self.send(mail.letter(), addr='198.51.100.9', **where))
				self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; iprev=%s policy.iprev=198.51.100.9; dkim=none' % result)

	def test_an_ipv6_client_is_logged_by_its_address(self):
		copy = self.delivered(self.send(mail.letter(), addr='2001:db8::7'), client='2001:db8::7')
		self.assertIn('2001:db8::7', copy.one('Authentication-Results'))

	def test_held_mail_waits_in_the_hold_queue_until_it_is_released(self):
		reply = self.send(mail.letter(body=b'x' * 1500 + b'\r\n'), to=['anna@held.test'])
		self.assertEqual(reply.code, 250, reply)
		self.assertEqual([m['queue_name'] for m in self.lab.postfix.queue() if m['queue_id'] == reply.queue_id], ['hold'])
		self.assertFalse(self.lab.sink.has(b'id ' + reply.queue_id.encode()))
		self.lab.postfix.release(reply.queue_id)
		copy = self.lab.sink.wait(reply.queue_id)
		self.assertEqual(copy.one('X-Winnow-Action'), 'hold')
		line = self.lab.daemon.line(copy.one('X-Winnow-ID'))
		self.log(line, action='hold', qid=reply.queue_id, policy='holding')
		self.assertEqual(line['class'], 'line-too-long')

	def test_mode_tag_marks_the_subject_and_refuses_nothing(self):
		copy = self.delivered(self.send(mail.letter(date=OLD), to=['anna@tagged.test']), 'date-skew')
		self.assertEqual(copy.one('Subject'), '[spam] Lunch on Friday')
		self.assertEqual(copy.one('X-Winnow-Class'), 'spam')

	def test_a_per_cent_sign_in_a_reply_arrives(self):
		reply = self.send(mail.letter(date=OLD), to=['anna@percent.test'])
		self.assertEqual((reply.code, reply.xcode), (550, '5.7.1'), reply)
		self.assertTrue(reply.text.startswith('100% wrong, 50%s %n'), reply)

	def test_starttls_satisfies_a_sender_that_must_come_encrypted(self):
		client = self.client()
		self.assertEqual(client.starttls().code, 220)
		copy = self.delivered(client.send('info@bank.example', ['anna@sink.test'], mail.letter()))
		self.assertTrue(self.lab.daemon.line(copy.one('X-Winnow-ID'))['tls'].startswith('TLSv1'))
		client.quit()

	def test_each_message_of_a_connection_has_its_own_ids(self):
		client, copies = self.client(), []
		for n in range(3):
			copies.append(self.delivered(client.send('bob@sender.example', ['anna@sink.test', 'carl@sink.test'], mail.letter()), rcpt='anna@sink.test,carl@sink.test'))
			client.mail('bob@sender.example')
			client.rcpt('anna@sink.test')
			self.assertEqual(client.say('RSET').code, 250)
		client.quit()
		self.assertEqual(len({c.one('X-Winnow-ID') for c in copies}), 3)
		self.assertEqual(len({c.queue_id for c in copies}), 3)

	def test_a_refused_message_leaves_nothing_to_the_next_of_its_connection(self):
		client = self.client()
		self.refused(client.send('bob@sender.example', ['anna@sink.test'], mail.letter(date=OLD)), 'date-skew', 'eom')
		copy = self.delivered(client.send('bob@sender.example', ['anna@sink.test'], mail.letter()))
		self.assertNotIn('Date', copy.one('X-Winnow-Evidence'))
		client.quit()

	def test_a_black_hole_among_recipients_takes_only_its_own_copy(self):
		reply = self.send(mail.letter(), to=['devnull@sink.test', 'anna@sink.test'])
		copy = self.lab.sink.wait(reply.queue_id)
		self.assertEqual(copy.recipients, ['anna@sink.test'])

	def test_a_pipelined_session_gets_its_answers_in_order(self):
		client = self.client()
		client.write(b'MAIL FROM:<bob@sender.example>\r\nRCPT TO:<an|na@sink.test>\r\nRCPT TO:<anna@sink.test>\r\nDATA\r\n')
		replies = [client.read(s) for s in ('mail', 'rcpt', 'rcpt', 'data')]
		self.assertEqual([r.code for r in replies], [250, 550, 250, 354])
		self.refused(replies[1], 'address-chars')
		self.delivered(client.content(mail.letter()), rcpt='anna@sink.test')
		client.quit()

	def test_a_message_in_chunks_passes(self):
		client, sent = self.client(), mail.letter(body=body(100000))
		client.mail('bob@sender.example')
		client.rcpt('anna@sink.test')
		client.write(b'BDAT 1000\r\n' + sent[:1000])
		self.assertEqual(client.read('bdat').code, 250)
		client.write(b'BDAT %d LAST\r\n' % len(sent[1000:]) + sent[1000:])
		self.assertTrue(self.delivered(client.read('eom')).data.endswith(b'\r\n' + sent))
		client.quit()

	def test_an_internationalised_sender_passes(self):
		self.delivered(self.send(mail.letter(), sender='j\u00fcrgen@sender.example', parameters='SMTPUTF8'))

	def test_a_bounce_passes(self):
		copy = self.delivered(self.send(mail.letter(sender='MAILER-DAEMON@sender.example'), sender=''))
		self.assertEqual(copy.sender, '')
		self.log(self.lab.daemon.line(copy.one('X-Winnow-ID')), **{'from': '<>'})


if __name__ == '__main__':
	main()
