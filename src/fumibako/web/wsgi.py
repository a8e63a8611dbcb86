"""The WSGI application that the web child serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fumibako.web.settings")
application = get_wsgi_application()
# Every screen is loaded before the first is asked for, and what is there now stays for good: the collector looks at it
# no more, which took a tenth of a second in the middle of some page.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
