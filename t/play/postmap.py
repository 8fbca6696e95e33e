# postmap.py - tables as Postfix writes them
import os
import subprocess


def write(folder, kind, name, lines):
	"""FOLDER/NAME.KIND by the real postmap, from lines of "KEY VALUE"; returns the table's text, "KIND:FOLDER/NAME"."""
	main_cf, path = os.path.join(folder, 'main.cf'), os.path.join(folder, name)
	if not os.path.exists(main_cf):
		open(main_cf, 'w').close()
		os.utime(main_cf, (1e9, 1e9))                  # Postfix waits for one that was changed within the last second
	with open(path, 'w') as f:
		f.writelines(line + '\n' for line in lines)
	spec = '%s:%s' % (kind, path)
	subprocess.run(['postmap', '-c', folder, spec], check=True, env=dict(os.environ, PATH=os.environ['PATH'] + ':/usr/sbin'))
	return spec
