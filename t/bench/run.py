#!/usr/bin/env python3
"""run.py BUILD_DIR [--runs N] [--messages N] [--inet]: what a message costs winnow-milter, as a ratio to a milter that does nothing, measured in turn.

CPU is that of the whole process, user and system; the median of the runs counts. p99: of the time from MAIL to the answer at end of message, at 10 and at 100 sessions
that send 100 messages a second together (as fast as they can, sessions only queue for the two cores). idle: resident memory of an idle session, as slope between 500 and 2,000.
"""
import argparse
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fake'))
from nameserver import DnsServer                            # noqa: E402

NAMESERVER = DnsServer('* MX 10 mx.elsewhere.test')            # each name is asked for once: the resolver's table has it from then on
CONF = '''listen = "%(listen)s"
control = "%(dir)s/control.sock"
directory = "%(dir)s"
hostname = "mx.bench.test"
domains = "inline:example.com"
log { target = "%(dir)s/log" }
quarantine { path = "%(dir)s/quarantine" }
store "sqlite" { path = "%(dir)s/state" }
sessions_max = 0
dns { servers = { "%(dns)s" } }
'''


def cpu(pid):
    f = open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf('SC_CLK_TCK')


def resident(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', open('/proc/%d/status' % pid).read()).group(1))


def free_port():
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    return s.getsockname()[1]


class Milter:
    def __init__(self, build, which, inet, extra='', dns=None):
        """extra: lines of the configuration; dns: another server than NAMESERVER"""
        self.dir = tempfile.mkdtemp(prefix='winnow-bench-')
        port = free_port()
        listen = 'inet:%d@127.0.0.1' % port if inet else 'unix:%s/sock' % self.dir
        self.listen, self.socket = listen, 'inet:%d' % port if inet else listen
        if which == 'winnow':
            conf = os.path.join(self.dir, 'winnow.conf')
            with open(conf, 'w') as f:
                f.write(CONF % dict(listen=listen, dir=self.dir, dns=dns or NAMESERVER.server) + extra)
            argv = [os.path.join(build, 'milter/winnow-milter'), '-f', '-c', conf]
        else:
            argv = [os.path.join(build, 't/bench/nothing'), listen]
        self.log = open(os.path.join(self.dir, 'stderr'), 'wb')
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        self.proc = subprocess.Popen(argv, stderr=self.log, stdout=self.log)
        for _ in range(200):
            time.sleep(0.05)
            try:
                s = socket.create_connection(('127.0.0.1', port)) if inet else socket.socket(socket.AF_UNIX)
                if not inet:
                    s.connect(self.dir + '/sock')
                s.close()
                break
            except OSError:
                continue
        else:
            sys.exit('%s does not listen: %s' % (which, open(self.log.name).read()))

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait()
        subprocess.call(['rm', '-rf', self.dir])


def load(build, m, sessions, messages, rate=0, apart=False):
    out = subprocess.run([os.path.join(build, 't/bench/load'), m.socket, str(sessions), str(messages), '0', str(rate), 'apart' if apart else 'together'], stdout=subprocess.PIPE, check=True).stdout.decode()
    words = out.split()
    return dict(zip(words[::2], map(float, words[1::2])))


def one(build, which, o):
    m = Milter(build, which, o.inet)
    load(build, m, 2, 50)                                   # warm
    before = cpu(m.proc.pid)
    load(build, m, 4, o.messages // 4)
    spent = (cpu(m.proc.pid) - before) / (o.messages // 4 * 4)
    ten, hundred = load(build, m, 10, 40, 100), load(build, m, 100, 4, 100)
    m.stop()
    return spent * 1e6, ten['p99'], hundred['p99'], hundred['p99'] / ten['p99'], idle(build, which, o)


def idle(build, which, o):
    """KiB of an idle session: each has sent one message"""
    if o.messages < 1000:
        return 1.0
    at = []
    for n in (500, 2000):
        m = Milter(build, which, o.inet)
        p = subprocess.Popen([os.path.join(build, 't/bench/load'), m.socket, str(n), '1', '4'], stdout=subprocess.DEVNULL)
        time.sleep(3)
        at.append(resident(m.proc.pid))
        p.wait()
        m.stop()
    return (at[1] - at[0]) / 1500


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('build')
    a.add_argument('--runs', type=int, default=5)
    a.add_argument('--messages', type=int, default=4000)
    a.add_argument('--inet', action='store_true')
    o = a.parse_args()
    got = {'nothing': [], 'winnow': []}
    for _ in range(o.runs):
        for which in got:
            got[which].append(one(o.build, which, o))
    med = {w: [statistics.median(x) for x in zip(*got[w])] for w in got}
    print('%-8s %12s %12s %12s %10s %10s' % ('', 'CPU/msg us', 'p99@10 us', 'p99@100 us', '100 : 10', 'idle KiB'))
    for w in got:
        print('%-8s %12.0f %12.0f %12.0f %10.2f %10.2f' % ((w,) + tuple(med[w])))
    print('%-8s %12.2f %12.2f %12.2f' % (('ratio',) + tuple(med['winnow'][i] / med['nothing'][i] for i in range(3))))
    print('an idle session: %.2f KiB more than that of the milter that does nothing' % (med['winnow'][4] - med['nothing'][4]))


if __name__ == '__main__':
    main()
