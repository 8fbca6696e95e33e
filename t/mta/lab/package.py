# package.py - Debian's Sendmail, unpacked and never installed (it conflicts with Postfix): fetched once, kept in var/, used offline from then on
import fcntl
import glob
import os
import shutil
import subprocess
import tempfile

PACKAGES = ('sendmail-bin', 'sendmail-base', 'sendmail-cf')
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..')


def fetch(folder):
	"""The packages as files in the folder; from apt's cache or from where apt gets its packages."""
	command = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download'] + list(PACKAGES)
	first = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
	if first.returncode != 0:                                      # lists that are missing or old
		subprocess.run(['apt-get', '-q', 'update'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		again = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
		if again.returncode != 0:
			raise RuntimeError('cannot fetch %s:\n%s' % (' '.join(PACKAGES), again.stdout[-1500:]))


def sendmail():
	"""The folder with usr/libexec/sendmail and usr/share/sendmail."""
	cache = os.path.join(os.path.abspath(TOP), 'var', 'cache')
	os.makedirs(cache, exist_ok=True)
	kept = os.path.join(cache, 'sendmail')
	with open(os.path.join(cache, 'lock'), 'w') as lock:
		fcntl.flock(lock, fcntl.LOCK_EX)                             # tests run side by side
		if os.path.isdir(kept):
			return kept
		new = tempfile.mkdtemp(prefix='sendmail-', dir=cache)
		try:
			fetch(new)
			for name in glob.glob(os.path.join(new, '*.deb')):
				subprocess.run(['dpkg-deb', '-x', name, os.path.join(new, 'root')], check=True)
			os.rename(os.path.join(new, 'root'), kept)
		finally:
			shutil.rmtree(new, ignore_errors=True)
	return kept
