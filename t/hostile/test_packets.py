# test_packets.py - packets that no MTA sends: broken, cut at every byte, in impossible order, random; none harms the daemon, none keeps a session
import random
import socket
import struct

from hostile import (ABORT, BODY_PACKET, CONNECT, CONNECT_MACROS, DATA, EOH, EOM, HEADERS, HELO, MAIL, MESSAGE, QUIT, QUIT_NC, RCPT, RECORDED, Scale, Talker, check,
	header, macros, negotiation, packet, run)

SHORT = negotiation() + CONNECT + HELO                              # replies: O c c
ENVELOPE = MAIL + RCPT
CONTENT = DATA + HEADERS + EOH + BODY_PACKET + EOM


def letters(daemon, data, timeout=20):
	"""Sends all, then nothing more: the replies until the milter closes."""
	with Talker(daemon.address, timeout) as t:
		try:
			t.send(data)
		except ConnectionError:
			pass                                                      # it had enough
		return t.rest()


def lengths(daemon):
	bad = [0, 1 << 31, (1 << 32) - 1, (1 << 31) - 1, 17 << 20, 65536 + 2, 0x7fffffff]
	for prefix in (b'', negotiation(), SHORT, SHORT + MAIL, SHORT + ENVELOPE + DATA, SHORT + ENVELOPE + DATA + HEADERS + EOH):
		for length in bad:
			for command in b'OCHMRTLNBEAQKDU\0\xff':
				got = letters(daemon, prefix + struct.pack('!I', length) + bytes([command]) + b'x' * 64)
				check(len(got) <= 7, 'length %d of command %c: replies %s', length, command, got)
	daemon.same('lengths that are lies')


def lengths_that_hold(daemon):
	"""As much as is announced is sent, more than a milter takes."""
	for size in (65535, 65536, 65537, 100000, 1 << 20, Scale.of(17 << 20, 1 << 20)):
		for command in (b'M', b'R', b'B', b'D', b'H'):
			letters(daemon, SHORT + packet(command, b'<' + b'a' * (size - 2) + b'\0'))
	daemon.same('packets of up to 17 MB')


def unknown_commands(daemon):
	known = b'OCHMRTLNBEAQKDU'
	for command in range(256):
		if command in known:
			continue
		for data in (b'', b'\0', b'x' * 100):
			check(letters(daemon, SHORT + packet(bytes([command]), data)) == 'Occ', 'command %d was answered', command)
		letters(daemon, packet(bytes([command]), b'x'))
	daemon.same('unknown commands')


def empty_packets(daemon):
	"""Each command without data, and with one NUL, at each stage."""
	stages = [b'', negotiation(), SHORT, SHORT + MAIL, SHORT + ENVELOPE, SHORT + ENVELOPE + DATA, SHORT + ENVELOPE + DATA + HEADERS, SHORT + ENVELOPE + DATA + HEADERS + EOH]
	for prefix in stages:
		for command in b'OCHMRTLNBEAQKDU':
			for data in (b'', b'\0', b'\0\0\0', b'x', b'\xff' * 3):
				letters(daemon, prefix + packet(bytes([command]), data) + MESSAGE)
	daemon.same('empty packets')


def a_close_at_every_byte(daemon):
	step = 1 if Scale.factor == 1 else 7
	for n in range(0, len(RECORDED), step):
		with Talker(daemon.address) as t:
			t.send(RECORDED[:n])                                      # closed with the replies unread
	daemon.same('a close after each of %d bytes' % len(RECORDED))
	for n in range(0, len(RECORDED), step):
		got = letters(daemon, RECORDED[:n])
		check('Occcccc'.startswith(got[:7]), 'after %d bytes: %s', n, got)
	daemon.same('an end after each of %d bytes' % len(RECORDED))


def a_close_at_every_stage(daemon):
	"""Closed after the answer to each packet, so that the daemon stands in each of its states; by close and by reset."""
	conversation = [(negotiation(), True), (CONNECT_MACROS + CONNECT, True), (HELO, True), (MAIL, True), (RCPT, True), (DATA, False), (HEADERS, False), (EOH, True),
		(BODY_PACKET, True), (EOM, True), (MAIL, True), (ABORT, False)]
	for reset in (False, True):
		for n in range(len(conversation) + 1):
			with Talker(daemon.address) as t:
				for data, answered in conversation[:n]:
					t.send(data)
					if answered:
						t.answer()
				if reset:
					t.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
	daemon.same('a close at each stage')


def impossible_order(daemon):
	"""What comes of it is known: a command that cannot be is passed over, or ends the message that was under way."""
	cases = [
		('a header before MAIL', header(b'Subject', b' x') + ENVELOPE + CONTENT, 'ccccc'),
		('an end without MAIL', EOM + EOM, ''),
		('a body without MAIL', BODY_PACKET + EOM, ''),
		('a recipient without MAIL', RCPT + DATA + EOM, ''),
		('headers without a recipient', MAIL + HEADERS + EOH + EOM, 'c'),
		('DATA without a recipient', MAIL + DATA + HEADERS + EOH + EOM, 'c'),
		('a recipient after DATA', ENVELOPE + DATA + RCPT + HEADERS + EOM, 'cc'),
		('MAIL after DATA', ENVELOPE + DATA + MESSAGE, 'ccccccc'),
		('two MAILs', MAIL + MAIL + RCPT + CONTENT, 'cccccc'),
		('a header after the header', ENVELOPE + DATA + HEADERS + EOH + header(b'X-Late', b' x') + EOM, 'ccc'),
		('two ends', ENVELOPE + CONTENT + EOM, 'ccccc'),
		('two ends of header', ENVELOPE + DATA + HEADERS + EOH + EOH + EOM, 'ccc'),
		('a body after the end', ENVELOPE + CONTENT + BODY_PACKET + EOM, 'ccccc'),
		('two aborts', MAIL + ABORT + ABORT + ABORT + MESSAGE, 'cccccc'),
		('aborts everywhere', ABORT + MAIL + ABORT + ABORT + MAIL + RCPT + ABORT + MAIL + RCPT + DATA + ABORT + ABORT + MAIL + RCPT + DATA + HEADERS + ABORT + MESSAGE, None),
		('an abort after a message', MESSAGE + ABORT + ABORT + MESSAGE, 'cccccccccc'),
		('a second negotiation', negotiation() + MESSAGE, 'ccccc'),
		('a negotiation within a message', MAIL + negotiation() + MESSAGE, 'cccccc'),
		('a second connection', CONNECT + MESSAGE, 'ccccc'),
		('a connection within a message', ENVELOPE + CONNECT + MESSAGE, 'ccccccc'),
		('a greeting within a message', ENVELOPE + HELO + MESSAGE, 'cccccccc'),
		('a thousand greetings', HELO * 1000 + MESSAGE, 'c' * 1005),
		('two quits', QUIT + QUIT + MESSAGE, ''),
		('a quit within a message', ENVELOPE + DATA + QUIT + MESSAGE, 'cc'),
		('a quit with a new connection', MESSAGE + QUIT_NC + CONNECT + HELO + MESSAGE, None),
		('quits with new connections', (MESSAGE + QUIT_NC + CONNECT) * 20, None),
		('a quit with a new connection within a message', ENVELOPE + QUIT_NC + CONNECT + MESSAGE + QUIT_NC + QUIT_NC + QUIT, None),
	]
	for name, data, expected in cases:
		got = letters(daemon, SHORT + data)
		check(got.startswith('Occ'), '%s: replies %s', name, got)
		check(expected is None or got[3:] == expected, '%s: replies %s, not %s', name, got[3:], expected)
	for name, data, expected in [
			('nothing but a greeting', negotiation() + HELO + MAIL, None), ('a message without connection', negotiation() + MESSAGE, None),
			('a connection without negotiation', CONNECT + HELO + MESSAGE, None), ('a message without negotiation', MESSAGE, None),
			('an unknown command before all', packet(b'U', b'X\0') + SHORT, None), ('macros before all', CONNECT_MACROS + SHORT, 'Occ'),
			('an unknown command before the connection', negotiation() + packet(b'U', b'X\0') + CONNECT, None)]:
		got = letters(daemon, data)
		check(expected is None or got == expected, '%s: replies %s, not %s', name, got, expected)
		check('c' not in letters(daemon, data + MESSAGE)[1:] or expected is not None or 'O' in got, '%s: a message was taken', name)
	daemon.same('impossible orders')


def old_protocols(daemon):
	"""An MTA of an older protocol says no DATA; its messages are judged all the same."""
	for version in (2, 3, 4, 5, 6):
		got = letters(daemon, negotiation(version, 0x3f, 0x7f) + CONNECT + HELO + ENVELOPE + HEADERS + EOH + BODY_PACKET + EOM)
		check(got.startswith('Occ') and got.endswith('c') and not set(got) & set('yrt'), 'protocol %d without DATA: replies %s', version, got)
	for version in (0, 1, 7, 100, 0x7fffffff, 0xffffffff):
		letters(daemon, negotiation(version) + CONNECT + HELO + MESSAGE)
	for actions, protocol in ((0, 0), (1, 0), (0, 0xffffffff), (0xffffffff, 0xffffffff), (0x1ff, 0x1fffff), (0x1ff, 0)):
		got = letters(daemon, negotiation(6, actions, protocol) + CONNECT + HELO + MESSAGE)
		check(got[:1] in ('O', ''), 'actions %x, protocol %x: replies %s', actions, protocol, got)
	daemon.same('old and future protocols')


def odd_macros(daemon):
	many = [b'{m%d}' % (i % 1000) if i % 2 == 0 else b'v' for i in range(10000)]
	cases = [macros(stage, *many) for stage in (b'C', b'H', b'M', b'R', b'T', b'E', b'N')]
	for stage in b'CHMRTENXQ\0\xff':
		stage = bytes([stage])
		cases += [packet(b'D', stage + data) for data in (
			b'', b'\0', b'\0\0', b'\0\0\0', b'a', b'{client_addr}', b'{client_addr}\0', b'{client_addr}\0198.51.100.9', b'a\0b\0c\0', b'{v}\0', b'i\0', b'i',
			b'j\0' * 7, b'\0' * 1001, b'x' * 5000, b'{' * 300 + b'\0' + b'}' * 300 + b'\0', b'\xff\xfe\0\r\n.\r\n\0', b'%s%n%s\0%n\0')]
	for data in cases:
		# at each stage; what a macro packet says belongs to the next event
		got = letters(daemon, negotiation() + data + CONNECT + data + HELO + data + MAIL + data + RCPT + data + DATA + HEADERS + data + EOH + BODY_PACKET + data + EOM)
		check(got == '' or got.startswith('O'), 'macros %r: replies %s', data[4:40], got)
	daemon.same('odd macros')


def macros_over_used_memory(daemon):
	"""A list of macros that ends with a name stands where a block of other bytes stood before: what follows it must not be taken for names."""
	for rounds in range(Scale.of(50)):
		for size in (24, 40, 56, 72, 88, 104):
			names = (size - 8) // 16 * 2 - 1
			spray = packet(b'D', b'?' + b'A' * (size - 1)) * 20
			odd = packet(b'D', b'M' + b'x\0' * max(names, 1))
			got = letters(daemon, SHORT + spray + odd + MAIL + spray + odd.replace(b'DM', b'DR', 1) + RCPT)
			check(got == 'Occcc', 'macros that end with a name: replies %s', got)
	daemon.same('macros that end with a name')


def odd_addresses(daemon):
	port = b'\x9c\x41'
	for family, address in [(b'4', b'198.51.100.9\0'), (b'6', b'2001:db8::1\0'), (b'6', b'IPv6:2001:db8::1\0'), (b'L', b'/run/x\0'), (b'U', b''), (b'L', b'\0'), (b'6', b'::ffff:1.2.3.4\0')]:
		got = letters(daemon, negotiation() + packet(b'C', b'host\0' + family + (b'' if family == b'U' else port) + address) + HELO + MESSAGE)
		check(got.startswith('Occ'), 'family %r address %r: replies %s', family, address, got)
	bad = [b'', b'\0', b'host', b'host\0', b'host\0004', b'host\0004\x9c', b'host\0004' + port, b'host\0004' + port + b'198.51.100.9', b'host\0004' + port + b'\0',
		b'host\0004' + port + b'999.1.1.1\0', b'host\0004' + port + b'2001:db8::1\0', b'host\0006' + port + b'198.51.100.9\0', b'host\0006' + port + b'::1::\0',
		b'host\0006' + port + b':' * 1000 + b'\0', b'host\0X' + port + b'1\0', b'host\0\xff' + port + b'\0', b'host\0L' + port + b'/' * 5000 + b'\0', b'h' * 60000 + b'\0004' + port + b'1.2.3.4\0',
		b'\xff' * 300 + b'\0004' + port + b'1.2.3.4\0', b'host\0004' + port + b'1.2.3.4\0' + b'more\0' * 100, b'host\0' * 1000, b'host\0U' + port + b'1.2.3.4\0', b'host\0U']
	for data in bad:
		letters(daemon, negotiation() + CONNECT_MACROS + packet(b'C', data) + HELO + MESSAGE)
	daemon.same('odd addresses')


def odd_arguments(daemon):
	"""Greetings and paths without NUL, empty, long, of any byte."""
	texts = [b'', b'\0', b'x', b'<a@b.example>', b'\0\0', b'\0x\0', b'<>\0', b'<\0', b'>\0', b'<' + b'a' * 65000 + b'@b.example>\0', b'<' + b'<' * 30000 + b'\0', b'<' + b'@' * 30000 + b'>\0',
		b'<"' + b'\\"' * 20000 + b'"@b.example>\0', b'<a@' + b'b.' * 30000 + b'example>\0', b'<a@[' + b'1' * 60000 + b']>\0', b'<a@b.example>\0' + b'X\0' * 20000, b'<a@b.example>\0SIZE=' + b'9' * 60000 + b'\0',
		b'<a@b.example>\0SIZE=-1\0SIZE=\0SIZE=1x\0SIZE=18446744073709551615\0', b'<\xff\xfe@\x80.example>\0', b'<a@b.example>\r\nX: y\0', b'<%s%n%d@b.example>\0', b'<(((((' + b'(' * 60000 + b'>\0',
		bytes(range(1, 256)) + b'\0', b'\0' * 65000]
	for data in texts:
		for prefix, command, rest in ((negotiation() + CONNECT, b'H', MESSAGE), (SHORT, b'M', RCPT + CONTENT), (SHORT + MAIL, b'R', CONTENT), (SHORT, b'U', MESSAGE), (SHORT + MAIL, b'U', RCPT),
				(SHORT + ENVELOPE + DATA, b'L', CONTENT[len(DATA):])):
			letters(daemon, prefix + packet(command, data) + rest)
	names = [b'X' * 60000, b'', b' ', b':', b'X-Winnow-Class', b'X-Winnow-' + b'y' * 60000, b'\xff\x80', b'From\r\nX', b'Content-Type', b'%n%s']
	for name in names:
		for value in (b'', b' ', b'\n', b'\r\n\r\n', b' x\n y', b'\n' * 60000, b' ' * 60000, b'(' * 60000, b'"' * 60001, b' multipart/mixed; boundary="' + b'b' * 60000):
			letters(daemon, SHORT + ENVELOPE + DATA + packet(b'L', (name + b'\0' + value + b'\0')[:65000] + b'\0') + EOH + BODY_PACKET + EOM)
	daemon.same('odd arguments')


def random_bytes(daemon):
	r = random.Random(20261126)
	for i in range(Scale.of(600)):
		data = bytes(r.randrange(256) for _ in range(r.randrange(1, 600)))
		letters(daemon, (b'', negotiation(), SHORT, SHORT + ENVELOPE)[i % 4] + data)
	for i in range(Scale.of(600)):
		# whole packets, known commands, random content and order
		data = b''.join(packet(bytes([r.choice(b'OCHMRTLNBEAKDU')]), bytes(r.choice(b'\0\0\0<>@ab.4:') if r.random() < 0.7 else r.randrange(256) for _ in range(r.randrange(0, 40))))
			for _ in range(r.randrange(1, 40)))
		letters(daemon, (negotiation(), SHORT, SHORT + ENVELOPE, SHORT + ENVELOPE + DATA)[i % 4] + data)
	daemon.same('random bytes')


def one_byte_changed(daemon):
	r = random.Random(8161)
	for at in range(0, len(RECORDED), 1 if Scale.factor == 1 else 11):
		letters(daemon, RECORDED[:at] + bytes([RECORDED[at] ^ (1 << r.randrange(8))]) + RECORDED[at + 1:])
	daemon.same('one byte changed at each place')


run([lengths, lengths_that_hold, unknown_commands, empty_packets, a_close_at_every_byte, a_close_at_every_stage, impossible_order, old_protocols, odd_macros, macros_over_used_memory,
	odd_addresses, odd_arguments, random_bytes, one_byte_changed])
