#!/usr/bin/env python3
# test_dkim.py - signed mail through Postfix: what it passes on is what was signed
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab.case import main                                    # noqa: E402
from lab import signed                                       # noqa: E402


class Signed(signed.Signed):
	kind = 'postfix'


if __name__ == '__main__':
	main()
