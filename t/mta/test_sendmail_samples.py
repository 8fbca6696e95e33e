#!/usr/bin/env python3
# test_sendmail_samples.py - each message of lab/samples.py gets its answer, its headers and its line in the log, through a real Sendmail
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab.case import SampleCase, main                        # noqa: E402
from lab.samples import SETTINGS                             # noqa: E402


class Samples(SampleCase):
	settings, kind = SETTINGS, 'sendmail'


Samples.add()

if __name__ == '__main__':
	main()
