# catalogue.py - the catalogue of classes, read from t/lint/classes.tsv, and where in a conversation a class answers
import os

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lint', 'classes.tsv')
# the classes of connect, helo and mail that do not wait for an inbound session's RCPT
AT_ONCE = {'ip-blacklisted', 'ip-blacklisted-outgoing', 'auth-brute-force', 'auth-denied', 'connections-concurrent', 'connections-ratelimited', 'connection-rate'}


def load(path=PATH):
	"""id -> row (a dictionary by the names of the first line)"""
	with open(path, encoding='ascii') as f:
		names, *lines = [x.rstrip('\n').split('\t') for x in f if x.strip()]
	return {x[0]: dict(zip(names, x)) for x in lines}


def stage(row, outbound):
	"""Where the class answers by default. One that keeps a copy needs the whole message; findings of helo and mail wait for an inbound session's RCPT."""
	if row['quarantine'] == 'y' or row['action'] in ('accept', 'discard') or row['stage'] == 'any':
		return 'eom'
	if row['stage'] in ('connect', 'helo', 'mail') and row['id'] not in AT_ONCE and not outbound:
		return 'rcpt'
	return row['stage']


def action(row, stage_):
	"""What the log calls the default action when the class answers at that stage."""
	return 'quarantine' if row['quarantine'] == 'y' and stage_ == 'eom' else row['action']
