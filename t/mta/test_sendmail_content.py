#!/usr/bin/env python3
# test_sendmail_content.py - what Sendmail makes of our replies and changes: headers, recipients, quarantine, long and odd texts, closed connections
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import mail                                         # noqa: E402
from lab.case import LabCase, main                           # noqa: E402
from lab.daemon import eventually                            # noqa: E402
from lab.smtp import Closed                                  # noqa: E402

LONG = 'Please read this. ' * 21 + 'That is the end of it.'             # with detail and id more than a line of SMTP
SETTINGS = '''
domains = "inline:sink.test"
recipient { blackhole = "inline:devnull@sink.test" }
relay_networks = "inline:127.0.2.0/28"
policies = "inline:carl@lab.test=patient"
rate { messages_connection_max = 2 }
domain "held.test" { policy = "holding" }
domain "tagged.test" { policy = "tagging" }
domain "percent.test" { policy = "percent" }
domain "long.test" { policy = "long" }
policy "holding" { class "line-too-long" { action = "hold" } }
policy "tagging" { mode = "tag"  tag_subject = "[spam]" }
policy "percent" { class "date-skew" { action = "reject"  text = "100%% sure, 50%%s %%n" }  class "address-chars" { text = "100%% sure" } }
policy "long" { class "date-skew" { action = "reject"  text = "%(long)s" }  class "helo-invalid" { text = "%(long)s" } }
policy "patient" { rate { messages_connection_behaviour = "reject" } }
''' % dict(long=LONG)
OLD = 'Mon, 1 Jan 2001 12:00:00 +0000'


class Content(LabCase):
	settings, socket, kind = SETTINGS, 'unix', 'sendmail'

	def send(self, message, to=('anna@sink.test',), sender='bob@sender.example', parameters='', **where):
		client = self.lab.client(**where)
		try:
			return client.send(sender, to, message, parameters)
		finally:
			client.close()

	def submit(self, user='alice'):
		client = self.lab.client('submission', helo='laptop')
		client.starttls()
		self.assertEqual(client.auth(user + '@lab.test', 'secret').code, 235)
		return client

	def through(self, client, user):
		reply = client.send(user + '@lab.test', ['x@remote.example'], mail.letter(sender=user + '@lab.test'))
		self.assertEqual(reply.code, 250, reply)
		return self.lab.sink.wait(reply.queue_id)

	# -- what is delivered
	def test_a_message_arrives_as_it_was_below_our_headers_and_the_mta_s(self):
		sent = mail.letter(body=b'..\r\n.a\r\n\r\n \t\r\n\xe9\xff%\r\n' * 300, more=b'X-Fold: one\r\n two\r\n\tthree\r\nX-Tight:value\r\nX-Wide:   value  \r\n')
		copy = self.delivered(self.send(sent))
		self.assertEqual(copy.body, sent.partition(b'\r\n\r\n')[2])
		self.assertEqual([f for f in copy.fields if f[0].startswith(('X-Fold', 'X-Tight', 'X-Wide'))],
			[('X-Fold', 'one\n two\n\tthree'), ('X-Tight', 'value'), ('X-Wide', 'value  ')])
		names = [n for n, _ in copy.fields]
		self.assertEqual(names[:names.index('Received')], ['Authentication-Results', 'X-Winnow-Class', 'X-Winnow-Evidence', 'X-Winnow-Action', 'X-Winnow-Policy', 'X-Winnow-ID'])

	def test_a_large_message_arrives_whole(self):
		sent = mail.letter(body=b'abc .\t\xe9 %' * 7 + b'\r\n' + b'.\r\n' + b'x' * 900 + b'\r\n', more=b'X-Size: large\r\n') * 1
		sent += sent.partition(b'\r\n\r\n')[2] * 6000
		self.assertEqual(self.delivered(self.send(sent)).body, sent.partition(b'\r\n\r\n')[2])

	def test_forged_copies_of_our_headers_vanish_and_no_others(self):
		forged = b'X-Winnow-Class: ham\r\nx-winnow-id: 1\r\nX-WINNOW-EVIDENCE: all\r\n good\r\nX-Winnow-Policy: mine\r\nX-Winnow-Mode: observe\r\nX-Winnow-Outgoing-Class: ham\r\n'
		copy = self.delivered(self.send(mail.letter(top=forged, more=forged + b'X-Winnower: stays\r\n')))
		self.assertEqual([copy.one('X-Winnow-' + n) for n in ('Class', 'Mode', 'Outgoing-Class', 'Policy')], ['ham', None, None, 'default'])
		self.assertEqual(copy.one('X-Winnower'), 'stays')
		self.assertNotIn(b'good', copy.head)

	def test_of_eight_authentication_results_ours_at_2_3_and_5_vanish(self):
		ids = [b'one.example', b'mx.lab.test', b'MX.Lab.Test (x) 1', b'mx.lab.test.example', b'"mx.lab.test"', b'six.example', b'lab.test', b'eight.example']
		fields = b''.join(b'Authentication-Results: %s; spf=pass smtp.mailfrom=n%d.example\r\n' % (identity, n + 1) for n, identity in enumerate(ids))
		found = self.delivered(self.send(mail.letter(top=fields))).all('Authentication-Results')
		self.assertEqual([f.split(';')[0] for f in found], ['mx.lab.test', 'one.example', 'mx.lab.test.example', 'six.example', 'lab.test', 'eight.example'])
		self.assertNotIn('spf=', found[0])

	def test_iprev_says_what_sendmail_found(self):
		for addr, result in (('203.0.113.7', 'pass'), ('203.0.113.8', 'permerror')):
			with self.subTest(addr=addr):
				copy = self.delivered(self.send(mail.letter(), addr=addr), client=self.lab.mta.address(addr))
				self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; iprev=%s policy.iprev=%s; dkim=none' % (result, self.lab.mta.address(addr)))

	def test_a_black_hole_among_recipients_takes_only_its_own_copy(self):
		reply = self.send(mail.letter(), to=['devnull@sink.test', 'anna@sink.test'])
		self.assertEqual(self.lab.sink.wait(reply.queue_id).recipients, ['anna@sink.test'])

	def test_a_message_to_the_black_hole_alone_vanishes(self):
		reply = self.send(mail.letter(subject='into the dark'), to=['DevNull@sink.test'])
		self.assertEqual(reply.code, 250, reply)
		self.log(self.lab.daemon.line(None, qid=reply.queue_id), action='discard', **{'class': 'blackhole'})
		self.delivered(self.send(mail.letter()))                   # so that it would have come by now
		self.assertFalse(self.lab.sink.has(b'into the dark'))

	def test_held_mail_waits_in_quarantine_until_it_is_released(self):
		reply = self.send(mail.letter(body=b'x' * 1500 + b'\r\n'), to=['anna@held.test'])
		self.assertEqual(reply.code, 250, reply)
		self.assertIn(reply.queue_id, self.lab.sendmail.held_mail())
		self.assertFalse(self.lab.sink.has(b'id ' + reply.queue_id.encode()))
		said = self.lab.sendmail.release(reply.queue_id)
		self.assertEqual(self.lab.sendmail.held_mail(), {}, said)
		copy = self.lab.sink.wait(reply.queue_id)
		self.assertEqual(copy.one('X-Winnow-Action'), 'hold')
		line = self.lab.daemon.line(copy.one('X-Winnow-ID'))
		self.log(line, action='hold', qid=reply.queue_id, policy='holding', **{'class': 'line-too-long'})

	def test_mode_tag_marks_the_subject_and_refuses_nothing(self):
		copy = self.delivered(self.send(mail.letter(date=OLD), to=['anna@tagged.test']), 'date-skew')
		self.assertEqual((copy.one('Subject'), copy.one('X-Winnow-Class')), ('[spam] Lunch on Friday', 'spam'))

	def test_each_message_of_a_connection_has_its_own_ids(self):
		client, copies = self.lab.client(), []
		for _ in range(3):
			copies.append(self.delivered(client.send('bob@sender.example', ['anna@sink.test', 'carl@sink.test'], mail.letter()), rcpt='anna@sink.test,carl@sink.test'))
			client.mail('bob@sender.example')
			client.rcpt('anna@sink.test')
			self.assertEqual(client.say('RSET').code, 250)
		client.quit()
		self.assertEqual(len({c.one('X-Winnow-ID') for c in copies}), 3)
		self.assertEqual(len({c.queue_id for c in copies}), 3)

	def test_a_bounce_passes(self):
		copy = self.delivered(self.send(mail.letter(sender='MAILER-DAEMON@sender.example'), sender=''))
		self.assertEqual(copy.sender, '')
		self.log(self.lab.daemon.line(copy.one('X-Winnow-ID')), **{'from': '<>'})

	def test_a_host_of_the_relay_networks_may_relay_and_no_other(self):
		reply = self.send(mail.letter(), to=['x@elsewhere.test'], sender='app@lab.test', addr='192.0.2.5')
		self.assertEqual(reply.code, 250, reply)
		self.log(self.lab.daemon.line(None, qid=reply.queue_id), direction='out', action='accept')
		self.refused(self.send(mail.letter(), to=['x@elsewhere.test'], sender='app@lab.test', addr='192.0.2.16'), 'relay-not-permitted', 'rcpt')

	# -- what is said
	def test_a_per_cent_sign_in_a_reply_arrives(self):
		reply = self.send(mail.letter(date=OLD), to=['anna@percent.test'])
		self.assertEqual((reply.code, reply.xcode), (550, '5.7.1'), reply)
		self.assertTrue(reply.text.startswith('100% sure, 50%s %n'), reply)
		self.lab.daemon.line(reply.id, **{'class': 'date-skew', 'qid': self.queue_id(reply)})
		reply = self.send(mail.letter(), to=['an|na@percent.test'])
		self.assertEqual((reply.code, reply.xcode), (550, '5.1.3'), reply)
		self.assertTrue(reply.text.startswith('<an|na@percent.test>... 100% sure'), reply)

	def queue_id(self, reply):
		"""Sendmail's own, of the message that got this reply: from its log."""
		lines = [line for line in self.lab.mta.text().splitlines() if '[%s]' % reply.id in line]
		self.assertTrue(lines, 'Sendmail logged nothing of ' + reply.id)
		return lines[0].split(': ')[1]

	def test_a_long_text_comes_in_lines(self):
		reply = self.send(mail.letter(date=OLD), to=['anna@long.test'])
		self.assertEqual((reply.code, reply.xcode, reply.stage), (550, '5.7.1', 'eom'), reply)
		self.assertGreater(len(reply.lines), 1)
		self.assertTrue(reply.text.startswith(LONG), reply)
		self.lab.daemon.line(reply.id, **{'class': 'date-skew'})
		reply = self.send(mail.letter(), to=['anna@long.test'], helo='203.0.113.7')
		self.assertEqual((reply.code, reply.xcode, reply.stage), (504, '5.5.2', 'rcpt'), reply)
		self.assertGreater(len(reply.lines), 1)
		self.assertTrue(reply.text.replace('<anna@long.test>... ', '').startswith(LONG), reply)
		self.lab.daemon.line(reply.id, **{'class': 'helo-invalid'})

	def test_the_queue_id_of_a_refusal_is_sendmail_s(self):
		reply = self.send(mail.letter(date=OLD))
		self.log(self.refused(reply, 'date-skew', 'eom'), qid=self.queue_id(reply))
		reply = self.send(mail.letter(), to=['an|na@sink.test'])
		self.log(self.refused(reply, 'address-chars', 'rcpt'), qid=self.queue_id(reply))

	def test_one_message_too_many_closes_the_connection(self):
		client = self.submit()
		for _ in range(2):
			self.through(client, 'alice')
		reply = client.mail('alice@lab.test')
		line = self.refused(reply, 'messages-per-connection', 'mail', 421, '4.7.0')
		self.log(line, event='mail', direction='out', user='alice@lab.test', qid=self.queue_id(reply))
		with self.assertRaises(Closed):
			client.say('NOOP')
		client.close()

	def test_behaviour_reject_refuses_and_leaves_the_connection_open(self):
		client = self.submit('carl')
		for _ in range(2):
			self.through(client, 'carl')
		self.refused(client.mail('carl@lab.test'), 'messages-per-connection', 'mail', 550)
		self.assertEqual(client.say('NOOP').code, 250)
		client.quit()

	# -- what Sendmail refuses itself
	def test_a_message_that_sendmail_refuses_leaves_nothing_behind(self):
		client = self.lab.client()
		reply = client.send('bob@sender.example', ['anna@sink.test'], mail.letter(more=b''.join(b'X-%d: %s\r\n' % (n, b'y' * 70) for n in range(600))))
		self.assertEqual(reply.code, 552, reply)
		self.assertIsNone(reply.id)
		self.delivered(client.send('bob@sender.example', ['anna@sink.test'], mail.letter()))
		client.quit()

	def test_a_pipelined_session_gets_its_answers_in_order(self):
		client = self.lab.client()
		client.write(b'MAIL FROM:<bob@sender.example>\r\nRCPT TO:<an|na@sink.test>\r\nRCPT TO:<anna@sink.test>\r\nDATA\r\n')
		replies = [client.read(s) for s in ('mail', 'rcpt', 'rcpt', 'data')]
		self.assertEqual([r.code for r in replies], [250, 550, 250, 354])
		self.refused(replies[1], 'address-chars')
		self.delivered(client.content(mail.letter()), rcpt='anna@sink.test')
		client.quit()


class Busy(LabCase):
	settings, kind = 'domains = "inline:sink.test"\nsessions_max = 1\n', 'sendmail'

	def test_over_sessions_max_a_client_is_told_to_come_again(self):
		def served():
			client = self.lab.client()
			return client if client.greeting.ok else client.close()

		first = eventually(served)                                # those who asked whether Sendmail listens must be gone
		second = self.lab.client(greet=False)
		self.assertEqual(second.greeting.code, 421, second.greeting)
		with self.assertRaises(Closed):
			second.say('NOOP')
		second.close()
		self.delivered(first.send('bob@sender.example', ['anna@sink.test'], mail.letter()))
		first.quit()


if __name__ == '__main__':
	main()
