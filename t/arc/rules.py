#!/usr/bin/env python3
"""rules.py JUDGE: chains of every shape, made as RFC 8617 says or against one of its rules; what must come of each is written beside it."""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import chain
from chain import Chain, Ed25519, Rsa, MESSAGE, HEADERS

RSA, OTHER, SHORT, LONG, ED = Rsa(1024), Rsa(2048), Rsa(768), Rsa(4096), Ed25519()
S1 = 's1._domainkey.example.org'
VALUES = {'i': 1, 'a': 'rsa-sha256', 'd': 'example.org', 's': 's1'}
bad, count = [], 0
judge = chain.Judge(sys.argv[1])


def keys(**more):
    judge.clear()
    judge.key(S1, RSA.record())
    judge.key('s2._domainkey.example.org', OTHER.record())
    judge.key('ed._domainkey.example.org', ED.record())
    for name, text in more.items():
        judge.key(name.replace('__', '.'), text)


def expect(what, message, result, problem='', oldest=None, flags=None, sets=None):
    """problem: a part of it."""
    global count
    count += 1
    got = judge.ask(message.message() if isinstance(message, Chain) else message)
    if got[0] != result or problem not in got[4] or (oldest is not None and got[1] != oldest) or (flags is not None and got[2] != flags) or (sets is not None and got[3] != sets) \
            or (got[4] == '') != (result in ('pass', 'none')):
        bad.append('%s: %s, not %s' % (what, got, (result, problem, oldest, flags, sets)))


def edit(c, old, new, n=1):
    m = c.message() if isinstance(c, Chain) else c
    assert old in m, (old, m)
    return m.replace(old, new, n)


def sealed(n=1, **options):
    c = Chain()
    for _ in range(n):
        c.seal(RSA, **options)
    return c


def structure():
    keys()
    expect('no chain', MESSAGE, 'none', sets=0)
    for n in (1, 2, 3, 11, 50):
        expect('%d sets' % n, sealed(n), 'pass', sets=n)
    c = sealed(50)
    expect('51 sets', c.seal(RSA), 'fail', 'no instance from 1 to 50')
    for i, text in ((0, 'i=0'), (51, 'i=51'), (100, 'i=100'), (-1, 'i=-1'), ('x', 'i=x'), ('', 'i=')):
        expect('seal with ' + text, Chain().seal(RSA, seal={'i': i}), 'fail', 'ARC-Seal: has no instance')
        expect('signature with ' + text, Chain().seal(RSA, ams={'i': i}), 'fail', 'ARC-Message-Signature: has no instance')
        expect('results with ' + text, Chain().seal(RSA, aar_raw='ARC-Authentication-Results: %s; mx.example.org; none' % text), 'fail', 'has no instance')
    expect('only a second set', Chain().seal(RSA, ams={'i': 2}, seal={'i': 2, 'cv': 'pass'}, aar_raw='ARC-Authentication-Results: i=2; mx; none'), 'fail', 'Seal 1 is missing')
    c = sealed(3)
    for k, name in enumerate(('ARC-Authentication-Results', 'ARC-Message-Signature', 'ARC-Seal')):
        for i in range(3):
            d = sealed(0)
            d.fields = [f for f in c.fields if f != c.sets[i][k]]
            expect('without %s %d' % (name, i + 1), d, 'fail', '%s %d is missing' % (name, i + 1))
            d.fields = c.fields + [c.sets[i][k]]
            expect('two %s %d' % (name, i + 1), d, 'fail', 'stands there twice')
            d.fields = [c.sets[i][k]] + Chain().fields
            expect('nothing but %s %d' % (name, i + 1), d, 'fail', 'is missing')
    d.fields = [f for f in c.fields if f not in c.sets[1]]
    expect('a gap', d, 'fail', 'is missing')
    for what, order in (('oldest set first', [f for s in c.sets for f in s] + Chain().fields), ('below the others', Chain().fields + [f for s in c.sets for f in reversed(s)])):
        d.fields = order
        expect(what, d, 'pass')
    expect('names in capitals', edit(edit(sealed(), b'ARC-Seal:', b'ARC-SEAL:'), b'ARC-Message-S', b'arc-message-s'), 'pass')
    expect('a blank before the colon', edit(sealed(), b'ARC-Seal:', b'ARC-Seal :'), 'pass')


def cv():
    keys()
    for value, result in (('none', 'pass'), ('pass', 'fail'), ('fail', 'fail'), ('', 'fail'), ('None', 'fail'), ('invalid', 'fail'), (None, 'fail')):
        expect('first cv=%s' % value, Chain().seal(RSA, seal={'cv': value}), result, flags='ended' if value == 'fail' else '')
    for value, result in (('none', 'fail'), ('pass', 'pass'), ('fail', 'fail'), ('', 'fail'), ('PASS', 'fail'), (None, 'fail')):
        expect('second cv=%s' % value, sealed().seal(RSA, seal={'cv': value}), result, flags='ended' if value == 'fail' else '')
        expect('second of three cv=%s' % value, sealed().seal(RSA, seal={'cv': value}).seal(RSA), result)
    expect('a failed chain sealed alone', sealed().seal(RSA, seal={'cv': 'fail'}, sets=[]), 'fail', 'had failed before', flags='ended')


def tags():
    keys()
    for which, extra in (('ams', 'ARC-Message-Signature'), ('seal', 'ARC-Seal')):
        for tag in ('i', 'a', 'd', 's'):
            expect('%s without %s=' % (extra, tag), Chain().seal(RSA, **{which: {tag: None}}), 'fail', extra)
            expect('%s with an empty %s=' % (extra, tag), Chain().seal(RSA, **{which: {tag: ''}}), 'fail', extra)
            expect('%s with %s= in capitals' % (extra, tag), Chain().seal(RSA, **{which: {tag: None, tag.upper(): VALUES[tag]}}), 'fail', extra)
            expect('both with two %s=' % tag, Chain().seal(RSA, bare='%s=%s; ' % (tag, VALUES[tag])), 'fail', 'twice')
        for t, result in ((12345, 'pass'), (None, 'pass'), ('', 'fail'), ('x', 'fail'), ('-1', 'fail'), ('1.5', 'fail'), ('0', 'pass'), ('999999999999', 'pass'), ('9999999999999', 'fail')):
            expect('%s t=%s' % (extra, t), Chain().seal(RSA, **{which: {'t': t}}), result)
        for a in ('rsa-sha1', 'rsa', 'sha256', 'RSA-SHA256', 'ed25519-sha256', 'rsa-sha512'):
            expect('%s a=%s' % (extra, a), Chain().seal(RSA, **{which: {'a': a}}), 'fail')
        for name in ('x_tag1', 'q2', 'foo'):
            expect('%s with an unknown tag %s' % (extra, name), Chain().seal(RSA, **{which: {name: 'something = (else)'}}), 'pass')
        for name in ('_x', '1', 'a-b', 'a b', ''):
            expect('%s with a bad tag name %r' % (extra, name), Chain().seal(RSA, **{which: {name: 'x'}}), 'fail', extra)
        for d in ('org', 'example', '.org', 'example..org', 'example.org.', 'a@example.org', 'ex ample.org'):
            expect('%s d=%s' % (extra, d), Chain().seal(RSA, **{which: {'d': d}}), 'fail')
        expect('%s d= with capitals' % extra, Chain().seal(RSA, **{which: {'d': 'Example.ORG'}}), 'pass')
        expect('%s with a tag behind b=' % extra, Chain().seal(RSA, **{which: {'zz': '1'}}), 'pass')
        c = Chain().seal(RSA)
        at = 1 if which == 'ams' else 2
        field = c.sets[0][at]
        for what, changed in (('no b=', field[:field.index(b'; b=')]), ('an empty b=', field[:field.index(b'; b=') + 4]), ('no base64', field[:-8] + b'!!!!!!!!'), ('base64 cut', field[:-1]),
                              ('two semicolons', field.replace(b'; ', b';; ', 1)), ('a tag without =', field.replace(b'; ', b'; x; ', 1)), ('nothing', field.split(b':')[0] + b':'),
                              ('a blank', field.split(b':')[0] + b': '), ('8 bit', field.replace(b'; ', b'; x=\xe4; ', 1)), ('a control', field.replace(b'; ', b'; x=\x01; ', 1))):
            expect('%s with %s' % (extra, what), edit(c, field, changed), 'fail', extra)
    for bare in ('', 'k1=v; '):
        expect('folded signatures', Chain().seal(RSA, fold=True, bare=bare).seal(RSA, fold=True), 'pass')
    expect('a semicolon at the end', Chain().seal(RSA, close=';').seal(RSA, close='; '), 'pass')
    expect('two semicolons at the end', Chain().seal(RSA, close=';;'), 'fail')
    expect('seal with h=', Chain().seal(RSA, seal={'h': 'from'}), 'fail', 'ARC-Seal 1 has an h=')
    expect('seal with bh= and c=', Chain().seal(RSA, seal={'c': 'simple/simple', 'bh': 'x'}), 'pass')
    expect('signature with v=', Chain().seal(RSA, ams={'v': '1'}), 'pass')


def results():
    keys()
    for text, result in (('i=1; mx; none', 'pass'), ('i=1;mx; none', 'pass'), ('i=1;', 'pass'), ('i=01; mx; none', 'pass'), (' (c) i (d) = (e(f)) 1 (g) ; mx; none', 'pass'), ('i=1;\r\n\tmx;\r\n\tspf=pass', 'pass'),
                         ('i=1 mx; none', 'fail'), ('i=1', 'fail'), ('mx; none', 'fail'), ('I=1; mx; none', 'fail'), ('i=1; i=1; mx', 'pass'), ('', 'fail'), (' (', 'fail'), ('i=1(;', 'fail'), ('i=001; x', 'fail'),
                         ('i=1,2; mx', 'fail'), ('mx; i=1; none', 'fail')):
        expect('results %r' % text, Chain().seal(RSA, aar_raw='ARC-Authentication-Results: ' + text), result)
    c = Chain().seal(RSA, aar='spf=pass (ok)  smtp.mailfrom=x;\r\n\tdkim=pass')
    expect('results folded otherwise', edit(c, b'(ok)  smtp', b'(ok)\r\n  smtp'), 'pass')
    expect('results altered', edit(c, b'spf=pass', b'spf=fail'), 'fail', 'ARC-Seal 1: the signature does not verify')


def fields():
    keys()
    for canon in ('simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed'):
        c = Chain().seal(RSA, canon=canon)
        expect(canon, c, 'pass')
        expect(canon + ', two hops', c.seal(RSA, canon='relaxed/relaxed'), 'pass', oldest=0)
        h, b = canon.split('/')
        expect(canon + ', header blanks', edit(Chain().seal(RSA, canon=canon), b'Subject: Hello,', b'Subject:  Hello,'), 'pass' if h == 'relaxed' else 'fail')
        expect(canon + ', header case', edit(Chain().seal(RSA, canon=canon), b'Subject: Hello,', b'SUBJECT: Hello,'), 'pass' if h == 'relaxed' else 'fail')
        expect(canon + ', body blanks', edit(Chain().seal(RSA, canon=canon), b'Hello  there', b'Hello there'), 'pass' if b == 'relaxed' else 'fail', '' if b == 'relaxed' else 'body hash')
        expect(canon + ', blank lines at the end', edit(Chain().seal(RSA, canon=canon), b'Bye\r\n\r\n\r\n', b'Bye\r\n'), 'pass')
        for body in (b'', b'\r\n', b'\r\n\r\n', b'x', b'x\r\n', b' \r\n', b' \r\n \r\nx \t y \r\n \r\n', b'a\rb\nc\r\r\n', b'\r', b'x\r', b'x' * 5000 + b'\r\n' + b'\r\n' * 3000 + b'y', b'\n\n'):
            c = Chain(MESSAGE.split(b'\r\n\r\n')[0] + b'\r\n\r\n' + body).seal(RSA, canon=canon)
            expect('%s, body %r' % (canon, body[:20]), c, 'pass')
    for c, like in (('relaxed', 'relaxed/simple'), ('simple', 'simple/simple'), (None, 'simple/simple')):
        expect('c=%s' % c, Chain().seal(RSA, canon=like, ams={'c': c}), 'pass')
    for c in ('', 'nowsp', 'relaxed/', '/relaxed', 'Relaxed/relaxed', 'relaxed/relaxed/relaxed', 'relaxed/nofws'):
        expect('c=%r' % c, Chain().seal(RSA, ams={'c': c}), 'fail', 'has a c=')
    for h, result in ((HEADERS, 'pass'), ('from', 'pass'), ('to:subject', 'pass'), ('From : To:SUBJECT', 'pass'), ('from:from:from', 'pass'), ('from:x-none', 'pass'), ('', 'fail'), (None, 'fail'), ('from:', 'fail'), (':from', 'fail'),
                      ('from::to', 'fail'), ('from:ARC-Seal', 'fail'), ('arc-seal', 'fail'), ('from:arc-authentication-results', 'pass'), ('from:arc-message-signature', 'pass'), ('from to', 'fail'), (':'.join(['from'] * 300), 'pass'),
                      (':'.join(['from'] * 301), 'fail')):
        expect('h=%s' % (h and h[:40]), Chain().seal(RSA, headers=h), result)
    twice = MESSAGE.replace(b'Received: by mx.example.org\r\n', b'Received: by a\r\nReceived: by b\r\nReceived: by c\r\n')
    c = Chain(twice).seal(RSA, headers='from:received:received')
    expect('two of three Received', c, 'pass')
    expect('two of three Received, another on top', edit(c, b'Received: by a\r\n', b'Received: by z\r\nReceived: by a\r\n'), 'pass')
    expect('two of three Received, one below', edit(c, b'Received: by c\r\n', b'Received: by c\r\nReceived: by z\r\n'), 'fail')
    c = Chain().seal(RSA, headers='from:from:subject')
    expect('a second From', b'From: x@evil.example\r\n' + c.message(), 'fail', 'ARC-Message-Signature 1: the signature')
    c = Chain().seal(RSA, headers='from:reply-to')
    expect('a field that was signed as missing', b'Reply-To: x@evil.example\r\n' + c.message(), 'fail')
    expect('a field that is not covered', b'X-New: 1\r\n' + sealed().message(), 'pass')
    for l, result, flags in (('0', 'pass', 'partial'), ('5', 'pass', 'partial'), ('22', 'pass', ''), ('99', 'fail', ''), ('x', 'fail', ''), ('', 'fail', ''), ('-1', 'fail', ''), ('9' * 76, 'fail', ''), ('9' * 77, 'fail', '')):
        expect('l=%s' % l[:5], Chain().seal(RSA, ams={'l': l}), result, flags=flags)
    for bh in ('', None, 'x', base64.b64encode(b'x' * 31).decode(), base64.b64encode(b'x' * 33).decode(), base64.b64encode(b'x' * 32).decode()):
        expect('bh=%s' % bh, Chain().seal(RSA, ams={'bh': bh}), 'fail')
    for q, result in (('dns/txt', 'pass'), ('x/y:dns/txt', 'pass'), ('x/y', 'fail'), ('', 'fail')):
        expect('q=%s' % q, Chain().seal(RSA, ams={'q': q}), result)
    for x, result in (('1800000000', 'pass'), ('1699999900', 'pass'), ('1699999000', 'fail'), ('12344', 'fail'), ('', 'fail')):
        expect('x=%s' % x, Chain().seal(RSA, ams={'x': x}), result)
    expect('x= before t=', Chain().seal(RSA, ams={'t': 1900000000, 'x': '1800000000'}), 'fail', 'has an x=')


def oldest():
    keys()
    expect('nothing altered', sealed(3), 'pass', oldest=0)
    c = sealed(1)
    c.body += b'-- \r\nfooter\r\n'
    expect('a footer after the first', c.seal(RSA), 'pass', oldest=2)
    expect('a footer after the first, three sets', c.seal(RSA), 'pass', oldest=2)
    c.body += b'another\r\n'
    expect('and another', c.seal(RSA), 'pass', oldest=4)
    expect('altered in the end', edit(c, b'footer', b'hooter'), 'fail', 'ARC-Message-Signature 4: the body hash differs')
    c = sealed(1)
    c.fields = [f.replace(b'Subject: ', b'Subject: [list] ') for f in c.fields]
    expect('a tagged subject', c.seal(RSA), 'pass', oldest=2)
    c = sealed(0).seal(RSA, ams={'l': '5'}).seal(RSA)
    expect('an l= in the middle proves nothing', c, 'pass', oldest=2)
    expect('no more than ten are looked at', sealed(12), 'pass', oldest=3)
    c = sealed(1).seal(RSA, ams_key=OTHER)
    expect('an earlier signature that does not hold, seals that do', c.seal(RSA), 'pass', oldest=3)


def signatures():
    keys()
    expect('Ed25519', Chain().seal(ED, selector='ed'), 'pass')
    expect('Ed25519 over RSA', sealed().seal(ED, selector='ed').seal(RSA), 'pass')
    expect('message signed by another key than the seal', Chain().seal(RSA, ams_key=ED, ams={'s': 'ed'}), 'pass')
    expect('a seal of another key', Chain().seal(OTHER, ams_key=RSA), 'fail', 'ARC-Seal 1: the signature')
    expect('a signature of another key', Chain().seal(RSA, ams_key=OTHER), 'fail', 'ARC-Message-Signature 1: the signature')
    expect('Ed25519 with an RSA key', Chain().seal(ED), 'fail', 'algorithm')
    expect('RSA with an Ed25519 key', Chain().seal(RSA, selector='ed'), 'fail')
    expect('a key that is not there', Chain().seal(RSA, selector='none'), 'fail', 'no key')
    expect('an earlier seal whose key is gone', Chain().seal(RSA, selector='none').seal(RSA), 'fail', 'ARC-Seal 1: no key')
    expect('a name too long for a key', Chain().seal(RSA, selector='.'.join(['a' * 60] * 4)), 'fail', 'name')
    for text, result, problem in (('!fail', 'temperror', 'look-up'), ('!late', 'temperror', 'look-up'), ('', 'fail', 'key'), ('v=DKIM1; p=', 'fail', 'revoked'), ('v=DKIM2; ' + RSA.record()[9:], 'fail', 'key'),
                                  (RSA.record().replace('k=rsa', 'h=sha1'), 'fail', 'hash'), (RSA.record().replace('k=rsa', 'h=sha1:sha256'), 'pass', ''), (RSA.record().replace('k=rsa', 's=tlsrpt'), 'fail', 'mail'),
                                  (RSA.record().replace('k=rsa', 's=email'), 'pass', ''), (RSA.record().replace('k=rsa', 't=y:s'), 'pass', ''), (RSA.record().replace('k=rsa', 'k=dsa'), 'fail', 'algorithm'),
                                  (RSA.record().replace('v=DKIM1; ', ''), 'pass', ''), (RSA.record()[:-20], 'fail', 'key'), (RSA.record() + '; n=note;', 'pass', ''), ('hello', 'fail', 'key')):
        keys(k___domainkey__example__org=text)
        expect('key %s' % text[:30], Chain().seal(RSA, selector='k'), result, problem)
        expect('key %s, an earlier one' % text[:30], Chain().seal(RSA, selector='k').seal(RSA), result, problem)
    keys(k___domainkey__example__org='!fail')
    expect('one key that cannot be had, another that is wrong', Chain().seal(RSA, selector='k').seal(OTHER), 'fail', 'ARC-Message-Signature 2')
    keys(k___domainkey__example__org=SHORT.record(), l___domainkey__example__org=LONG.record())
    expect('768 bits', Chain().seal(SHORT, selector='k'), 'fail', 'too short')
    expect('2048 bits', Chain().seal(OTHER, selector='s2'), 'pass')
    expect('4096 bits', Chain().seal(LONG, selector='l'), 'pass')
    a, b = sealed(1), sealed(1)
    b.fields = b.fields[:3] + [f.replace(b'Anna', b'Eve') for f in b.fields[3:]]
    expect('a chain put on another message', b, 'fail', 'ARC-Message-Signature 1')


for test in (structure, cv, tags, results, fields, oldest, signatures):
    test()
judge.end()
print('%d chains' % count)
print('\n'.join(bad))
sys.exit(1 if bad or count < 250 else 0)
