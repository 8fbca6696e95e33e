# test_control.py - clients of the control socket that hang, flood and lie: neither mail nor other clients wait for them
import json
import os
import socket
import time

from hostile import Beside, Scale, Talker, check, run, winnowctl

OTHERS_SECONDS = 3.0                                                 # what another winnowctl may take meanwhile


def control(daemon, timeout=30):
	s = socket.socket(socket.AF_UNIX)
	s.connect(daemon.path('control.sock'))                           # waits while the backlog is full, as winnowctl does
	s.settimeout(timeout)
	return s


def ask(words, **more):
	return json.dumps(dict({'argv': words}, **more)).encode() + b'\n'


def read_all(s):
	data = b''
	try:
		while True:
			more = s.recv(65536)
			if not more:
				return data
			data += more
	except ConnectionError:
		return data


def status(data):
	return json.loads(data.split(b'\n')[0])['status'] if data else None


def others(daemon, what):
	"""Mail and another winnowctl while something goes on."""
	start = time.monotonic()
	daemon.alive()
	mail = time.monotonic() - start
	check(mail < 2 or daemon.kind, '%s: an ordinary message took %.1f s', what, mail)
	code, out, err, took = winnowctl(daemon, 'ping')
	check(code == 0, '%s: winnowctl ping: exit %d: %s', what, code, err)
	check(took < OTHERS_SECONDS or daemon.kind, '%s: winnowctl ping took %.1f s', what, took)
	print('  meanwhile: a message %.0f ms, winnowctl %.0f ms' % (mail * 1000, took * 1000))


def a_hanging_client(daemon):
	with control(daemon):
		others(daemon, 'a client that says nothing')
	with control(daemon) as s:
		s.sendall(ask(['ping'])[:-4])
		others(daemon, 'a client that says half a line')
		start = time.monotonic()
		answer = read_all(s)
		check(status(answer) not in (0, None) and time.monotonic() - start < 10, 'half a line: %r', answer)
	daemon.same('a hanging client')


def fifty_hanging_clients(daemon):
	for data in (b'', ask(['ping'])[:-1], ask(['classify', '-'], input=1 << 20) + b'x' * 1000):
		clients = []
		for _ in range(50):
			s = control(daemon)
			try:
				s.sendall(data)
			except ConnectionError:
				pass                                                  # it was told to go
			clients.append(s)
		others(daemon, '50 clients that send %d bytes and hang' % len(data))
		for s in clients:
			s.close()
		time.sleep(0.2)
		others(daemon, 'after them')
	daemon.same('50 hanging clients')


def garbage(daemon):
	lines = [b'\n', b'\0\n', b'{}\n', b'[]\n', b'null\n', b'{"argv": []}\n', b'{"argv": null}\n', b'{"argv": "ping"}\n', b'{"argv": [1]}\n', b'{"argv": [null, {}]}\n', b'{"argv": ["ping\\u0000x"]}\n',
		b'{"argv": [""]}\n', b'{"argv": ["ping"], "input": -1}\n', b'{"argv": ["ping"], "input": "x"}\n', b'{"argv": ["ping"], "input": 1e300}\n', b'{"argv": ["ping"], "json": 1}\n',
		b'{"argv": ["no-such-command"]}\n', b'{"argv": ["defaults"]}\n', b'{"argv": ["reload", "now"]}\n', b'{"argv": ["stats", "--x"]}\n', b'{"argv": ["ping"]} x\n', b'{"argv": ["ping"\n',
		b'{"argv": [' + b'"x", ' * 5000 + b'"x"]}\n', b'[' * 60000 + b'\n', b'{"a":' * 10000 + b'1' + b'}' * 10000 + b'\n', b'\xff' * 1000 + b'\n', b'GET / HTTP/1.0\r\n\r\n', os.urandom(3000) + b'\n',
		ask(['x' * 60000]), ask(['policy', '%s%n%s%n', 'x']), ask(['quarantine', '../../../etc/passwd'])]
	for line in lines:
		with control(daemon) as s:
			s.sendall(line)
			answer = read_all(s)
			check(status(answer) not in (0, None), '%r is answered %r', line[:60], answer[:100])
	with control(daemon) as s:                                        # longer than a line may be
		try:
			for _ in range(200):
				s.sendall(b'x' * 65536)
		except ConnectionError:
			pass
		read_all(s)
	with control(daemon) as s:                                        # words beyond the question are nobody's
		s.sendall(ask(['ping']) + b'more\n' * 10)
		check(status(read_all(s)) == 0, 'a question with something behind it')
	daemon.same('garbage')


def large_input_announced(daemon):
	for size in (100 << 20, 1 << 40, (1 << 63) - 1):
		with control(daemon) as s:
			s.sendall(ask(['classify', '-'], input=size))
			answer = read_all(s)
			check(status(answer) not in (0, None), 'an input of %d bytes is taken: %r', size, answer[:100])
	before = daemon.state().anon
	clients = [control(daemon) for _ in range(15)]
	for s in clients:
		s.sendall(ask(['classify', '-'], input=64 << 20))
	others(daemon, '15 clients that announce 64 MB')
	grown = daemon.state().anon - before
	print('  15 announcements of 64 MB cost %d KB' % grown)
	check(grown < 4096 or daemon.kind, 'announcements alone cost %d KB', grown)
	for s in clients:
		s.close()
	daemon.same('large inputs')


def answers_never_read(daemon):
	clients = []
	for _ in range(40):
		s = control(daemon)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
		try:
			s.sendall(ask(['stats', '--prometheus']))
		except ConnectionError:
			pass
		clients.append(s)
	others(daemon, '40 clients that do not read their answer')
	for s in clients:
		s.close()
	daemon.same('answers never read')


def gone_before_the_answer(daemon):
	for i in range(Scale.of(500)):
		with control(daemon) as s:
			s.sendall(ask(['stats'] if i % 2 else ['ping']))
	others(daemon, 'clients that leave before their answer')
	for i in range(Scale.of(500)):
		control(daemon).close()
	others(daemon, 'clients that come and go')
	daemon.same('clients that leave')


def a_flood(daemon):
	"""As many questions as fit, while mail goes on."""
	def question():
		with control(daemon) as s:
			s.sendall(ask(['stats']))
			read_all(s)
	with Beside(question), Beside(question), Beside(question), Beside(question) as one:
		with Talker(daemon.address) as t:
			t.hello()
			for _ in range(Scale.of(300)):
				check(t.message() == 250, 'mail is not answered 250')
		for _ in range(5):
			code, _, err, took = winnowctl(daemon, 'ping')
			check(code == 0 and (took < OTHERS_SECONDS or daemon.kind), 'winnowctl ping within a flood: exit %d after %.1f s: %s', code, took, err)
	print('  one of four asked %d questions' % one.rounds)
	daemon.same('a flood of questions')


run([a_hanging_client, fifty_hanging_clients, garbage, large_input_announced, answers_never_read, gone_before_the_answer, a_flood])
