#!/usr/bin/env python3
"""suite.py JUDGE [FILE]: the openspf.org test suite for RFC 7208, as the package python3-spf brings it, against our check. Exit 77: it is not installed."""
import gzip
import os
import subprocess
import sys

PLACES = ['/usr/share/doc/python3-spf/rfc7208-tests.yml.gz']
DIST = '/usr/lib/python3/dist-packages'


def escape(text):
    data = text.encode('utf-8', 'surrogateescape') if isinstance(text, str) else text
    return ''.join(chr(b) if 0x20 < b < 0x7f and b != 0x5c else '\\x%02x' % b if b != 0x20 else ' ' for b in data)


def lines_of(name, entries):
    """Zone lines of one name; a record of type SPF stands for a TXT one where there is no TXT."""
    out, texts, spf, only, late, silent = [], [], [], True, False, False
    for entry in entries:
        if entry == 'TIMEOUT':
            silent = True
            continue
        for rtype, value in entry.items():
            only = False
            if value == 'TIMEOUT' and rtype == 'SPF':
                late = True
            elif value == 'TIMEOUT':
                out.append((rtype, '!late'))
            elif rtype in ('TXT', 'SPF'):
                parts = value if isinstance(value, list) else [value]
                (texts if rtype == 'TXT' else spf).append(None if parts == ['NONE'] else ''.join(parts))
            elif rtype == 'MX':
                out.append(('MX', '%d %s' % (value[0], value[1] or '.')))
            else:
                out.append((rtype, value))
    out += [('TXT', t) for t in (texts or spf) if t is not None]
    if late and not texts:
        out.append(('TXT', '!late'))
    if silent:
        out += [(t, '!late') for t in ('A', 'AAAA', 'MX', 'PTR', 'TXT') if t not in [x[0] for x in out]]
    out.append(('A', '!nodata'))
    return ['zone %s %s %s' % (escape(name).replace(' ', '\\x20'), t, escape(v)) for t, v in out if not (t == 'A' and v == '!nodata' and only and len(out) > 1)]


def main():
    judge, path = sys.argv[1], (sys.argv[2:] + PLACES)[0]
    if os.path.isdir(DIST):
        sys.path.append(DIST)
    try:
        import yaml
        data = gzip.open(path) if path.endswith('.gz') else open(path, 'rb')
    except (ImportError, OSError) as e:
        print('skipped:', e)
        return 77
    with subprocess.Popen([judge], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='latin-1') as p:
        wrong, n = [], 0
        for scenario in yaml.safe_load_all(data):
            p.stdin.write('clear\n')
            for name, entries in scenario['zonedata'].items():
                p.stdin.write(''.join(x + '\n' for x in lines_of(name, entries)))
            for test, t in scenario['tests'].items():
                n += 1
                p.stdin.write('ask\t%s\t%s\t%s\n' % (t['host'], escape(t.get('helo') or '') or '-', escape(t.get('mailfrom') or '') or '-'))
                p.stdin.flush()
                got = p.stdout.readline().rstrip('\n')
                want = t['result'] if isinstance(t['result'], list) else [t['result']]
                if got.split('\t')[0] not in want:
                    wrong.append('%s / %s: expected %s, got %s' % (scenario['description'], test, ' or '.join(want), got))
        p.stdin.close()
    print('\n'.join(wrong))
    print('%d cases, %d wrong' % (n, len(wrong)))
    return 1 if wrong or n < 150 else 0


if __name__ == '__main__':
    sys.exit(main())
