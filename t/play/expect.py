# expect.py - what a dialogue expects: of the reply, the headers, the log's record, the quarantine
import re
import time

import catalogue
from message import delivered
from wire import to_text

LOG_SECONDS = 15                                          # the log is written beside the sessions, and files are looked at each few seconds, on a machine that has other work


class Failure(Exception):
	"""What was expected and what came."""


class Expectations:
	"""The expect-* steps of a Player."""

	def reply(self):
		r = self.talk.reply
		if r is None:
			raise Failure('nothing was answered')
		r.looked_at = True
		return r

	def wrong(self, wanted, got):
		raise Failure('wanted %s, got %s; log: %s' % (wanted, got, self.daemon.tail(3)))

	def poll(self, question):
		"""Asks until the answer is true; the last answer."""
		end = time.monotonic() + LOG_SECONDS
		while True:
			answer = question()
			if answer or time.monotonic() > end:
				return answer
			time.sleep(0.02)

	def record(self):
		"""The log's record of what the last reply is about: by its id if it shows one, otherwise the newest since the last step."""
		ident = self.shown_id()

		def find():
			found = [r for r in self.daemon.records(self.mark) if ident in (None, r['id'])]
			return found[-1] if found else None
		r = self.poll(find)
		if r is None:
			self.wrong('a record%s in the log' % (' with id=' + ident if ident else ''), 'none')
		return r

	def shown_id(self):
		r = self.talk.reply
		m = re.search(r' \[([A-Za-z0-9._-]{4,64})\]$', r.text) if r.packet == 'y' else None
		if m:
			return m.group(1)
		return next((m.value.strip() for m in r.mods if m.name.lower() == 'x-winnow-id' and m.value), None)

	# -- the reply
	def expect(self, step):
		r, args = self.reply(), list(step.args)
		options = {}
		if 'reworded' in args:
			args.remove('reworded')
			options['reworded'] = True
		for word in ('at', 'as'):
			if word in args:
				i = args.index(word)
				options[word] = args[i + 1]
				del args[i:i + 2]
		if args[0] in ('accept', 'discard'):
			self.expect_yes(r, args[0], args[1] if len(args) > 1 else '-', options)
		else:
			self.expect_no(r, args[0], args[1], args[2], options)

	def expect_yes(self, r, what, class_id, options):
		if not r.ok or r.discarded != (what == 'discard') or (r.own and r.stage not in ('rcpt', 'rset', 'body', 'eoh', 'header', 'data')):
			self.wrong(what, r)
		if 'at' in options and r.stage not in options['at'].split('/'):
			self.wrong('an answer at ' + options['at'], r)
		if class_id != '-':
			rec = self.record()
			if rec['class'] != class_id:
				self.wrong('class=' + class_id, rec)
			action = options.get('as', what)
			if rec.get('action') != action:
				self.wrong('action=' + action, rec)

	def expect_no(self, r, code, xcode, class_id, options):
		row = self.classes.get(class_id)
		if (str(r.code), r.xcode) != (code, xcode) or r.own:
			self.wrong('%s %s %s' % (code, xcode, class_id), r)
		stage = options.get('at') or (catalogue.stage(row, self.talk.outbound) if row else r.stage)
		if r.stage not in stage.split('/'):
			self.wrong('the reply at ' + stage, r)
		if class_id == '-':
			return
		if row['text'] not in r.text and 'reworded' not in options:
			self.wrong('the text "%s"' % row['text'], r)
		ident = self.shown_id()
		if not ident:
			self.wrong('an [ID] at the end', r)
		rec = self.record()
		action = options.get('as') or (catalogue.action(row, r.stage) if code[0] == row['code'][0] else 'tempfail' if code[0] == '4' else 'reject')
		want = {'class': class_id, 'action': action, 'code': code, 'xcode': xcode, 'id': ident}
		for key, value in want.items():
			if rec.get(key) != value:
				self.wrong('%s=%s in the log' % (key, value), rec)

	def expect_reply_text(self, step):
		r = self.reply()
		if not re.search(step.args[0], r.text):
			self.wrong('/%s/' % step.args[0], r)

	def expect_closed(self, step):
		if not self.talk.mta or not self.talk.mta.closed:
			self.wrong('a closed connection', 'an open one after %s' % self.reply())

	def expect_open(self, step):
		if not self.talk.mta or self.talk.mta.closed:
			self.wrong('an open connection', 'a closed one after %s' % self.reply())

	def expect_exit(self, step):
		status = self.daemon.wait()
		if status != int(step.args[0]):
			self.wrong('exit status ' + step.args[0], status)

	# -- classes that must not be there
	def expect_not(self, step):
		records = self.poll(self.daemon.records)
		if not records:
			self.wrong('a record in the log', 'none')
		for r in records:
			found = {r['class']} | {x.split(':')[0] for x in re.split(r'[,;\s]+', r.get('findings', ''))}
			for c in step.args:
				if c in found:
					self.wrong('no ' + c, r)

	# -- what was changed at end of message
	def mods(self):
		return self.reply().mods

	def shown(self, mods):
		return ' | '.join(map(str, mods)) or 'no changes'

	def expect_header(self, step):
		name, _, pattern = step.args[0].partition(' ')
		values = [m.value for m in self.mods() if m.kind in ('insert', 'add', 'change') and m.name.lower() == name.lower() and m.value]
		if not any(re.search(pattern.strip(), re.sub(r'\r?\n[ \t]+', ' ', v), re.S) for v in values):
			self.wrong('%s: /%s/' % (name, pattern.strip()), self.shown(self.mods()))

	def expect_no_header(self, step):
		for name in step.args:
			if any(m.kind in ('insert', 'add', 'change') and m.name.lower() == name.lower() and m.value for m in self.mods()):
				self.wrong('no ' + name, self.shown(self.mods()))

	def expect_deleted(self, step):
		"""NAME INDEX...: exactly these fields of that name were deleted, in that order."""
		name, *wanted = step.args
		got = [str(m.index) for m in self.mods() if m.kind == 'change' and m.name.lower() == name.lower() and not m.value]
		if got != [x for x in wanted if x != 'none']:
			self.wrong('deletions of %s: %s' % (name, ' '.join(wanted)), ' '.join(got) or 'none')

	def expect_delivered(self, step):
		"""COUNT NAME [REGEX]: so many fields of that name (whose value matches) are in the message as delivered."""
		count, name, pattern = (step.args[0].split(None, 2) + [''])[:3]
		fields = delivered(self.talk.mta.fields, self.mods())
		got = [v for n, v in fields if n.lower() == name.lower() and re.search(pattern, v, re.S)]
		if len(got) != int(count):
			self.wrong('%s fields %s /%s/' % (count, name, pattern), got)

	def expect_rcpt_deleted(self, step):
		got = sorted(m.name for m in self.mods() if m.kind == 'delrcpt')
		if got != sorted(x for x in step.args if x != 'none'):
			self.wrong('deleted recipients ' + ' '.join(step.args), ' '.join(got) or 'none')

	def expect_hold(self, step):
		if not any(m.kind == 'quarantine' for m in self.mods()):
			self.wrong('hold', self.shown(self.mods()))

	# -- the log
	def expect_record(self, step):
		"""KEY=REGEX ...: the record has these; a value ends at the next blank; the whole value must match."""
		rec = self.record()
		for pair in step.args[0].split():
			key, _, pattern = pair.partition('=')
			if not re.fullmatch(pattern, rec.get(key, '')):
				self.wrong('%s=/%s/' % (key, pattern), rec)
		self.reply()

	def expect_log(self, step):
		if not self.poll(lambda: re.search(step.args[0], self.daemon.log(self.mark))):
			self.wrong('/%s/ in the log' % step.args[0], self.daemon.log(self.mark)[-500:])

	def expect_no_log(self, step):
		time.sleep(0.2)
		m = re.search(step.args[0], self.daemon.log(self.mark))
		if m:
			self.wrong('no /%s/ in the log' % step.args[0], m.group(0))

	# -- DNS
	def expect_asked(self, step):
		"""NAME [TYPE] [COUNT]: the zone's server was asked for it, exactly COUNT times."""
		args = list(step.args)
		count = int(args.pop()) if args[-1].isdigit() else None
		asked = lambda: self.dns.times_asked(*args)
		if self.dns is None:
			raise Failure('no zone')
		if count == 0:
			time.sleep(0.2)
		if not (self.poll(asked) if count is None else self.poll(lambda: asked() == count)):
			self.wrong('asked' if count is None else 'asked %d times' % count, '%d; all: %s' % (asked(), self.dns.asked[-20:]))

	# -- the quarantine
	def expect_copies(self, step):
		got = self.daemon.copies()
		if len(got) != int(step.args[0]):
			self.wrong(step.args[0] + ' copies', got)

	def expect_copy(self, step):
		"""The copy of the last refused message, as winnowctl shows it, matches."""
		text = to_text(self.daemon.ctl('quarantine', 'show', self.shown_id() or '-'))
		if not re.search(step.args[0], text):
			self.wrong('/%s/ in the copy' % step.args[0], text[:800])
