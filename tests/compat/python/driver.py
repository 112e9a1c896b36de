"""Calls one of the Python clients: `driver.py CLIENT HOST:PORT ..`

Each line of stdin is a list of calls, `[method, argument, ..]`, all in JSON. Each gets a line on stdout: the
list of what they returned. Bytes are `{"bytes": text}`, with one character of Latin-1 for each; an
exception is `{"raises": class, "saying": text}`. `"reconnect"` in place of the list begins with a new client.

The methods have the same names and results with every client: get_many and set_many (of a dict; it returns the keys that
failed), gets (a value and a cas id, which is a number), cas (with that id).
"""

import json
import sys

PATIENCE = 20


class Adapter:
    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return getattr(self.client, name)


class Moecache(Adapter):
    """Has get, set and delete, of one key at a time."""

    def __init__(self, servers):
        import moecache

        addresses = [server.split(":") for server in servers]
        addresses = [(host, int(port)) for host, port in addresses]
        super().__init__(moecache.Client(addresses, timeout=PATIENCE))

    def get_many(self, keys):
        values = [(key, self.client.get(key)) for key in keys]
        return {key: value for key, value in values if value is not None}

    def set_many(self, values):
        for key, value in values.items():
            self.client.set(key, value)
        return []


class Pylibmc(Adapter):
    def __init__(self, servers, binary, **behaviors):
        import pylibmc

        # It refuses gets without this.
        behaviors["cas"] = True
        super().__init__(pylibmc.Client(servers, binary=binary, behaviors=behaviors))

    def get_many(self, keys):
        return self.client.get_multi(keys)

    def set_many(self, values):
        return self.client.set_multi(values)


class Pymemcache(Adapter):
    def __init__(self, servers, serde, **settings):
        import pymemcache

        [server] = servers
        client = pymemcache.Client(
            server,
            serde=getattr(pymemcache.serde, serde) if serde else None,
            # Of text that no serde has made bytes; it is ASCII unless told.
            encoding="utf-8",
            # It does not wait for the answer to a set unless told.
            default_noreply=False,
            timeout=PATIENCE,
            **settings,
        )
        super().__init__(client)

    def gets(self, key):
        value, cas = self.client.gets(key)
        return value, cas and int(cas)


class PythonMemcached(Adapter):
    def __init__(self, servers):
        import memcache

        client = memcache.Client(servers, cache_cas=True, socket_timeout=PATIENCE)
        super().__init__(client)

    def get_many(self, keys):
        return self.client.get_multi(keys)

    def set_many(self, values):
        return self.client.set_multi(values)

    # It keeps the ids of what it got to itself, by key.
    def gets(self, key):
        self.client.cas_ids.pop(key.encode(), None)
        value = self.client.gets(key)
        return value, self.client.cas_ids.get(key.encode())

    def cas(self, key, value, cas):
        self.client.cas_ids[key.encode()] = cas
        return self.client.cas(key, value)

    # 1 and 0.
    def delete(self, key):
        return bool(self.client.delete(key))

    def touch(self, key, time):
        return bool(self.client.touch(key, time))


CLIENTS = {
    "moecache": Moecache,
    "pylibmc": lambda servers: Pylibmc(servers, binary=False),
    "pylibmc, binary": lambda servers: Pylibmc(servers, binary=True),
    "pylibmc, verify_keys": lambda servers: Pylibmc(servers, binary=False, verify_keys=True),
    "pymemcache": lambda servers: Pymemcache(servers, None),
    "pymemcache, allow_unicode_keys": lambda servers: Pymemcache(servers, None, allow_unicode_keys=True),
    "pymemcache, pickle_serde": lambda servers: Pymemcache(servers, "pickle_serde"),
    "pymemcache, compressed_serde": lambda servers: Pymemcache(servers, "compressed_serde"),
    "python-memcached": PythonMemcached,
}


def from_json(value):
    if isinstance(value, dict) and list(value) == ["bytes"]:
        return value["bytes"].encode("latin-1")
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    return value


def to_json(value):
    if isinstance(value, bytes):
        return {"bytes": value.decode("latin-1")}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    return value


def call(client, method, *arguments):
    try:
        return to_json(getattr(client, method)(*map(from_json, arguments)))
    except Exception as error:
        return {"raises": type(error).__name__, "saying": str(error)}


def main():
    name, *servers = sys.argv[1:]
    client = CLIENTS[name](servers)
    for line in sys.stdin:
        calls = json.loads(line)
        if calls == "reconnect":
            client = CLIENTS[name](servers)
            calls = []
        print(json.dumps([call(client, *each) for each in calls]), flush=True)


main()
