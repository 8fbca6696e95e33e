# ports.py - a TCP port of loopback that the kernel chose and that nobody else gets while we hold it
import socket


class Port:
	"""Bound but never listening: a server with SO_REUSEADDR (Postfix, libmilter) can take the port, the kernel gives it to nobody else."""
	def __init__(self):
		self.held = socket.socket()
		self.held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		self.held.bind(('127.0.0.1', 0))
		self.number = self.held.getsockname()[1]

	def close(self):
		self.held.close()
