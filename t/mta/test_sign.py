#!/usr/bin/env python3
# test_sign.py - mail that leaves through Postfix signed: what the next hop gets verifies
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab.case import main                                    # noqa: E402
from lab import signing                                      # noqa: E402


class Signing(signing.Signing):
	kind, parameters = 'postfix', 'mynetworks = 192.0.2.0/28\n'


if __name__ == '__main__':
	main()
