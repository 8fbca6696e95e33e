# sasl.py - says yes or no to AUTH: to Postfix in Dovecot's protocol, to Sendmail in that of Cyrus' saslauthd; no daemon, no secret on disk
import base64
import socketserver
import struct
import threading


class Sasl:
	"""users: name -> password; PLAIN only."""
	def __init__(self, users):
		class Handler(socketserver.StreamRequestHandler):
			def handle(self):
				try:
					converse(self.rfile, self.wfile, users)
				except ConnectionError:                      # Postfix ends with its lab
					pass

		self.server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
		self.server.daemon_threads = True
		self.port = self.server.server_address[1]
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def stop(self):
		self.server.shutdown()
		self.server.server_close()


def converse(lines, out, users):
	"""Server's half of the protocol, version 1.1: handshake, then a line `AUTH id mechanism parameters` for each attempt."""
	out.write(b'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n')
	for line in lines:
		words = line.decode().rstrip('\n').split('\t')
		if words[0] != 'AUTH':
			continue
		response = [w[5:] for w in words if w.startswith('resp=')]
		user, password = (base64.b64decode(response[0]).decode().split('\0') + ['', ''])[1:3] if response else ('', '')
		good = user in users and users[user] == password
		out.write(('%s\t%s\tuser=%s\n' % ('OK' if good else 'FAIL', words[1], user)).encode())


class Saslauthd:
	"""users: name@realm -> password; path: of a unix socket."""
	def __init__(self, path, users):
		class Handler(socketserver.StreamRequestHandler):
			def handle(self):
				user, password, _, realm = [counted(self.rfile) for _ in range(4)]
				full = user + '@' + realm if realm else user
				answer = b'OK' if users.get(full) == password else b'NO'
				self.wfile.write(struct.pack('!H', len(answer)) + answer)

		self.server = socketserver.ThreadingUnixStreamServer(path, Handler)
		self.server.daemon_threads = True
		threading.Thread(target=self.server.serve_forever, daemon=True).start()

	def stop(self):
		self.server.shutdown()
		self.server.server_close()


def counted(stream):
	"""A string with its length in front, as saslauthd is told login, password, service and realm."""
	return stream.read(struct.unpack('!H', stream.read(2))[0]).decode()
