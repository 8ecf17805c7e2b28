"""The classic API: ``from gluster.glupy import *`` in translators written for the first glupy.

Told in docs/porting-classic.md. All that stands here is exported, and all of ctypes with it, as it always was.
"""

import os
import sys
from ctypes import *

from gluster.glupy.structures import *
from gluster.glupy._calls import Translator, dl
from gluster.glupy._operations import *
from gluster.glupy.utilities import *
