# test_endless.py - what may come without end in one session or one message leaves nothing behind; without journal and log lines, whose queues come and go
from hostile import ABORT, MAIL, RCPT, Scale, Talker, check, macros, packet, run

PARTS = 10


def flat(daemon, name, total, unit, prelude=b'', replies=1):
	"""Sends unit (bytes, or a function of a number) total times in one session; memory must not grow with it. Each brings so many replies."""
	with Talker(daemon.address) as t:
		t.hello()
		if prelude:
			t.send(prelude)
			check(t.code() == 250, '%s: the beginning is refused', name)
		grown, done = [], 0
		for _ in range(PARTS):
			for _ in range(total // PARTS // 50):
				t.send(b''.join(unit(done + i) for i in range(50)) if callable(unit) else unit * 50)
				for _ in range(50 * replies):
					t.answer()
				done += 50
			grown.append(daemon.state().anon)
		print('  %d %s: %s KB' % (done, name, grown))
		check(grown[-1] - grown[1] < 2048 or daemon.kind, '%d %s: memory grows: %s KB', done, name, grown)
		t.send(ABORT, MAIL, RCPT)
		codes = t.code(), t.code()
		check(codes[0] == 250, '%s: the session cannot go on: %s', name, codes)
	daemon.same(name)


def greetings(daemon):
	flat(daemon, 'greetings', Scale.of(40000, 2000), packet(b'H', b'h' * 900 + b'\0'))


def unknown_commands(daemon):
	flat(daemon, 'unknown commands', Scale.of(40000, 2000), packet(b'U', b'X' * 900 + b'\0'))


def unknown_commands_within_a_message(daemon):
	flat(daemon, 'unknown commands within a message', Scale.of(40000, 2000), packet(b'U', b'X' * 900 + b'\0'), MAIL)


def aborted_messages(daemon):
	flat(daemon, 'aborted messages', Scale.of(40000, 2000), MAIL + ABORT)


def aborted_recipients(daemon):
	flat(daemon, 'messages aborted after a recipient', Scale.of(20000, 2000), MAIL + RCPT + ABORT, replies=2)


def queue_ids(daemon):
	"""Each recipient, refused, with a queue id of its own."""
	flat(daemon, 'queue ids in one message', Scale.of(20000, 2000), lambda i: macros(b'R', b'i', b'%d' % i + b'Q' * 900) + packet(b'R', b'<x@elsewhere.example>\0'), MAIL)


def recipients_refused_by_us(daemon):
	flat(daemon, 'recipients refused by us', Scale.of(100000, 5000), packet(b'D', b'R{rcpt_mailer}\0relay\0') + packet(b'R', b'<x@elsewhere.example>\0'), MAIL)


def recipients_refused_by_the_mta(daemon):
	refused = packet(b'D', b'R{rcpt_mailer}\0error\0{rcpt_host}\0005.1.1\0{rcpt_addr}\0no such user\0') + packet(b'R', b'<nobody@example.com>\0')
	flat(daemon, 'recipients refused by the MTA', Scale.of(100000, 5000), refused, MAIL)


run([greetings, unknown_commands, unknown_commands_within_a_message, aborted_messages, aborted_recipients, queue_ids, recipients_refused_by_us, recipients_refused_by_the_mta],
	'journal { keep = "0" }\nlog { level = "error" }\n')
