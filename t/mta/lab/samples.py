# samples.py - messages that show what Winnow does, each with the answer it must get; played by t/mta and by contrib/run --demo
import copy

from lab import mail

# What the samples need of the milter's configuration.
SETTINGS = '''
domains = "inline:sink.test"
block_ips = "inline:198.51.100.66, 127.51.100.66"
block_senders = "inline:spammer@bad.example"
block_senders_outgoing = "inline:leaver@lab.test"
allow_senders = "inline:friend.example"
policies = "inline:bert@lab.test=careful"
relay_networks = "inline:192.0.2.0/28"
tls { sender_domains = "inline:bank.example" }
structure { size_max = "1M" }
conduct { unknown_commands_max = 3  failed_recipients_max = 3 }
rate { messages_connection_max = 2 }
recipient { blackhole = "inline:devnull@sink.test" }
evidence { outgoing = true }
sender { login_maps = "inline:ceo@lab.test=bert@lab.test, lab.test=alice@lab.test, bert@lab.test=bert@lab.test" }
domain "local.test" { recipients = "inline:anna@local.test"  block_senders = "inline:former.example" }
domain "secure.test" { policy = "secure" }
domain "observed.test" { policy = "observing" }
domain "held.test" { policy = "holding" }
policy "secure" { tls { required = true } }
policy "careful" { tls { required_outgoing = true } }
policy "observing" { mode = "observe" }
policy "holding" { class "line-too-long" { action = "hold" } }
'''


class Sample:
	"""title: what is sent; cls: class that decides ("not-spam": a clean message); code: of the reply; stage: whose reply that is.
	delivered: to the sink (else refused, held or dropped); talk: client -> reply, for what is no plain message; xcode: of the reply, where it is not the class's own;
	own_words: the MTA refuses in its own words, only the log tells more; sendmail: what differs there, as a dict; or why there can be no such case, as a string."""
	def __init__(self, title, cls, code, stage, sender='bob@sender.example', to='anna@sink.test', message=None, parameters='', talk=None, delivered=False,
			listener='mx', addr='203.0.113.7', name='mail.sender.example', helo='mail.sender.example', tls=False, login=None, xcode=None, own_words=False, sendmail=None):
		self.title, self.cls, self.code, self.stage, self.delivered = title, cls, code, stage, delivered
		self.sender, self.to, self.message, self.parameters, self.talk = sender, to.split(' '), message, parameters, talk
		self.listener, self.addr, self.name, self.helo, self.tls, self.login = listener, addr, name, helo, tls, login
		self.xcode, self.own_words, self.sendmail = xcode, own_words, sendmail or {}
		self.outbound = listener != 'mx'
		self.brand = 'X-Winnow-Outgoing-' if self.outbound else 'X-Winnow-'

	def through(self, kind):
		"""The sample as that MTA wants it; None if it has no such case."""
		if kind != 'sendmail' or not self.sendmail:
			return self
		if isinstance(self.sendmail, str):
			return None
		other = copy.copy(self)
		vars(other).update(self.sendmail)
		return other

	def play(self, lab):
		"""The reply that counts: the refusal, or the one to the end of message."""
		client = lab.client(self.listener, addr=self.addr, name=self.name, helo=self.helo)
		try:
			if not client.greeting.ok:                           # a refused connection is told why only now
				client.say('EHLO ' + self.helo)
				return client.mail(self.sender)
			if self.tls:
				client.starttls()
			if self.login:
				client.auth(self.login, 'secret')
			if self.talk:
				return self.talk(client)
			return client.send(self.sender, self.to, mail.letter() if self.message is None else self.message, self.parameters)
		finally:
			client.close()


def unknown_commands(client):
	for _ in range(3):
		client.say('FOOBAR')
	return client.say('FOOBAR', 'command')


def failed_recipients(client):
	client.mail('bob@sender.example')
	for n in range(4):
		client.rcpt('nobody%d@sink.test' % n)                   # Postfix itself refuses these
	return client.rcpt('anna@sink.test')


def recipients_we_refuse(client):
	client.mail('bob@sender.example')
	for n in range(4):
		client.rcpt('nobody%d@local.test' % n)                  # Sendmail does not tell a milter of its own refusals
	return client.rcpt('anna@sink.test')


def many_messages(client):
	for _ in range(2):
		client.send('alice@lab.test', ['carl@remote.example'], mail.letter(sender='alice@lab.test'))
	return client.mail('alice@lab.test')


ALICE = dict(listener='submission', tls=True, login='alice@lab.test', sender='alice@lab.test', to='carl@remote.example', helo='laptop.lab.test')

SAMPLES = [
	Sample('a clean message', 'not-spam', 250, 'eom', delivered=True),
	Sample('a clean message, over TLS and IPv6', 'not-spam', 250, 'eom', addr='2001:db8::7', tls=True, delivered=True,
		sendmail=dict(title='a clean message, over TLS', addr='203.0.113.8')),
	Sample('alice submits with TLS and password', 'not-spam', 250, 'eom', **ALICE, message=mail.letter(sender='alice@lab.test'), delivered=True),
	Sample('an allowed sender, with an odd Date', 'whitelisted', 250, 'eom', sender='f@friend.example', message=mail.letter(date='Mon, 1 Jan 2001 12:00:00 +0000'), delivered=True),
	Sample('a strange Date, domain that only observes', 'date-skew', 250, 'eom', to='anna@observed.test', message=mail.letter(date='Mon, 1 Jan 2001 12:00:00 +0000'),
		delivered=True),
	Sample('from a blocked address', 'ip-blacklisted', 554, 'mail', addr='198.51.100.66',
		sendmail=dict(code=550, xcode='5.0.0', own_words=True)),               # "Command rejected": a milter's words at connect are lost
	Sample('greets with our own name', 'helo-is-us', 550, 'rcpt', helo='mx.lab.test', sendmail='a client from loopback may say so'),
	Sample('greets with a bare address', 'helo-invalid', 504, 'rcpt', helo='203.0.113.7'),
	Sample('from a blocked sender', 'sender-blacklisted', 550, 'rcpt', sender='spammer@bad.example'),
	Sample('from a sender the domain refuses', 'sender-refused-by-domain', 550, 'rcpt', sender='x@former.example', to='anna@local.test'),
	Sample('to a recipient that does not exist', 'destination-not-configured', 550, 'rcpt', to='bert@local.test'),
	Sample('to a domain that is not ours', 'relay-not-permitted', 550, 'rcpt', to='x@elsewhere.test'),
	Sample('to an address with a pipe', 'address-chars', 550, 'rcpt', to='an|na@sink.test'),
	Sample('a bounce to two recipients', 'bounce-multi-recipient', 550, 'rcpt', sender='', to='anna@sink.test carl@sink.test'),
	Sample('a bank, without TLS', 'tls-required-sender', 530, 'rcpt', sender='info@bank.example'),
	Sample('to a domain that wants TLS', 'tls-required-recipient', 530, 'rcpt', to='anna@secure.test'),
	Sample('announces two megabytes', 'oversized', 552, 'rcpt', parameters='SIZE=2000000'),
	Sample('to two domains with different rules', 'mixed-recipients', 451, 'rcpt', to='anna@sink.test anna@secure.test', tls=True, delivered=True),
	Sample('to the black hole', 'blackhole', 250, 'eom', to='devnull@sink.test', message=mail.letter(to='devnull@sink.test')),
	Sample('a byte-order mark in the header', 'header-bom', 550, 'eom', message=mail.letter(more=b'X-Note: ' + mail.BOM + b'hello\r\n')),
	Sample('two fields From', 'header-count', 554, 'eom', message=mail.letter(top=b'From: ceo@bank.example\r\n')),
	Sample('a field of 20 kB', 'header-too-long', 552, 'eom', message=mail.long_field(20000)),
	Sample('raw 8-bit in Subject', 'subject-invalid', 550, 'eom', message=mail.letter(subject='Gr\xfc\xdfe')),
	Sample('a Date of 2001', 'date-skew', 550, 'eom', message=mail.letter(date='Mon, 1 Jan 2001 12:00:00 +0000')),
	Sample('a line of 1500 octets', 'line-too-long', 554, 'eom', message=mail.letter(body='x' * 1500 + '\r\n')),
	Sample('a hundred and fifty parts', 'mime-parts-excessive', 554, 'eom', message=mail.multipart(150)),
	Sample('half a message', 'message-partial', 554, 'eom', message=mail.partial()),
	Sample('speaks nonsense four times', 'unrecognized-commands', 554, 'command', talk=unknown_commands),
	Sample('guesses four recipients', 'failed-recipients', 550, 'rcpt', talk=failed_recipients, sendmail=dict(talk=recipients_we_refuse)),
	Sample('submits without a password', 'submission-unauthenticated', 530, 'mail', **dict(ALICE, login=None)),
	Sample('alice writes as somebody else', 'sender-invalid', 550, 'mail', **dict(ALICE, sender='ceo@lab.test')),
	Sample('bert submits without TLS', 'tls-required-outgoing', 530, 'mail', **dict(ALICE, login='bert@lab.test', sender='bert@lab.test', tls=False)),
	Sample('a blocked sender of ours', 'sender-blacklisted-outgoing', 550, 'mail', **dict(ALICE, sender='leaver@lab.test')),
	Sample('relays from a foreign address', 'relay-denied', 550, 'mail', listener='outbound', sender='app@lab.test', to='carl@remote.example'),
	Sample('a third message in one connection', 'messages-per-connection', 521, 'mail', **ALICE, talk=many_messages, sendmail=dict(code=421, xcode='4.7.0')),
]


def samples(kind):
	"""Those that can be played through that MTA."""
	return [s for s in (sample.through(kind) for sample in SAMPLES) if s]
