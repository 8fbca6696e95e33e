# signing.py - what the tests of this folder share: keys, messages signed by python3-dkim, and the judge that verifies them
import base64
import os
import re
import subprocess
import sys
import tempfile
import types

sys.path.append('/usr/lib/python3/dist-packages')
try:
	import dkim
	import nacl.signing
except ImportError as e:
	print('python3-dkim and python3-nacl are needed: %s' % e)
	sys.exit(77)

NOW = 1700000000                                           # 2023: long ago for the clock of any machine, which libopendkim looks at itself
PLAIN = [(b'From', b' Bob <bob@sender.example>'), (b'To', b' Anna <anna@example.com>'), (b'Subject', b' Lunch on Friday'),
	(b'Date', b' Tue, 24 Nov 2026 10:00:00 +0000'), (b'Message-ID', b' <1@sender.example>')]
BODY = b'Hi Anna,\r\n\r\nthe small place near the station,  at one.\t \r\n\r\nBob\r\n\r\n\r\n'
SIGNED = [b'from', b'to', b'subject', b'date', b'message-id']


dkim.time = types.SimpleNamespace(time=lambda: NOW)


class Rsa:
	"""An RSA key, made now."""
	kind = 'rsa'

	def __init__(self, bits):
		self.bits = bits
		with tempfile.TemporaryDirectory() as folder:
			path = os.path.join(folder, 'key')
			subprocess.run(['openssl', 'genrsa', '-traditional', '-out', path, str(bits)], check=True, stderr=subprocess.DEVNULL)
			with open(path, 'rb') as f:
				self.private = f.read()
			der = subprocess.run(['openssl', 'rsa', '-in', path, '-pubout', '-outform', 'DER'], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
		self.p = base64.b64encode(der).decode()
		self.record = 'v=DKIM1; k=rsa; p=' + self.p


class Ed25519:
	kind, bits = 'ed25519', 0

	def __init__(self, seed=b'\x07' * 32):
		key = nacl.signing.SigningKey(seed)
		self.private = base64.b64encode(bytes(key))
		self.p = base64.b64encode(bytes(key.verify_key)).decode()
		self.record = 'v=DKIM1; k=ed25519; p=' + self.p


def raw(fields=PLAIN, body=BODY):
	return b''.join(n + b':' + v + b'\r\n' for n, v in fields) + b'\r\n' + body


def sign(message, key, selector='sel', domain='sender.example', canon='relaxed/relaxed', sha1=False, length=False, headers=SIGNED, identity=None, change=None):
	"""The message with one more signature on top. change: what is done with the field's text before it is signed, as (old, new) pairs of bytes."""
	algorithm = b'ed25519-sha256' if key.kind == 'ed25519' else b'rsa-sha1' if sha1 else b'rsa-sha256'
	d = dkim.DKIM(message, signature_algorithm=algorithm, minkey=512)
	d.should_not_sign = set()
	h, b = (c.encode() for c in canon.split('/'))
	if change:
		old = d.gen_header

		def gen_header(fields, include, canonicalize, name, pk, *args, **kwargs):
			return old(change(list(fields)), include, canonicalize, name, pk, *args, **kwargs)
		d.gen_header = gen_header
	field = d.sign(selector.encode(), domain.encode(), key.private, identity=identity, canonicalize=(h, b), include_headers=list(headers), length=length)
	return field + message


class Judge:
	"""The verifier as a child."""
	def __init__(self, path):
		self.child = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		self.zone, self.asked, self.counts = {}, 0, None
		self.set(now=NOW)

	def say(self, data):
		self.child.stdin.write(data if isinstance(data, bytes) else data.encode('latin1'))

	def set(self, **values):
		for name, value in values.items():
			self.say('set %s %d\n' % (name, value))

	def sender(self, domain):
		self.say('from %s\n' % domain)

	def keys(self, *lines):
		self.say('clear\n' + ''.join('zone %s\n' % line for line in lines))

	def verify(self, message):
		"""[(result, d, s, i, a, b, bits, flags, problem)]; then self.counts = (fields, duplicates, beyond), self.asked"""
		self.say('message %d\n' % len(message))
		self.say(message)
		self.child.stdin.flush()
		out = []
		while True:
			line = self.child.stdout.readline().decode()
			if not line:
				raise SystemExit('the judge ended: %r' % self.child.wait())
			if line.startswith('end '):
				numbers = [int(n) for n in line.split()[1:]]
				self.counts, self.asked = tuple(numbers[:3]), numbers[3]
				return out
			out.append(tuple(line.rstrip('\n').split('\t')))

	def results(self, message):
		return [r[0] for r in self.verify(message)]

	def close(self):
		self.child.stdin.close()
		self.child.stdout.close()
		return self.child.wait()


def txt(selector, domain, record):
	return '%s._domainkey.%s TXT %s' % (selector, domain, record)


def tags(field):
	"""The tag list of a DKIM-Signature as a dict of bytes without blanks."""
	return {n.strip(): re.sub(rb'\s+', b'', v) for n, _, v in (t.partition(b'=') for t in field.split(b':', 1)[1].split(b';')) if n.strip()}
