"""Calls one of the Python clients: `driver.py CLIENT SETTINGS SERVER..`

SETTINGS is a JSON object of what the client's class below takes, a SERVER `host:port`, `host:port:weight` or a
path. Each line of stdin is a call of a method of `Client`, `[method, argument, ..]` in JSON, and gets a line on
stdout: `{"returns": result}` or `{"raises": text}`. Values go in as Python expressions and come out as `repr`
has them.
"""

import json
import sys

PATIENCE = 20
MISSING = object()


class Client:
    """Of a subclass `set_many`, which returns the keys that failed, `get_many`, and a `client` that counts."""

    def store(self, values):
        """What has a value that is an expression."""
        failed = self.set_many({key: eval(value) for key, value in values.items()})
        assert not failed, f"set_many failed for {failed}"

    def store_each(self, values):
        """As `store`; returns the keys that failed, with the reason."""
        failed = {}
        for key, value in values.items():
            try:
                self.store({key: value})
            except Exception as error:
                failed[key] = f"{type(error).__name__}: {error}"
        return failed

    def texts(self, keys):
        """Those that are there, whether they are read as `str` or as `bytes`."""
        found = self.get_many(keys)
        found = {key: value for key, value in found.items() if value is not None}
        return {key: value.decode() if isinstance(value, bytes) else value for key, value in found.items()}

    def differences(self, values):
        """What is read otherwise than the expressions say, one key after the other."""
        differences = {}
        for key, value in values.items():
            expected = repr(self.as_read(eval(value)))
            got = self.show(key)
            if got != expected:
                differences[key] = f"{got:.200}, not {expected:.200}"
        return differences

    def show(self, key):
        try:
            value = self.get(key)
        except Exception as error:
            return f"raises {type(error).__name__}: {error}"
        return "missing" if value is MISSING else repr(value)

    def get(self, key):
        """Not by get_many, for in python-memcached one that raises leaves a part of the answer unread."""
        return self.client.get(key, MISSING)

    def as_read(self, value):
        return value

    def incr(self, key, delta):
        return self.client.incr(key, delta)

    def decr(self, key, delta):
        return self.client.decr(key, delta)


class Moecache(Client):
    """Has get, set and delete, of one key at a time, and a miss is None."""

    def __init__(self, servers):
        import moecache

        addresses = [server.split(":") for server in servers]
        addresses = [(host, int(port)) for host, port in addresses]
        self.client = moecache.Client(addresses, timeout=PATIENCE)

    def get(self, key):
        return self.client.get(key)

    def get_many(self, keys):
        return {key: self.get(key) for key in keys}

    def set_many(self, values):
        for key, value in values.items():
            self.client.set(key, value)


class Pylibmc(Client):
    def __init__(self, servers, behaviors={}, then={}, binary=False, min_compress_len=0):
        import pylibmc

        if "namespace" in behaviors:
            # As str it would be garbage.
            behaviors["namespace"] = behaviors["namespace"].encode()
        self.client = pylibmc.Client(servers, binary=binary, behaviors=behaviors)
        # What is set once the servers are there.
        self.client.behaviors.update(then)
        self.min_compress_len = min_compress_len

    def as_read(self, value):
        """A bool is stored as its integer, and read as one."""
        return int(value) if isinstance(value, bool) else value

    def get_many(self, keys):
        return self.client.get_multi(keys)

    def set_many(self, values):
        return self.client.set_multi(values, min_compress_len=self.min_compress_len)


class PythonMemcached(Client):
    def __init__(self, servers, old_hash=False, key_prefix="", min_compress_len=0, **settings):
        import memcache

        if old_hash:
            memcache.useOldServerHashFunction()
        servers = list(map(self.server, servers))
        self.client = memcache.Client(servers, socket_timeout=PATIENCE, **settings)
        self.key_prefix = key_prefix
        self.min_compress_len = min_compress_len

    def server(self, server):
        if server.startswith("/"):
            return f"unix:{server}"
        host, port, *weight = server.split(":")
        return (f"{host}:{port}", int(*weight)) if weight else server

    def get_many(self, keys):
        return self.client.get_multi(keys, key_prefix=self.key_prefix)

    def set_many(self, values):
        options = {"key_prefix": self.key_prefix, "min_compress_len": self.min_compress_len}
        return self.client.set_multi(values, **options)


class Pymemcache(Client):
    def __init__(self, servers, serde=None, serde_settings=None, key_prefix=""):
        """With settings `serde` is a class, and the instance that pymemcache has of it without."""
        import pymemcache

        self.serde = getattr(pymemcache.serde, serde) if serde else None
        if serde_settings is not None:
            self.serde = self.serde(**serde_settings)
        self.client = pymemcache.HashClient(
            servers,
            serde=self.serde,
            key_prefix=key_prefix.encode(),
            # Keys are ASCII unless told otherwise, and so is text that no serde has made bytes.
            allow_unicode_keys=True,
            encoding="utf-8",
            # It does not wait for the answer to a set unless told.
            default_noreply=False,
            timeout=PATIENCE,
        )

    def get_many(self, keys):
        return self.client.get_many(keys)

    def set_many(self, values):
        return self.client.set_many(values)

    def as_read(self, value):
        """Without a serde, everything is stored as `str` shows it, and read as bytes."""
        if self.serde is None and not isinstance(value, bytes):
            return str(value).encode()
        return value


CLIENTS = {
    "moecache": Moecache,
    "pylibmc": Pylibmc,
    "pymemcache": Pymemcache,
    "python-memcached": PythonMemcached,
}


def main():
    name, settings, *servers = sys.argv[1:]
    client = CLIENTS[name](servers, **json.loads(settings))
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        try:
            answer = {"returns": getattr(client, method)(*arguments)}
        except Exception as error:
            answer = {"raises": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
