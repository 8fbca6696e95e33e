# play.py - plays dialogues against a real winnow-milter: play.py --build DIR [options] FILE.scn...
"""Exit status 0: all hold; 1: some do not; 2: nothing could be played."""
import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import catalogue
import dialogue
from daemon import DaemonError, program
from player import Player


def arguments(argv):
	a = argparse.ArgumentParser(prog='play.py', description='Plays dialogues against the winnow-milter of a build. ' + __doc__)
	a.add_argument('--build', required=True, help='the build folder')
	a.add_argument('--as', dest='kind', default='both', choices=['postfix', 'sendmail', 'both'], help='which MTA to be')
	a.add_argument('--jobs', type=int, default=os.cpu_count() or 2)
	a.add_argument('--only', default='', help='dialogues whose name begins so')
	a.add_argument('--keep', action='store_true', help='keep the private folders')
	a.add_argument('--verbose', action='store_true', help='each step and reply, to stderr')
	a.add_argument('files', nargs='+', metavar='FILE.scn')
	return a.parse_args(argv)


def play_one(options, classes, work):
	"""-> (name, problem or None, seconds)"""
	d, kind = work
	start = time.monotonic()
	trace = (lambda text: print('%s %s' % (kind, text), file=sys.stderr)) if options.verbose else None
	try:
		problem = Player(d, options.build, kind, classes, trace).play(options.keep)
	except Exception as e:                                    # a fault of the player must not look like a pass
		problem = 'player: %s: %s' % (type(e).__name__, e)
	return '%s as %s' % (d.name, kind), problem, time.monotonic() - start


def main(argv=None):
	options = arguments(argv)
	classes = catalogue.load()
	try:
		program(options.build, 'winnow-milter')
		dialogues = [dialogue.read(f, classes) for f in options.files if os.path.basename(f).startswith(options.only)]
	except (DaemonError, dialogue.DialogueError, OSError) as e:
		print(e, file=sys.stderr)
		return 2
	kinds = ['postfix', 'sendmail'] if options.kind == 'both' else [options.kind]
	work = [(d, k) for d in dialogues for k in d.kinds(kinds)]
	if not work:
		print('no dialogue to play', file=sys.stderr)
		return 2
	bad = 0
	with ThreadPoolExecutor(options.jobs) as pool:
		for name, problem, seconds in pool.map(lambda w: play_one(options, classes, w), work):
			bad += problem is not None
			print('%-4s %s (%.1f s)%s' % ('FAIL' if problem else 'ok', name, seconds, '\n     ' + problem if problem else ''), flush=True)
	print('%d of %d hold' % (len(work) - bad, len(work)))
	return 1 if bad else 0


if __name__ == '__main__':
	sys.exit(main())
