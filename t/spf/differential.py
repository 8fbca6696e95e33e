#!/usr/bin/env python3
"""differential.py JUDGE [SEED [CASES]]: random zones and questions, our check against python3-spf. Exit 77: it is not installed.

Where both differ, python3-spf is asked again with what it does otherwise than RFC 7208 set right (PATCHES): every difference must vanish, and is counted by its cause.
A cause that the cases no longer show is an error too: the generator became blind."""
import os
import random
import socket
import subprocess
import sys
import types

DIST = '/usr/lib/python3/dist-packages'

# cause -> (why we are right, [(old, new) in spf.py])
PATCHES = {
    'redirect counted when written': ('section 4.6.4 counts terms that are evaluated: a redirect= that is not followed asks nothing', [
        ("                self.check_lookups()\n                redirect = ", "                redirect = "),
        ("                redirect_record = self.dns_spf(redirect)\n", "                self.check_lookups()\n                redirect_record = self.dns_spf(redirect)\n")]),
    'a failing PTR or address of one is an error': ('section 5.5: then the mechanism does not match, that name is skipped', [
        ("            if self.cidrmatch(self.dns_a(p,self.A),cidrlength)]", "            if self.cidrmatch(self.quiet(lambda: self.dns_a(p,self.A)),cidrlength)]"),
        ("        return self.dns('%s.%s.arpa'%(reverse_dots(i),self.v), 'PTR')", "        return self.quiet(lambda: self.dns('%s.%s.arpa'%(reverse_dots(i),self.v), 'PTR'))"),
        ("    def dns_ptr(self, i):", "    def quiet(self, f):\n        try: return f()\n        except TempError: return []\n    def dns_ptr(self, i):")]),
    'names of a PTR count as void': ('section 4.6.4 limits terms; the client chooses these names, and must not turn a fail into a permerror', [
        ("            if self.cidrmatch(self.dns_a(p,self.A),cidrlength)]", "            if self.cidrmatch(self.dns(p,self.A,ignore_void=True),cidrlength)]")]),
    'unknown modifiers at most once': ('section 6 says that of redirect= and exp= alone', [
        ("                self.note_error('%s= MUST appear at most once'%mod,mech)", "                if mod == 'exp': self.note_error('%s= MUST appear at most once'%mod,mech)")]),
    'parts joined by their old delimiter': ('section 7.3: rejoined with "."', [
        ("JOINERS = {'l': '.', 's': '.'}", "JOINERS = dict.fromkeys('slodipvh', '.')")]),
    'include of itself is a syntax error': ('it is an endless loop when it is evaluated, and not before', [
        ("                if arg == self.d:\n", "                if False:\n")]),
    'modifier names with case': ('section 4.6.1: names are case-insensitive', [
        ("            mod,arg = m\n", "            mod,arg = m[0].lower(),m[1]\n")]),
    'zero parts': ('section 7.1: the number must not be zero', [
        ("    if not delimiters:\n        delimiters = '.'\n", "    if ln and int(ln) == 0: raise PermError('zero')\n    if not delimiters:\n        delimiters = '.'\n")]),
    '%{p} is asked for before it is needed': ('section 4.6.2 evaluates from left to right: an earlier match ends it', [
        ("            arg = self.expand_domain(arg)\n            if not arg:\n", "            p, self.p = self.p, 'p.example'\n            try: full = self.expand_domain(arg)\n            finally: self.p = p\n            if not full:\n"),
        ("        for mech, m, arg, cidrlength, result in mechs:\n", "        for mech, m, arg, cidrlength, result in mechs:\n            if m in ('a', 'mx', 'ptr', 'exists', 'include'): arg = self.expand_domain(arg)\n"),
        ("                redirect = self.expand_domain(arg)\n", "                p, self.p = self.p, 'p.example'\n                redirect = self.expand_domain(arg) and arg\n                self.p = p\n"),
        ("                redirect_record = self.dns_spf(redirect)\n", "                redirect = self.expand_domain(redirect)\n                redirect_record = self.dns_spf(redirect)\n")]),
}
BOTH = ['a failing PTR or address of one is an error', 'names of a PTR count as void']
MERGED = [("            if self.cidrmatch(self.dns_a(p,self.A),cidrlength)]", "            if self.cidrmatch(self.quiet(lambda: self.dns(p,self.A,ignore_void=True)),cidrlength)]")]


def load(causes):
    """spf.py with these causes set right."""
    text = open(os.path.join(DIST, 'spf.py')).read()
    edits = [e for c in causes for e in PATCHES[c][1]]
    if set(BOTH) <= set(causes):
        edits = MERGED + [e for e in edits if e[0] != MERGED[0][0]]
    for old, new in edits:
        if old not in text:
            raise SystemExit('spf.py is another one than expected: %r' % old)
        text = text.replace(old, new)
    module = types.ModuleType('spf')
    exec(compile(text, 'spf.py', 'exec'), module.__dict__)
    return module


# ---- random zones

R = random.Random()
NAMES = ['d%d.example' % i for i in range(6)] + ['d-6.example']
HOSTS = ['h%d.%s' % (i, NAMES[i % 7]) for i in range(10)]
FOUR = ['192.0.2.%d' % i for i in (1, 2, 3, 17, 130)] + ['198.51.100.7', '203.0.113.9', '127.0.0.1']
SIX = ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1', '2001:db8:ff::9', 'fe80::1']
DEAD = ['gone%d.example' % i for i in range(4)]


def pick(*weighted):
    return R.choices([w[1] for w in weighted], [w[0] for w in weighted])[0]


def prefix(four=True, six=True):
    text = ''
    if four and R.random() < 0.3:
        text += '/%d' % R.choice([0, 1, 8, 24, 28, 31, 32] + [33] * (R.random() < 0.05))
    if six and R.random() < 0.15:
        text += ('//' if four else '/') + '%d' % R.choice([0, 16, 48, 64, 127, 128] + [129] * (R.random() < 0.05))
    return text


def macro():
    letter = R.choice('slodivh' + 'p' * (R.random() < 0.2))
    letter = letter.upper() if R.random() < 0.1 else letter
    return '%{' + letter + R.choice(['', '', '', '1', '2', '3', '20']) + R.choice(['', '', 'r']) + R.choice(['', '', '', '-', '.-', '+', '_=']) + '}'


def target():
    return pick((8, lambda: R.choice(NAMES)), (6, lambda: R.choice(HOSTS)), (2, lambda: R.choice(DEAD)), (0.6, lambda: 'error%d.example' % R.randrange(2)), (0.4, lambda: 'alias.example'),
                (3, lambda: macro() + '.' + R.choice(NAMES)), (1, lambda: macro()), (1, lambda: 'x%d.%s' % (R.randrange(3), macro())), (0.3, lambda: 'l' * 64 + '.example'),
                (0.2, lambda: 'a..example'), (0.2, lambda: ('abcdefgh.' * 28) + macro() + '.' + R.choice(NAMES)))()


def broken():
    return R.choice(['foo', 'a:', 'a:b', 'ip4', 'ip4:1.2.3', 'ip4:1.2.3.256', 'ip4:01.2.3.4', 'ip6:::g', 'ip6:1:2', 'all:x', 'all/8', 'include', 'include:', 'exists', 'mx:/24', 'a/', 'a//', 'a/24/', 'ptr/24',
                     '=x', '-redirect=d1.example', 'exp=', 'redirect=', 'a:%', 'a:%{', 'a:%{x}', 'a:%{d0}.example', 'a:%{d', 'a:d1.example.1', 'a:-', 'ip4:1.2.3.4/24/8', 'ip4:1.2.3.4/032', 'ip4:1.2.3.4/33',
                     'exists:%{c}.example', 'x=%{z}', 'a:d1.example\t', 'all.', 'ipv4:1.2.3.4', '?', '--all', '+', 'redirect:d1.example', '1a=b', 'a:d1.exam_ple', 'a:d1.example-', 'mx:d1.-x', 'exp=%{r}.example'])


def term():
    q = pick((6, ''), (1, '+'), (3, '-'), (2, '~'), (2, '?'))
    return pick((4, lambda: q + 'ip4:' + R.choice(FOUR) + prefix(True, False)), (3, lambda: q + 'ip6:' + R.choice(SIX) + prefix(False, True)),
                (5, lambda: q + 'a' + R.choice(['', ':' + target(), ':' + target()]) + prefix()), (4, lambda: q + 'mx' + R.choice(['', ':' + target(), ':' + target()]) + prefix()),
                (1.5, lambda: q + 'ptr' + R.choice(['', ':' + R.choice(NAMES), ':%{d1}'])), (4, lambda: q + 'include:' + target()), (3, lambda: q + 'exists:' + target()),
                (0.7, lambda: q + 'all'), (0.25, broken), (0.3, lambda: R.choice(['x=y', 'x=%{d}', 'exp=' + R.choice(NAMES), 'foo.bar_-1=']))
                )()


# what random terms seldom bring together
SCENES = [
    'v=spf1' + ' a:d.6.example.parts.example' * 10 + ' ip4:0.0.0.0/0 redirect=d1.example',
    'v=spf1 x=1 ip4:192.0.2.0/24 x=2 ?all', 'v=spf1 exists:%{d+-}.parts.example ~all', 'v=spf1 ip6:::/0 ip4:0.0.0.0/0 a:%{p}.gone.example -all', 'v=spf1 a:gone0.example mx:gone1.example ?ip4:192.0.2.0/25 a:%{p}.example -all',
    'v=spf1 a:gone0.example exists:gone1.example redirect=%{p}.example -all', 'v=spf1 ptr:d4.example ptr:%{d1} ~all', 'v=spf1 a:%{d0}.example -all', 'v=spf1 ip4:192.0.2.0/24 include:%{d} -all',
]


def record():
    if R.random() < 0.08:
        return R.choice(SCENES)
    terms = [term() for _ in range(pick((4, R.randrange(0, 4)), (4, R.randrange(3, 8)), (1, R.randrange(8, 14)), (0.3, R.randrange(70, 120))))]
    if len(terms) > 60:
        terms = [R.choice('+-~?') + ('ip4:198.18.%d.%d' % (R.randrange(9), R.randrange(256)) if R.random() < 0.9 else 'ip4:' + R.choice(FOUR)) for _ in terms]
    if R.random() < 0.4:
        terms.insert(R.randrange(len(terms) + 1), R.choice(['redirect=', 'redirect=', 'Redirect=']) + target())
    if R.random() < 0.6:
        terms.append(R.choice(['-all', '~all', '?all', '-ALL']))
    mixed = [t.upper() if R.random() < 0.03 and '%' not in t else t for t in terms]
    return R.choice(['v=spf1', 'v=spf1', 'V=SPF1']) + ''.join(R.choice([' ', ' ', '  ']) + t for t in mixed) + R.choice(['', '', ' '])


def zone():
    z = []
    for name in NAMES:
        for _ in range(pick((20, 1), (1, 0), (0.5, 2))):
            z.append((name, 'TXT', record()))
        if R.random() < 0.3:
            z.append((name, 'TXT', R.choice(['v=spf10 -all', 'hello', 'v=spf1\t-all'])))
        if R.random() < 0.7:
            z.append((name, 'A', R.choice(FOUR)))
        if R.random() < 0.4:
            z.append((name, 'AAAA', R.choice(SIX)))
        for i in range(pick((3, 0), (5, R.randrange(1, 4)), (0.4, 10), (0.4, 11))):
            z.append((name, 'MX', '%d %s' % (R.randrange(3) * 10, R.choice(HOSTS + NAMES + DEAD[:1] + ['error0.example'] * (R.random() < 0.1)))))
    for name in HOSTS:
        for _ in range(R.randrange(0, 3)):
            z.append((name, 'A', R.choice(FOUR)))
        for _ in range(R.randrange(0, 2)):
            z.append((name, 'AAAA', R.choice(SIX)))
    for ip in FOUR:
        rev = '.'.join(reversed(ip.split('.'))) + '.in-addr.arpa'
        for _ in range(pick((2, 0), (3, 1), (1, 2), (0.5, 12))):
            z.append((rev, 'PTR', R.choice(HOSTS + NAMES + DEAD + ['error0.example'] * (R.random() < 0.2))))
        if R.random() < 0.05:
            z.append((rev, 'PTR', '!fail'))
        if R.random() < 0.5:
            z.append((ip + '.' + R.choice(NAMES), 'A', '127.0.0.2'))
    for ip in SIX:
        rev = '.'.join(reversed(socket.inet_pton(socket.AF_INET6, ip).hex())) + '.ip6.arpa'
        for _ in range(R.randrange(0, 2)):
            z.append((rev, 'PTR', R.choice(HOSTS + NAMES)))
    for i in range(2):
        z.append(('error%d.example' % i, '*', '!fail'))
    z.append(('d.6.example.parts.example', 'A', '127.0.0.2'))
    z.append(('alias.example', 'CNAME', R.choice(NAMES)))
    return z


def question():
    ip = R.choice(FOUR + FOUR + SIX + ['::ffff:192.0.2.1'])
    sender = R.choice(['a.b-c', 'strong-bad', 'x', 'A+b_c=d', '']) + '@' + R.choice(NAMES) if R.random() < 0.9 else ''
    return ip, R.choice(NAMES + HOSTS), sender


# ---- both judges

class Zone:
    def __init__(self, entries):
        self.z = {}
        for name, rtype, data in entries:
            self.z.setdefault(name.lower(), []).append((rtype, data))

    def lookup(self, module, name, qtype):
        """Aliases are followed here: by itself spf.py counts an alias to nothing twice."""
        for _ in range(8):
            found = self.z.get(name.lower().rstrip('.'), [])
            if any(d == '!fail' for t, d in found if t in ('*', qtype)):
                raise module.TempError('DNS')
            data = [d for t, d in found if t == qtype]
            alias = [d for t, d in found if t == 'CNAME']
            if data or not alias:
                return data
            name = alias[0]
        raise module.TempError('DNS')

    def answer(self, module, name, qtype):
        for d in self.lookup(module, name, qtype):
            if qtype == 'AAAA':
                d = socket.inet_pton(socket.AF_INET6, d)
            elif qtype in ('TXT', 'SPF'):
                d = (d.encode(),)
            elif qtype == 'MX':
                d = (int(d.split()[0]), d.split()[1])
            yield (name, qtype), d


def theirs(module, z, ip, helo, sender):
    module.DNSLookup = lambda name, qtype, strict=True, timeout=None: z.answer(module, name, qtype)
    return module.query(i=ip, s=sender, h=helo).check()[0]


class Judge:
    def __init__(self, program):
        self.p = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='latin-1')

    def load(self, entries):
        self.p.stdin.write('clear\n' + ''.join('zone %s %s %s\n' % (n, t, d) for n, t, d in entries))

    def ask(self, ip, helo, sender):
        self.p.stdin.write('ask\t%s\t%s\t%s\n' % (ip, helo, sender or '-'))
        self.p.stdin.flush()
        return self.p.stdout.readline().rstrip('\n')


def main():
    seed, cases = (int(x) for x in (sys.argv[2:] + ['7208', '3000'][len(sys.argv) - 2:]))
    sys.path.append(DIST)
    if not os.path.exists(os.path.join(DIST, 'spf.py')):
        print('skipped: python3-spf is not installed')
        return 77
    stock, right, single = load([]), load(list(PATCHES)), {}
    judge, counts, results, bad = Judge(sys.argv[1]), dict.fromkeys(PATCHES, 0), {}, []
    R.seed(seed)
    for i in range(cases):
        if i % 5 == 0:
            entries = zone()
            z = Zone(entries)
            judge.load(entries)
        q = question()
        ours = judge.ask(*q)
        mine = ours.split('\t')[0]
        results[mine] = results.get(mine, 0) + 1
        if mine == theirs(stock, z, *q):
            continue
        if mine != theirs(right, z, *q):
            bad.append('case %d: %s: ours %s, python3-spf %s, set right %s\n%s' % (i, q, ours, theirs(stock, z, *q), theirs(right, z, *q), '\n'.join('  %s %s %s' % e for e in entries)))
            continue
        # the causes without which it still differs
        causes = []
        for c in PATCHES:
            single.setdefault(c, load([x for x in PATCHES if x != c]))
            if mine != theirs(single[c], z, *q):
                causes.append(c)
        for c in causes or ['several at once']:
            counts[c] = counts.get(c, 0) + 1
    judge.p.stdin.close()
    judge.p.wait()
    print('seed %d, %d cases: %s' % (seed, cases, ', '.join('%s %d' % x for x in sorted(results.items()))))
    for c in sorted(counts):
        print('%4d differ: %s (%s)' % (counts[c], c, PATCHES[c][0] if c in PATCHES else ''))
    if len(sys.argv) == 2:
        bad += ['no case shows any more: ' + c for c in PATCHES if counts[c] == 0]
        bad += ['no case gives ' + r for r in ('pass', 'fail', 'softfail', 'neutral', 'none', 'temperror', 'permerror') if results.get(r, 0) < cases / 100]
    print('\n'.join(bad[:3]))
    print('%d unexplained' % len(bad))
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
