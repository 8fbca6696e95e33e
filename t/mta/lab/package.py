# package.py - Debian's Sendmail, unpacked and never installed (it conflicts with Postfix): fetched once, kept in var/, used offline from then on
import fcntl
import glob
import os
import shutil
import subprocess
import tempfile

PACKAGES = ('sendmail-bin', 'sendmail-base', 'sendmail-cf')
TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..'))


def fetch(folder):
	"""The packages as files in the folder; from apt's cache or from where apt gets its packages."""
	command = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download'] + list(PACKAGES)
	first = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
	if first.returncode != 0:                                      # lists that are missing or old
		subprocess.run(['apt-get', '-q', 'update'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		again = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
		if again.returncode != 0:
			raise RuntimeError('cannot fetch %s:\n%s' % (' '.join(PACKAGES), again.stdout[-1500:]))


def give_back(*folders):
	"""What root makes here belongs to the owner of the sources, who may have come by sudo and wants to write and remove it later."""
	owner = os.stat(TOP)
	for folder in folders:
		for path, names, files in os.walk(folder):
			for name in [''] + names + files:
				os.chown(os.path.join(path, name), owner.st_uid, owner.st_gid, follow_symlinks=False)


def sendmail():
	"""The folder with usr/libexec/sendmail and usr/share/sendmail."""
	cache = os.path.join(TOP, 'var', 'cache')
	if not os.path.isdir(cache):
		os.makedirs(cache, exist_ok=True)
		give_back(os.path.dirname(cache) if os.listdir(os.path.dirname(cache)) == ['cache'] else cache)
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
			give_back(os.path.join(new, 'root'))
			os.rename(os.path.join(new, 'root'), kept)
		finally:
			shutil.rmtree(new, ignore_errors=True)
	return kept
