# test_nameserver.py - the DNS server of the tests does what its zone says
import os
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from nameserver import TYPES, DnsServer, Zone, ZoneError, wire_name          # noqa: E402

ZONE = """
# comment
$TTL 77
example.com A 192.0.2.1
example.com. TXT "v=spf1 -all" "x\\000\\"y"
example.com TXT plain text  with  blanks
example.com MX 10 mx.example.com
www.example.com CNAME example.com
broken.example.com CNAME gone.example.com
loop.example.com CNAME loop.example.com
a.b.example.net A 192.0.2.2
PTR 192.0.2.1 mail.example.com
PTR 2001:db8::1 six.example.com
many.example A 192.0.2.{1..100}
*.wild.example A 127.0.0.2
one.wild.example TXT here
sf.example SERVFAIL
part.example A 192.0.2.3
part.example SERVFAIL/TXT
gone.example NXDOMAIN
gone.example A 192.0.2.4
empty.example EMPTY
slow.example SLOW 200
slow.example A 192.0.2.5
silent.example SILENT
twice.example SILENT 2
twice.example A 192.0.2.6
cut.example TRUNCATED
cut.example A 192.0.2.7
notcp.example NOTCP
notcp.example A 192.0.2.7
liar.example WRONGID
liar.example WRONGNAME ONLY
liar.example A 192.0.2.8
good.example SECURE
good.example A 192.0.2.9
odd.example TYPE65280 0a0b
"""


class Nameserver(unittest.TestCase):
	def setUp(self):
		self.server = DnsServer(ZONE)
		self.addCleanup(self.server.close)

	def packet(self, name, kind, edns=True):
		return struct.pack('!6H', 0x1234, 0x0120, 1, 0, 0, edns) + wire_name(name) + struct.pack('!HH', TYPES[kind], 1) + (b'\0' + struct.pack('!HHIH', 41, 1232, 0, 0) if edns else b'')

	def udp(self, name, kind='A', wait=1.0, edns=True):
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
			s.settimeout(wait)
			s.sendto(self.packet(name, kind, edns), ('127.0.0.1', self.server.port))
			return s.recv(4096)

	def tcp(self, name, kind='A', wait=2.0):
		with socket.create_connection(('127.0.0.1', self.server.port), wait) as s:
			p = self.packet(name, kind)
			s.sendall(struct.pack('!H', len(p)) + p)
			n, = struct.unpack('!H', s.recv(2, socket.MSG_WAITALL))
			return s.recv(n, socket.MSG_WAITALL)

	def head(self, answer):
		"""(rcode, answers, authority, cut, secure)"""
		_, flags, _, an, ns, _ = struct.unpack('!6H', answer[:12])
		return flags & 15, an, ns, bool(flags & 0x200), bool(flags & 0x20)

	def test_records_are_those_of_the_zone(self):
		for name, kind, want in (('example.com', 'A', b'\xc0\0\x02\x01'), ('EXAMPLE.com', 'MX', b'\0\x0a' + wire_name('mx.example.com')), ('1.2.0.192.in-addr.arpa', 'PTR', wire_name('mail.example.com')),
				('example.com', 'TXT', b'\x0bv=spf1 -all\x04x\0"y'), ('example.com', 'TXT', b'\x18plain text  with  blanks'), ('x.y.wild.example', 'A', b'\x7f\0\0\x02'),
				('1.' + '0.' * 23 + '8.b.d.0.1.0.0.2.ip6.arpa', 'PTR', wire_name('six.example.com')), ('www.example.com', 'A', b'\xc0\0\x02\x01')):
			self.assertIn(want, self.udp(name, kind), (name, kind))
		self.assertIn(struct.pack('!HHIH', 1, 1, 77, 4), self.udp('example.com'))
		self.assertEqual(self.head(self.udp('www.example.com'))[:2], (0, 2))

	def test_rules_are_kept_apart(self):
		for name, kind, want in (('sf.example', 'A', (2, 0, 0)), ('part.example', 'A', (0, 1, 0)), ('part.example', 'TXT', (2, 0, 0)), ('gone.example', 'A', (3, 0, 1)), ('empty.example', 'A', (0, 0, 1)),
				('nowhere.example', 'A', (3, 0, 1)), ('b.example.net', 'A', (0, 0, 1)), ('example.com', 'AAAA', (0, 0, 1)), ('broken.example.com', 'A', (3, 1, 1)), ('loop.example.com', 'A', (2, 0, 0)),
				('one.wild.example', 'A', (0, 0, 1)), ('two.wild.example', 'A', (0, 1, 0))):
			self.assertEqual(self.head(self.udp(name, kind))[:3], want, (name, kind))
		self.assertTrue(self.head(self.udp('good.example'))[4])
		self.assertFalse(self.head(self.udp('example.com'))[4])

	def test_what_does_not_fit_is_cut_and_tcp_has_it_whole(self):
		for name in ('cut.example', 'many.example'):
			self.assertEqual(self.head(self.udp(name))[1:4], (0, 0, True))
			self.assertGreater(self.head(self.tcp(name))[1], 0)
		self.assertEqual(self.head(self.tcp('many.example'))[1], 100)
		self.assertEqual(self.head(self.udp('notcp.example'))[1], 1)
		with self.assertRaises(socket.timeout):
			self.tcp('notcp.example', wait=0.2)

	def test_silence_and_slowness(self):
		before = time.monotonic()
		self.assertEqual(self.head(self.udp('slow.example'))[1], 1)
		self.assertTrue(0.2 <= time.monotonic() - before < 0.5)
		for _ in range(2):
			with self.assertRaises(socket.timeout):
				self.udp('twice.example', wait=0.1)
		self.assertEqual(self.head(self.udp('twice.example'))[1], 1)
		self.server.silence()
		with self.assertRaises(socket.timeout):
			self.udp('example.com', wait=0.1)
		self.server.speak()
		self.assertEqual(self.head(self.udp('example.com'))[1], 1)
		self.assertEqual(self.server.times_asked('twice.example', 'A'), 3)
		self.assertEqual(self.server.times_asked('Example.com.', 'TXT'), 0)

	def test_lies_come_first_and_alone_where_told(self):
		answer = self.udp('liar.example')
		self.assertEqual(answer[:2], b'\x12\x34')
		self.assertNotEqual(answer[12:17], b'\x04liar')
		self.server.zone.forget('liar.example')
		self.server.zone.add('liar.example A 192.0.2.8')
		self.assertIn(b'\xc0\0\x02\x08', self.udp('liar.example'))

	def test_mistakes_are_named(self):
		for bad in ('example.com', 'example.com A 1.2.3', 'example.com WHAT x', 'example.com MX mx.example.com', 'x TYPE9 zz'):
			with self.assertRaises(ZoneError, msg=bad):
				Zone(bad)


if __name__ == '__main__':
	unittest.main()
