# mail.py - messages to send: a good letter, and ways to spoil it
import email.utils
import time

BOM = b'\xef\xbb\xbf'


def letter(subject='Lunch on Friday', body='Shall we meet at noon?\r\n', date=None, sender='Bob <bob@sender.example>', to='anna@sink.test', top=b'', more=b''):
	"""A complete message. top: header bytes above the usual ones; more: below them; text is written in Latin-1, so that any byte can be asked for."""
	date = date or email.utils.formatdate(time.time())
	head = 'From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: %s\r\n' % (sender, to, subject, date, email.utils.make_msgid(domain='sender.example'))
	body = body if isinstance(body, bytes) else body.encode('latin1')
	return top + head.encode('latin1') + more + b'\r\n' + body


def multipart(parts):
	"""A letter of so many small text parts."""
	head = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
	body = b''.join(b'--b\r\nContent-Type: text/plain\r\n\r\npart %d\r\n' % n for n in range(parts)) + b'--b--\r\n'
	return letter(subject='Many parts', body=body, more=head)


def partial():
	return letter(subject='Half of it', more=b'MIME-Version: 1.0\r\nContent-Type: message/partial; id="a@sender.example"; number=1; total=2\r\n')


def long_field(octets):
	"""A letter whose field Comments has about so many octets, in lines that are none too long."""
	line = b' ' + b'x' * 70
	return letter(subject='Much to say', more=b'Comments: begin\r\n' + (line + b'\r\n') * (octets // len(line)))
