#!/usr/bin/env python3
"""dns.py BUILD_DIR [--runs N] [--messages N]: what SPF and six DNS lists cost a message, all answers known, as a ratio to a milter that does nothing, measured in turn;
and how long a session waits for six lists of which one answers after 400 ms.

together: sessions of many messages; apart: each message in a session of its own, as mail of strangers comes. CPU is that of the whole process; the median of the runs counts.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), x) for x in ('fake', 'play')]

import mta                                                 # noqa: E402
import run                                                 # noqa: E402

LIMIT, LISTS, DELAY = 2.5, 6, 0.4
ZONE = '''$TTL 3600
sender.example TXT "v=spf1 include:_spf.sender.example mx -all"
sender.example MX 10 mail.sender.example
sender.example A 198.51.100.9
_spf.sender.example TXT "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ~all"
mail.sender.example TXT "v=spf1 a -all"
mail.sender.example A 198.51.100.9
PTR 198.51.100.9 mail.sender.example
example.com MX 10 mx.bench.test
example.com A 198.51.100.1
mx.bench.test A 198.51.100.1
. NS a.root.example
''' + ''.join('2.0.0.127.l%d.example A 127.0.0.2\nl%d.example A 192.0.2.1\n' % (i, i) for i in range(LISTS))
LIST = 'blocklist "l%d.example" { rbl = { "127.0.0.2" } }\n'


class Server:
    """The fake name server in a process of its own: its CPU is not the milter's."""
    def __init__(self, folder, zone):
        path = os.path.join(folder, 'zone')
        with open(path, 'w') as f:
            f.write(zone)
        self.proc = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(HERE), 'fake/nameserver.py'), path], stdout=subprocess.PIPE)
        self.server = '127.0.0.1@%d' % int(self.proc.stdout.readline())

    def stop(self):
        self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()


def knows_lists(build, folder):
    path = os.path.join(folder, 'lists.conf')
    with open(path, 'w') as f:
        f.write(LIST % 0)
    return subprocess.run([os.path.join(build, 'milter/winnow-milter'), '-t', '-c', path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder).returncode == 0


def questions(build, m):
    """DNS questions so far, asked and known"""
    text = subprocess.check_output([os.path.join(build, 'milter/winnowctl'), '-c', m.dir + '/winnow.conf', 'stats', '--json'])
    dns = json.loads(text)['dns']
    return dns['asked'] + dns['known'] + dns['joined']


def spent(build, which, o, extra, server):
    """us a message: [together, apart], and the questions of each of the latter"""
    m, out = run.Milter(build, which, False, extra, server), []
    run.load(build, m, 2, 50)                               # warm: every answer is known
    for apart in (False, True):
        run.load(build, m, 4, 25, apart=apart)
        before, asked = run.cpu(m.proc.pid), questions(build, m) if which == 'winnow' else 0
        run.load(build, m, 4, o.messages // 4, apart=apart)
        out.append((run.cpu(m.proc.pid) - before) / (o.messages // 4 * 4) * 1e6)
    out.append((questions(build, m) - asked) / (o.messages // 4 * 4) if which == 'winnow' else 0)
    m.stop()
    return out


def waits(build, extra, server):
    """Seconds from connection to the answer to RCPT, of clients that nothing is known of."""
    m, out = run.Milter(build, 'winnow', False, extra, server), []
    for i in range(5):
        talk = mta.Mta(m.listen[5:], 'postfix')
        start = time.monotonic()
        talk.connect('203.0.113.%d' % (10 + i), 'mail.sender.example')
        talk.helo('mail.sender.example')
        talk.mail('<bob@sender.example>')
        reply = talk.rcpt('<anna@example.com>')
        out.append(time.monotonic() - start)
        talk.quit()
        if not reply.ok and reply.xcode != '5.7.23':         # the client is not one of sender.example's
            sys.exit('refused: %s' % reply)
    m.stop()
    return statistics.median(out)


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('build')
    a.add_argument('--runs', type=int, default=5)
    a.add_argument('--messages', type=int, default=4000)
    a.add_argument('--only-runs', action='store_true', help='the figures are not judged')
    o = a.parse_args()
    folder = subprocess.check_output(['mktemp', '-d']).decode().strip()
    quick, slow = Server(folder, ZONE), Server(folder, ZONE + '*.l3.example SLOW %d\n' % (DELAY * 1000))
    lists = ''.join(LIST % i for i in range(LISTS)) if knows_lists(o.build, folder) else ''
    got = {'nothing': ('nothing', ''), 'SPF': ('winnow', ''), 'SPF and lists': ('winnow', lists)}
    seconds = {w: [] for w in got}
    try:
        for _ in range(o.runs):
            for w, (which, extra) in got.items():
                seconds[w].append(spent(o.build, which, o, extra, quick.server))
        alone, delayed = waits(o.build, lists, quick.server), waits(o.build, lists, slow.server)
    finally:
        quick.stop()
        slow.stop()
        subprocess.call(['rm', '-rf', folder])
    med = {w: [statistics.median(x) for x in zip(*v)] for w, v in seconds.items()}
    print('%-16s %16s %8s %16s %8s %10s' % ('', 'together, us', 'ratio', 'apart, us', 'ratio', 'questions'))
    for w, (together, apart, asked) in med.items():
        print('%-16s %16.0f %8.2f %16.0f %8.2f %10.1f' % (w, together, together / max(med['nothing'][0], 1), apart, apart / max(med['nothing'][1], 1), asked))
    worst = max(x / max(y, 1) for x, y in zip(med['SPF and lists'][:2], med['nothing'][:2]))
    print('at most %.2f times the milter that does nothing (limit %.1f)%s' % (worst, LIMIT, '' if lists else '; this build knows no lists'))
    print('a client not seen before waits %.0f ms for its answers, %.0f ms where one of %d lists takes %.0f ms' % (alone * 1e3, delayed * 1e3, LISTS if lists else 0, DELAY * 1e3))
    sys.exit(not o.only_runs and (worst > LIMIT or delayed > alone + DELAY + 0.1))


if __name__ == '__main__':
    main()
