# syslog.py - a datagram socket that writes what it gets to a file: Sendmail tells its troubles to /dev/log alone
import re
import socket
import threading


class Syslog:
	def __init__(self, path, file):
		self.socket, self.file = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), open(file, 'ab', 0)
		self.socket.bind(path)
		self.thread = threading.Thread(target=self.listen, daemon=True)
		self.thread.start()

	def listen(self):
		while True:
			try:
				line = self.socket.recv(65536)
			except OSError:
				return
			if not line:                                     # shut down
				return
			self.file.write(re.sub(rb'^<\d+>', b'', line).rstrip(b'\n\0') + b'\n')

	def stop(self):
		self.socket.shutdown(socket.SHUT_RDWR)
		self.thread.join()
		self.socket.close()
		self.file.close()
