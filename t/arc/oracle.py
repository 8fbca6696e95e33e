#!/usr/bin/env python3
"""oracle.py JUDGE: chains that python3-dkim seals hold; then each field of each chain is removed, doubled, altered, exchanged: ours and python3-dkim's verdict must be the same.

Where both differ by design the cause is listed (DIFFERENCES), counted, and must occur: a cause that no case shows is an error too."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain
import dkim

try:
    import authres
except ImportError:
    print('python3-authres is not installed')
    sys.exit(77)

# cause -> why we are right
DIFFERENCES = {
    'order of fields': 'RFC 8617 section 5.1.1 orders fields by kind within a set and by instance, whatever their place in the header: python3-dkim takes those of one set as they stand',
}


def dkimpy(judge, message):
    cv, _, reason = dkim.arc_verify(message, dnsfunc=judge.txt)
    return {b'pass': 'pass', b'none': 'none'}.get(cv, 'fail'), reason


def hop(message, key, judge, domain, selector):
    """As a forwarder does it: what it found, then a set of its own."""
    judge.key('%s._domainkey.%s' % (selector, domain), key.record())
    cv = dkimpy(judge, message)[0]
    message = ('Authentication-Results: %s; spf=pass smtp.mailfrom=example.com; arc=%s\r\n' % (domain, cv)).encode() + message
    fields = dkim.arc_sign(message, selector.encode(), domain.encode(), key.pem, domain.encode(), timestamp=1600000000)
    assert len(fields) == 3, fields
    return b''.join(fields) + message


def flip(text, at):
    """Another character of the same kind, so that it stays readable."""
    c = text[at:at + 1]
    other = {b'a': b'b', b'A': b'B', b'0': b'1'}.get(c, b'a' if c.isalpha() else b'0' if c.isdigit() else b'x')
    return text[:at] + other + text[at + 1:]


def mutations(message):
    """name, message"""
    fields, body = chain.split(message)
    for i, f in enumerate(fields):
        name = f.split(b':')[0].decode()
        where = '%s %d' % (name, i)
        yield 'without ' + where, chain.join(fields[:i] + fields[i + 1:], body)
        yield 'doubled ' + where, chain.join(fields[:i + 1] + fields[i:], body)
        for at in range(len(name) + 2, len(f), 23):
            if f[at:at + 1] not in b' \t\r\n;:=':
                yield 'altered %s at %d' % (where, at), chain.join(fields[:i] + [flip(f, at)] + fields[i + 1:], body)
        if not name.lower().startswith('arc-'):
            yield 'blanks in ' + where, chain.join(fields[:i] + [f.replace(b' ', b'  ').replace(b': ', b':\t')] + fields[i + 1:], body)
        if i + 1 < len(fields):
            yield 'exchanged ' + where, chain.join(fields[:i] + [fields[i + 1], f] + fields[i + 2:], body)
        for tag, value in re.findall(rb'[;:]\s*([a-z]+)=([^;]*)', f) if name.lower().startswith('arc-') else []:
            yield 'no %s= in %s' % (tag.decode(), where), chain.join(fields[:i] + [re.sub(rb'([;:]\s*)' + tag + rb'=[^;]*;?', rb'\1', f, 1)] + fields[i + 1:], body)
    arc = [k for k, f in enumerate(fields) if f.lower().startswith(b'arc-')]
    yield 'reversed', chain.join([fields[k] for k in reversed(arc)] + [f for k, f in enumerate(fields) if k not in arc], body)
    yield 'body altered', chain.join(fields, body.replace(b'Bye', b'Bye!'))
    yield 'body longer', chain.join(fields, body + b'more\r\n')
    yield 'body with blank lines', chain.join(fields, body + b'\r\n\r\n')
    yield 'body with blanks', chain.join(fields, body.replace(b'there', b'there   '))
    yield 'no body', chain.join(fields, b'')


def main():
    judge = chain.Judge(sys.argv[1])
    keys = [chain.Rsa(1024), chain.Rsa(2048)]
    chains = [hop(chain.MESSAGE, keys[0], judge, 'one.example.org', 's1')]
    chains.append(hop(chains[0], keys[1], judge, 'two.example.org', 's2'))
    chains.append(hop(b'List-Id: <l.example.org>\r\n' + chains[1], keys[0], judge, 'three.example.org', 's3'))
    bad, cases, passes = [], 0, 0
    seen = dict.fromkeys(DIFFERENCES, 0)
    for n, message in enumerate(chains):
        got = judge.ask(message)
        if got[0] != 'pass' or got[3] != n + 1:
            bad.append('chain of %d: %s' % (n + 1, got))
        for name, altered in mutations(message):
            cases += 1
            ours, theirs = judge.ask(altered), dkimpy(judge, altered)
            passes += ours[0] == 'pass'
            if ours[0] == theirs[0]:
                continue
            if ours[0] == 'pass' and (name.startswith('exchanged ARC') or name == 'reversed'):
                seen['order of fields'] += 1
                continue
            bad.append('chain of %d, %s: %s (%s), python3-dkim %s (%s)' % (n + 1, name, ours[0], ours[4], theirs[0], theirs[1]))
    judge.end()
    print('%d cases, %d of them pass; differences %s' % (cases, passes, seen))
    bad += ['no case shows: ' + cause for cause, count in seen.items() if count == 0]
    print('\n'.join(bad[:40]))
    if cases < 300 or passes < 20:
        bad.append('too few cases')
    return 1 if bad else 0


sys.exit(main())
