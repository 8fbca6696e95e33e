# sendmail.py - a private Sendmail in a root folder of its own: programs, configuration, queue, log and passwords; nothing of the system's is read or touched
import contextlib
import glob
import os
import re
import shutil
import signal
import socket
import subprocess

from lab import package
from lab.daemon import die_with_parent, eventually
from lab.ports import Port
from lab.sasl import Saslauthd
from lab.smtp import Client
from lab.syslog import Syslog

LISTENERS = {'mx': 'MTA', 'submission': 'MSA', 'outbound': 'OUTBOUND'}   # name of the port -> what the milter hears as {daemon_name}

# T= as contrib/run prints it: above winnow's deadlines (stages.*_timeout), where R is for one answer and E for that to the end of message
TIMES = 'C:30s;S:30s;R:60s;E:5m'

# By purpose: place, network, no limits, milters, listeners, TLS and AUTH. Facts behind each: cf/README and the operations guide.
# No confMILTER_MACROS_CONNECT: the milter asks for what it needs. The MSA has a filter line of its own, so that the tests see two settings side by side.
MC = '''divert(0)dnl
OSTYPE(`linux')dnl
DOMAIN(`generic')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
undefine(`STATUS_FILE')dnl
undefine(`ALIAS_FILE')dnl
define(`confPID_FILE', `/run/sendmail.pid')dnl
define(`QUEUE_DIR', `/var/spool/mqueue')dnl
define(`confDOMAIN_NAME', `sm.lab.test')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/service.switch')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confTO_IDENT', `0s')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h %(sink)d')dnl
define(`RELAY_MAILER_MAXMSGS', `1')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
INPUT_MAIL_FILTER(`winnow', `S=%(milter)s, F=T, T=%(times)s')dnl
MAIL_FILTER(`winnow-msa', `S=%(milter)s, F=4, T=%(times)s')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port=%(mx)d')dnl
DAEMON_OPTIONS(`Name=OUTBOUND, Family=inet, Addr=127.0.0.1, Port=%(outbound)d')dnl
DAEMON_OPTIONS(`Name=MSA, Family=inet, Addr=127.0.0.1, Port=%(submission)d, M=E, InputMailFilters=winnow-msa')dnl
define(`confSERVER_CERT', `/etc/cert')dnl
define(`confSERVER_KEY', `/etc/key')dnl
define(`confCACERT', `/etc/cert')dnl
define(`confCACERT_PATH', `/etc')dnl
define(`confAUTH_MECHANISMS', `PLAIN')dnl
TRUST_AUTH_MECH(`PLAIN')dnl
%(more)s
MAILER(`smtp')dnl
'''

# Its own /etc. A PTR is a line of hosts here: no question leaves the machine. The host's own name gets a dot, else Sendmail sleeps two minutes.
ETC = {
	'hosts': '127.0.0.1 sm.lab.test %(host)s localhost\n127.0.113.7 mail.sender.example\n',
	'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n',
	'resolv.conf': 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n',
	'service.switch': 'hosts files\naliases files\n',
	'passwd': 'root:x:0:0::/:/bin/sh\nmail:x:8:8::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
	'group': 'root:x:0:\nmail:x:8:\nnogroup:x:65534:\n',
	'services': 'smtp 25/tcp\nsubmission 587/tcp\ndomain 53/udp\n',
	'protocols': 'tcp 6 TCP\nudp 17 UDP\n',
	'mail/local-host-names': '',
	'sasl2/Sendmail.conf': 'pwcheck_method: saslauthd\nsaslauthd_path: /run/saslauthd/mux\nmech_list: PLAIN\n',
}


def loopback(address):
	"""Sendmail has no XCLIENT: 203.0.113.7 comes as 127.0.113.7, the kernel lets a client bind to any address of that network."""
	return '127.' + address.split('.', 1)[1]


class Sendmail:
	"""users: name -> password; milter: as S= takes it; sink: port on loopback; parameters: more lines of the .mc file."""
	name = 'Sendmail'

	def __init__(self, folder, sink, milter, users, parameters=''):
		self.folder, self.root, self.users = folder, os.path.join(folder, 'root'), users
		self.held = {name: Port() for name in LISTENERS}
		self.ports = {name: p.number for name, p in self.held.items()}
		self.process, self.parts = None, []
		for path in ('dev', 'etc/sasl2', 'etc/mail', 'run/saslauthd', 'tmp', 'usr/libexec/sendmail', 'var/spool/mqueue'):
			os.makedirs(self.inside(path), mode=0o755)
		os.chmod(self.inside('var/spool/mqueue'), 0o700)
		os.chmod(folder, 0o755)
		self.programs()
		for name, text in ETC.items():
			self.write('etc/' + name, text % dict(host=socket.gethostname()))
		self.write('dev/null', '')
		self.certificate()
		self.configure(MC % dict(sink=sink, milter=milter, times=TIMES, more=parameters, **self.ports))

	def inside(self, path):
		return os.path.join(self.root, path)

	def write(self, name, text):
		with open(self.inside(name), 'w') as f:
			f.write(text)
		os.chmod(self.inside(name), 0o600 if name == 'etc/key' else 0o644)

	def programs(self):
		"""Sendmail and every library that it, or SASL's mechanisms, load."""
		program = os.path.join(package.sendmail(), 'usr/libexec/sendmail/sendmail')
		shutil.copyfile(program, self.inside('usr/libexec/sendmail/sendmail'))
		os.chmod(self.inside('usr/libexec/sendmail/sendmail'), 0o755)        # not setgid, as the package has it: we are root
		plugins = glob.glob('/usr/lib/*/sasl2/libplain.so*')
		if not plugins:
			raise RuntimeError('no libplain.so of Cyrus SASL: install libsasl2-modules (contrib/install sendmail)')
		listed = subprocess.run(['ldd', program] + plugins, stdout=subprocess.PIPE, universal_newlines=True).stdout
		missing = re.findall(r'(\S+) => not found', listed)
		if missing:
			raise RuntimeError('Sendmail needs %s: contrib/install sendmail' % ' '.join(sorted(set(missing))))
		for path in set(re.findall(r'(/\S+) \(0x', listed)) | set(plugins):
			os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
			shutil.copyfile(path, self.root + path)
			os.chmod(self.root + path, 0o755)

	def certificate(self):
		subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=sm.lab.test', '-keyout', self.inside('etc/key'),
			'-out', self.inside('etc/cert')], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		os.chmod(self.inside('etc/key'), 0o600)

	def configure(self, mc):
		self.write('etc/mail/sendmail.mc', mc)
		cf = os.path.join(package.sendmail(), 'usr/share/sendmail/cf')
		made = subprocess.run(['m4', '-D_CF_DIR_=%s/' % cf, cf + '/m4/cf.m4', self.inside('etc/mail/sendmail.mc')], check=True, stdout=subprocess.PIPE,
			stderr=subprocess.DEVNULL, universal_newlines=True)              # it warns of our open relay
		self.write('etc/mail/sendmail.cf', made.stdout)

	def enter(self):
		die_with_parent()
		os.chroot(self.root)
		os.chdir('/')

	def command(self, *words):
		return ['/usr/libexec/sendmail/sendmail', '-C', '/etc/mail/sendmail.cf'] + list(words)

	def run(self, *words):
		"""Another Sendmail in the same root, to its end; what it printed."""
		return subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
			preexec_fn=self.enter, timeout=60, env={'PATH': '/usr/bin'}).stdout

	def start(self):
		self.output = open(os.path.join(self.folder, 'output'), 'ab')
		self.parts = [Syslog(self.inside('dev/log'), os.path.join(self.folder, 'log')), Saslauthd(self.inside('run/saslauthd/mux'), self.users)]
		self.process = subprocess.Popen(self.command('-bD'), stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, start_new_session=True,
			preexec_fn=self.enter, env={'PATH': '/usr/bin'})
		eventually(lambda: self.listens() or self.process.poll() is not None, 60)
		if self.process.poll() is not None or not self.listens():
			raise RuntimeError('Sendmail does not start:\n' + self.text()[-2000:])

	def listens(self):
		for port in self.ports.values():
			s = socket.socket()
			try:
				s.connect(('127.0.0.1', port))
			except OSError:
				return False
			finally:
				s.close()
		return True

	def client(self, listener='mx', addr='203.0.113.7', helo='mail.sender.example', name=None, **other):
		"""name: of no use, the PTR is what ETC says."""
		return Client(self.ports[listener], helo=helo, source=self.address(addr), **other)

	address = staticmethod(loopback)

	@staticmethod
	def has_name(address):
		"""Whether that client has one: what ETC gives it."""
		return '\n%s ' % loopback(address) in ETC['hosts']

	def text(self):
		found = ''
		for name in ('output', 'log'):
			path = os.path.join(self.folder, name)
			if os.path.exists(path):
				with open(path, errors='replace') as f:
					found += f.read()
		return found

	def held_mail(self):
		"""Queue ids of quarantined messages -> reason."""
		found = {}
		for path in glob.glob(self.inside('var/spool/mqueue/hf*')):
			with open(path, errors='replace') as f:
				found[os.path.basename(path)[2:]] = (re.findall(r'^q(.*)$', f.read(), re.M) + [''])[0]
		return found

	def release(self, queue_id):
		"""Out of quarantine, and tries delivery at once."""
		return self.run('-Q', '-qQ', '-qI' + queue_id) + self.run('-qI' + queue_id)

	def stop(self):
		if self.process is not None:
			with contextlib.suppress(ProcessLookupError):
				os.killpg(self.process.pid, signal.SIGKILL)         # also those who serve a connection
			self.process.wait()
			self.process = None
			self.output.close()
		while self.parts:
			self.parts.pop().stop()
		for port in self.held.values():
			port.close()
