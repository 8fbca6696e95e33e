# mmdb.py - writes small databases in the MaxMind DB format (version 2.0), for tests: country and network by address
"""
As a program: mmdb.py FILE country|asn [OPTION=VALUE...] LINE...; a line: NETWORK COUNTRY (~COUNTRY: where it is registered alone), NETWORK NUMBER ORGANISATION, or NETWORK !DAMAGE
(see damages()). Options: version (of the tree's addresses: 4 or 6), size (of its records, 24, 28 or 32 bits), built (seconds since 1970), type, and damage (of the metadata).

The format: a binary tree of addresses whose leaves point into a section of data, then metadata behind a marker. IPv4 stands in an IPv6 tree below ::/96.
"""
import ipaddress
import struct
import sys
import time

MARKER = b'\xab\xcd\xefMaxMind.com'
SEPARATOR = bytes(16)
STRING, DOUBLE, MAP, UINT16, UINT32, UINT64, ARRAY, BOOL = 2, 3, 7, 5, 6, 9, 11, 14


def control(kind, size):
	"""The octets that begin a value."""
	if size < 29:
		low, more = size, b''
	elif size < 285:
		low, more = 29, bytes([size - 29])
	elif size < 65821:
		low, more = 30, struct.pack('>H', size - 285)
	else:
		low, more = 31, struct.pack('>I', size - 65821)[1:]
	return (bytes([kind << 5 | low]) if kind < 8 else bytes([low, kind - 7])) + more


def number(kind, value):
	octets = value.to_bytes((value.bit_length() + 7) // 8, 'big')
	return control(kind, len(octets)) + octets


def encode(value, kind=UINT32):
	"""Octets of a value; integers are of that kind."""
	if isinstance(value, bytes):                       # as it is: for what no writer would write
		return value
	if isinstance(value, bool):
		return control(BOOL, int(value))
	if isinstance(value, int):
		return number(kind, value)
	if isinstance(value, str):
		octets = value.encode('utf8', 'surrogateescape')
		return control(STRING, len(octets)) + octets
	if isinstance(value, list):
		return control(ARRAY, len(value)) + b''.join(encode(v, kind) for v in value)
	return control(MAP, len(value)) + b''.join(encode(k) + encode(v, kind) for k, v in value.items())


def pointer(offset):
	"""A value that says: what stands there in the data section."""
	return bytes([0x38]) + struct.pack('>I', offset)


class Tree:
	def __init__(self, version):
		self.bits = 32 if version == 4 else 128
		self.nodes = [[None, None]]                    # a child: None, ('node', N) or ('data', OFFSET)

	def path(self, net):
		value, length = int(net.network_address), net.prefixlen
		if net.version == 4 and self.bits == 128:
			length += 96
		return [value >> (self.bits - 1 - i) & 1 for i in range(length)]

	def add(self, net, offset):
		path, at = self.path(net), 0
		for bit in path[:-1]:
			child = self.nodes[at][bit]
			if child is None or child[0] == 'data':    # a wider network's answer stays beside the narrower one's
				self.nodes.append([child, child])
				self.nodes[at][bit] = ('node', len(self.nodes) - 1)
			at = self.nodes[at][bit][1]
		self.nodes[at][path[-1]] = ('data', offset)

	def bytes(self, size):
		out, count = bytearray(), len(self.nodes)

		def record(child):
			return count if child is None else child[1] if child[0] == 'node' else count + len(SEPARATOR) + child[1]
		for left, right in self.nodes:
			a, b = record(left), record(right)
			if size == 28:
				out += struct.pack('>I', a)[1:] + bytes([(a >> 24) << 4 | b >> 24]) + struct.pack('>I', b)[1:]
			else:
				out += a.to_bytes(size // 8, 'big') + b.to_bytes(size // 8, 'big')
		return bytes(out)


def database(records, type, version=6, size=24, built=None, metadata=None):
	"""records: pairs (network, value), wider networks first. The octets of the file."""
	tree, data, places = Tree(version), bytearray(), {}
	for net, value in records:
		octets = encode(value)
		if octets not in places:
			places[octets] = len(data)
			data += octets
		tree.add(ipaddress.ip_network(net), places[octets])
	about = {
		'binary_format_major_version': number(UINT16, 2), 'binary_format_minor_version': number(UINT16, 0),
		'build_epoch': number(UINT64, int(time.time() if built is None else built)), 'database_type': type, 'description': {'en': 'a test'}, 'ip_version': number(UINT16, version),
		'languages': ['en'], 'node_count': len(tree.nodes), 'record_size': number(UINT16, size),
	}
	about = dict(metadata or {}, **about)
	return tree.bytes(size) + SEPARATOR + bytes(data) + MARKER + encode(about)


def country(code, name='Somewhere', continent='EU'):
	"""A record as GeoLite2-Country has it."""
	place = {'geoname_id': 2750405, 'iso_code': code, 'names': {'de': name, 'en': name}}
	return {'continent': {'code': continent, 'geoname_id': 6255148, 'names': {'en': 'Europe'}}, 'country': place, 'registered_country': place}


def network(asn, organisation):
	"""A record as GeoLite2-ASN has it."""
	return {'autonomous_system_number': asn, 'autonomous_system_organization': organisation}


def damages():
	"""Values that no writer would write."""
	def nested(kind, levels):
		return control(kind, 1) * levels + encode('x')
	return {
		'deep': control(MAP, 2) + encode('a') + nested(ARRAY, 300000) + encode('country') + encode({'iso_code': 'XX'}),
		'nested': control(MAP, 2) + encode('a') + nested(ARRAY, 60000) + encode('country') + encode({'iso_code': 'XX'}),      # small enough for metadata
		'self': pointer(0), 'far': pointer(0x7fffffff),
		'ring': control(MAP, 1) + encode('country') + pointer(0),                # points to itself, if it stands first
		'cut': control(MAP, 9) + encode('country') + control(STRING, 28),
		'endless': control(ARRAY, 16000000), 'number': encode(7), 'types': encode({'country': {'iso_code': 7}, 'autonomous_system_number': 'x'}),
		'key': control(MAP, 1) + encode(7) + encode(7),
	}


def record(kind, words):
	if words[0].startswith('!'):
		return damages()[words[0][1:]]
	if kind == 'asn':
		return network(int(words[0]), ' '.join(words[1:]))
	if words[0].startswith('~'):
		return {'registered_country': {'iso_code': words[0][1:]}}
	return country(words[0])


def from_lines(kind, lines, **more):
	"""kind: country or asn."""
	rows = [line.split() for line in lines if line.strip() and not line.startswith('#')]
	more.setdefault('type', 'GeoLite2-Country' if kind == 'country' else 'GeoLite2-ASN')
	return database([(words[0], record(kind, words[1:])) for words in rows], **more)


def main(args):
	if len(args) < 2 or args[1] not in ('country', 'asn'):
		sys.exit('usage: mmdb.py FILE country|asn [OPTION=VALUE...] LINE...')
	options = dict(a.split('=', 1) for a in args[2:] if '=' in a)
	more = {k: v if k == 'type' else int(v) for k, v in options.items() if k != 'damage'}
	if 'damage' in options:
		more['metadata'] = {'a': damages()[options['damage']]}
	with open(args[0], 'wb') as f:
		f.write(from_lines(args[1], [a for a in args[2:] if '=' not in a], **more))


if __name__ == '__main__':
	main(sys.argv[1:])
