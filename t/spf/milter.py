#!/usr/bin/env python3
"""milter.py BUILD_DIR [FILE]: the openspf.org suite for RFC 7208, each case as an SMTP conversation with winnow-milter, one daemon for all. Exit 77: the suite is not installed.

The result is read from the reply (fail), or else from Authentication-Results and Received-SPF, which have to agree.
"""
import gzip
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), x) for x in ('play', 'fake')]

import daemon                                              # noqa: E402
import message                                             # noqa: E402
import mta                                                 # noqa: E402
import nameserver                                          # noqa: E402
from suite import DIST, PLACES                             # noqa: E402

# nothing but SPF may refuse; HELO is judged where it is the identity, with the null sender
CONFIG = '''spf { check_helo = false }
dns { servers = { "{dns}" }  timeout = "2s" }
evidence { received_spf = true }
class "spf-fail" { action = "reject" }
class "helo-invalid" { action = "ignore" }
class "sender-invalid" { action = "ignore" }
class "dns-missing" { action = "ignore" }
class "address-chars" { action = "ignore" }
'''
MAIL = 'From: Bob <bob@example.net>\r\nTo: Anna <anna@example.com>\r\nSubject: lunch\r\nMessage-ID: <1@example.net>\r\nDate: %s\r\n\r\nHi Anna,\r\n'


def key(name):
	"""As the server reads it in a question."""
	return nameserver.canonical(nameserver.text_name(nameserver.wire_name(name), 0)[0])


def put(zone, name, kind, value):
	"""A record, as octets; names of the suite hold blanks and other things that a zone's line cannot."""
	name = key(name)
	if kind == 'TXT':
		rdata = b''.join(bytes([len(x)]) + x for part in value for x in pieces(part.encode('utf8', 'surrogateescape')))
	else:
		rdata = nameserver.data(kind, value)
	zone.records.setdefault(name, {}).setdefault(nameserver.TYPES[kind], []).append((300, rdata))
	while '.' in name:
		name = name.partition('.')[2]
		zone.above.add(name)


def pieces(text):
	return [text[i:i + 255] for i in range(0, max(len(text), 1), 255)]


def fill(zone, name, entries):
	"""A name of the suite: {type: value}, or TIMEOUT for all; a record of type SPF stands for a TXT one where there is none."""
	texts, spf = [], []
	for entry in entries:
		if entry == 'TIMEOUT':
			zone.rules.setdefault(key(name), []).extend(['SILENT', nameserver.TYPES[t], ''] for t in ('A', 'AAAA', 'MX', 'PTR', 'TXT')
				if t not in [k for e in entries if isinstance(e, dict) for k in e if e[k] != 'NONE'])
			continue
		for kind, value in entry.items():
			if value == 'TIMEOUT':
				zone.rules.setdefault(key(name), []).append(['SILENT', nameserver.TYPES['TXT' if kind == 'SPF' else kind], ''])
			elif kind in ('TXT', 'SPF'):
				value = value if isinstance(value, list) else [value]
				(texts if kind == 'TXT' else spf).append(None if value == ['NONE'] else value)
			else:
				put(zone, name, kind, '%d %s' % (value[0], value[1] or '.') if kind == 'MX' else value)
	for value in texts or spf:
		if value is not None:
			put(zone, name, 'TXT', value)
	zone.records.setdefault(key(name), {})


def header(reply, name):
	return ' '.join(re.sub(r'\r?\n[ \t]+', ' ', m.value) for m in reply.mods if m.name == name and m.kind in ('insert', 'add'))


def result(reply):
	"""What the conversation said."""
	if not reply.ok:
		return 'fail' if (reply.code, reply.xcode) == (550, '5.7.23') else 'reply %s' % reply
	found = re.search(r'spf=(\w+)(?: reason=(?:"(?:[^"\\]|\\.)*"|\S+))? smtp\.(?:mailfrom|helo)', header(reply, 'Authentication-Results'))
	second = re.match(r'(\w+) \(', header(reply, 'Received-SPF'))
	if not found or not second or found.group(1) != second.group(1):
		return 'said differently: %s; %s' % (header(reply, 'Authentication-Results'), header(reply, 'Received-SPF'))
	return found.group(1)


def path(sender):
	"""As it stands in MAIL: what is no dot-atom before the @ is quoted."""
	local, at, domain = sender.rpartition('@')
	return sender if not at or re.fullmatch(r"[\w!#$%&'*+/=?^`{|}~.-]*", local) else '"%s"@%s' % (re.sub(r'([\\"])', r'\\\1', local), domain)


def converse(d, t):
	m = mta.Mta(d.address, 'postfix')
	try:
		reply = m.connect(t['host'])
		for step in (lambda: m.helo(t.get('helo') or ''), lambda: m.mail('<%s>' % path(t.get('mailfrom') or '')), lambda: m.rcpt('<anna@example.com>'), lambda: m.send((MAIL % message.date()).encode())):
			reply = step() if reply.ok else reply
		return reply
	finally:
		m.drop()


def other_server(d, server):
	"""A server of its own for each scenario: at the reload every answer of the one before is forgotten."""
	d.dns, mark = server.server, d.log_size()
	d.write_config(d.lines)
	d.signal('HUP')
	end = time.monotonic() + 10
	while 'is in force' not in d.log(mark):
		if time.monotonic() > end:
			raise SystemExit('no reload: ' + d.log(mark))
		time.sleep(0.01)


def play(d, scenarios):
	wrong, n = [], 0
	for scenario in scenarios:
		server = nameserver.DnsServer()
		for name, entries in scenario['zonedata'].items():
			fill(server.zone, name, entries)
		other_server(d, server)
		for test, t in scenario['tests'].items():
			n += 1
			reply = converse(d, t)
			got, want = result(reply), t['result'] if isinstance(t['result'], list) else [t['result']]
			if got not in want:
				wrong.append('%s / %s: expected %s, got %s (%s)' % (scenario['description'], test, ' or '.join(want), got, reply))
		server.close()
	return wrong, n


def main():
	path = (sys.argv[2:] + PLACES)[0]
	if os.path.isdir(DIST):
		sys.path.append(DIST)
	try:
		import yaml
		data = gzip.open(path) if path.endswith('.gz') else open(path, 'rb')
	except (ImportError, OSError) as e:
		print('skipped:', e)
		return 77
	d = daemon.Daemon(sys.argv[1], CONFIG)
	try:
		d.start()
		wrong, n = play(d, list(yaml.safe_load_all(data)))
		d.stop()
		if d.sanitizer_report():
			wrong.append(d.sanitizer_report())
	finally:
		d.kill()
		d.clean()
	print('\n'.join(wrong))
	print('%d cases, %d wrong' % (n, len(wrong)))
	return 1 if wrong or n < 150 else 0


if __name__ == '__main__':
	sys.exit(main())
