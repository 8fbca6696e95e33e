#!/usr/bin/env python3
"""lint.py CHECK SOURCE_DIR [BUILD_DIR]: rules of the tree that a compiler does not see. Exit 1 with a line FILE:LINE: what is wrong for each breach.

layers      a folder of lib/ includes only folders before it; milter/ and t/ (but its unit tests) see winnow.h alone
symbols     libwinnow.so exports winnow_* and nothing else; winnow-milter exports its sigwait
catalogue   reply codes stand in classes.def alone; each class is reported by one check or the engine; each that is reported has its two dialogues
registry    the files of lib/check/ that define a check, and the rows of the registry, are the same
first       every source file begins with a line that says what it is
sizes       no source file over 500 lines; tables of test cases may have 700
talloc      roots are made by name or talloc_new(NULL), nothing tracks them in a shared context
conf        etc/winnow.conf is what `winnowctl defaults` prints, but for the mode; it loads with everything in it that is switched off switched on
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

SRC, BUILD, bad = '', '', []


def breach(path, line, text):
    bad.append('%s:%d: %s' % (os.path.relpath(path, SRC), line, text))


def sources(*patterns):
    out = []
    for p in patterns:
        out += sorted(glob.glob(os.path.join(SRC, p), recursive=True))
    if not out:
        breach(SRC, 0, 'no source files match %s' % (patterns,))
    return out


def lines(path):
    with open(path, encoding='utf8') as f:
        return list(enumerate(f.read().splitlines(), 1))


def folders():
    m = re.search(r'set\(WINNOW_FOLDERS ([a-z ]+?)(?: CACHE|\))', open(os.path.join(SRC, 'lib/CMakeLists.txt')).read())
    return m.group(1).split()


def includes(path):
    for n, line in lines(path):
        m = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
        if m:
            yield n, m.group(1), m.group(2)


def layers():
    order = folders()
    for path in sources('lib/*/*.[ch]'):
        mine = path.split('/')[-2]
        if mine not in order:
            breach(path, 1, 'folder %s is not in WINNOW_FOLDERS' % mine)
            continue
        for n, kind, name in includes(path):
            if kind == '<':
                if name.startswith('libmilter/'):
                    breach(path, n, 'libmilter inside the library')
                continue
            top = name.split('/')[0]
            if '/' not in name:
                if name not in ('classes.def', 'winnow.h'):
                    breach(path, n, '"%s": include from the root of lib/' % name)
                elif name == 'winnow.h' and mine != 'engine':
                    breach(path, n, 'winnow.h is the engine\'s face; the folders below do not know it')
            elif top in order and order.index(top) > order.index(mine):
                breach(path, n, '"%s": %s is above %s' % (name, top, mine))
            if name == 'classes.def' and path.split('/')[-1] not in ('class.c', 'class.h'):
                breach(path, n, 'only facts/class.* reads classes.def')
    inside = set(order)
    for path in sources('milter/**/*.[ch]', 't/bench/*.[ch]'):
        for n, kind, name in includes(path):
            if kind == '"' and name.split('/')[0] in inside and not path.endswith('t/bench/lookup.c'):     # measures one folder from inside, as unit tests do
                breach(path, n, '"%s": the library is reached through winnow.h' % name)
            if name.startswith('libmilter/') and os.path.basename(path) != 'libmilter.h' and '/bench/' not in path:
                breach(path, n, 'libmilter is included by milter/libmilter.h alone')


def nm(path):
    out = subprocess.run(['nm', '-D', '--defined-only', path], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [x.split()[-1] for x in out.splitlines() if x.strip()]


def symbols():
    names = nm(os.path.join(BUILD, 'lib/libwinnow.so'))
    if not any(x.startswith('winnow_') for x in names):
        breach(SRC, 0, 'libwinnow.so exports nothing')
    for x in names:
        if not x.startswith('winnow_') and not re.match(r'(__(asan|ubsan|odr|tsan|sanitizer)|_ZTI|_init$|_fini$)', x):
            breach(SRC, 0, 'libwinnow.so exports %s' % x)
    header = open(os.path.join(SRC, 'lib/winnow.h')).read()
    public = set(re.findall(r'WINNOW_API[^;]*?\b(winnow_\w+)\(', header))
    for x in sorted(public - set(names)):
        breach(SRC, 0, 'winnow.h promises %s, libwinnow.so has it not' % x)
    for x in sorted(set(n for n in names if n.startswith('winnow_')) - public):
        breach(SRC, 0, 'libwinnow.so exports %s, winnow.h does not name it' % x)
    if 'sigwait' not in nm(os.path.join(BUILD, 'milter/winnow-milter')):
        breach(SRC, 0, 'winnow-milter does not export sigwait: libmilter would stop at SIGHUP')


def reports():
    """class -> files that report it, by finding(..., CLASS_X) and unavailable()"""
    found = {}
    for path in sources('lib/check/*.c', 'lib/engine/*.c', 'lib/facts/finding.c'):
        text = open(path).read()
        for x in re.findall(r'\bfinding(?:_shown|_case)?\(\s*[&\w>.-]+,\s*(?:\w+ \? )?CLASS_(\w+)', text):
            found.setdefault(x, set()).add(os.path.relpath(path, SRC))
    return found


def catalogue():
    for path in sources('lib/**/*.[ch]', 'milter/**/*.[ch]'):
        allowed = {'lib/engine/verdict.c': {'5.7.1', '4.7.1', '4.7.0', '2.0.0'}, 'milter/reply.c': {'4.3.2'}}.get(os.path.relpath(path, SRC), set())
        for n, line in lines(path):
            for x in re.findall(r'"([245]\.\d{1,3}\.\d{1,3})"', line):
                if x not in allowed:
                    breach(path, n, 'the code %s stands outside the catalogue' % x)
    ids = dict(re.findall(r'^CLASS\((\w+), "([a-z0-9-]+)"', open(os.path.join(SRC, 'lib/classes.def')).read(), re.M))
    found = reports()
    if len(found) < 30:
        breach(SRC, 0, 'only %d reported classes were found: is this check blind?' % len(found))
    for name, files in sorted(found.items()):
        homes = {f for f in files if f.startswith('lib/check/')} or {'engine'}
        if name not in ids:
            breach(SRC, 0, 'CLASS_%s is not in the catalogue' % name)
        elif len(homes) > 1:
            breach(SRC, 0, '%s is reported by %s' % (ids[name], ', '.join(sorted(homes))))
    for name in sorted(set(found) | {'NOT_SPAM'}):
        for suffix in ('', '-not'):
            scn = os.path.join(SRC, 't/class/%s%s.scn' % (ids.get(name, '?'), suffix))
            if not os.path.exists(scn):
                breach(scn, 0, 'missing: every class that is reported has its two dialogues')


def registry():
    defined = set()
    for path in sources('lib/check/*.c'):
        for x in re.findall(r'^const struct check check_(\w+)', open(path).read(), re.M):
            defined.add(x)
            if os.path.basename(path) != x + '.c':
                breach(path, 1, 'check_%s is defined here' % x)
    text = open(os.path.join(SRC, 'lib/check/registry.c')).read()
    rows = set(re.findall(r'&check_(\w+)', text))
    for x in sorted(defined ^ rows):
        breach(os.path.join(SRC, 'lib/check/registry.c'), 1, 'check_%s is %s' % (x, 'not registered' if x in defined else 'registered, but no file defines it'))


def first():
    for path in sources('lib/**/*.[ch]', 'milter/**/*.[ch]', 't/**/*.[ch]'):
        head = open(path).readline()
        if not re.match(r'/\* %s - \S' % re.escape(os.path.basename(path)), head):
            breach(path, 1, 'the first line must be /* %s - what it is */' % os.path.basename(path))


def sizes():
    for path in sources('lib/**/*.[ch]', 'milter/**/*.[ch]', 't/**/*.[ch]', 't/**/*.py'):
        n = len(lines(path))
        if n > (700 if '/t/unit/' in path else 500):
            breach(path, n, '%d lines: split by idea' % n)


def talloc():
    for path in sources('lib/**/*.c', 'milter/**/*.c'):
        for n, line in lines(path):
            if re.search(r'talloc_enable_(null_tracking|leak_report)|talloc_autofree_context', line):
                breach(path, n, 'every root would become a child of one shared context: races')
            if re.search(r'\b(static|_Thread_local|__thread)\b.*TALLOC_CTX\s*\*', line) and '(' not in line:
                breach(path, n, 'a talloc context that is shared or belongs to a thread')


def conf():
    got = subprocess.run([os.path.join(BUILD, 'milter/winnowctl'), 'defaults'], stdout=subprocess.PIPE, check=True).stdout.decode()
    path = os.path.join(SRC, 'etc/winnow.conf')
    shipped = open(path).read()
    want = re.sub(r'^(\s*)#(mode\s*=\s*)"enforce"', r'\1\2"observe"', got, count=1, flags=re.M)
    if want == got:
        breach(path, 0, '`winnowctl defaults` has no line for mode')
    for n, (a, b) in enumerate(zip(want.splitlines() + [''], shipped.splitlines() + ['']), 1):
        if a != b:
            return breach(path, n, 'is "%s", the rows say "%s"; make it anew: t/lint/make-conf BUILD_DIR' % (b, a))
    if want.count('\n') != shipped.count('\n'):
        breach(path, 0, 'has another number of lines than `winnowctl defaults`')
    conf_switched_on(path, shipped)


def conf_switched_on(path, shipped):
    """A # directly before a name switches an option, a section or a ready-made example off."""
    with tempfile.TemporaryDirectory() as folder:
        on = os.path.join(folder, 'on.conf')
        with open(on, 'w') as f:
            f.write(re.sub(r'^(\t*)#(?=[^ \n])', r'\1', shipped, flags=re.M))
        run = subprocess.run([os.path.join(BUILD, 'milter/winnow-milter'), '-t', '-c', on], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for n, text in re.findall(r'on\.conf:(\d+): (.*)', run.stdout.decode()):
        if run.returncode != 0:
            breach(path, int(n), 'switched on it is an error: ' + text)
    if run.returncode != 0 and not bad:
        breach(path, 0, 'does not load with everything switched on: ' + run.stdout.decode().strip())


def main():
    global SRC, BUILD
    name, SRC = sys.argv[1], os.path.abspath(sys.argv[2])
    BUILD = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else ''
    checks = dict(layers=layers, symbols=symbols, catalogue=catalogue, registry=registry, first=first, sizes=sizes, talloc=talloc, conf=conf)
    checks[name]()
    print('\n'.join(bad) if bad else name + ': good')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
