"""chain.py - makes ARC chains of any shape, good and bad, and lets the judge validate them. Signs with python3-dkim's primitives, in our own words of RFC 8617."""
import base64
import hashlib
import subprocess
import sys

sys.path.append('/usr/lib/python3/dist-packages')      # whichever Python this is
try:
    import nacl.signing
    import dkim
    import dkim.canonicalization
    import dkim.crypto
except ImportError:
    print('python3-dkim or python3-nacl is not installed')
    sys.exit(77)

MESSAGE = (b'Received: by mx.example.org\r\nFrom: Anna <anna@example.com>\r\nTo: list@example.org\r\nSubject: Hello,\r\n\tworld\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n'
           b'Message-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n\r\nHello  there \r\n\r\n \t\r\nBye\r\n\r\n\r\n')
HEADERS = 'from:to:subject:date:message-id:mime-version'


class Rsa:
    algorithm = 'rsa-sha256'

    def __init__(self, bits=2048):
        self.pem = subprocess.run(['openssl', 'genrsa', '-traditional', str(bits)], check=True, capture_output=True).stdout
        self.key = dkim.crypto.parse_pem_private_key(self.pem)
        self.public = subprocess.run(['openssl', 'rsa', '-pubout', '-outform', 'DER'], input=self.pem, check=True, capture_output=True).stdout

    def record(self):
        return 'v=DKIM1; k=rsa; p=' + base64.b64encode(self.public).decode()

    def sign(self, data):
        return dkim.crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha256(data), self.key)


class Ed25519:
    algorithm = 'ed25519-sha256'

    def __init__(self):
        self.key = nacl.signing.SigningKey.generate()

    def record(self):
        return 'v=DKIM1; k=ed25519; p=' + base64.b64encode(bytes(self.key.verify_key)).decode()

    def sign(self, data):
        return self.key.sign(hashlib.sha256(data).digest()).signature


def split(message):
    head, body = message.split(b'\r\n\r\n', 1)
    fields = []
    for line in head.split(b'\r\n'):
        if line[:1] in (b' ', b'\t'):
            fields[-1] += b'\r\n' + line
        else:
            fields.append(line)
    return fields, body


def join(fields, body):
    return b'\r\n'.join(fields) + b'\r\n\r\n' + body


def relaxed(field):
    name, value = field.split(b':', 1)
    (name, value), = dkim.canonicalization.Relaxed.canonicalize_headers([(name, value)])
    return name + b':' + value.rstrip(b'\r\n')


def canonical(field, how):
    return relaxed(field) if how == 'relaxed' else field


def canonical_body(body, how):
    cls = dkim.canonicalization.Relaxed if how == 'relaxed' else dkim.canonicalization.Simple
    return cls.canonicalize_body(body)


def tags(pairs):
    return '; '.join('%s=%s' % (k, v) for k, v in pairs if v is not None)


class Chain:
    """A message that goes from hop to hop. Options of seal(): tags that replace those that would be written (None: left out)."""

    def __init__(self, message=MESSAGE):
        self.fields, self.body = split(message)
        self.sets = []

    def select(self, names):
        used, out = set(), []
        for name in names.split(':'):
            for i in reversed(range(len(self.fields))):
                if i not in used and self.fields[i].split(b':', 1)[0].strip().lower() == name.strip().lower().encode():
                    used.add(i)
                    out.append(self.fields[i])
                    break
        return out

    def seal(self, key, domain='example.org', selector='s1', aar=None, ams=None, seal=None, aar_raw=None, canon='relaxed/relaxed', headers=HEADERS, fold=False, sets=None, ams_key=None, bare='', close=''):
        i = len(self.sets) + 1
        hc, bc = canon.split('/')
        results = (aar_raw or 'ARC-Authentication-Results: i=%d; mx.example.org; %s' % (i, aar or 'spf=pass smtp.mailfrom=example.com')).encode()
        body = canonical_body(self.body, bc)
        self.fields.insert(0, results)
        ams = dict(ams or {})
        if ams.get('l') not in (None, 'x', ''):
            body = body[:int(ams['l'])]
        base = {'i': i, 'a': (ams_key or key).algorithm, 'c': canon, 'd': domain, 's': selector, 't': 12345, 'h': headers, 'bh': base64.b64encode(hashlib.sha256(body).digest()).decode(), 'b': ''}
        base.update(ams)
        message = ('ARC-Message-Signature: ' + bare + tags(base.items()) + close).encode()
        data = b''.join(canonical(f, hc) + b'\r\n' for f in self.select(base['h'] or '')) + canonical(message, hc)
        message = self.place(message, (ams_key or key).sign(data), fold)
        base = {'i': i, 'a': key.algorithm, 't': 12345, 'cv': 'none' if i == 1 else 'pass', 'd': domain, 's': selector, 'b': ''}
        base.update(seal or {})
        own = ('ARC-Seal: ' + bare + tags(base.items()) + close).encode()
        covered = [f for s in (self.sets if sets is None else sets) for f in s] + [results, message]
        own = self.place(own, key.sign(b''.join(relaxed(f) + b'\r\n' for f in covered) + relaxed(own)), fold)
        self.sets.append((results, message, own))
        self.fields[:0] = [own, message]
        return self

    @staticmethod
    def place(field, signature, fold):
        """The signature behind b=, which may stand anywhere."""
        text = base64.b64encode(signature)
        if fold:
            text = b'\r\n\t'.join(text[k:k + 60] for k in range(0, len(text), 60))
        at = field.index(b'; b=') + 4
        return field[:at] + text + field[at:]

    def message(self):
        return join(self.fields, self.body)


class Judge:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keys = {}

    def key(self, name, text):
        self.keys[name] = text
        self.process.stdin.write(('key %s %s\n' % (name, text)).encode())

    def clear(self):
        self.keys = {}
        self.process.stdin.write(b'clear\n')

    def ask(self, message):
        self.process.stdin.write(b'message %d\n' % len(message) + message)
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode().rstrip('\n')
        if not line or line.startswith('differs'):
            raise SystemExit('judge: %r' % (line or 'it died'))
        result, oldest, flags, sets, problem = line.split('\t')
        return result, int(oldest), flags, int(sets), problem

    def txt(self, name, timeout=None):
        """The same keys for python3-dkim."""
        text = self.keys.get(name.decode().rstrip('.'))
        return None if text is None or text.startswith('!') else text.encode()

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit('judge: exit %d' % self.process.returncode)
