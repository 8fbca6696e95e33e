# postfix.py - a private Postfix: own configuration, queue and ports; nothing of the system's is read or touched
import json
import os
import pwd
import signal
import socket
import subprocess

from lab.daemon import eventually, spawn
from lab.ports import Port
from lab.smtp import Client

# By purpose: place, network, mail, milter, limits away, TLS and AUTH. Facts behind each: MILTER_README, XCLIENT_README, postconf(5).
MAIN = '''compatibility_level = 3.6
queue_directory = %(folder)s/spool
data_directory = %(folder)s/data
maillog_file = %(folder)s/log
maillog_file_prefixes = /var, %(folder)s

inet_interfaces = 127.0.0.1
inet_protocols = all
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
mynetworks = 127.0.0.1/32
smtpd_authorized_xclient_hosts = 127.0.0.1

myhostname = mx.lab.test
mydestination =
local_recipient_maps =
alias_maps =
relay_domains = regexp:{{/[.]test$$/ OK}}
relay_recipient_maps = regexp:{{!/^nobody/ OK}}
default_transport = smtp:[127.0.0.1]:%(sink)d
relay_transport = smtp:[127.0.0.1]:%(sink)d
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
local_header_rewrite_clients =
smtp_line_length_limit = 0
message_size_limit = 20480000

smtpd_milters = %(milter)s
milter_default_action = tempfail
milter_connect_timeout = 30s
milter_command_timeout = 30s

smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 10000
default_process_limit = 200

smtpd_tls_cert_file = %(folder)s/etc/cert
smtpd_tls_key_file = %(folder)s/etc/key
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:%(sasl)d
'''

LISTENERS = ('mx', 'submission', 'outbound')                   # services of master.cf, each with a port of its own

# chroot column n everywhere: a unix socket of the milter would not be found otherwise
MASTER = '''127.0.0.1:%(mx)d inet n - n - - smtpd
127.0.0.1:%(submission)d inet n - n - - smtpd
	-o smtpd_sasl_auth_enable=yes
	-o milter_macro_daemon_name=ORIGINATING
127.0.0.1:%(outbound)d inet n - n - - smtpd
	-o milter_macro_daemon_name=OUTBOUND
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
'''


class Postfix:
	"""milter: as smtpd_milters takes it; sink, sasl: ports on loopback; parameters: more lines of main.cf."""
	name = 'Postfix'

	def __init__(self, folder, sink, milter, sasl, parameters=''):
		self.folder, self.etc = folder, os.path.join(folder, 'etc')
		self.held = {name: Port() for name in LISTENERS}
		self.ports = {name: p.number for name, p in self.held.items()}
		self.process = None
		for name in ('etc', 'spool', 'data'):
			os.makedirs(os.path.join(folder, name), mode=0o755)
		os.chmod(folder, 0o755)
		os.chown(os.path.join(folder, 'data'), pwd.getpwnam('postfix').pw_uid, -1)
		values = dict(folder=folder, sink=sink, milter=milter, sasl=sasl, **self.ports)
		self.write('main.cf', MAIN % values + parameters + '\n')
		self.write('master.cf', MASTER % values)
		self.certificate()

	def write(self, name, text):
		with open(os.path.join(self.etc, name), 'w') as f:
			f.write(text)

	def certificate(self):
		subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=mx.lab.test', '-keyout', os.path.join(self.etc, 'key'),
			'-out', os.path.join(self.etc, 'cert')], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

	def start(self):
		"""The master as our own child: `postfix start` would leave it to itself, and sleeps a second."""
		self.output = open(os.path.join(self.folder, 'output'), 'ab')
		subprocess.run(['postfix', '-c', self.etc, 'check'], stdout=self.output, stderr=self.output)
		master = os.path.join(subprocess.check_output(['postconf', '-c', self.etc, '-h', 'daemon_directory'], text=True).strip(), 'master')
		spawn(self, [master, '-c', self.etc, '-d'], stdout=self.output, stderr=self.output, start_new_session=True)
		eventually(lambda: self.listens() or self.process.poll() is not None, 60)
		if self.process.poll() is not None or not self.listens():
			raise RuntimeError('Postfix does not start:\n' + self.text()[-2000:])

	def listens(self):
		s = socket.socket()
		try:
			s.connect(('127.0.0.1', self.ports['outbound']))
			return True
		except OSError:
			return False
		finally:
			s.close()

	def client(self, listener='mx', **where):
		return Client(self.ports[listener], **where)

	@staticmethod
	def address(address):
		"""As the milter sees a client that says it comes from there."""
		return address

	@staticmethod
	def has_name(address):
		"""Whether that client has one, when the samples are played: they bring it with them."""
		return True

	def text(self):
		found = ''
		for name in ('output', 'log'):
			path = os.path.join(self.folder, name)
			if os.path.exists(path):
				with open(path, errors='replace') as f:
					found += f.read()
		return found

	def queue(self):
		"""What postqueue -j shows, a dict a message."""
		out = subprocess.run(['postqueue', '-c', self.etc, '-j'], check=True, stdout=subprocess.PIPE).stdout
		return [json.loads(line) for line in out.splitlines()]

	def release(self, queue_id):
		"""From the hold queue, and tries delivery at once."""
		subprocess.run(['postsuper', '-c', self.etc, '-H', queue_id], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		subprocess.run(['postqueue', '-c', self.etc, '-f'], check=True)

	def stop(self):
		"""The master ends its children when it is told to; should it not, its process group is ours."""
		if self.process is None:
			return
		self.process.send_signal(signal.SIGTERM)
		try:
			self.process.wait(20)
		except subprocess.TimeoutExpired:
			os.killpg(self.process.pid, signal.SIGKILL)
			self.process.wait()
		self.output.close()
		self.process = None
		for port in self.held.values():
			port.close()
