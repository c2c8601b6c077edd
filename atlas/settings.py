"""Settings of a node. The environment says what differs between nodes: docs/administrator.md lists it."""

import os
from datetime import timedelta
from pathlib import Path

from django.contrib.messages import constants as message_levels
from django.utils.csp import CSP
from django.utils.functional import lazy
from psycopg.conninfo import conninfo_to_dict

from atlas.home import atlas_home, secret_key, signing_key
from atlas.postgres import database_settings

BASE_DIR = Path(__file__).resolve().parent.parent
ATLAS_HOME = atlas_home()
OBJECTS_DIR = ATLAS_HOME / "objects"
OBJECTS_URL = os.environ.get("ATLAS_OBJECTS", "")  # "s3://bucket/prefix"; empty: files in OBJECTS_DIR
KEYS_DIR = Path(os.environ.get("ATLAS_KEYS") or ATLAS_HOME / "keys")  # what pseudonyms are made with

DEMO = os.environ.get("ATLAS_DEMO") == "1"
"""Demo accounts and cases; such a node listens on loopback only."""

DEBUG = os.environ.get("ATLAS_DEBUG") == "1"
SECRET_KEY = os.environ.get("ATLAS_SECRET_KEY") or secret_key(ATLAS_HOME)
NODE_NAME = os.environ.get("ATLAS_NODE_NAME", "Demo node" if DEMO else "Atlas node")
ALLOWED_HOSTS = os.environ.get("ATLAS_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
NODE_ADDRESS = (
    os.environ.get("ATLAS_ADDRESS") or f"http://{ALLOWED_HOSTS[0]}:{os.environ.get('ATLAS_PORT', '8000')}"
).rstrip("/")
"""Where people and harvesters find this node: what the catalogue, letters and other nodes call it."""

HUB_IS_KNOWN = "network.federation.nodes.hub_is_known"
"""The function that says whether `manage.py serve` has an agent to run."""

BEFORE_SERVING = "network.listings.publishing.before_serving"
"""What `manage.py serve` does before it answers anyone; it returns a sentence where it did something."""

DISCLOSURE_MINIMUM = max(10, int(os.environ.get("ATLAS_DISCLOSURE_MINIMUM", "10")))
"""Subjects that a count must have to leave the node."""

GOAL = {"subjects": 100_000, "images": 60_000_000, "providers": 30, "countries": 15}
"""What the atlas as a whole is to reach: the catalogue shows how far it is."""

CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("ATLAS_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    "network",
    "annotations",
    "atlas",
    "accounts",
    "channels",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_countries",
    "django_filters",
    "drf_spectacular",
    "guardian",
    "oauth2_provider",
    "procrastinate.contrib.django",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "atlas.urls"
ASGI_APPLICATION = "atlas.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "network.context.node",
            ],
            "builtins": [
                "django.templatetags.static",
                "django.templatetags.i18n",
                "network.templatetags.house",
            ],
        },
    }
]

FORM_RENDERER = "network.forms.HouseRenderer"
MESSAGE_TAGS = {message_levels.SUCCESS: "good", message_levels.WARNING: "warn", message_levels.ERROR: "bad"}


def _database(home: Path) -> dict:
    """The server that DATABASE_URL names, with its parameters (sslmode and others), or the embedded one."""
    # Open pools block dropping test databases, so tests ask for none.
    pooled = os.environ.get("ATLAS_DATABASE_POOL") != "0"
    options = {"pool": {"min_size": 2, "max_size": 20}} if pooled else {}
    if "DATABASE_URL" not in os.environ:
        return {**database_settings(home), "OPTIONS": options}
    named = conninfo_to_dict(os.environ["DATABASE_URL"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": named.pop("host", ""),
        "PORT": str(named.pop("port", "")),
        "NAME": named.pop("dbname", ""),
        "USER": named.pop("user", ""),
        "PASSWORD": named.pop("password", ""),
        "OPTIONS": {**named, **options},
    }


DATABASES = {
    "default": {
        **_database(ATLAS_HOME),
        "CONN_HEALTH_CHECKS": True,  # a database that was restarted costs a wait, not an error
    }
}

CHANNEL_LAYERS = {"default": {"BACKEND": "atlas.fanout.PostgresChannelLayer"}}

CACHES = {  # Shared by all processes: throttles count here.
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}

PROCRASTINATE_IMPORT_PATHS = ["atlas.jobs"]

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian makes no account for strangers
GUARDIAN_MONKEY_PATCH_USER = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "front"
VOUCHED_FOR = timedelta(days=7)
"""How long after a sign-in with the hub the tokens of an account without a password work."""


OAUTH2_PROVIDER = {  # members of the network let people in whom this node knows: OpenID Connect
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": NODE_ADDRESS,
    "OIDC_RSA_PRIVATE_KEY": lazy(lambda: signing_key(KEYS_DIR), str)(),
    "OIDC_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": ["private_key_jwt"],
    "OAUTH2_VALIDATOR_CLASS": "network.sharing.provider.Validator",
    "SCOPES": {"openid": "Who signs in", "profile": "Their name", "email": "Their e-mail address"},
    "DEFAULT_SCOPES": ["openid"],
    "ACCESS_TOKEN_EXPIRE_SECONDS": 300,  # nodes ask once, at sign-in
    "ID_TOKEN_EXPIRE_SECONDS": 300,
    "PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}


def _mailer() -> dict:
    """SMTP where a host is named, files where a folder is, else letters are printed."""
    backends = "django.core.mail.backends"
    if host := os.environ.get("ATLAS_EMAIL_HOST"):
        options = {
            "host": host,
            "port": int(os.environ.get("ATLAS_EMAIL_PORT", "587")),
            "username": os.environ.get("ATLAS_EMAIL_USER", ""),
            "password": os.environ.get("ATLAS_EMAIL_PASSWORD", ""),
            "use_tls": os.environ.get("ATLAS_EMAIL_TLS", "1") == "1",
        }
        return {"BACKEND": f"{backends}.smtp.EmailBackend", "OPTIONS": options}
    if folder := os.environ.get("ATLAS_EMAIL_FOLDER"):
        return {"BACKEND": f"{backends}.filebased.EmailBackend", "OPTIONS": {"file_path": folder}}
    return {"BACKEND": f"{backends}.console.EmailBackend"}


MAILERS = {"default": _mailer()}
DEFAULT_FROM_EMAIL = os.environ.get("ATLAS_EMAIL_FROM", "atlas@localhost")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]  # each in its own words
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [  # /static/css/, /static/pages/, /static/dist/
    ("css", BASE_DIR / "static" / "css"),
    ("pages", BASE_DIR / "static" / "pages"),
    *([("dist", BASE_DIR / "static" / "dist")] if (BASE_DIR / "static" / "dist").is_dir() else []),
]
STATIC_ROOT = ATLAS_HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True  # serve from the checkout; nothing to collect
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/"  # the names that Vite hashed
WHITENOISE_MIMETYPES = {".wasm": "application/wasm"}

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, "'wasm-unsafe-eval'"],
    "worker-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:", "blob:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
if cookies := os.environ.get("ATLAS_COOKIES"):  # nodes at one address, told apart by port, share a browser's
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{cookies}_session", f"{cookies}_csrf"
    MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
BEHIND_TLS = os.environ.get("ATLAS_TLS") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000

DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024  # a batch of mask planes; files stream and don't count

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["atlas.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "atlas.api.pagination.Pages",
    "EXCEPTION_HANDLER": "atlas.api.errors.explain",
    # The web server has put a trusted proxy's client in place already (ATLAS_PROXIES); a header of the
    # client's own making doesn't say whose attempts these are.
    "NUM_PROXIES": 0,
    "DEFAULT_THROTTLE_RATES": {"sign-in": "10/min", "doors": "60/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Atlas",
    "DESCRIPTION": "Studies, reads and releases of this node.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"procrastinate": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
