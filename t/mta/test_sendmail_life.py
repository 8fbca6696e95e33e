#!/usr/bin/env python3
# test_sendmail_life.py - reload, death, restart and stop of winnow-milter while Sendmail goes on sending it mail
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import mail                                         # noqa: E402
from lab.case import LabCase, main                           # noqa: E402
from lab.daemon import eventually                            # noqa: E402
from lab.smtp import Closed                                  # noqa: E402

SETTINGS = 'domains = "inline:sink.test"\n'


class Life(LabCase):
	settings, kind = SETTINGS, 'sendmail'

	def setUp(self):
		self.lab.daemon.configure(SETTINGS)
		if self.lab.daemon.process.poll() is not None:
			self.lab.daemon.start()
		else:
			self.lab.daemon.reload()

	def send(self, sender='bob@sender.example', listener='mx', **where):
		"""The deciding reply, be it the one to the connection."""
		client = self.lab.client(listener, **where)
		try:
			return client.send(sender, ['anna@sink.test'], mail.letter()) if client.greeting.ok else client.greeting
		finally:
			client.close()

	def half(self, client):
		"""A message whose end has not been said."""
		client.mail('bob@sender.example')
		client.rcpt('anna@sink.test')
		self.assertEqual(client.say('DATA').code, 354)
		client.write(mail.letter(body='begun\r\n'))

	def test_killed_it_costs_451_where_the_filter_has_the_flag_T(self):
		client = self.lab.client()
		self.assertEqual(client.mail('bob@sender.example').code, 250)
		self.lab.daemon.kill()
		self.assertEqual(client.rcpt('anna@sink.test').code, 451)
		self.assertEqual(client.say('NOOP').code, 250)
		client.close()
		reply = self.send()
		self.assertEqual((reply.code, reply.stage), (451, 'mail'), reply)
		self.lab.daemon.start()
		self.delivered(self.send())

	def test_killed_it_costs_the_connection_where_the_filter_has_the_flag_4(self):
		client = self.lab.client('submission')
		self.lab.daemon.kill()
		reply = client.mail('bob@sender.example')
		self.assertEqual(reply.code, 421, reply)
		with self.assertRaises(Closed):
			client.say('NOOP')
		client.close()
		reply = self.send(listener='submission')
		self.assertEqual((reply.code, reply.stage), (421, 'connect'), reply)
		self.lab.daemon.start()
		self.delivered(self.send())

	def test_killed_within_a_message_it_is_not_delivered(self):
		client = self.lab.client()
		self.half(client)
		self.lab.daemon.kill()
		reply = client.content(b'never seen\r\n')
		self.assertEqual(reply.code, 451, reply)
		client.close()
		self.lab.daemon.start()
		self.delivered(self.send())
		self.assertFalse(self.lab.sink.has(b'never seen'))

	def test_told_to_stop_it_lets_a_message_finish(self):
		client = self.lab.client()
		client.mail('bob@sender.example')
		client.rcpt('anna@sink.test')
		self.lab.daemon.signal(signal.SIGTERM)
		self.assertTrue(eventually(lambda: not self.lab.daemon.listens(), 10), 'it still takes connections')
		time.sleep(0.5)
		self.assertIsNone(self.lab.daemon.process.poll(), 'it did not wait for the message')
		reply = client.data(mail.letter())
		self.assertEqual(reply.code, 250, reply)
		client.close()
		begin = time.monotonic()
		self.assertEqual(self.lab.daemon.wait(60), 0)
		self.assertLess(time.monotonic() - begin, 8, 'it took too long to stop')
		self.delivered(reply)

	def test_a_second_one_takes_the_port_while_the_first_finishes(self):
		client = self.lab.client()
		client.mail('bob@sender.example')
		client.rcpt('anna@sink.test')
		first = self.lab.daemon.process
		first.send_signal(signal.SIGTERM)
		self.assertTrue(eventually(lambda: not self.lab.daemon.listens(), 10))
		self.lab.daemon.start()
		self.assertIsNone(first.poll())
		self.delivered(self.send())
		reply = client.data(mail.letter())
		self.delivered(reply)
		client.close()
		self.assertEqual(first.wait(15), 0)

	def test_idle_sessions_do_not_keep_it_from_stopping(self):
		clients = [self.lab.client() for _ in range(5)]
		self.lab.daemon.signal(signal.SIGTERM)
		begin = time.monotonic()
		self.assertEqual(self.lab.daemon.wait(60), 0)
		self.assertLess(time.monotonic() - begin, 8, 'it took too long to stop')
		for client in clients:
			client.close()

	def test_a_message_is_judged_by_the_configuration_it_began_with(self):
		client = self.lab.client()
		client.mail('bob@sender.example')
		self.lab.daemon.configure(SETTINGS + 'block_senders = "inline:bob@sender.example"\n')
		self.lab.daemon.reload()
		self.assertTrue(eventually(lambda: self.send().code == 550))
		self.assertEqual(client.rcpt('anna@sink.test').code, 250)
		self.assertEqual(client.data(mail.letter()).code, 250)
		self.refused(client.send('bob@sender.example', ['anna@sink.test'], mail.letter()), 'sender-blacklisted', 'rcpt')
		client.quit()


if __name__ == '__main__':
	main()
