#!/usr/bin/env python3
# test_release.py - released copies through Postfix, which completes addresses in what comes from this machine
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab.case import main                                    # noqa: E402
from lab.release import ReleaseCase                          # noqa: E402


class Release(ReleaseCase):
	parameters = 'local_header_rewrite_clients = permit_inet_interfaces'


del ReleaseCase

if __name__ == '__main__':
	main()
