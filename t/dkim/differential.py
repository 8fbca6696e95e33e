#!/usr/bin/env python3
"""differential.py JUDGE [SEED [CASES]]: random bodies and fields, signed and verified by python3-dkim, against our verifier in pieces of any size. Exit 77: it is not installed.

Both say the same of every message but where l= leaves a part unsigned: there python3-dkim passes, and we say policy exactly if its canonical body is longer.
Bare CR and LF are left out: both MTAs refuse or mend them."""
import random
import re
import sys

from signing import Ed25519, Judge, PLAIN, Rsa, SIGNED, dkim, raw, sign, tags, txt

R = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261125)
CASES = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
RSA, ED = Rsa(1024), Ed25519()
RECORDS = {b'sel._domainkey.sender.example.': RSA.record.encode(), b'ed._domainkey.sender.example.': ED.record.encode()}
NAMES = [b'X-A', b'x-b', b'Received', b'Subject', b'To', b'Comments']


def text(words, n, ends):
	return b''.join(R.choice(words) for _ in range(R.randrange(n))).rstrip(b' \t') + ends


def random_body():
	words = [b'\r\n'] * 4 + [b'\r\n\r\n', b' ', b'  ', b'\t ', b' \r\n', b'\r\n \r\n', b'.', b'\xe9\xff'] + [b'word'] * 6 + [b'x' * R.choice([10, 998, 1024, 1025, 5000])]
	return text(words, 40, R.choice([b'\r\n', b'\r\n', b'', b'\r\n\r\n', b' \r\n']))


def random_fields():
	words = [b'word', b' ', b'\t', b'  ', b'\r\n ', b'\r\n\t', b',', b'\xc3\xa9', b':', b'=?utf-8?q?x?=', b'y' * R.choice([5, 70, 2000])]
	out = list(PLAIN)
	for _ in range(R.randrange(8)):
		value = R.choice([b'', b' ', b'  ', b'\t']) + b'v' + text(words, 12, b'')
		value = re.sub(rb'(\r\n[ \t]*)+(?=\r\n|$)', b'', value)      # a line of blanks alone: MTAs end the header there
		out.insert(R.randrange(len(out) + 1), (R.choice(NAMES), value))
	return out


def tags_of_first(message):
	fields, _ = dkim.rfc822_parse(message)
	return next((tags(n + b':' + v) for n, v in fields if n.lower() == b'dkim-signature'), {})


def damage(message):
	"""One octet changed, blanks put in, a field moved, or something appended."""
	kind = R.randrange(5)
	at = R.randrange(len(message))
	if kind == 0:
		return message + R.choice([b'\r\n', b' \r\n', b'x\r\n', b'\r\n\r\n'])
	if kind == 1:
		at = message.find(b' ', at)
		return message[:at] + b' ' + message[at:] if at > 0 else message
	if kind == 2 and message[at:at + 1].isalpha():
		return message[:at] + b'q' + message[at + 1:]
	if kind == 3:
		return b'X-A: on top\r\n' + message
	return message


def main():
	judge = Judge(sys.argv[1])
	judge.keys(txt('sel', 'sender.example', RSA.record), txt('ed', 'sender.example', ED.record))
	seen, bad = {}, 0
	for n in range(CASES):
		key, selector = R.choice([(RSA, 'sel'), (ED, 'ed')])
		canon = R.choice(['simple', 'relaxed']) + '/' + R.choice(['simple', 'relaxed'])
		headers = SIGNED + [x.lower().strip() for x in R.choices(NAMES, k=R.randrange(6))]
		message = sign(raw(random_fields(), random_body()), key, selector, canon=canon, headers=headers, length=R.random() < 0.3)
		if R.random() < 0.5:
			message = damage(message)
		judge.set(chunk=R.choice([0, 1, 2, 3, 7, 100]))
		ours = judge.verify(message)
		try:
			theirs = dkim.verify(message, dnsfunc=lambda name, timeout=5: RECORDS.get(name))
			first = tags_of_first(message)
		except dkim.DKIMException:
			theirs, first = False, {}
		wanted = theirs
		if theirs and b'l' in first:
			body = dkim.rfc822_parse(message)[1]
			wanted = len(dkim.CanonicalizationPolicy.from_c_value(first[b'c']).canonicalize_body(body)) <= int(first[b'l'])
		result = ours[0][0] if ours else 'none'                   # a letter of From or DKIM-Signature was changed
		if len(ours) > 1 or (result == 'pass') != wanted or (result == 'policy') != (theirs and not wanted):
			bad += 1
			print('case %d, %s: we say %r, python3-dkim %r: %r' % (n, canon, ours, theirs, message))
		seen[result] = seen.get(result, 0) + 1
	if judge.close() != 0:
		bad += 1
	print('%d cases, %d differ: %r' % (CASES, bad, seen))
	blind = [r for r in ('pass', 'fail', 'policy') if seen.get(r, 0) < CASES // 200]
	if blind:
		print('the generator became blind: too few with %s' % ', '.join(blind))
	sys.exit(bad > 0 or bool(blind))


main()
