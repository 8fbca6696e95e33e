# sink.py - where Postfix delivers: keeps each message byte for byte, with its envelope
import re
import socketserver
import threading
import time


class Copy:
	"""One delivered message: envelope and bytes as they came, dots unstuffed."""
	def __init__(self, sender, recipients, data):
		self.sender, self.recipients, self.data = sender, recipients, data
		self.head, _, self.body = data.partition(b'\r\n\r\n')
		self.fields = [(n.decode('latin1'), v.decode('latin1')) for n, v in re.findall(rb'^([!-9;-~]+):[ \t]*((?:.*)(?:\n[ \t].*)*)', self.head.replace(b'\r\n', b'\n') + b'\n', re.M)]

	def all(self, name):
		"""Values of the fields of that name, from the top, unfolded."""
		return [re.sub(r'\n[ \t]+', ' ', v) for n, v in self.fields if n.lower() == name.lower()]

	def one(self, name):
		"""The value of the only field of that name; None if there is none; an error if there are more."""
		values = self.all(name)
		if len(values) > 1:
			raise AssertionError('%d fields %s: %s' % (len(values), name, values))
		return values[0] if values else None

	@property
	def queue_id(self):
		"""As the MTA wrote it into its own Received, the highest."""
		found = re.search(r'\bid (\w+)', (self.all('Received') + [''])[0])
		return found and found.group(1)


class Sink:
	def __init__(self):
		self.copies, self.news = [], threading.Condition()
		sink = self

		class Handler(socketserver.StreamRequestHandler):
			def handle(self):
				try:
					converse(self.rfile, self.wfile, sink.keep)
				except ConnectionError:                      # Postfix ends with its lab
					pass

		socketserver.ThreadingTCPServer.request_queue_size = 100
		self.server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
		self.server.daemon_threads = True
		self.port = self.server.server_address[1]
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def keep(self, copy):
		with self.news:
			self.copies.append(copy)
			self.news.notify_all()

	def wait(self, queue_id, seconds=20):
		"""The copy that bears Postfix's queue id; an error if it does not come in time."""
		end = time.monotonic() + seconds
		with self.news:
			while True:
				for copy in self.copies:
					if copy.queue_id == queue_id:
						return copy
				left = end - time.monotonic()
				if left <= 0:
					raise AssertionError('message %s was not delivered within %d s' % (queue_id, seconds))
				self.news.wait(left)

	def has(self, text):
		"""Whether any delivered message holds the bytes."""
		with self.news:
			return any(text in c.data for c in self.copies)

	def stop(self):
		self.server.shutdown()
		self.server.server_close()


def converse(lines, out, keep):
	"""One SMTP connection, the server's side; it takes everything."""
	sender, recipients = '', []
	out.write(b'220 sink.test\r\n')
	for line in lines:
		word = line[:4].upper()
		if word == b'EHLO':
			out.write(b'250-sink.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n')
		elif word == b'MAIL':
			sender, recipients = path(line), []
			out.write(b'250 2.1.0 ok\r\n')
		elif word == b'RCPT':
			recipients.append(path(line))
			out.write(b'250 2.1.5 ok\r\n')
		elif word == b'DATA':
			out.write(b'354 go\r\n')
			keep(Copy(sender, recipients, b''.join(data(lines))))
			out.write(b'250 2.0.0 kept\r\n')
		elif word == b'QUIT':
			out.write(b'221 2.0.0 bye\r\n')
			return
		else:
			out.write(b'250 2.0.0 ok\r\n')


def path(line):
	return re.search(rb'<(.*?)>', line).group(1).decode('utf8', 'replace')


def data(lines):
	for line in lines:
		if line == b'.\r\n':
			return
		yield line[1:] if line.startswith(b'.') else line
