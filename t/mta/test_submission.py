#!/usr/bin/env python3
# test_submission.py - mail of our own users and hosts: password, TLS, relay by address, limits of a connection
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import mail                                         # noqa: E402
from lab.case import LabCase, main                           # noqa: E402
from lab.smtp import Closed                                  # noqa: E402

SETTINGS = '''
domains = "inline:sink.test"
relay_networks = "inline:192.0.2.0/28"
policies = "inline:bert@lab.test=careful, carl@lab.test=patient"
rate { messages_connection_max = 3 }
policy "careful" { tls { required_outgoing = true }  evidence { outgoing = true } }
policy "patient" { rate { messages_connection_max = 1  messages_connection_behaviour = "reject" } }
'''
LETTER = dict(sender='alice@lab.test', to='carl@remote.example')


class Submission(LabCase):
	settings = SETTINGS

	def submit(self, user='alice', tls=True, password='secret'):
		client = self.lab.client('submission', addr='198.51.100.20', name='[UNAVAILABLE]', helo='laptop')
		if tls:
			client.starttls()
		client.login = client.auth(user + '@lab.test', password)
		return client

	def plain_copy(self, reply, **words):
		"""Delivered, with no evidence of ours in it; the log line is found by the queue id."""
		self.assertEqual(reply.code, 250, reply)
		copy = self.lab.sink.wait(reply.queue_id)
		self.assertNotIn(b'X-Winnow', copy.head)
		line = self.lab.daemon.line(None, qid=reply.queue_id)
		self.log(line, event='message', direction='out', action='accept', **words)
		return copy

	def test_a_user_with_password_may_write_anywhere(self):
		client = self.submit()
		self.assertEqual(client.login.code, 235)
		copy = self.plain_copy(client.send('alice@lab.test', ['carl@remote.example'], mail.letter(**LETTER)), user='alice@lab.test')
		self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; auth=pass smtp.auth=alice@lab.test')
		client.quit()

	def test_what_a_user_forges_is_removed(self):
		client = self.submit()
		forged = b'X-Winnow-Class: ham\r\nAuthentication-Results: mx.lab.test; dkim=pass header.d=bank.example\r\n'
		copy = self.plain_copy(client.send('alice@lab.test', ['carl@remote.example'], mail.letter(top=forged, **LETTER)))
		self.assertNotIn(b'bank.example', copy.head)
		client.quit()

	def test_without_a_password_nobody_submits(self):
		client = self.submit(password='wrong')
		self.assertEqual(client.login.code, 535)
		line = self.refused(client.mail('alice@lab.test'), 'submission-unauthenticated', 'mail')
		self.log(line, event='mail', direction='out', stage='mail', rcpt='-', qid='-', **{'from': 'alice@lab.test'})
		client.quit()

	def test_a_user_whose_policy_wants_tls_has_to_encrypt(self):
		client = self.submit('bert', tls=False)
		line = self.refused(client.mail('bert@lab.test'), 'tls-required-outgoing', 'mail')
		self.log(line, policy='careful', user='bert@lab.test')
		client.quit()
		client = self.submit('bert')
		copy = self.delivered(client.send('bert@lab.test', ['carl@remote.example'], mail.letter()), brand='X-Winnow-Outgoing-', policy='careful', direction='out')
		self.assertEqual(copy.one('X-Winnow-Outgoing-Class'), 'ham')
		client.quit()

	def test_an_authenticated_user_is_outbound_on_any_listener(self):
		client = self.lab.client(addr='198.51.100.20', login='alice@lab.test', helo='laptop')
		self.plain_copy(client.send('alice@lab.test', ['x@elsewhere.test'], mail.letter(**LETTER)), user='alice@lab.test')
		client.quit()

	def test_a_host_of_the_relay_networks_may_relay_and_no_other(self):
		client = self.lab.client(addr='192.0.2.5', name='app.lab.test', helo='app.lab.test')
		self.plain_copy(client.send('app@lab.test', ['x@elsewhere.test'], mail.letter()))
		client.quit()
		client = self.lab.client(addr='192.0.2.16', name='app.lab.test', helo='app.lab.test')
		self.refused(client.send('app@lab.test', ['x@elsewhere.test'], mail.letter()), 'relay-not-permitted', 'rcpt')
		client.quit()

	def test_one_message_too_many_closes_the_connection(self):
		client = self.submit()
		for _ in range(3):
			self.plain_copy(client.send('alice@lab.test', ['carl@remote.example'], mail.letter(**LETTER)))
		self.refused(client.mail('alice@lab.test'), 'messages-per-connection', 'mail')
		with self.assertRaises(Closed):
			client.say('NOOP')
		client.close()

	def test_an_aborted_message_does_not_count(self):
		client = self.submit()
		for _ in range(5):
			client.mail('alice@lab.test')
			client.rcpt('carl@remote.example')
			client.say('RSET')
		self.plain_copy(client.send('alice@lab.test', ['carl@remote.example'], mail.letter(**LETTER)))
		client.quit()

	def test_behaviour_reject_refuses_and_leaves_the_connection_open(self):
		client = self.submit('carl')
		self.plain_copy(client.send('carl@lab.test', ['x@remote.example'], mail.letter()))
		reply = client.mail('carl@lab.test')
		self.assertEqual((reply.code, reply.xcode), (550, '5.7.0'), reply)
		self.lab.daemon.line(reply.id, **{'class': 'messages-per-connection'})
		self.assertEqual(client.say('NOOP').code, 250)
		client.quit()


if __name__ == '__main__':
	main()
