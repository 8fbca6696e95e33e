#!/usr/bin/env python3
# test_life.py - reload, death, restart and stop of winnow-milter while Postfix goes on sending it mail
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import mail                                         # noqa: E402
from lab.case import LabCase, main                           # noqa: E402
from lab.daemon import eventually                            # noqa: E402
from lab.smtp import Closed                                  # noqa: E402

SETTINGS = 'domains = "inline:sink.test"\n'


class Life(LabCase):
	settings = SETTINGS

	def setUp(self):
		"""Each test has a fresh one; what the last one left must stop in good order, unless that test ended it."""
		running = self.lab.daemon.process.poll() is None
		status = self.lab.daemon.stop()
		self.lab.daemon.configure(SETTINGS)
		self.lab.daemon.start()
		if running:
			self.assertEqual(status, 0, 'the daemon of the test before did not stop well')

	def client(self):
		return self.lab.client(addr='203.0.113.7', name='mail.sender.example')

	def send(self, sender='bob@sender.example', message=None):
		"""The deciding reply, be it the one to the connection."""
		client = self.client()
		try:
			return client.send(sender, ['anna@sink.test'], message or mail.letter()) if client.greeting.ok else client.greeting
		finally:
			client.close()

	def half(self, client):
		"""A message whose end has not been said."""
		client.mail('bob@sender.example')
		client.rcpt('anna@sink.test')
		self.assertEqual(client.say('DATA').code, 354)
		client.write(mail.letter(body='begun\r\n'))

	def ends_within(self, seconds):
		"""The exit status; fails if the daemon takes longer."""
		begin = time.monotonic()
		status = self.lab.daemon.wait(60)
		self.assertLess(time.monotonic() - begin, seconds, 'the daemon took too long to stop')
		return status

	def test_reload_under_mail_loses_nothing_and_takes_effect(self):
		replies, stop = [], threading.Event()

		def stream():
			while not stop.is_set():
				replies.append(self.send())

		threads = [threading.Thread(target=stream) for _ in range(2)]
		for t in threads:
			t.start()
		for n in range(15):
			self.lab.daemon.configure(SETTINGS + 'block_senders = "inline:spammer%d@bad.example"\n' % n)
			self.lab.daemon.signal(signal.SIGHUP)
			time.sleep(0.1)
		seen = eventually(lambda: self.send('spammer14@bad.example').code == 550)
		stop.set()
		for t in threads:
			t.join()
		self.assertTrue(seen, 'the last configuration is not in force')
		self.assertEqual([r for r in replies if r.code != 250], [])
		self.assertGreater(len(replies), 5)
		self.assertEqual(self.send('spammer13@bad.example').code, 250)
		self.assertIsNone(self.lab.daemon.process.poll())

	def test_a_message_is_judged_by_the_configuration_it_began_with(self):
		client = self.client()
		client.mail('bob@sender.example')
		self.lab.daemon.configure(SETTINGS + 'block_senders = "inline:bob@sender.example"\n')
		self.lab.daemon.reload()
		self.assertTrue(eventually(lambda: self.send().code == 550))
		self.assertEqual(client.rcpt('anna@sink.test').code, 250)
		self.assertEqual(client.data(mail.letter()).code, 250)
		self.refused(client.send('bob@sender.example', ['anna@sink.test'], mail.letter()), 'sender-blacklisted', 'rcpt')
		client.quit()

	def test_a_bad_configuration_is_refused_and_the_old_one_stays(self):
		self.lab.daemon.configure(SETTINGS + 'block_senders = "inline:spammer@bad.example"\n')
		self.lab.daemon.reload()
		self.assertTrue(eventually(lambda: self.send('spammer@bad.example').code == 550))
		self.lab.daemon.configure(SETTINGS + 'block_sender = "inline:bob@sender.example"\nmemory_max = "many"\n')
		self.lab.daemon.signal(signal.SIGHUP)
		path = self.lab.daemon.config_path
		lines = len(open(path).read().splitlines())
		self.assertTrue(eventually(lambda: '%s:%d:' % (path, lines - 1) in self.lab.daemon.text()), 'the log does not name the bad option')
		self.assertIn('%s:%d:' % (path, lines - 2), self.lab.daemon.text())
		self.assertEqual(self.send('spammer@bad.example').code, 550)
		self.assertEqual(self.send().code, 250)

	def test_a_thousand_hangups_do_not_stop_it(self):
		for _ in range(1000):
			self.lab.daemon.signal(signal.SIGHUP)
		self.assertEqual(self.send().code, 250)
		self.assertIsNone(self.lab.daemon.process.poll())

	def test_killed_it_costs_451_and_started_again_it_serves(self):
		client = self.client()
		client.mail('bob@sender.example')
		self.lab.daemon.kill()
		reply = client.rcpt('anna@sink.test')
		self.assertEqual((reply.code, reply.xcode), (451, '4.7.1'), reply)
		client.close()
		reply = self.send()
		self.assertEqual((reply.code, reply.xcode), (451, '4.7.1'), reply)
		self.lab.daemon.start()
		self.delivered(self.send())

	def test_told_to_stop_it_lets_a_message_finish(self):
		client = self.client()
		self.half(client)
		self.lab.daemon.signal(signal.SIGTERM)
		self.assertTrue(eventually(lambda: not self.lab.daemon.listens(), 10), 'it still takes connections')
		time.sleep(0.5)
		self.assertIsNone(self.lab.daemon.process.poll(), 'it did not wait for the message')
		reply = client.content(b'ended\r\n')
		self.assertEqual(reply.code, 250, reply)
		client.close()
		self.assertEqual(self.ends_within(8), 0)
		self.delivered(reply)

	def test_a_second_one_takes_the_port_while_the_first_finishes(self):
		client = self.client()
		self.half(client)
		first = self.lab.daemon.process
		first.send_signal(signal.SIGTERM)
		self.assertTrue(eventually(lambda: not self.lab.daemon.listens(), 10))
		self.lab.daemon.start()
		self.assertIsNone(first.poll())
		self.delivered(self.send())
		reply = client.content(b'ended\r\n')
		self.assertEqual(reply.code, 250, reply)
		client.close()
		self.assertEqual(first.wait(15), 0)

	def test_idle_sessions_do_not_keep_it_from_stopping(self):
		clients = [self.client() for _ in range(5)]
		self.lab.daemon.signal(signal.SIGTERM)
		self.assertEqual(self.ends_within(8), 0)
		for client in clients:
			client.close()

	def test_a_client_that_leaves_in_the_middle_is_forgotten(self):
		for _ in range(3):
			client = self.client()
			self.half(client)
			client.close()
		time.sleep(0.2)
		self.lab.daemon.signal(signal.SIGTERM)
		self.assertEqual(self.ends_within(8), 0)

	def test_many_at_once_are_all_served(self):
		replies = []

		def many():
			client = self.client()
			try:
				for _ in range(3):
					replies.append(client.send('bob@sender.example', ['anna@sink.test'], mail.letter(body='x' * 70 + '\r\n')))
			except Closed as e:
				replies.append(e)
			client.close()

		threads = [threading.Thread(target=many) for _ in range(20)]
		for t in threads:
			t.start()
		for t in threads:
			t.join()
		self.assertEqual([r for r in replies if getattr(r, 'code', 0) != 250], [])
		copies = [self.lab.sink.wait(r.queue_id) for r in replies]
		ids = {c.one('X-Winnow-ID') for c in copies}
		self.assertEqual(len(ids), 60)
		for copy in copies:
			self.lab.daemon.line(copy.one('X-Winnow-ID'), qid=copy.queue_id)


if __name__ == '__main__':
	main()
