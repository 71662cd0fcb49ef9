"""Django's set-up in a worker. Django is a process's once and for all, so each test has a process."""

import os
import subprocess
import sys
from pathlib import Path

SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
MODELS = """
from django.db import models
class Order(models.Model):
    title = models.CharField(max_length=10)
"""
EVENTS = """
from shop.models import Order  # raises unless Django is set up
def on_message(client_id, message): ...
"""
LOAD = """
from pathlib import Path
from businessworker.events import load_events
from gateway_process.errors import StartupError
try:
    events = load_events("shop.events", Path.cwd())
except StartupError as error:
    print("StartupError:", error)
else:
    print("loaded", getattr(events.around, "__name__", None))
"""


def project(folder: Path) -> Path:
    """Write a Django project."""
    (folder / "shop").mkdir()
    for name, text in {"models": MODELS, "events": EVENTS, "settings": SETTINGS}.items():
        (folder / "shop" / f"{name}.py").write_text(text)
    return folder


def run(folder: Path, settings: str, *, program: str = LOAD) -> str:
    """Load the project's events in a process of its own."""
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": settings, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_django_is_set_up_before_the_module_is_imported(tmp_path: Path) -> None:
    """Models can be imported at the top, and stale connections are closed around handlers."""
    assert run(project(tmp_path), "shop.settings") == "loaded close_old_connections"


def test_without_its_variable_nothing_of_django_happens(tmp_path: Path) -> None:
    """An application that is none is loaded as it is."""
    folder = project(tmp_path)
    (folder / "shop" / "events.py").write_text("def on_message(client_id, message): ...\n")
    assert run(folder, "") == "loaded None"


def test_settings_that_are_not_there_are_named(tmp_path: Path) -> None:
    """The error says which, why, and where to run the command."""
    told = run(project(tmp_path), "shop.setings")
    assert told.startswith("StartupError: Django cannot be set up with DJANGO_SETTINGS_MODULE=")
    assert "No module named 'shop.setings'" in told
    assert "--app-dir" in told


def test_a_missing_django_is_named(tmp_path: Path) -> None:
    """The variable may be left over from something else."""
    hidden = "import sys; sys.modules['django'] = None\n"
    told = run(project(tmp_path), "shop.settings", program=hidden + LOAD)
    assert told.startswith("StartupError: DJANGO_SETTINGS_MODULE is 'shop.settings', but Django")
    assert "pip install django" in told
