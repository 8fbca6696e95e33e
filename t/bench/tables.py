#!/usr/bin/env python3
"""tables.py BUILD_DIR [--runs N]: what `policies` costs with ten and with 100,000 domains in Postfix's maps: start, reload, opening and look-up.

start: from exec until winnow-milter takes commands; reload: winnowctl reload; both of the real program, in turn with ten and 100,000 domains, medians of the runs.
open, look-up: of the table alone (user@domain: three questions), each the fastest of 30 rounds, medians of the runs. Ends with 1 if 100,000 domains take twice what ten do,
or more, in the fastest run of each too: a busy machine makes a run slower, never faster.
"""
import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'play'))
import daemon                                              # noqa: E402
import postmap                                             # noqa: E402

SIZES = 10, 100000
KINDS = 'lmdb', 'cdb'
COLUMNS = 'start', 'reload', 'open', 'look-up'
POLICIES = ''.join('policy "p%d" { tag_subject = "[%d]" }\n' % (i, i) for i in range(7))


def start(d):
	"""Milliseconds until it takes commands, which is the last thing that it opens."""
	d.listen, d.address = 'unix:' + d.path('milter.sock'), d.path('milter.sock')
	d.write_config(d.lines)
	began = time.monotonic()
	with open(d.log_path, 'ab') as log:
		d.process = subprocess.Popen([d.program, '-f', '-c', d.conf], cwd=d.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
	while True:
		with socket.socket(socket.AF_UNIX) as s:
			try:
				s.connect(d.path('control.sock'))
				return (time.monotonic() - began) * 1e3
			except OSError:
				pass
		if d.process.poll() is not None or time.monotonic() - began > daemon.START_SECONDS:
			raise daemon.DaemonError('no start; log: ' + d.tail())
		time.sleep(0.0005)


def reload(d):
	"""Milliseconds that winnowctl takes."""
	began = time.monotonic()
	d.ctl('reload')
	return (time.monotonic() - began) * 1e3


def one(build, spec, reloads=3):
	d = daemon.Daemon(build, 'policies = "%s"\n%s' % (spec, POLICIES))
	try:
		started = start(d)
		took = statistics.median(reload(d) for _ in range(reloads))
		if b'policy "p0"' not in d.ctl('policy', 'user@domain000007.example'):
			raise daemon.DaemonError('the table does not answer')
		d.stop()
	finally:
		d.kill()
		d.clean()
	alone = subprocess.run([daemon.program(os.path.join(build, 't', 'bench'), 'lookup'), spec, 'domain000007.example'], stdout=subprocess.PIPE, check=True).stdout.split()
	return [started, took] + [float(us) for us in alone]


def main():
	a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
	a.add_argument('build')
	a.add_argument('--runs', type=int, default=9)
	o = a.parse_args()
	bad = False
	with tempfile.TemporaryDirectory(prefix='winnow-tables-') as folder:
		print('%-5s %8s %12s %12s %12s %12s' % ('', 'domains', 'start ms', 'reload ms', 'open us', 'look-up us'))
		for kind in KINDS:
			specs = {}
			for n in SIZES:
				specs[n] = postmap.write(folder, kind, 'domains%d' % n, ('domain%06d.example p%d' % (i, i % 7) for i in range(n)))
			got = {n: [] for n in SIZES}
			for _ in range(o.runs):
				for n in SIZES:
					got[n].append(one(o.build, specs[n]))
			rows = {n: [statistics.median(x) for x in zip(*got[n])] for n in SIZES}
			best = {n: [min(x) for x in zip(*got[n])] for n in SIZES}
			for n in SIZES:
				print('%-5s %8d %12.1f %12.1f %12.1f %12.2f' % ((kind, n) + tuple(rows[n])))
			ratios = [[many / few for few, many in zip(*(by[n] for n in SIZES))] for by in (rows, best)]
			print('%-5s %8s %12.2f %12.2f %12.2f %12.2f' % ((kind, 'ratio') + tuple(ratios[0])))
			for what, usual, fastest in zip(COLUMNS, *ratios):
				if min(usual, fastest) >= 2:
					print('%s: %s takes %.2f times as long with %d domains as with %d' % ((kind, what, min(usual, fastest)) + SIZES[::-1]))
					bad = True
	return bad


if __name__ == '__main__':
	sys.exit(main())
